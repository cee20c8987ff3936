"""Who stands in for whom: the delegations in force on a day. See engine/delegating.py for how they are made and revoked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from models import AnyWait, Delegation, LedgerEntry, Role, User, UserRole, Wait


@dataclass(frozen=True)
class StandIn:
    """For whom an account answers, with their own roles: in one role or all, in one case or all."""

    away: User
    roles: frozenset[Role]
    role: str | None
    case_id: int | None
    since: date
    until: date

    def covers(self, case_id: int, role: Role) -> bool:
        """Return whether it extends to questions of ``role`` in that case. What was delegated to who is away is not theirs."""
        return role in self.roles and self.role in (None, role) and self.case_id in (None, case_id)


def stands_in_for(session: Session, user: User, on: date) -> list[StandIn]:
    """Return for whom ``user`` answers on ``on``, as this transaction met it first: it may bring hundreds of answers."""
    known: dict[int | None, list[StandIn]] = session.info.setdefault("stand_ins", {})
    if user.id not in known:
        wanted = (
            select(Delegation, User)
            .join(User, col(User.id) == col(Delegation.from_id))
            .where(Delegation.to_id == user.id, col(Delegation.revoked_at).is_(None))
            .order_by(col(Delegation.id))
        )
        found = session.exec(wanted).all()
        roles: dict[int, set[Role]] = {}
        for user_id, role in session.exec(
            select(UserRole.user_id, UserRole.role).where(col(UserRole.user_id).in_({one.from_id for one, _ in found}))
        ):
            roles.setdefault(user_id, set()).add(Role(role))
        known[user.id] = [
            StandIn(away, frozenset(roles.get(one.from_id, ())), one.role, one.case_id, one.since, one.until)
            for one, away in found
        ]
    return [one for one in known[user.id] if one.since <= on <= one.until]


def asked_beside(session: Session, wait: AnyWait) -> set[str]:
    """Return who was asked the same question at the same moment, or has answered it: none of them answers it twice."""
    if wait.question is None:
        return set()
    beside = session.exec(
        select(Wait.key, Wait.holder).where(
            Wait.case_id == wait.case_id,
            Wait.question == wait.question,
            Wait.asked_at == wait.asked_at,
            Wait.key != wait.key,
        )
    ).all()
    if not beside:
        return set()
    answered = session.exec(
        select(LedgerEntry.actor).where(
            LedgerEntry.case_id == wait.case_id, col(LedgerEntry.key).in_([key for key, _ in beside])
        )
    )
    return {holder for _, holder in beside if holder} | set(answered)
