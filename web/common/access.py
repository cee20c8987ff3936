"""Access: the account behind a token, the cases that it may see, and its inbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from sqlmodel import Session

from engine.errors import UnknownCase
from engine.people.attempts import failed_sign_in
from engine.people.proving import account_of_token
from engine.people.roles import roles_of
from engine.people.sight import visible_numbers
from engine.reports.inbox import inbox
from engine.runtime.office import Office
from models import Role, User
from web.common.problems import Unauthorized


@dataclass(frozen=True)
class Caller:
    """The account that makes a request, with its roles."""

    user: User
    roles: frozenset[Role]

    @property
    def name(self) -> str:
        """Return the account's name, as the ledger writes it."""
        return self.user.name


def get_office(request: Request) -> Office:
    """Return the office for which the app was made."""
    office: Office = request.app.state.office
    return office


OfficeDep = Annotated[Office, Depends(get_office)]
_bearer = HTTPBearer(auto_error=False, description="Token akun, dari: jalur user token NAMA")


def caller_of_token(office: Office, token: str) -> Caller:
    """Return the account of a token.

    Raises:
        Unauthorized: no account has this token, or its last day is over.
    """
    with office.db.reading() as session:
        user = account_of_token(session, office, token)
        if user is None:
            raise Unauthorized
        return Caller(user, frozenset(roles_of(session, user, office.clock.today())))


async def caller_behind(request: Request, token: str) -> Caller:
    """Return the account of a token.

    A wrong token is told after a pause, which grows with each one from its address; a right one never waits.

    Raises:
        Unauthorized: no account has this token.
    """
    office = get_office(request)
    try:
        return await run_in_threadpool(caller_of_token, office, token)
    except Unauthorized:
        seconds = await run_in_threadpool(failed_sign_in, office, address_of(request))
        await request.app.state.pauses.take(seconds)
        raise


async def authenticate(request: Request) -> Caller:
    """Find the account of a request's bearer token, before anything of its body is read.

    Raises:
        Unauthorized: the request has no token, or an unknown one.
    """
    scheme, token = get_authorization_scheme_param(request.headers.get("Authorization"))
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized
    request.state.caller = caller = await caller_behind(request, token)
    return caller


def address_of(request: Request) -> str:
    """Return the address from which a request came, as our server or a trusted proxy saw it."""
    return request.client.host if request.client else ""


async def get_caller(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Caller:
    """Return the account that `authenticate` found before the body was read."""
    caller: Caller = request.state.caller
    return caller


CallerDep = Annotated[Caller, Depends(get_caller)]


def visible_cases(office: Office, session: Session, caller: Caller, numbers: set[str]) -> set[str]:
    """Return the cases, of those with these numbers, that ``caller`` may see today."""
    return visible_numbers(session, caller.user, caller.roles, numbers, office.clock.today())


def require_visible(office: Office, session: Session, caller: Caller, number: str) -> None:
    """Refuse a case that ``caller`` may not see as if it did not exist.

    Raises:
        UnknownCase: there is no such case, or ``caller`` may not see it.
    """
    if number not in visible_cases(office, session, caller, {number}):
        raise UnknownCase(number)


def inbox_of(
    office: Office, session: Session, caller: Caller, *, role: Role | None = None, number: str | None = None
) -> list[dict[str, Any]]:
    """Return the open questions that ``caller`` may answer, the earliest date first.

    ``on_behalf_of`` names the person for whom, or is None. An officer's list also holds the questions to applicants, who may
    hand in their answers on paper.
    """
    asked: dict[str, Any] = {"role": str(role) if role else None, "number": number}
    found = inbox(office, session, whom=caller.name, **asked)
    if Role.OFFICER in caller.roles:
        mine = {(one["case"], one["question"]): one for one in found}
        found = [
            mine.get((one["case"], one["question"]), {**one, "on_behalf_of": None})
            for one in inbox(office, session, **asked)
            if (one["case"], one["question"]) in mine or one["role"] == Role.APPLICANT
        ]
    seen = visible_cases(office, session, caller, {str(one["case"]) for one in found})
    return [one for one in found if one["case"] in seen]
