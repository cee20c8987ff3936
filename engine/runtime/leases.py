"""Leases: who works on a row, until when, and how long a row that failed is left alone.

A lease is taken in a short transaction of its own; one that ran out is taken over by the next worker.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, update

from engine.runtime.office import Office
from models import Case, Digest, Document, Letter, Wait

LEASE = timedelta(minutes=2)
# A batch is leased at once and worked off one by one: whoever comes to a row later than this makes sure that it is still theirs.
FRESH = timedelta(seconds=10)
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
# A chunk commits together and, under Prefect, is one task run, which costs as much time as advancing a hundred cases.
CHUNK = 250


def free(column: object, now: object) -> ColumnElement[bool]:
    """Return the condition that nobody holds the lease in ``column`` at ``now``."""
    return or_(col(column).is_(None), col(column) < now)


def pause_after(attempt: int, first: timedelta = FIRST_PAUSE, longest: timedelta = LONGEST_PAUSE) -> timedelta:
    """Return how long to leave a thing alone that failed at that attempt: ``first``, twice that, … at most ``longest``."""
    doubled: timedelta = first * 2 ** (min(attempt, 20) - 1)
    return min(doubled, longest)


def claim(
    session: Session, wanted: Any, table: Any, now: datetime, limit: int, only: Iterable[int] | None = None
) -> list[Any]:
    """Return up to ``limit`` of the rows ``wanted`` of ``table`` that nobody holds and that are due, in their order.

    ``only`` takes those of some cases (their ids). The caller gives them a lease in the same transaction.
    Locks: the rows, and passes over those that another worker is claiming.
    """
    wanted = wanted.where(free(table.leased_until, now))
    if hasattr(table, "next_attempt_at"):
        wanted = wanted.where(or_(col(table.next_attempt_at).is_(None), col(table.next_attempt_at) <= now))
    if only is not None:
        case_id = table.id if table is Case else table.case_id
        wanted = wanted.where(col(case_id).in_(list(only)))
    return list(session.exec(wanted.limit(limit).with_for_update(skip_locked=True)))


def lease(session: Session, row: Wait | Document | Letter | Digest, now: datetime) -> None:
    """Hold a row that was claimed, and count the attempt before it is made: one that kills the process counts, too."""
    row.leased_until, row.attempt = now + LEASE, row.attempt + 1
    session.add(row)


def same_row(row: Wait | Letter | Digest) -> list[ColumnElement[bool]]:
    """Return the conditions that name this row of its table."""
    primary_key = type(row).__table__.primary_key  # type: ignore[union-attr]
    return [column == getattr(row, column.key) for column in primary_key]


def still_ours(office: Office, row: Wait | Letter | Digest) -> bool:
    """Renew the lease of a row that was claimed in a batch; return False when it ran out and another worker took it.

    Where the rows before it in the batch took long (an OSS that hangs), two workers would otherwise make the same call.
    """
    now = office.clock.now()
    if row.leased_until is not None and row.leased_until - now >= LEASE - FRESH:
        return True
    table = type(row)
    with office.db.writing() as session:
        renewed = session.execute(
            update(table)
            .where(*same_row(row), col(table.leased_until) == row.leased_until)
            .values(leased_until=now + LEASE)
            .returning(col(table.leased_until))
        ).first()
    if renewed is not None:
        row.leased_until = now + LEASE
    return renewed is not None
