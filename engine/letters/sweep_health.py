"""Whether anybody still sweeps: when the last sweep came by, and since when none does."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from documents.formats import moment_in_words
from engine.runtime.office import Office
from models import Sweep, Wait
from rules import book


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
