"""Who is told on a rung of the ladder, by who reports to whom and by region; and to whom a question passes at its end.

Of somebody who is away who stands in for them is told as well, if nothing bars them there. See engine/actions/delegate.py.
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
from engine.runtime.office import Work
from models import AnyWait, Role, User, UserRole


def asked_of(session: Session, dossier: Dossier, wait: AnyWait) -> list[str]:
    """Return who holds the wait, or all who may hold it."""
    return [wait.holder] if wait.holder else _with_role(session, wait.role or "", dossier.case.region_code)


def told_of(session: Session, dossier: Dossier, wait: AnyWait, whom: str, on: date) -> list[str]:
    """Return the accounts that ``whom`` means for this wait: who is asked, or a superior by role; then who stands in for them.

    A superior is looked for up the line of the holder; where there is none, among those with that role in the case's region, the
    nearest first; where the role is vacant, or not above the one that is asked, the next higher one is told. Who is away on
    ``on`` is told for the record.
    """
    if whom == "holder":
        return _with_stand_ins(session, dossier, wait, asked_of(session, dossier, wait), on)
    above = HIGHER[max(HIGHER.index(Role(whom)), _above(wait.role)) :]
    for role in above:
        line = [user.name for user in superiors(session, wait.holder) if role in _roles(session, user)]
        if found := line[:1] or _with_role(session, role, dossier.case.region_code):
            return _with_stand_ins(session, dossier, wait, found, on, role)
    return []


def _above(role: str | None) -> int:
    """Return the place in `HIGHER` from which on people are above ``role``: nobody's lateness is told to who works for them."""
    return min(HIGHER.index(Role(role)) + 1, len(HIGHER) - 1) if role in HIGHER else 0


def reassigned(work: Work, dossier: Dossier, wait: AnyWait) -> list[str]:
    """Give a question whose holder let it lie to the next who may answer it; return both, or whom it was left with.

    Nobody is passed over who was not asked by name: a question that a whole role may answer stays with that role. Who is away,
    and has nobody who may answer it for them, gets it only where nobody else can.
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
    following.sort(key=lambda name: _nobody_is_there(work.session, dossier, wait, name, today, barred))
    overwrite(work.session, wait, holder=following[0])
    return _with_stand_ins(work.session, dossier, wait, [following[0], wait.holder], today)


def _nobody_is_there(
    session: Session, dossier: Dossier, wait: AnyWait, name: str, on: date, took_part: set[str]
) -> bool:
    """Return whether the account is away, and all who stand in for it are barred from that question."""
    question = dossier.pipeline.questions[wait.question or ""]
    stand_ins = delegates_of(session, name, wait.case_id, question.of, on)
    return bool(stand_ins) and all(
        _is_barred(session, dossier, wait, one, question.of, on, took_part) for one in stand_ins
    )


def _with_stand_ins(
    session: Session, dossier: Dossier, wait: AnyWait, names: list[str], on: date, role: Role | None = None
) -> list[str]:
    """Return the accounts and who stands in for them in ``role`` (None: in that of the question) and is not barred there."""
    asked = role or dossier.pipeline.questions[wait.question or ""].of
    stand_ins = {one.name: one for name in names for one in delegates_of(session, name, wait.case_id, asked, on)}
    return names + [
        name
        for name, one in stand_ins.items()
        if name not in names and not _is_barred(session, dossier, wait, one, asked, on)
    ]


def _is_barred(
    session: Session, dossier: Dossier, wait: AnyWait, user: User, role: Role, on: date, took_part: Iterable[str] = ()
) -> bool:
    """Return whether ``user`` may not act there for who is away: answer the question, or (in another role) see to it."""
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


def _with_role(session: Session, role: str, region: str) -> list[str]:
    """Return who has the role in that region; those of the narrowest region that anybody covers."""
    users = session.exec(
        select(User).join(UserRole, col(UserRole.user_id) == col(User.id)).where(UserRole.role == role)
    ).all()
    near = [user for user in users if user.works_in(region)]
    closest = max((len(user.region_code or "") for user in near), default=0)
    return sorted(user.name for user in near if len(user.region_code or "") == closest)


def _roles(session: Session, user: User) -> set[str]:
    return set(session.exec(select(UserRole.role).where(UserRole.user_id == user.id)))
