"""The list of tasks that wait for a signed-in account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from documents.formats import day_in_words
from web.common.access import OfficeDep, inbox_of
from web.common.login_cookie import caller_of_cookie
from web.common.pages import page

router = APIRouter()

SHOWN = 200


@router.get("/desk", response_class=HTMLResponse, include_in_schema=False)
def desk(request: Request, office: OfficeDep) -> Response:
    """List the tasks of the signed-in account, the most urgent first."""
    caller = caller_of_cookie(request)
    if caller is None:
        return RedirectResponse("/login", 303)
    with office.db.reading() as session:
        waiting = inbox_of(office, session, caller)
    tasks = [
        {
            **one,
            "due": _due_in_words(one),
            "whose": f" · atas nama {one['on_behalf_of']}" if one["on_behalf_of"] else "",
        }
        for one in waiting
    ]
    nothing = None if tasks else "Tidak ada tugas yang menunggu."
    return page("desk.html", nothing=nothing, name=caller.name, tasks=tasks[:SHOWN], more=max(len(tasks) - SHOWN, 0))


def _due_in_words(one: Mapping[str, Any]) -> str:
    """Return the due date of a task in words, or nothing where it has none."""
    mark = " (sementara)" if one["provisional"] else ""
    return f" · sampai {day_in_words(one['due_on'], 'id')}{mark}" if one["due_on"] else ""
