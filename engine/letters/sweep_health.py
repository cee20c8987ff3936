"""The health of the sweeps: the last one's end, since when they are missing, and a warning."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from documents.formats import moment_in_words
from engine.deadlines.clock import Clock
from engine.runtime.office import Office
from models import Sweep, Wait
from rules import book


def last_sweep(session: Session) -> datetime | None:
    """Return when the last finished sweep ended; None where none ever did."""
    return session.exec(select(func.max(Sweep.finished_at))).one()


def stale_since(office: Office, session: Session) -> datetime | None:
    """Return since when sweeps are missing; None where all is well.

    Sweeps are missing since the end of the last one, where that is longer ago than the rule ``watch_limit`` allows. Before
    the first sweep ever, they are missing since the earliest due moment of an open wait that has passed.
    """
    now, last = office.clock.now(), last_sweep(session)
    if last is None:
        overdue = select(func.min(Wait.next_due_at)).where(col(Wait.settled_at).is_(None), col(Wait.next_due_at) <= now)
        return session.exec(overdue).one()
    return last if now - last > _patience(office) else None


def is_stale(office: Office, session: Session, clock: Clock) -> bool:
    """Return whether sweeps are missing by the machine's ``clock``.

    The office's own clock may stand still (``JALUR_NOW``).
    """
    by_machine = func.coalesce(col(Sweep.really_finished_at), col(Sweep.finished_at))
    last: datetime | None = session.exec(select(func.max(by_machine))).one()
    if last is None:
        return stale_since(office, session) is not None
    return clock.now() - last > _patience(office)


def stale_warning(office: Office, session: Session) -> str | None:
    """Return the warning (Indonesian) that sweeps are missing; None where all is well."""
    if stale_since(office, session) is None:
        return None
    last = last_sweep(session)
    if last is None:
        return "Pengawasan tenggat belum pernah berjalan."
    return f"Pengawasan tenggat terakhir selesai pada {moment_in_words(last, 'id')}."


def _patience(office: Office) -> timedelta:
    return timedelta(minutes=book("common").at("watch_limit", office.clock.today()).value)
