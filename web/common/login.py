"""The way in for people: the account's token, once, for a signed cookie that lasts a working day; then their tasks."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import select

from documents.formats import day_in_words
from engine.people.permissions import roles_of
from engine.runtime.office import Office
from models import User
from web.common.access import Asker, OfficeDep, account_of, waiting_for
from web.common.pages import page
from web.common.problems import Unauthorized

router = APIRouter()

COOKIE = "jalur"
LASTS = 10 * 60 * 60
SHOWN = 200


@router.get("/login", response_class=HTMLResponse, tags=["public"])
def login_page() -> HTMLResponse:
    """Show the form."""
    return page("login.html", error=None)


@router.post("/login", response_class=HTMLResponse, include_in_schema=False)
def login(request: Request, office: OfficeDep, token: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Take a token; answer with the cookie, or with the form and what is wrong."""
    try:
        who = account_of(office, token.strip())
    except Unauthorized:
        return page("login.html", 401, error="Token ini tidak dikenal. Periksa kembali atau minta yang baru.")
    answer = RedirectResponse("/desk", 303)
    secure = request.url.scheme == "https" or office.settings.public_url.startswith("https://")
    answer.set_cookie(COOKIE, _signed(office, who.user), LASTS, httponly=True, samesite="strict", secure=secure)
    return answer


@router.post("/logout", include_in_schema=False)
def logout() -> Response:
    """Forget the cookie."""
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/desk", response_class=HTMLResponse, include_in_schema=False)
def desk(office: OfficeDep, jalur: Annotated[str | None, Cookie()] = None) -> Response:
    """List what waits for who is logged in, the most urgent first."""
    who = _of_cookie(office, jalur or "")
    if who is None:
        return RedirectResponse("/login", 303)
    with office.db.reading() as session:
        waiting = waiting_for(office, session, who)
    tasks = [
        {
            **one,
            "due": _until(one),
            "whose": f" · atas nama {one['on_behalf_of']}" if one["on_behalf_of"] else "",
        }
        for one in waiting
    ]
    nothing = None if tasks else "Tidak ada tugas yang menunggu."
    return page("desk.html", nothing=nothing, name=who.name, tasks=tasks[:SHOWN], more=max(len(tasks) - SHOWN, 0))


def _until(one: Mapping[str, Any]) -> str:
    """Return until when a task waits, in words; nothing where it has no date."""
    mark = " (sementara)" if one["provisional"] else ""
    return f" · sampai {day_in_words(one['due_on'], 'id')}{mark}" if one["due_on"] else ""


def _signed(office: Office, user: User) -> str:
    return _value(office, user, int(time.time()) + LASTS)


def _value(office: Office, user: User, until: int) -> str:
    # The token's hash is signed along, so that a new token ends the sessions of the old one.
    return f"{user.id}.{until}.{office.vault.digest('session', f'{user.id}.{until}.{user.api_token_hash}')}"


def _of_cookie(office: Office, value: str) -> Asker | None:
    number, _, rest = value.partition(".")
    until = rest.partition(".")[0]
    if not (number.isdecimal() and until.isdecimal()) or int(until) < time.time():
        return None
    with office.db.reading() as session:
        user = session.exec(select(User).where(User.id == int(number))).first()
        if user is None or not hmac.compare_digest(value.encode(), _value(office, user, int(until)).encode()):
            return None
        return Asker(user, frozenset(roles_of(session, user)))
