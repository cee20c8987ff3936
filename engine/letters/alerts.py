"""Troubles leave at once: at any hour of any day, every administrator gets one letter with all that broke since the last one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from sqlmodel import Session, col, func, select

from documents.letters import write_letter
from engine.definition.declarations import ALERT, OFFICE
from engine.definition.registry import all_versions
from engine.letters.digest_outbox import for_each, grouped, put, untold
from engine.letters.notices import News, administrators, notify_all
from engine.letters.sweep_health import last_sweep, standstill
from engine.runtime.database import among
from engine.runtime.office import Office
from models import Case, CaseStatus, EntryKind, LedgerEntry, Notice, Run
from rules import book

HEADINGS = {
    "stale": "Pengawasan tenggat berhenti",
    "failed": "Proses yang gagal",
    "parked": "Perkara yang tertahan",
    "skipped": "Tenggat yang dilewati",
}
# What failed longer before the last sweep is history, which `jalur runs --failed` has.
LOOK_BACK = timedelta(days=30)


def write_alerts(office: Office) -> int:
    """Look for troubles and write an alert for each account that is to be told of one; return how many were written.

    What an alert told is not in the morning's digest. One that can't be written leaves its news for the next look.
    """
    report_troubles(office)
    with office.db.reading() as session:
        urgent = select(Notice.account_id).where(col(Notice.told_at).is_(None), col(Notice.kind).in_(HEADINGS))
        accounts = sorted(session.exec(urgent.distinct()))
    return for_each(accounts, lambda account: _write(office, account))


def _write(office: Office, account: int) -> bool:
    with office.db.writing() as session:
        user, news = untold(session, account, HEADINGS)
        if not news:
            return False  # another worker was first
        facts = {
            "name": user.name,
            "at": office.clock.now().isoformat(),
            "count": len(news),
            "groups": grouped(news, HEADINGS),
            "office": book(OFFICE).at("office", office.clock.today()).value,
        }
        return put(
            session, office, user, f"alert-{max(one.id or 0 for one in news)}", write_letter(ALERT, facts, "id"), news
        )


class Trouble(NamedTuple):
    """Something that an administrator has to look at. ``what`` names it, so that it is said once."""

    kind: str
    what: str
    case_number: str | None
    words: str


def report_troubles(office: Office) -> int:
    """Have every administrator told of each parked case, each failed run, and a sweep that stands still; return how many are new.

    Each is told once, however often it is found: a case that is parked again after a retry is another trouble, and so is
    the next standstill.
    """
    with office.db.writing() as session:
        those = administrators(session)
        found = {
            one.what: one for one in (*_standing_still(office, session), *_parked(session), *_failed(office, session))
        }
        told = (
            select(Notice.what)
            .where(among(session, col(Notice.account_id), those.values()), among(session, col(Notice.what), found))
            .group_by(col(Notice.what))
            .having(func.count() == len(those))
        )
        new = [found[what] for what in sorted(set(found) - set(session.scalars(told)))] if those else []
        news = [News(those, one.what, one.kind, one.case_number, one.words) for one in new]
        notify_all(session, office, news)
        return len(new)


def _standing_still(office: Office, session: Session) -> Iterator[Trouble]:
    if words := standstill(office, session):
        last = last_sweep(session)
        yield Trouble("stale", f"stale/{last.isoformat() if last else 'never'}", None, words)


def _parked(session: Session) -> Iterator[Trouble]:
    """Yield the parked cases: by pipeline and status, as the index has them, whatever the number of cases."""
    pipelines = {pipeline.name for pipeline in all_versions()}
    parked = session.exec(
        select(Case.number, Case.error, func.max(LedgerEntry.seq))
        .join(LedgerEntry, col(LedgerEntry.case_id) == col(Case.id))
        .where(
            col(Case.pipeline).in_(pipelines),
            Case.status == CaseStatus.PARKED,
            LedgerEntry.kind == EntryKind.REMARK,
            LedgerEntry.key == "parked",
        )
        .group_by(col(Case.number), col(Case.error))
    )
    for number, error, seq in parked:
        yield Trouble("parked", f"parked/{number}/{seq}", number, f"terhenti karena {error}")


def _failed(office: Office, session: Session) -> Iterator[Trouble]:
    """Yield the runs that failed, but those of commands, whose user saw it happen."""
    since = (last_sweep(session) or office.clock.now()) - LOOK_BACK
    failed = select(Run).where(Run.state == "failed", col(Run.started_at) >= since, Run.kind != "cli")
    for run in session.exec(failed):
        name = run.pipeline or "tanpa jalur"
        yield Trouble(
            "failed", f"run/{run.id}", None, f"Proses otomatis ({name}) gagal: {run.error or 'tanpa keterangan'}"
        )
