"""Hierarchy of accounts: superiors, and the permission to arrange an account's work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlmodel import Session, select

from engine.definition.case import Case
from engine.errors import NotAllowed
from engine.people.impartiality import must_not_be_concerned
from engine.people.roles import cached_roles
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
    """Return the role in which ``user`` may arrange the work of ``whose`` on ``on``.

    Allowed are the account itself, its superiors, and officials; in a case, officials of its region. In a case its applicant
    arranges nothing, and an account with a declared conflict only its own work. ``whose`` is None for the work of a whole role.

    Raises:
        NotAllowed: ``user`` is none of these.
    """
    roles = cached_roles(session, user, on)
    office = [role for role in reversed(officials) if role in roles]
    if case is not None:
        must_not_be_the_applicant(user, case)
        if user.name != whose:
            must_not_be_concerned(session, user, case, on)
        office = office if user.works_in(case.region_code) else []
    above = _superior_names(session, whose)
    if office:
        return office[0]
    if roles and user.name in (whose, *above):
        return next((role for role in reversed(HIGHER) if role in roles), min(roles))
    allowed = ", ".join(filter(None, (whose, *above))) or "nobody by name"
    raise NotAllowed(
        f"{user.name} may not arrange this; that is for: {allowed}, and {', '.join(officials)} of the region",
        for_people=f"{user.name} tidak berwenang mengatur hal ini. Mintalah atasan atau administrator.",
        user=user.name,
    )


def must_not_be_the_applicant(user: User, case: Case) -> None:
    """Refuse the applicant of a case.

    Raises:
        NotAllowed: the case is the user's own application.
    """
    if user.person_id is not None and user.person_id == case.applicant.person_id:
        raise NotAllowed(
            f"{user.name} is the applicant of {case.number} and arranges nothing in it. Ask a colleague",
            for_people=f"{user.name} adalah pemohon {case.number}. Mintalah rekan lain.",
            user=user.name,
        )


def _superior_names(session: Session, name: str | None) -> list[str]:
    """Return the names of an account's superiors, read once per transaction."""
    known: dict[str | None, list[str]] = session.info.setdefault("superiors", {})
    if name not in known:
        known[name] = [user.name for user in superiors(session, name)]
    return known[name]


def superiors(session: Session, name: str | None) -> Iterator[User]:
    """Yield the superiors of an account, nearest first; a circle of superiors is walked once.

    An ended superior is passed over: their own superior is next.
    """
    user = session.exec(select(User).where(User.name == name)).first() if name else None
    seen: set[int | None] = set()
    while user is not None and user.id not in seen:
        seen.add(user.id)
        user = session.get(User, user.reports_to_id) if user.reports_to_id else None
        if user is not None and user.id not in seen and user.ended_at is None:
            yield user
