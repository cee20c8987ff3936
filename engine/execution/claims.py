"""Claims: the cases and the machine waits that a worker takes next.

A case counts its attempts when it is claimed, so that one that kills the process is run alone the next time, and parked after
two.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from engine.cases import case_state
from engine.runtime.leases import CHUNK, LEASE, claim
from engine.runtime.office import Office
from models import CaseFile, CaseStatus, Wait, WaitKind

FATAL_ATTEMPTS = 2


class Claimed(NamedTuple):
    """A case that was leased, and how often it had been claimed before without coming to an end."""

    id: int
    number: str
    attempts: int


def claim_cases(office: Office, pipeline: str, only: Iterable[int] | None, limit: int = CHUNK) -> list[Claimed]:
    """Lease up to ``limit`` ready cases; one that was claimed and not finished comes alone.

    ``only`` are the ids of the cases to choose from (None: all of ``pipeline``).
    """
    now = office.clock.now()
    ready = select(col(CaseFile.id), CaseFile.number, CaseFile.attempts).where(
        CaseFile.pipeline == pipeline, col(CaseFile.ready)
    )
    with office.db.writing() as session:
        cases = [Claimed(*row) for row in claim(session, ready.order_by(col(CaseFile.id)), CaseFile, now, limit, only)]
        suspects = [case for case in cases if case.attempts]
        if suspects:
            cases = suspects[:1]
        if cases:
            case_state.lease_cases(session, [case.id for case in cases], now + LEASE)
        return cases


def claim_waits(
    office: Office, session: Session, pipeline: str, kind: WaitKind, only: Iterable[int] | None, limit: int
) -> list[Wait]:
    """Return up to ``limit`` open waits of that kind whose case is not parked.

    The caller leases them, or settles them in the same transaction.

    Locks: the waits; those that another worker is claiming are passed over.
    """
    waiting = select(Wait).where(
        Wait.pipeline == pipeline,
        Wait.kind == kind,
        col(Wait.settled_at).is_(None),
        col(Wait.case_id).not_in(_parked_cases(pipeline)),
    )
    return claim(session, waiting.order_by(col(Wait.case_id)), Wait, office.clock.now(), limit, only)


def _parked_cases(pipeline: str) -> Any:
    """Return the query for the parked cases of ``pipeline``: no machine works for them."""
    return select(CaseFile.id).where(CaseFile.pipeline == pipeline, CaseFile.status == CaseStatus.PARKED)
