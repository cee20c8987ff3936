"""Delegations in force on a day; engine/actions/delegate.py makes and revokes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from engine.cases.ledger import RECALLED
from engine.cases.recalled_keys import read_recalls
from engine.people.roles import roles_by_account
from models import AnyWait, Delegation, EntryKind, LedgerEntry, Role, User, Wait


@dataclass(frozen=True)
class DelegationInForce:
    """A delegation with its accounts and the delegator's roles.

    ``role`` is None for all of the delegator's roles, ``case_id`` is None for all cases.
    """

    delegator: User
    delegate: User
    roles: frozenset[Role]
    role: str | None
    case_id: int | None
    since: date
    until: date

    def covers(self, case_id: int | None, role: str | None) -> bool:
        """Return whether the delegation extends to questions of ``role`` in that case.

        A delegation passes on the delegator's own roles only, not those that others delegated to them.
        """
        return role in self.roles and self.role in (None, role) and self.case_id in (None, case_id)


def delegations_to(session: Session, user: User, on: date) -> list[DelegationInForce]:
    """Return the delegations to ``user`` in force on ``on``.

    Read once per transaction, since one transaction may bring hundreds of answers.
    """
    known: dict[tuple[int | None, date], list[DelegationInForce]] = session.info.setdefault("delegations_to", {})
    if (user.id, on) not in known:
        known[user.id, on] = _delegations(session, on, col(Delegation.to_id) == user.id)
    return known[user.id, on]


def delegates_of(session: Session, name: str, case_id: int, role: Role, on: date) -> list[User]:
    """Return the accounts to which ``name`` has delegated ``role`` in that case on ``on``.

    All delegations of the day are read once per transaction: a sweep asks for every account that it notifies.
    """
    known: dict[date, list[DelegationInForce]] = session.info.setdefault("delegations_on", {})
    if on not in known:
        known[on] = _delegations(session, on)
    return [one.delegate for one in known[on] if one.delegator.name == name and one.covers(case_id, role)]


def _delegations(session: Session, on: date, *which: ColumnElement[bool]) -> list[DelegationInForce]:
    delegator, delegate = aliased(User), aliased(User)
    wanted = (
        select(Delegation, delegator, delegate)
        .join(delegator, col(delegator.id) == col(Delegation.from_id))
        .join(delegate, col(delegate.id) == col(Delegation.to_id))
        .where(col(Delegation.revoked_at).is_(None), col(Delegation.since) <= on, col(Delegation.until) >= on, *which)
        .where(col(delegator.ended_at).is_(None), col(delegate.ended_at).is_(None))
        .order_by(col(Delegation.id))
    )
    found = session.exec(wanted).all()
    delegators = {one.from_id for one, _, _ in found}
    roles = roles_by_account(session, delegators, on) if delegators else {}
    return [
        DelegationInForce(
            giver, taker, frozenset(roles.get(one.from_id, ())), one.role, one.case_id, one.since, one.until
        )
        for one, giver, taker in found
    ]


def was_given_back(session: Session, wait: AnyWait) -> bool:
    """Return whether the question was given back to its whole role by an account that held it."""
    remarks = (
        select(LedgerEntry.result)
        .where(
            LedgerEntry.case_id == wait.case_id,
            LedgerEntry.kind == EntryKind.REMARK,
            LedgerEntry.outcome == "reassigned",
        )
        .order_by(col(LedgerEntry.seq))
    )
    told = [result for result in session.exec(remarks) if result and result.get("question") == wait.key]
    return bool(told) and told[-1].get("to") is None


def sibling_accounts(session: Session, wait: AnyWait) -> set[str]:
    """Return the accounts that a wait's siblings were asked of or answered by.

    Siblings are the same question of the case, asked at the same moment; one account answers one of them. A recalled question
    is nobody's sibling; the question asked in its place has the siblings of the recalled one.
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
    siblings = {key: holder for key, holder, at in others if at in moments and key not in taken_back}
    answered = session.exec(
        select(LedgerEntry.actor).where(LedgerEntry.case_id == wait.case_id, col(LedgerEntry.key).in_(list(siblings)))
    )
    return {holder for holder in siblings.values() if holder} | set(answered)
