"""Sight: the cases that an account may see, by its roles, its region and its questions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy
from sqlalchemy import Row
from sqlmodel import Session, col, or_, select

from engine.people.delegations import delegations_to
from engine.people.permissions import mandators
from engine.runtime.database import among
from models import CaseFile, EntryKind, LedgerEntry, Role, User, Wait

# Partners of the office work on single cases; nothing else of a region is shown to them.
PARTNERS = frozenset({Role.COMPANION, Role.ASSESSOR, Role.CURATOR, Role.PLENARY, Role.PANEL_CHAIR})
# Roles for all regions, unless the account has one of its own.
EVERYWHERE = frozenset({Role.OFFICE_HEAD, Role.ADMINISTRATOR, Role.AUDITOR})
REGIONAL = frozenset(Role) - PARTNERS - EVERYWHERE - {Role.APPLICANT}

# A case's number, id, person and region.
CaseRow = Row[Any]


@dataclass(frozen=True)
class _Eyes:
    """An account through whose roles cases are seen; ``case_id`` is None for all cases."""

    account: User
    roles: frozenset[Role]
    case_id: int | None = None


def visible_numbers(
    session: Session, user: User, roles: Collection[Role], numbers: Collection[str], on: date
) -> set[str]:
    """Return the cases, of those with these numbers, that ``user`` may see on ``on``.

    Applicants see their own cases, holders of a mandate those of its giver, the office's staff those of their region. Whoever
    holds or held a question of a case sees that case; partners see it also while it waits for their whole role in their
    region. A delegate sees what the delegator sees, while the delegation is in force and as far as it extends.
    """
    wanted = sqlalchemy.select(*(col(getattr(CaseFile, name)) for name in ("number", "id", "person_id", "region_code")))
    cases = session.execute(wanted.where(among(session, col(CaseFile.number), sorted(numbers)))).all()
    own = mandators(session, user, on) | {user.person_id}
    seen = {one.number for one in cases if one.person_id in own}
    for eyes in [_Eyes(user, frozenset(roles)), *_of_delegators(session, user, on)]:
        left = [one for one in cases if one.number not in seen and eyes.case_id in (None, one.id)]
        seen |= _seen_by(session, eyes, left)
    return seen


def reach(user: User, roles: Collection[Role]) -> str | None:
    """Return the prefix of the regions that the account's roles show; None for no region.

    An account with a role for all regions reaches all ("") unless it has a region of its own.
    """
    if EVERYWHERE.intersection(roles):
        return user.region_code or ""
    return (user.region_code or None) if REGIONAL.intersection(roles) else None


def _of_delegators(session: Session, user: User, on: date) -> Iterable[_Eyes]:
    for one in delegations_to(session, user, on):
        yield _Eyes(one.delegator, frozenset(role for role in one.roles if one.role in (None, role)), one.case_id)


def _seen_by(session: Session, eyes: _Eyes, cases: Sequence[CaseRow]) -> set[str]:
    reached = reach(eyes.account, eyes.roles)
    seen = {one.number for one in cases if reached is not None and one.region_code.startswith(reached)}
    left = {one.id: one for one in cases if one.number not in seen}
    if not left or not eyes.roles - {Role.APPLICANT}:
        return seen
    theirs = _held(session, eyes.account.name, left)
    theirs |= _waiting_for_the_role(session, eyes, left)
    return seen | {left[case_id].number for case_id in theirs}


def _held(session: Session, name: str, cases: Collection[int | None]) -> set[int]:
    """Return the cases in which the account holds or held a question, or acted."""
    held = select(Wait.case_id).where(among(session, col(Wait.case_id), cases), col(Wait.holder) == name)
    entries = among(session, col(LedgerEntry.case_id), cases)
    acted = select(LedgerEntry.case_id).where(
        entries, or_(col(LedgerEntry.actor) == name, col(LedgerEntry.on_behalf_of) == name)
    )
    given_away = select(LedgerEntry.case_id, LedgerEntry.result).where(
        entries, LedgerEntry.kind == EntryKind.REMARK, LedgerEntry.outcome == "reassigned"
    )
    before = {case_id for case_id, result in session.exec(given_away) if result and result.get("from") == name}
    return {*session.exec(held), *session.exec(acted), *before}


def _waiting_for_the_role(session: Session, eyes: _Eyes, cases: dict[int | None, CaseRow]) -> set[int]:
    """Return the cases of the account's region that wait for the whole of a partner's role."""
    region, roles = eyes.account.region_code, sorted(eyes.roles & PARTNERS)
    near = [case_id for case_id, one in cases.items() if region and one.region_code.startswith(region)]
    if not near or not roles:
        return set()
    asked = select(Wait.case_id).where(
        among(session, col(Wait.case_id), near),
        col(Wait.settled_at).is_(None),
        col(Wait.holder).is_(None),
        col(Wait.role).in_(roles),
    )
    return set(session.exec(asked))
