"""Alerts: one letter to each administrator with the troubles found since their last alert.

Unlike the morning's digest, an alert leaves at any hour of any day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from sqlmodel import Session, col, func, select

from documents.letters import write_letter
from engine.definition.declarations import ALERT, OFFICE
from engine.definition.registry import all_versions
from engine.letters.digest_outbox import group_by_heading, lock_untold_notices, queue_digest, write_for_each
from engine.letters.notices import News, administrators, notify_all
from engine.letters.sweep_health import last_sweep, stale_warning
from engine.runtime.database import among
from engine.runtime.office import Office
from models import CaseFile, CaseStatus, EntryKind, LedgerEntry, Notice, Run
from rules import book

HEADINGS = {
    "stale": "Pengawasan tenggat berhenti",
    "failed": "Proses yang gagal",
    "parked": "Perkara yang tertahan",
    "skipped": "Tenggat yang dilewati",
}
# A run that failed longer ago than this before the last sweep is no news; `jalur runs --failed` lists it.
LOOK_BACK = timedelta(days=30)


def write_alerts(office: Office) -> int:
    """Report new troubles and write an alert for each account with some; return the number.

    An alert marks its notices as told, so that the morning's digest does not repeat them. An alert that cannot be written
    leaves its notices to the next call.
    """
    report_troubles(office)
    with office.db.reading() as session:
        urgent = select(Notice.account_id).where(col(Notice.told_at).is_(None), col(Notice.kind).in_(HEADINGS))
        accounts = sorted(session.exec(urgent.distinct()))
    return write_for_each(accounts, lambda account: _write(office, account))


def _write(office: Office, account: int) -> bool:
    with office.db.writing() as session:
        user, news = lock_untold_notices(session, account, HEADINGS)
        if not news:
            return False  # another worker wrote the alert first
        facts = {
            "name": user.name,
            "at": office.clock.now().isoformat(),
            "count": len(news),
            "groups": group_by_heading(news, HEADINGS),
            "office": book(OFFICE).at("office", office.clock.today()).value,
        }
        return queue_digest(
            session, office, user, f"alert-{max(one.id or 0 for one in news)}", write_letter(ALERT, facts, "id"), news
        )


class Trouble(NamedTuple):
    """A thing for an administrator to look at; ``what`` identifies it for good."""

    kind: str
    what: str
    case_number: str | None
    words: str


def report_troubles(office: Office) -> int:
    """Notify the administrators of new troubles; return how many there are.

    Troubles are parked cases, failed runs and missing sweeps. Each is reported once, however often it is found. A case that is
    parked again after a retry is a new trouble; so is the next time without sweeps.
    """
    with office.db.writing() as session:
        told_to = administrators(session, office.clock.today())
        found = {
            one.what: one for one in (*_missing_sweeps(office, session), *_parked(session), *_failed(office, session))
        }
        told = (
            select(Notice.what)
            .where(
                among(session, col(Notice.account_id), told_to.values()),
                among(session, col(Notice.what), found),
            )
            .group_by(col(Notice.what))
            .having(func.count() == len(told_to))
        )
        new = [found[what] for what in sorted(set(found) - set(session.scalars(told)))] if told_to else []
        news = [News(told_to, one.what, one.kind, one.case_number, one.words) for one in new]
        notify_all(session, office, news)
        return len(new)


def _missing_sweeps(office: Office, session: Session) -> Iterator[Trouble]:
    if words := stale_warning(office, session):
        last = last_sweep(session)
        yield Trouble("stale", f"stale/{last.isoformat() if last else 'never'}", None, words)


def _parked(session: Session) -> Iterator[Trouble]:
    """Yield a trouble for each parked case.

    The query names pipeline and status, so that an index serves it whatever the number of cases.
    """
    pipelines = {pipeline.name for pipeline in all_versions()}
    parked = session.exec(
        select(CaseFile.number, CaseFile.error, func.max(LedgerEntry.seq))
        .join(LedgerEntry, col(LedgerEntry.case_id) == col(CaseFile.id))
        .where(
            col(CaseFile.pipeline).in_(pipelines),
            CaseFile.status == CaseStatus.PARKED,
            LedgerEntry.kind == EntryKind.REMARK,
            LedgerEntry.key == "parked",
        )
        .group_by(col(CaseFile.number), col(CaseFile.error))
    )
    for number, error, seq in parked:
        yield Trouble("parked", f"parked/{number}/{seq}", number, f"terhenti karena {error}")


def _failed(office: Office, session: Session) -> Iterator[Trouble]:
    """Yield a trouble for each failed run, except a command's: its user saw it fail."""
    since = (last_sweep(session) or office.clock.now()) - LOOK_BACK
    failed = select(Run).where(Run.state == "failed", col(Run.started_at) >= since, Run.kind != "cli")
    for run in session.exec(failed):
        name = run.pipeline or "tanpa jalur"
        yield Trouble(
            "failed", f"run/{run.id}", None, f"Proses otomatis ({name}) gagal: {run.error or 'tanpa keterangan'}"
        )
