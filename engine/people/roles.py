"""Roles of accounts on a day; no other module reads the table of roles.

A role counts until its last day, and until it or its account is ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, select

from engine.errors import Refused
from models import Role, User, UserRole


def role_named(name: str) -> Role:
    """Return the role of that name (``division_head`` or ``division-head``).

    Raises:
        Refused: there is none; the message lists the roles.
    """
    try:
        return Role(name.replace("-", "_"))
    except ValueError:
        raise Refused(
            f"There is no role {name}; there are: {', '.join(Role)}",
            for_people=f"Tidak ada peran {name}. Yang ada: {', '.join(Role)}.",
        ) from None


def in_force(on: date) -> ColumnElement[bool]:
    """Return the condition that a row of the table of roles counts on ``on``."""
    return and_(col(UserRole.ended_at).is_(None), or_(col(UserRole.until).is_(None), col(UserRole.until) >= on))


def has_role(role: str, on: date) -> ColumnElement[bool]:
    """Return the condition that an account holds the role on ``on``."""
    return _exists(on, UserRole.role == role)


def is_staff(on: date) -> ColumnElement[bool]:
    """Return the condition that an account holds a role other than the applicant's on ``on``."""
    return _exists(on, UserRole.role != Role.APPLICANT)


def roles_of(session: Session, user: User, on: date) -> set[Role]:
    """Return the roles that a user holds on ``on``."""
    return roles_by_account(session, [user.id or 0], on).get(user.id or 0, set())


def roles_by_account(session: Session, accounts: Iterable[int], on: date) -> dict[int, set[Role]]:
    """Return the roles held on ``on`` by each of these accounts; one without roles is left out."""
    found: dict[int, set[Role]] = {}
    wanted = select(UserRole.user_id, UserRole.role).where(col(UserRole.user_id).in_(list(accounts)), in_force(on))
    for account, role in session.exec(wanted):
        found.setdefault(account, set()).add(Role(role))
    return found


def cached_roles(session: Session, user: User, on: date) -> set[Role]:
    """Return the roles of a user on ``on``, read once per transaction."""
    known: dict[tuple[int | None, date], set[Role]] = session.info.setdefault("roles", {})
    if (user.id, on) not in known:
        known[user.id, on] = roles_of(session, user, on)
    return known[user.id, on]


def _exists(on: date, *which: ColumnElement[bool] | bool) -> ColumnElement[bool]:
    return select(UserRole.role).where(UserRole.user_id == User.id, in_force(on), *which).exists()
