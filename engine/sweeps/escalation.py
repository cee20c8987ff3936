"""Resolve the accounts to tell on a rung of the ladder, and the next assignee at its end.

They follow from who reports to whom, and from the region. For an absent account its delegates are told as well, unless they
are barred there: engine/actions/delegate.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlmodel import Session, col, select

from engine.cases.dossier import Dossier
from engine.cases.waits import overwrite
from engine.errors import NotAllowed
from engine.people.delegations import delegates_of, sibling_accounts
from engine.people.hierarchy import HIGHER, superiors
from engine.people.impartiality import assignable, must_be_impartial, must_not_be_concerned, who_took_part
from engine.people.roles import cached_roles, has_role
from engine.runtime.office import Work
from models import AnyWait, Role, User


def asked_of(session: Session, dossier: Dossier, wait: AnyWait, on: date) -> list[str]:
    """Return the wait's assignee, or all who may take it."""
    return [wait.holder] if wait.holder else _with_role(session, wait.role or "", dossier.case.region_code, on)


def told_of(session: Session, dossier: Dossier, wait: AnyWait, whom: str, on: date) -> list[str]:
    """Return the accounts that ``whom`` means for this wait, followed by their delegates.

    ``whom`` is the assignee, or a superior by role. A superior is looked for up the assignee's line, then among the holders of
    that role in the case's region, the nearest first. Where the role is vacant, or not above the asked one, the next higher role
    is told. Who is away on ``on`` is told for the record.
    """
    if whom == "holder":
        return _with_delegates(session, dossier, wait, asked_of(session, dossier, wait, on), on)
    above = HIGHER[max(HIGHER.index(Role(whom)), _above(wait.role)) :]
    for role in above:
        line = [user.name for user in superiors(session, wait.holder) if role in cached_roles(session, user, on)]
        if found := line[:1] or _with_role(session, role, dossier.case.region_code, on):
            return _with_delegates(session, dossier, wait, found, on, role)
    return []


def _above(role: str | None) -> int:
    """Return the first place in `HIGHER` above ``role``: no subordinate is told of a delay."""
    return min(HIGHER.index(Role(role)) + 1, len(HIGHER) - 1) if role in HIGHER else 0


def reassign_to_next(work: Work, dossier: Dossier, wait: AnyWait) -> list[str]:
    """Give an overdue question to the next account that may answer it; return whom to tell.

    A question that a whole role may answer stays with that role. An absent account without an unbarred delegate gets the question
    only where nobody else can. The new assignee and the former one are told; where the question stays, whoever it stays with.
    """
    if wait.holder is None or wait.role == Role.APPLICANT:
        return told_of(work.session, dossier, wait, "holder", work.today)
    question, today = dossier.pipeline.questions[wait.question or ""], work.today
    took_part = {*wait.apart_from, *who_took_part(work.session, dossier.case.number, question), wait.holder}
    following = assignable(work.session, dossier.case, question, today, question.holds, took_part)
    others = {one.holder for one in dossier.past.waits.values() if one.question == wait.question}
    following = [name for name in following if name not in others]
    if not following:
        return told_of(work.session, dossier, wait, "holder", today)
    barred = took_part | {name for name in others if name}
    following.sort(key=lambda name: _is_unreachable(work.session, dossier, wait, name, today, barred))
    overwrite(work, wait, holder=following[0])
    return _with_delegates(work.session, dossier, wait, [following[0], wait.holder], today)


def _is_unreachable(
    session: Session, dossier: Dossier, wait: AnyWait, name: str, on: date, took_part: set[str]
) -> bool:
    """Return whether the account is away and all its delegates are barred from that question."""
    question = dossier.pipeline.questions[wait.question or ""]
    delegates = delegates_of(session, name, wait.case_id, question.of, on)
    return bool(delegates) and all(
        _is_barred(session, dossier, wait, one, question.of, on, took_part) for one in delegates
    )


def _with_delegates(
    session: Session, dossier: Dossier, wait: AnyWait, names: list[str], on: date, role: Role | None = None
) -> list[str]:
    """Return the accounts and their delegates in ``role`` who are not barred there.

    ``role`` is the question's own where it is None.
    """
    asked = role or dossier.pipeline.questions[wait.question or ""].of
    delegates = {one.name: one for name in names for one in delegates_of(session, name, wait.case_id, asked, on)}
    return names + [
        name
        for name, one in delegates.items()
        if name not in names and not _is_barred(session, dossier, wait, one, asked, on)
    ]


def _is_barred(
    session: Session, dossier: Dossier, wait: AnyWait, user: User, role: Role, on: date, took_part: Iterable[str] = ()
) -> bool:
    """Return whether ``user`` may not act there as a delegate in ``role``.

    In the question's own role they would answer it; in another one they would oversee it.
    """
    case, question = dossier.case, dossier.pipeline.questions[wait.question or ""]
    try:
        if role is question.of:
            before = {*wait.apart_from, *who_took_part(session, case.number, question)}
            if sum(one.question == question.name for one in dossier.past.waits.values()) > 1:
                before |= sibling_accounts(session, wait)
            must_be_impartial(session, user, case, question, on, before.union(took_part), wait.key)
        else:
            must_not_be_concerned(session, user, case, on)
    except NotAllowed:
        return True
    return False


def _with_role(session: Session, role: str, region: str, on: date) -> list[str]:
    """Return the holders of the role in the narrowest region around ``region`` that has any."""
    users = session.exec(select(User).where(has_role(role, on), col(User.ended_at).is_(None))).all()
    near = [user for user in users if user.works_in(region)]
    closest = max((len(user.region_code or "") for user in near), default=0)
    return sorted(user.name for user in near if len(user.region_code or "") == closest)
