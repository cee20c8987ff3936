"""Who may arrange the work of an account: itself, its superiors, the officials of the region; nobody in their own case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlmodel import Session, select

from engine.definition.case import Case
from engine.errors import NotAllowed
from engine.people.impartiality import must_not_be_concerned
from engine.people.permissions import known_roles
from models import Role, User

HIGHER = (Role.SUPERVISOR, Role.DIVISION_HEAD, Role.OFFICE_HEAD, Role.ADMINISTRATOR)


def must_oversee(
    session: Session,
    user: User,
    whose: str | None,
    *,
    on: date,
    case: Case | None = None,
    officials: tuple[Role, ...] = HIGHER,
) -> Role:
    """Return in which role ``user`` arranges on ``on`` the work of ``whose`` (None: of a whole role). Raises `NotAllowed`.

    That is the account itself, who it reports to, or an official: in a case, one of its region. There neither the applicant nor
    who declared a conflict arranges anything, but that everybody gives away what is their own.
    """
    roles = known_roles(session, user)
    office = [role for role in reversed(officials) if role in roles]
    if case is not None:
        must_not_be_the_applicant(user, case)
        if user.name != whose:
            must_not_be_concerned(session, user, case, on)
        office = office if user.works_in(case.region_code) else []
    line = _line(session, whose)
    if office:
        return office[0]
    if roles and user.name in (whose, *line):
        return next((role for role in reversed(HIGHER) if role in roles), min(roles))
    above = ", ".join(filter(None, (whose, *line))) or "nobody by name"
    raise NotAllowed(
        f"{user.name} may not arrange this; that is for: {above}, and {', '.join(officials)} of the region",
        for_people=f"{user.name} tidak berwenang mengatur hal ini. Mintalah atasan atau administrator.",
        user=user.name,
    )


def must_not_be_the_applicant(user: User, case: Case) -> None:
    """Do nothing where it is not their own application. Raises `NotAllowed`."""
    if user.person_id is not None and user.person_id == case.applicant.person_id:
        raise NotAllowed(
            f"{user.name} is the applicant of {case.number} and arranges nothing in it. Ask a colleague",
            for_people=f"{user.name} adalah pemohon {case.number}. Mintalah rekan lain.",
            user=user.name,
        )


def _line(session: Session, name: str | None) -> list[str]:
    known: dict[str | None, list[str]] = session.info.setdefault("lines", {})
    if name not in known:
        known[name] = [user.name for user in superiors(session, name)]
    return known[name]


def superiors(session: Session, name: str | None) -> Iterator[User]:
    """Yield the superiors of an account by who reports to whom, the nearest first; a circle ends where it closes."""
    user = session.exec(select(User).where(User.name == name)).first() if name else None
    seen: set[int | None] = set()
    while user is not None and user.id not in seen:
        seen.add(user.id)
        user = session.get(User, user.reports_to_id) if user.reports_to_id else None
        if user is not None and user.id not in seen:
            yield user
