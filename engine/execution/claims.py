"""Claims: the cases and the machine waits that a worker takes next.

A case counts its attempts before it is advanced. One that was in a chunk when the process ended is a suspect, and is run alone
the next time; only one with which the process ended twice while it was alone is parked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from engine.cases import case_state
from engine.cases.case_state import TOGETHER
from engine.runtime.leases import CHUNK, LEASE, claim
from engine.runtime.office import Office
from models import CaseFile, CaseStatus, Wait, WaitKind

FATAL_ATTEMPTS = TOGETHER + 2


class Claimed(NamedTuple):
    """A case that was leased, and how often it had been claimed before without coming to an end."""

    id: int
    number: str
    attempts: int

    @property
    def deaths(self) -> int:
        """Return how often the process ended while it advanced this case alone."""
        return max(self.attempts - TOGETHER, 0)


def claim_cases(
    office: Office, pipeline: str, only: Iterable[int] | None, limit: int = CHUNK, apart_up_to: int = 0
) -> list[Claimed]:
    """Lease up to ``limit`` ready cases; a suspect comes alone, the least suspected first.

    ``only`` are the ids of the cases to choose from (None: all of ``pipeline``). The attempt of a case that comes alone, and of
    those that come together, is counted; up to ``apart_up_to`` cases are for the caller to begin one by one: see `begin_alone`.
    """
    now = office.clock.now()
    ready = select(col(CaseFile.id), CaseFile.number, CaseFile.attempts).where(
        CaseFile.pipeline == pipeline, col(CaseFile.ready)
    )
    with office.db.writing() as session:
        cases = [Claimed(*row) for row in claim(session, ready.order_by(col(CaseFile.id)), CaseFile, now, limit, only)]
        if suspects := [case for case in cases if case.attempts]:
            cases = [min(suspects, key=lambda case: case.attempts)]
        ids = [case.id for case in cases]
        if ids:
            case_state.lease_cases(session, ids, now + LEASE)
        if len(ids) == 1:
            case_state.count_alone(session, ids)
        elif len(ids) > apart_up_to:
            case_state.count_together(session, ids)
        return cases


def begin_alone(office: Office, case: Claimed) -> None:
    """Count the attempt of one of several claimed cases, before it is advanced by itself."""
    with office.db.writing() as session:
        case_state.lease_cases(session, [case.id], office.clock.now() + LEASE)
        case_state.count_alone(session, [case.id])


def give_back(office: Office, case: Claimed) -> None:
    """Give a claimed case back, uncounted: the database failed, not the case."""
    with office.db.writing() as session:
        case_state.give_back(session, [case.id], case.attempts)


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
