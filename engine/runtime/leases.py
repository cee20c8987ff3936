"""Leases of rows: a worker holds a row until a moment; after a failure the row backs off.

A lease is taken in a short transaction of its own; the next worker takes over an expired one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, update

from engine.runtime.office import Office
from models import CaseFile, Digest, Document, Letter, Wait

LEASE = timedelta(minutes=2)
# A batch is leased at once and processed row by row: before a row whose lease is older than this, the lease is renewed.
FRESH = timedelta(seconds=10)
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
# A chunk commits together and, under Prefect, is one task run, which costs as much time as advancing a hundred cases.
CHUNK = 250


def unleased(column: object, now: object) -> ColumnElement[bool]:
    """Return the condition that the lease in ``column`` was never taken or has expired."""
    return or_(col(column).is_(None), col(column) < now)


def backoff(attempt: int, first: timedelta = FIRST_PAUSE, longest: timedelta = LONGEST_PAUSE) -> timedelta:
    """Return the pause after a failed attempt: ``first``, doubled each time, up to ``longest``."""
    doubled: timedelta = first * 2 ** (min(attempt, 20) - 1)
    return min(doubled, longest)


def claim(
    session: Session, wanted: Any, table: Any, now: datetime, limit: int, only: Iterable[int] | None = None
) -> list[Any]:
    """Return up to ``limit`` of the rows ``wanted`` that are due and unleased, in their order.

    ``only`` restricts them to cases (their ids). The caller leases the rows in the same transaction.

    Locks: the rows; skips rows that another worker has locked.
    """
    wanted = wanted.where(unleased(table.leased_until, now))
    if hasattr(table, "next_attempt_at"):
        wanted = wanted.where(or_(col(table.next_attempt_at).is_(None), col(table.next_attempt_at) <= now))
    if only is not None:
        case_id = table.id if table is CaseFile else table.case_id
        wanted = wanted.where(col(case_id).in_(list(only)))
    return list(session.exec(wanted.limit(limit).with_for_update(skip_locked=True)))


def lease(session: Session, row: Wait | Document | Letter | Digest, now: datetime) -> None:
    """Lease a claimed row and count its attempt.

    The attempt is counted before it is made, so that one which kills the process is counted, too.

    Mutates: ``row``.
    """
    row.leased_until, row.attempt = now + LEASE, row.attempt + 1
    session.add(row)


def same_row(row: Wait | Letter | Digest) -> list[ColumnElement[bool]]:
    """Return the conditions that select this row by its primary key."""
    primary_key = type(row).__table__.primary_key  # type: ignore[union-attr]
    return [column == getattr(row, column.key) for column in primary_key]


def renew_lease(office: Office, row: Wait | Letter | Digest) -> bool:
    """Renew the lease of a claimed row; return False when another worker took the row over.

    Without it, two workers would make the same call where the rows before it took long (an OSS that hangs).

    Mutates: ``row``, when its lease is renewed.
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
