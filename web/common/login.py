"""Sign-in and sign-out: an account shows its token once and gets a signed cookie."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from web.common.access import OfficeDep, caller_of_token
from web.common.login_cookie import COOKIE, LASTS, cookie_of
from web.common.pages import page
from web.common.problems import Unauthorized

router = APIRouter()


@router.get("/login", response_class=HTMLResponse, tags=["public"])
def login_page() -> HTMLResponse:
    """Show the form."""
    return page("login.html", error=None)


@router.post("/login", response_class=HTMLResponse, include_in_schema=False)
def login(request: Request, office: OfficeDep, token: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Take a token; answer with the cookie, or with the form and what is wrong."""
    try:
        caller = caller_of_token(office, token.strip())
    except Unauthorized:
        return page("login.html", 401, error="Token ini tidak dikenal. Periksa kembali atau minta yang baru.")
    answer = RedirectResponse("/desk", 303)
    secure = request.url.scheme == "https" or office.settings.public_url.startswith("https://")
    answer.set_cookie(COOKIE, cookie_of(office, caller.user), LASTS, httponly=True, samesite="strict", secure=secure)
    return answer


@router.post("/logout", include_in_schema=False)
def logout() -> Response:
    """Forget the cookie."""
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer
