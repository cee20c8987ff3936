"""Whether anybody still watches: when the last sweep came by, and what broke. See engine/alerting.py."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlmodel import Session, col, func, select

from engine.database import among
from engine.documents.words import moment_in_words
from engine.notices import News, administrators, notify_all
from engine.office import Office
from engine.registry import all_versions
from models import Case, CaseStatus, EntryKind, LedgerEntry, Notice, Run, Sweep, Wait
from rules import book

# What failed longer before the last sweep is history, which `jalur runs --failed` has.
LOOK_BACK = timedelta(days=30)


class Trouble(NamedTuple):
    """Something that an administrator has to look at. ``what`` names it, so that it is said once."""

    kind: str
    what: str
    case_number: str | None
    words: str


def last_sweep(session: Session) -> datetime | None:
    """Return when the newest sweep that came to its end did so; None where there never was one."""
    return session.exec(select(func.max(Sweep.finished_at))).one()


def sweep_is_stale(office: Office, session: Session) -> datetime | None:
    """Return since when nobody sweeps; None where all is well.

    That is the last sweep's end where it is longer ago than the rule ``watch_limit`` allows. Where there never was one it is
    the moment since which the first thing is due; an office in which nothing is due needs none.
    """
    now, last = office.clock.now(), last_sweep(session)
    if last is None:
        overdue = select(func.min(Wait.next_due_at)).where(col(Wait.settled_at).is_(None), col(Wait.next_due_at) <= now)
        return session.exec(overdue).one()
    patience = timedelta(minutes=book("common").at("watch_limit", office.clock.today()).value)
    return last if now - last > patience else None


def standstill(office: Office, session: Session) -> str | None:
    """Return in words that nobody watches the deadlines; None where somebody does."""
    if sweep_is_stale(office, session) is None:
        return None
    last = last_sweep(session)
    if last is None:
        return "Pengawasan tenggat belum pernah berjalan."
    return f"Pengawasan tenggat terakhir selesai pada {moment_in_words(last, 'id')}."


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
