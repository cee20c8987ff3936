"""The signed cookie that keeps an account signed in for a working day."""

from __future__ import annotations

import hmac
import re
import time

from fastapi import Request, Response
from sqlmodel import select

from engine.people.roles import roles_of
from engine.runtime.office import Office
from models import User
from web.common.access import Caller, get_office
from web.common.guard import is_private

LASTS = 10 * 60 * 60  # seconds
_VALUE = re.compile(r"([1-9][0-9]{0,17})\.([1-9][0-9]{9,11})\.[0-9a-f]{64}")


def set_cookie(request: Request, answer: Response, user: User) -> None:
    """Keep an account signed in; the cookie is for this host alone, where `is_private` holds."""
    office = get_office(request)
    name, secure = _named(request)
    value = _value(office, user, int(time.time()) + LASTS)
    answer.set_cookie(name, value, LASTS, httponly=True, samesite="strict", secure=secure)


def delete_cookie(request: Request, answer: Response) -> None:
    """Forget the cookie."""
    name, secure = _named(request)
    answer.delete_cookie(name, httponly=True, samesite="strict", secure=secure)


def caller_of_cookie(request: Request) -> Caller | None:
    """Return the account of a request's cookie.

    None where the cookie is missing, malformed, forged, over or of an old token.
    """
    office = get_office(request)
    value = request.cookies.get(_named(request)[0], "")
    read = _VALUE.fullmatch(value)
    if read is None or int(read[2]) < time.time():
        return None
    number, until = read[1], read[2]
    with office.db.reading() as session:
        user = session.exec(select(User).where(User.id == int(number))).first()
        if user is None or not hmac.compare_digest(value.encode(), _value(office, user, int(until)).encode()):
            return None
        today = office.clock.today()
        return Caller(user, frozenset(roles_of(session, user, today))) if user.has_token(today) else None


def _named(request: Request) -> tuple[str, bool]:
    """Return the cookie's name, and whether it is for HTTPS alone (RFC 6265bis, 4.1.3.2)."""
    secure = is_private(get_office(request).settings, request.url.scheme)
    return ("__Host-jalur" if secure else "jalur"), secure


def _value(office: Office, user: User, until: int) -> str:
    # The token's hash is signed along, so that a new token ends the sessions of the old one.
    return f"{user.id}.{until}.{office.vault.digest('session', f'{user.id}.{until}.{user.api_token_hash}')}"
