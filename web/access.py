"""Who is asking: the account behind a bearer token, and which cases that account may see."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session, col, select

from engine.authority import handle_of, mandate_in_force, roles_of
from engine.errors import UnknownCase
from engine.office import Office
from models import Case, Role, User
from web.problems import Unauthorized

# These see the cases of their region; an applicant sees their own, and whoever holds a mandate those of its giver.
STAFF = frozenset(Role) - {Role.APPLICANT}


@dataclass(frozen=True)
class Asker:
    """An account that has shown its token."""

    user: User
    roles: frozenset[Role]

    @property
    def name(self) -> str:
        """Return the name under which the ledger knows them."""
        return self.user.name


def office_of(request: Request) -> Office:
    """Return the office that the app was opened with."""
    office: Office = request.app.state.office
    return office


OfficeDep = Annotated[Office, Depends(office_of)]
_bearer = HTTPBearer(auto_error=False, description="Token akun, dari: jalur user token NAMA")


def account_of(office: Office, token: str) -> Asker:
    """Return the account of a token. Raises `Unauthorized`."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    with office.db.reading() as session:
        user = session.exec(select(User).where(User.api_token_hash == digest)).first()
        if user is None:
            raise Unauthorized
        return Asker(user, frozenset(roles_of(session, user)))


def asker(office: OfficeDep, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Asker:
    """Return who asks. Raises `Unauthorized`."""
    if credentials is None:
        raise Unauthorized
    return account_of(office, credentials.credentials)


AskerDep = Annotated[Asker, Depends(asker)]


def seen_by(office: Office, session: Session, who: Asker, numbers: set[str]) -> set[str]:
    """Return those of the cases that ``who`` may see."""
    cases = session.exec(
        select(Case.number, Case.person_id, Case.region_code).where(col(Case.number).in_(sorted(numbers)))
    ).all()
    staff, region, today = bool(who.roles & STAFF), who.user.region_code or "", office.clock.today()
    return {
        number
        for number, person, where in cases
        if person == who.user.person_id
        or (staff and where.startswith(region))
        or mandate_in_force(session, who.user, person, today)
    }


def must_see(office: Office, session: Session, who: Asker, number: str) -> None:
    """Raise `UnknownCase` where ``who`` may not see that case: that there is one is nobody else's business."""
    if number not in seen_by(office, session, who, {number}):
        raise UnknownCase(number)


def is_theirs(who: Asker, waiting: dict[str, object]) -> bool:
    """Return whether what waits is for ``who`` to answer: one of their roles, or they hold it themselves."""
    if waiting["role"] == Role.APPLICANT:
        return Role.OFFICER in who.roles or waiting["holder"] == _handle(who)
    return waiting["role"] in who.roles


def _handle(who: Asker) -> str | None:
    return handle_of(who.user.person_id) if who.user.person_id else None
