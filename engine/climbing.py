"""Who is told on a rung of the ladder, by who reports to whom and by region; and to whom a question passes at its end."""

from __future__ import annotations

from sqlmodel import Session, col, select, update

from engine.authority import line_of
from engine.dossiers import Dossier
from engine.impartiality import assignable, who_took_part
from engine.office import Office
from models import AnyWait, Role, User, UserRole, Wait


def told_of(session: Session, dossier: Dossier, wait: AnyWait, whom: str) -> list[str]:
    """Return the accounts that ``whom`` means for this wait: its holder (or all who may hold it), or a superior by role.

    A superior is looked for up the line of the holder; where there is none, among those with that role in the case's region, the
    nearest first; where the role is vacant, the next higher one is told.
    """
    if whom == "holder":
        return [wait.holder] if wait.holder else _with_role(session, wait.role or "", dossier.case.region_code)
    holding = session.exec(select(User).where(User.name == wait.holder)).first() if wait.holder else None
    superiors = line_of(session, holding) if holding else []
    above = HIGHER[HIGHER.index(Role(whom)) :]
    for role in above:
        line = [user.name for user in superiors if role in _roles(session, user)]
        if found := line[:1] or _with_role(session, role, dossier.case.region_code):
            return found
    return []


HIGHER = (Role.SUPERVISOR, Role.DIVISION_HEAD, Role.OFFICE_HEAD, Role.ADMINISTRATOR)


def reassigned(office: Office, session: Session, dossier: Dossier, wait: AnyWait) -> list[str]:
    """Give a question whose holder let it lie to the next who may answer it; return both, or whom it was left with.

    Nobody is passed over who was not asked by name: a question that a whole role may answer stays with that role.
    """
    if wait.holder is None or wait.role == Role.APPLICANT:
        return told_of(session, dossier, wait, "holder")
    question, today = dossier.pipeline.questions[wait.question or ""], office.clock.today()
    took_part = {*wait.apart_from, *who_took_part(session, dossier.case.number, question), wait.holder}
    following = assignable(session, dossier.case, question, today, question.holds, took_part)
    others = {one.holder for one in dossier.past.waits.values() if one.question == wait.question}
    following = [name for name in following if name not in others]
    if not following:
        return [wait.holder]
    session.execute(
        update(Wait)
        .where(col(Wait.case_id) == wait.case_id, col(Wait.key) == wait.key, col(Wait.settled_at).is_(None))
        .values(holder=following[0])
        .execution_options(synchronize_session=False)
    )
    return [following[0], wait.holder]


def _with_role(session: Session, role: str, region: str) -> list[str]:
    """Return who has the role in that region; those of the narrowest region that anybody covers."""
    users = session.exec(
        select(User).join(UserRole, col(UserRole.user_id) == col(User.id)).where(UserRole.role == role)
    ).all()
    near = [user for user in users if region.startswith(user.region_code or "")]
    closest = max((len(user.region_code or "") for user in near), default=0)
    return sorted(user.name for user in near if len(user.region_code or "") == closest)


def _roles(session: Session, user: User) -> set[str]:
    return set(session.exec(select(UserRole.role).where(UserRole.user_id == user.id)))
