"""Lists of accounts and mandates, those that ended too."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from engine.deadlines.clock import JAKARTA
from engine.definition.case import handle_of
from engine.people.roles import in_force
from models import Institution, Mandate, User, UserRole


def list_accounts(session: Session, on: date) -> list[dict[str, Any]]:
    """Return all accounts by name, as ``jalur user list`` prints them.

    ``roles`` are those held on ``on``; ``role_dates`` has all that the account ever held, with their dates and ends.
    """
    superior = aliased(User)
    found = session.exec(
        select(User, col(superior.name), col(Institution.code))
        .join(superior, col(superior.id) == col(User.reports_to_id), isouter=True)
        .join(Institution, col(Institution.id) == col(User.institution_id), isouter=True)
        .order_by(User.name)
    ).all()
    held = {tuple(row) for row in session.exec(select(UserRole.user_id, UserRole.role).where(in_force(on)))}
    roles: dict[int, list[UserRole]] = {}
    for row in session.exec(select(UserRole).order_by(UserRole.role)):
        roles.setdefault(row.user_id, []).append(row)
    return [
        {
            "name": user.name,
            "roles": [one.role for one in roles.get(user.id or 0, []) if (one.user_id, one.role) in held],
            "role_dates": [_role(one) for one in roles.get(user.id or 0, [])],
            "region": user.region_code,
            "institution": institution,
            "unit": user.unit,
            "reports_to": reports_to,
            "person": user.person_id,
            "since": _moment(user.created_at),
            "token_since": _moment(user.token_since),
            "token_until": user.token_until.isoformat() if user.token_until else None,
            "has_token": user.has_token(on),
            "has_own_code": user.own_code_hash is not None,
            "ended_at": _moment(user.ended_at),
            "reason": user.ended_because,
        }
        for user, reports_to, institution in found
    ]


def list_mandates(session: Session) -> list[dict[str, Any]]:
    """Return all mandates, the oldest first, as ``jalur mandate list`` prints them."""
    holder, recorder = aliased(User), aliased(User)
    found = session.exec(
        select(Mandate, col(holder.name), col(recorder.name))
        .join(holder, col(holder.id) == col(Mandate.user_id))
        .join(recorder, col(recorder.id) == col(Mandate.recorded_by_id))
        .order_by(col(Mandate.id))
    )
    return [
        {
            "mandate": one.id,
            "owner": handle_of(one.owner_id),
            "name": name,
            "since": one.since.isoformat(),
            "until": one.until.isoformat() if one.until else None,
            "paper": f"sha256:{one.paper_sha256}",
            "by": by,
            "recorded_at": _moment(one.recorded_at),
            "revoked_at": _moment(one.revoked_at),
        }
        for one, name, by in found
    ]


def _role(row: UserRole) -> dict[str, str | None]:
    return {
        "role": row.role,
        "since": row.since.isoformat() if row.since else None,
        "until": row.until.isoformat() if row.until else None,
        "ended_at": _moment(row.ended_at),
    }


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(JAKARTA).isoformat() if at else None
