"""Who works on what: cases, waits and papers are leased in short transactions of their own.

A lease that ran out is taken over by the next worker. A case counts its attempts when it is claimed, so that one that
kills the process is run alone the next time, and parked after two.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select, update

from engine import case_state
from engine.office import Office
from models import Case, CaseStatus, Digest, Letter, Wait

LEASE = timedelta(minutes=2)
# A batch is leased at once and worked off one by one: whoever comes to a row later than this makes sure that it is still theirs.
FRESH = timedelta(seconds=10)
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
# A chunk commits together and, under Prefect, is one task run, which costs as much time as advancing a hundred cases.
CHUNK = 250
FATAL_ATTEMPTS = 2


def free(column: object, now: object) -> ColumnElement[bool]:
    """Return the condition that nobody holds the lease in ``column`` at ``now``."""
    return or_(col(column).is_(None), col(column) < now)


def pause_after(attempt: int) -> timedelta:
    """Return how long to leave a thing alone that failed at that attempt: 1, 2, 4 … minutes, at most 6 hours."""
    doubled: timedelta = FIRST_PAUSE * 2 ** (min(attempt, 20) - 1)
    return min(doubled, LONGEST_PAUSE)


def parked_cases(pipeline: str) -> Any:
    """Return the query for the parked cases of ``pipeline``: no machine works for them until somebody looked."""
    return select(Case.id).where(Case.pipeline == pipeline, Case.status == CaseStatus.PARKED)


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


class Claimed(NamedTuple):
    """A case that was leased, and how often it had been claimed before without coming to an end."""

    id: int
    number: str
    attempts: int


def claim_cases(office: Office, pipeline: str, only: Iterable[int] | None, limit: int = CHUNK) -> list[Claimed]:
    """Lease up to ``limit`` ready cases of ``pipeline``; a case that was claimed before and not finished comes alone."""
    now = office.clock.now()
    with office.db.writing() as session:
        wanted = (
            select(col(Case.id), Case.number, Case.attempts)
            .where(Case.pipeline == pipeline, col(Case.ready), free(Case.leased_until, now))
            .order_by(col(Case.id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        if only is not None:
            wanted = wanted.where(col(Case.id).in_(list(only)))
        cases = [Claimed(case_id or 0, number, attempts) for case_id, number, attempts in session.exec(wanted)]
        suspects = [case for case in cases if case.attempts]
        if suspects:
            cases = suspects[:1]
        if cases:
            case_state.lease(session, [case.id for case in cases], now + LEASE)
        return cases
