"""What waits for one account: which open questions it may answer today, and for whom."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from engine.cases.dossier import Dossier, by_numbers
from engine.errors import NotAllowed, Refused
from engine.letters.hand_delivery import HAND_DELIVERY
from engine.people.delegations import delegations_to
from engine.people.permissions import authorize_answer, cached_roles, mandate_in_force, user_named
from engine.runtime.batches import together_or_alone
from engine.runtime.office import Office
from models import Role, Wait, WaitKind


def answerable(
    office: Office, session: Session, name: str, waits: Sequence[tuple[str, Wait]]
) -> dict[tuple[str, str], str | None]:
    """Return those of the open waits (each with its case's number) that the account may answer, and for whom (None: itself).

    What an owner hands in on paper is not counted as its officer's. Raises `Refused` for an unknown account.
    """
    user, today = user_named(session, name), office.clock.today()
    roles = {
        *cached_roles(session, user),
        *(role for one in delegations_to(session, user, today) for role in one.roles),
    }
    asked = [(number, wait) for number, wait in waits if wait.role == Role.APPLICANT or wait.role in roles]
    dossiers = _readable(office, session, sorted({number for number, _ in asked}))
    found: dict[tuple[str, str], str | None] = {}
    for number, wait in asked:
        if number not in dossiers:
            continue
        case = dossiers[number].case
        if wait.role == Role.APPLICANT:
            if user.person_id == case.applicant.person_id:
                found[number, wait.key] = None
            elif mandate_in_force(session, user, case.applicant.person_id, today):
                found[number, wait.key] = case.applicant.handle
            continue
        by_hand = wait.kind == WaitKind.HAND_DELIVERY
        question = HAND_DELIVERY if by_hand else dossiers[number].pipeline.questions[wait.question or ""]
        try:
            found[number, wait.key] = authorize_answer(session, user, case, wait, question, None, today).on_behalf_of
        except NotAllowed:
            continue
    return found


def _readable(office: Office, session: Session, numbers: list[str]) -> dict[str, Dossier]:
    """Return the cases whose code is there; one that is gone takes no other with it."""
    found = together_or_alone(
        numbers,
        lambda group: by_numbers(office, session, group, history=False),
        lambda number, error: {},
        catch=Refused,
    )
    return {number: dossier for dossiers in found for number, dossier in dossiers.items()}
