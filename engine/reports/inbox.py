"""The inbox: the open questions to everybody, or to one account as itself and as a delegate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from engine.cases.dossier import Dossier, fetch_by_numbers, fetch_row, prefilled_values
from engine.cases.waits import PEOPLE_KINDS
from engine.deadlines.clock import local_date
from engine.definition.forms import Question
from engine.definition.registry import pipeline_named
from engine.errors import NotAllowed, Refused
from engine.letters.hand_delivery import HAND_DELIVERY
from engine.people.delegations import delegations_to
from engine.people.permissions import authorize_answer, mandate_in_force, user_named
from engine.people.roles import cached_roles, role_named
from engine.runtime.batches import process_batch
from engine.runtime.office import Office
from models import CaseFile, Person, PersonKey, Role, Wait, WaitKind
from models.privacy import masked_in


def inbox(
    office: Office,
    session: Session,
    *,
    role: str | None = None,
    number: str | None = None,
    limit: int | None = None,
    whom: str | None = None,
) -> list[dict[str, Any]]:
    """Return the open questions, the earliest date first, as ``jalur inbox`` prints them.

    With ``whom`` (an account's name) return only those that it may answer today; ``on_behalf_of`` then names the delegator
    or applicant for whom, or is None. Delivery by hand counts as a question.

    Raises:
        Refused: the role, the case or the account is unknown.
    """
    wanted = (
        select(Wait, CaseFile, PersonKey)
        .join(CaseFile, col(CaseFile.id) == col(Wait.case_id))
        .join(Person, col(Person.id) == col(CaseFile.person_id))
        .join(PersonKey, col(PersonKey.id) == col(Person.key_id), isouter=True)
        .where(col(Wait.settled_at).is_(None), col(Wait.kind).in_(PEOPLE_KINDS))
        .order_by(col(Wait.due_at).is_(None), col(Wait.due_at), col(Wait.case_id), col(Wait.key))
    )
    if role is not None:
        wanted = wanted.where(Wait.role == role_named(role))
    if number:
        wanted = wanted.where(Wait.case_id == fetch_row(session, number).id)
    if limit and not whom:
        wanted = wanted.limit(limit)
    rows = session.exec(wanted).all()
    theirs = _answerable(office, session, whom, [(case.number, wait) for wait, case, _ in rows]) if whom else None
    return [
        _waiting(office, wait, case, prefilled_values(office, key, wait) if key else {})
        | ({} if theirs is None else {"on_behalf_of": theirs[case.number, wait.key]})
        for wait, case, key in rows
        if theirs is None or (case.number, wait.key) in theirs
    ][:limit]


def _answerable(
    office: Office, session: Session, name: str, waits: Sequence[tuple[str, Wait]]
) -> dict[tuple[str, str], str | None]:
    """Return the waits that an account may answer, by case number and key.

    The values tell on whose behalf (None: its own). An applicant's question is not listed for officers, although
    they may enter the answer from paper.

    Raises:
        Refused: the account is unknown.
    """
    user, today = user_named(session, name), office.clock.today()
    roles = {
        *cached_roles(session, user, today),
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


def question_of(wait: Wait, case: CaseFile) -> Question[Any]:
    """Return the question of ``wait``, as the case's version declares it.

    Raises:
        Refused: the code of the case's version is gone.
        KeyError: the version has no such question.
    """
    if wait.kind == WaitKind.HAND_DELIVERY:
        return HAND_DELIVERY
    return pipeline_named(case.pipeline, case.version).questions[wait.question or ""]


def _readable(office: Office, session: Session, numbers: list[str]) -> dict[str, Dossier]:
    """Return the cases by number, without those whose version's code is gone."""
    found = process_batch(
        numbers,
        lambda group: fetch_by_numbers(office, session, group, history=False),
        lambda number, error: {},
        catch=Refused,
    )
    return {number: dossier for dossiers in found for number, dossier in dossiers.items()}


def _waiting(office: Office, wait: Wait, case: CaseFile, known: dict[str, Any]) -> dict[str, Any]:
    try:
        question: Question[Any] | None = question_of(wait, case)
    except (Refused, KeyError):  # without the version's code the wait is listed all the same
        question = None
    gone = f"Kode {case.pipeline} versi {case.version} tidak tersedia; hubungi administrator"
    due, silent = (local_date(moment) if moment else None for moment in (wait.due_at, wait.silent_at))
    return {
        "case": case.number,
        "question": wait.key,
        "title": question.title if question else gone,
        "role": wait.role,
        "holder": wait.holder,
        "due_on": due.isoformat() if due else None,
        "provisional": due is not None and office.calendar.is_provisional(due),
        "silent_on": silent.isoformat() if silent else None,
        "silent_provisional": silent is not None and office.calendar.is_provisional(silent),
        "recorded_for": question.recorded_for if question else None,
        "note": wait.note,
        "form": _with_known(question.form.model_json_schema(), known) if question else {},
    }


def _with_known(schema: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Return the form with the known values as defaults, which are no longer required.

    Personal numbers are masked.

    Mutates: ``schema``.
    """
    if known:
        for name, value in known.items():
            if name in schema["properties"]:
                schema["properties"][name] = {**schema["properties"][name], "default": masked_in(value)}
        schema["required"] = [name for name in schema.get("required", []) if name not in known]
    return schema
