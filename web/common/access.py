"""Who is asking: the account behind a bearer token, and which cases that account may see."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session, col, select

from engine.errors import UnknownCase
from engine.people.delegations import delegations_to
from engine.people.permissions import mandate_in_force, roles_of
from engine.reports.case_views import inbox
from engine.runtime.office import Office
from models import Case, Role, User
from web.common.problems import Unauthorized

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
    """Return those of the cases that ``who`` may see; who stands in for somebody sees theirs, while it lasts."""
    cases = session.exec(
        select(Case.number, Case.id, Case.person_id, Case.region_code).where(col(Case.number).in_(sorted(numbers)))
    ).all()
    staff, today = bool(who.roles & STAFF), office.clock.today()
    absences = delegations_to(session, who.user, today)
    return {
        number
        for number, case_id, person, where in cases
        if person == who.user.person_id
        or (staff and who.user.works_in(where))
        or any(one.delegator.works_in(where) and one.case_id in (None, case_id) for one in absences)
        or mandate_in_force(session, who.user, person, today)
    }


def must_see(office: Office, session: Session, who: Asker, number: str) -> None:
    """Raise `UnknownCase` where ``who`` may not see that case: that there is one is nobody else's business."""
    if number not in seen_by(office, session, who, {number}):
        raise UnknownCase(number)


def waiting_for(
    office: Office, session: Session, who: Asker, *, role: Role | None = None, number: str | None = None
) -> list[dict[str, Any]]:
    """Return what waits for ``who``, urgent first: what they may answer, for themselves or for ``on_behalf_of``.

    An officer's list holds what owners are asked, too: they may hand it in on paper.
    """
    asked: dict[str, Any] = {"role": str(role) if role else None, "number": number}
    found = inbox(office, session, whom=who.name, **asked)
    if Role.OFFICER in who.roles:
        mine = {(one["case"], one["question"]): one for one in found}
        found = [
            mine.get((one["case"], one["question"]), {**one, "on_behalf_of": None})
            for one in inbox(office, session, **asked)
            if (one["case"], one["question"]) in mine or one["role"] == Role.APPLICANT
        ]
    seen = seen_by(office, session, who, {str(one["case"]) for one in found})
    return [one for one in found if one["case"] in seen]
