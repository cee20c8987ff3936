"""The signed cookie that keeps an account signed in for a working day."""

from __future__ import annotations

import hmac
import time

from sqlmodel import select

from engine.people.roles import roles_of
from engine.runtime.office import Office
from models import User
from web.common.access import Caller

COOKIE = "jalur"
LASTS = 10 * 60 * 60  # seconds


def cookie_of(office: Office, user: User) -> str:
    """Return the value of a new cookie for an account."""
    return _value(office, user, int(time.time()) + LASTS)


def caller_of_cookie(office: Office, value: str) -> Caller | None:
    """Return the account of a cookie; None where the cookie is forged, over or of an old token."""
    number, _, rest = value.partition(".")
    until = rest.partition(".")[0]
    if not (number.isdecimal() and until.isdecimal()) or int(until) < time.time():
        return None
    with office.db.reading() as session:
        user = session.exec(select(User).where(User.id == int(number))).first()
        if user is None or not hmac.compare_digest(value.encode(), _value(office, user, int(until)).encode()):
            return None
        today = office.clock.today()
        return Caller(user, frozenset(roles_of(session, user, today))) if user.has_token(today) else None


def _value(office: Office, user: User, until: int) -> str:
    # The token's hash is signed along, so that a new token ends the sessions of the old one.
    return f"{user.id}.{until}.{office.vault.digest('session', f'{user.id}.{until}.{user.api_token_hash}')}"
