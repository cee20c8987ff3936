"""The state of a case: status, readiness, lease and outcome, set by transitions.

A transition is declared with the states in which it may start and the state in which it ends. The caller holds the lock of
the case's row. tests/engine/cases/test_case_state.py holds that no other module sets the state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import sqlalchemy
from sqlmodel import Session, col, update

from engine.runtime.database import among
from models import CaseFile, CaseStatus

P = ParamSpec("P")
Transition = Callable[Concatenate[CaseFile, P], None]

OPEN, PARKED, CLOSED = CaseStatus.OPEN, CaseStatus.PARKED, CaseStatus.CLOSED
# What ``attempts`` counts: one for a chunk of cases that ended with the process, and one more each time that the case had
# been advanced by itself.
TOGETHER = 1
# The columns of the state of a case that is opened: ready to be claimed.
OPENED_STATE: dict[str, Any] = {"status": str(OPEN), "ready": True, "attempts": 0}


class IllegalTransition(Exception):
    """A transition was called on a case whose state it can't start from."""


def transition(*sources: CaseStatus, target: CaseStatus | None = None) -> Callable[[Transition[P]], Transition[P]]:
    """Declare the states in which a transition may start, and its target (None: no change)."""

    def declare(change: Transition[P]) -> Transition[P]:
        @wraps(change)
        def changed(case: CaseFile, /, *args: P.args, **kwargs: P.kwargs) -> None:
            if case.status not in sources:
                raise IllegalTransition(
                    f"Case {case.number} is {case.status}: {change.__name__} takes one that is {from_}"
                )
            change(case, *args, **kwargs)
            if target is not None:
                case.status = target

        from_ = " or ".join(sources)
        return changed

    return declare


@transition(OPEN, PARKED)
def wake(case: CaseFile) -> None:
    """Make a case ready to be claimed; workers pass over a parked one until it is resumed."""
    case.ready = True


@transition(OPEN, PARKED, CLOSED)
def rest(case: CaseFile) -> None:
    """Let a case rest after its replay: no worker claims it until it is woken."""
    case.ready, case.leased_until, case.attempts = False, None, 0


@transition(OPEN, PARKED, target=PARKED)
def park(case: CaseFile, error: str) -> None:
    """Park a case with its error; an officer has to resume it."""
    case.ready, case.leased_until, case.error = False, None, error


@transition(OPEN, PARKED, target=OPEN)
def resume(case: CaseFile) -> None:
    """Resume a parked case, or an open one whose last answer was recalled."""
    _begin(case)


@transition(OPEN, CLOSED, target=CLOSED)
def close(case: CaseFile, outcome: str, reason: str | None, at: datetime) -> None:
    """Close a case; a closed one whose end is replayed is closed again with the same outcome."""
    case.outcome, case.reason, case.closed_at = outcome, reason, at


@transition(CLOSED, target=OPEN)
def contest(case: CaseFile) -> None:
    """Reopen a closed case for an appeal; a withdrawal that was noted too late is dropped."""
    case.outcome = case.reason = case.closed_at = case.withdrawal = None
    _begin(case)


def lease_cases(session: Session, ids: Iterable[int], until: datetime) -> None:
    """Lease claimed cases to a worker ``until`` a moment."""
    _change(session, ids, leased_until=until)


def count_together(session: Session, ids: Iterable[int]) -> None:
    """Count that cases are about to be advanced together, one of which may end the process."""
    _change(
        session,
        ids,
        attempts=sqlalchemy.case((col(CaseFile.attempts) < TOGETHER, TOGETHER), else_=col(CaseFile.attempts)),
    )


def count_alone(session: Session, ids: Iterable[int]) -> None:
    """Count that each of these cases is about to be advanced by itself."""
    alone = sqlalchemy.case((col(CaseFile.attempts) < TOGETHER, TOGETHER + 1), else_=col(CaseFile.attempts) + 1)
    _change(session, ids, attempts=alone)


def give_back(session: Session, ids: Iterable[int], attempts: int) -> None:
    """Give claimed cases back as they were: what failed was not theirs."""
    _change(session, ids, leased_until=None, attempts=attempts)


def _change(session: Session, ids: Iterable[int], **values: Any) -> None:
    session.exec(
        update(CaseFile)
        .where(among(session, col(CaseFile.id), ids))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def change_version(case: CaseFile, before: CaseFile, version: int, rule_date: date) -> bool:
    """Change version and rule date of a case; return False if it went on since ``before``.

    An answer writes a ledger entry. A worker that comes by opens waits without one, but the case is ready no more.
    """
    as_read = ("status", "version", "rule_date", "last_seq", "ready")
    if any(getattr(case, name) != getattr(before, name) for name in as_read):
        return False
    case.version, case.rule_date = version, rule_date
    return True


def _begin(case: CaseFile) -> None:
    case.ready, case.leased_until, case.attempts, case.error = True, None, 0, None
