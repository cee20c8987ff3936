"""The state of a case: open, parked or closed, ready or at rest, leased or free. No other module of the engine sets it.

A transition is declared with the states that it may start from and the one in which it ends. The caller holds the case's row lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from sqlmodel import Session, col, update

from engine.runtime.database import among
from models import Case, CaseStatus

P = ParamSpec("P")
Transition = Callable[Concatenate[Case, P], None]

OPEN, PARKED, CLOSED = CaseStatus.OPEN, CaseStatus.PARKED, CaseStatus.CLOSED
# The columns of the state when a case is opened: it waits for a machine to come by.
BEGUN: dict[str, Any] = {"status": str(OPEN), "ready": True, "attempts": 0}


class IllegalTransition(Exception):
    """A case can't go there from the state that it is in."""


def transition(*sources: CaseStatus, target: CaseStatus | None = None) -> Callable[[Transition[P]], Transition[P]]:
    """Declare from which states a transition may start, and to which it leads (None: the case stays in its own)."""

    def declare(change: Transition[P]) -> Transition[P]:
        @wraps(change)
        def changed(case: Case, /, *args: P.args, **kwargs: P.kwargs) -> None:
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
def wake(case: Case) -> None:
    """Make a case ready, so that a machine comes by; a parked one is looked at, and let lie."""
    case.ready = True


@transition(OPEN, PARKED, CLOSED)
def rest(case: Case) -> None:
    """Let a case lie that a machine came by: until somebody wakes it, nobody claims it."""
    case.ready, case.leased_until, case.attempts = False, None, 0


@transition(OPEN, PARKED, target=PARKED)
def park(case: Case, error: str) -> None:
    """Set a case aside with its error."""
    case.ready, case.leased_until, case.error = False, None, error


@transition(OPEN, PARKED, target=OPEN)
def resume(case: Case) -> None:
    """Let a case go on that was parked, or of which an answer was taken back."""
    _begin(case)


@transition(OPEN, CLOSED, target=CLOSED)
def close(case: Case, outcome: str, reason: str | None, at: datetime) -> None:
    """End a case; one that is played again after its end comes to the same."""
    case.outcome, case.reason, case.closed_at = outcome, reason, at


@transition(CLOSED, target=OPEN)
def contest(case: Case) -> None:
    """Let a case that ended go on with an appeal; a withdrawal that was noted too late does not take that back."""
    case.outcome = case.reason = case.closed_at = case.withdrawal = None
    _begin(case)


def lease(session: Session, ids: Iterable[int], until: datetime) -> None:
    """Lease cases to a worker until then, and count the attempt."""
    session.exec(
        update(Case)
        .where(among(session, col(Case.id), ids))
        .values(leased_until=until, attempts=col(Case.attempts) + 1)
        .execution_options(synchronize_session=False)
    )


def change_version(session: Session, before: Case, values: dict[str, Any]) -> bool:
    """Change a case's version and rule date, with its ledger head; return False where it went on since ``before`` was read.

    An answer writes a ledger entry. A worker that comes by opens waits without one, but the case is ready no more.
    """
    as_read = ("status", "version", "rule_date", "last_seq", "ready")
    changed = session.execute(
        update(Case)
        .where(col(Case.id) == before.id, *(col(getattr(Case, name)) == getattr(before, name) for name in as_read))
        .values(values)
        .returning(col(Case.id))
        .execution_options(synchronize_session=False)
    )
    return changed.first() is not None


def _begin(case: Case) -> None:
    case.ready, case.leased_until, case.attempts, case.error = True, None, 0, None
