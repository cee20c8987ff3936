"""Who stands in for whom: the delegations in force on a day. See engine/actions/delegate.py for how they are made and revoked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from engine.cases.ledger import RECALLED
from engine.cases.recalled_keys import read_recalls
from models import AnyWait, Delegation, LedgerEntry, Role, User, UserRole, Wait


@dataclass(frozen=True)
class StandIn:
    """Who answers for whom, with the roles of who is away: in one role or all, in one case or all."""

    away: User
    to: User
    roles: frozenset[Role]
    role: str | None
    case_id: int | None
    since: date
    until: date

    def covers(self, case_id: int | None, role: str | None) -> bool:
        """Return whether it extends to questions of ``role`` in that case. What was delegated to who is away is not theirs."""
        return role in self.roles and self.role in (None, role) and self.case_id in (None, case_id)


def stands_in_for(session: Session, user: User, on: date) -> list[StandIn]:
    """Return for whom ``user`` answers on ``on``, as this transaction met it first: it may bring hundreds of answers."""
    known: dict[int | None, list[StandIn]] = session.info.setdefault("stand_ins", {})
    if user.id not in known:
        known[user.id] = _stand_ins(session, col(Delegation.to_id) == user.id)
    return [one for one in known[user.id] if one.since <= on <= one.until]


def stand_ins_of(session: Session, name: str, case_id: int, role: Role, on: date) -> list[User]:
    """Return who answers on ``on`` for the account ``name`` what that case asks of ``role``: nobody where they are there.

    All who are away that day are looked up once a transaction: a sweep asks this of everybody whom it tells.
    """
    known: dict[date, list[StandIn]] = session.info.setdefault("away", {})
    if on not in known:
        known[on] = _stand_ins(session, col(Delegation.since) <= on, col(Delegation.until) >= on)
    return [one.to for one in known[on] if one.away.name == name and one.covers(case_id, role)]


def _stand_ins(session: Session, *which: ColumnElement[bool]) -> list[StandIn]:
    away, to = aliased(User), aliased(User)
    wanted = (
        select(Delegation, away, to)
        .join(away, col(away.id) == col(Delegation.from_id))
        .join(to, col(to.id) == col(Delegation.to_id))
        .where(col(Delegation.revoked_at).is_(None), *which)
        .order_by(col(Delegation.id))
    )
    found = session.exec(wanted).all()
    roles: dict[int, set[Role]] = {}
    absent = {one.from_id for one, _, _ in found}
    held = select(UserRole.user_id, UserRole.role).where(col(UserRole.user_id).in_(absent))
    for user_id, role in session.exec(held) if absent else ():
        roles.setdefault(user_id, set()).add(Role(role))
    return [
        StandIn(who, whom, frozenset(roles.get(one.from_id, ())), one.role, one.case_id, one.since, one.until)
        for one, who, whom in found
    ]


def asked_beside(session: Session, wait: AnyWait) -> set[str]:
    """Return who was asked the same question at the same moment, or has answered it: none of them answers it twice.

    What was taken back and is asked anew has beside it the answers that were kept; itself it is beside nothing any more.
    """
    if wait.question is None:
        return set()
    others = session.exec(
        select(Wait.key, Wait.holder, Wait.asked_at).where(
            Wait.case_id == wait.case_id, Wait.question == wait.question, Wait.key != wait.key
        )
    ).all()
    if not others:
        return set()
    recalls = select(LedgerEntry).where(LedgerEntry.case_id == wait.case_id, LedgerEntry.outcome == RECALLED)
    taken_back = read_recalls(session.exec(recalls).all()).keys
    moments = {wait.asked_at, *(asked_at for key, _, asked_at in others if key in taken_back)}
    beside = {key: holder for key, holder, at in others if at in moments and key not in taken_back}
    answered = session.exec(
        select(LedgerEntry.actor).where(LedgerEntry.case_id == wait.case_id, col(LedgerEntry.key).in_(list(beside)))
    )
    return {holder for holder in beside.values() if holder} | set(answered)
