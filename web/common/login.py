"""Sign-in and sign-out: an account shows its token once and gets a signed cookie."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from web.common.access import caller_behind
from web.common.bodies import LARGEST_FORM, bounded
from web.common.login_cookie import delete_cookie, set_cookie
from web.common.pages import page
from web.common.problems import Unauthorized

router = APIRouter(route_class=bounded(LARGEST_FORM))


@router.get("/login", response_class=HTMLResponse, tags=["public"])
def login_page() -> HTMLResponse:
    """Show the form."""
    return page("login.html", error=None)


@router.post("/login", response_class=HTMLResponse, include_in_schema=False)
async def login(request: Request, token: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Take a token; answer with the cookie, or with the form and what is wrong."""
    try:
        caller = await caller_behind(request, token.strip())
    except Unauthorized:
        return page("login.html", 401, error="Token ini tidak dikenal. Periksa kembali atau minta yang baru.")
    answer = RedirectResponse("/desk", 303)
    set_cookie(request, answer, caller.user)
    return answer


@router.post("/logout", include_in_schema=False)
def logout(request: Request) -> Response:
    """Forget the cookie."""
    answer = RedirectResponse("/login", 303)
    delete_cookie(request, answer)
    return answer
