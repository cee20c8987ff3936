"""Who works on what: cases, waits and papers are leased in short transactions of their own.

A lease that ran out is taken over by the next worker. A case counts its attempts when it is claimed, so that one that
kills the process is run alone the next time, and parked after two.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select, update

from engine.office import Office
from models import Case, CaseStatus

LEASE = timedelta(minutes=2)
CHUNK = 100
FATAL_ATTEMPTS = 2


def free(column: object, now: object) -> ColumnElement[bool]:
    """Return the condition that nobody holds the lease in ``column`` at ``now``."""
    return or_(col(column).is_(None), col(column) < now)  # type: ignore[arg-type]


def claim_cases(office: Office, pipeline: str, only: Iterable[int] | None, limit: int = CHUNK) -> list[Case]:
    """Lease up to ``limit`` ready cases of ``pipeline``; a case that was claimed before and not finished comes alone."""
    now = office.clock.now()
    with office.db.writing() as session:
        wanted = (
            select(Case)
            .where(Case.pipeline == pipeline, col(Case.ready), free(Case.leased_until, now))
            .order_by(col(Case.id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        if only is not None:
            wanted = wanted.where(col(Case.id).in_(list(only)))
        cases = list(session.exec(wanted))
        suspects = [case for case in cases if case.attempts]
        if suspects:
            cases = suspects[:1]
        _lease(session, [case.id for case in cases], now + LEASE)
        return cases


def release(session: Session, ids: Iterable[int | None]) -> None:
    """Give cases back untouched, as if they had not been claimed."""
    session.exec(
        update(Case)
        .where(col(Case.id).in_(list(ids)))
        .values(leased_until=None, attempts=col(Case.attempts) - 1)
    )


def _lease(session: Session, ids: list[int | None], until: object) -> None:
    if ids:
        session.exec(
            update(Case)
            .where(col(Case.id).in_(ids))
            .values(leased_until=until, attempts=col(Case.attempts) + 1)
            .execution_options(synchronize_session=False)
        )


def ready_pipelines(session: Session) -> list[str]:
    """Return the pipelines that have ready cases nobody has parked."""
    found = select(Case.pipeline).where(col(Case.ready), Case.status == CaseStatus.OPEN).distinct()
    return list(session.exec(found))
