"""Fill in the forms of answers before their transaction, from what is open at that moment.

The transaction takes a form whose question is still the same, and fills in any other anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from engine.actions.form_filling import filled_in
from engine.cases.dossier import WAITED, prefilled_values
from engine.cases.waits import PEOPLE_KINDS
from engine.deadlines.clock import is_over
from engine.definition.forms import Form, Question
from engine.definition.registry import Pipeline, pipeline_named
from engine.errors import BadAnswer, Refused
from engine.letters.hand_delivery import HAND_DELIVERY
from engine.runtime.database import among
from engine.runtime.encryption import Key
from engine.runtime.office import Office
from models import AnyWait, CaseFile, Person, PersonKey, Wait, WaitKind

# The columns of a question's case, and of the key of its applicant.
ITS_CASE = [col(column) for column in (CaseFile.number, CaseFile.version)]
ITS_KEY = [col(PersonKey.id).label("key_id"), col(PersonKey.wrapped)]
# The number of a case, the key of a question, and what was typed.
Raw = tuple[str, str, dict[str, Any]]


@dataclass(frozen=True)
class Filled:
    """A filled-in form: its question, the typed and prefilled values, the wait as it was."""

    form: Form
    question: Question[Any]
    data: Mapping[str, Any]
    known: Mapping[str, Any]
    asked: tuple[Any, ...]

    def fits(self, wait: AnyWait) -> bool:
        """Return whether the wait still asks the same, with the same prefilled values."""
        return self.asked == _asked(wait)


def fill_in_all(office: Office, answers: Sequence[tuple[int, Raw]]) -> dict[int, Filled | BadAnswer]:
    """Return the forms, or their refusals, of the answers to open questions, by their places.

    An answer to what is not open, not in time, or not readable has none: its transaction says what is wrong.
    """
    waiting = _waiting(office, {number for _, (number, _, _) in answers})
    forms: dict[int, Filled | BadAnswer] = {}
    for place, raw in answers:
        found = waiting.get(raw[:2])
        if found is None or is_over(found.silent_at, office.clock.now()):
            continue
        try:
            pipeline = pipeline_named(found.pipeline, found.version)
            forms[place] = fill_in(office, pipeline, Key(found.key_id, found.wrapped), found, raw)
        except BadAnswer as bad:
            forms[place] = bad
        except Refused:  # the code of its version is gone
            continue
    return forms


def fill_in(office: Office, pipeline: Pipeline, key: Key, wait: AnyWait, raw: Raw) -> Filled:
    """Return the form of one answer to an open wait.

    Raises:
        BadAnswer: The data does not fill in the form.
    """
    number, name, data = raw
    by_hand = wait.kind == WaitKind.HAND_DELIVERY
    question = HAND_DELIVERY if by_hand else pipeline.questions[wait.question or ""]
    known = prefilled_values(office, key, wait)
    data = {**known, **data}
    return Filled(filled_in(number, name, question, data), question, data, known, _asked(wait))


def _waiting(office: Office, numbers: set[str]) -> dict[tuple[str, str], Any]:
    """Return the open questions of the cases to people, by number and key."""
    wanted = (
        select(*WAITED, *ITS_CASE, *ITS_KEY)
        .join(CaseFile, col(CaseFile.id) == col(Wait.case_id))
        .join(Person, col(Person.id) == col(CaseFile.person_id))
        .join(PersonKey, col(PersonKey.id) == col(Person.key_id))
    )
    with office.db.reading() as session:
        here = among(session, col(CaseFile.number), [number for number in numbers if number.isprintable()])
        of_people = col(Wait.kind).in_([str(kind) for kind in PEOPLE_KINDS])
        rows = session.execute(wanted.where(here, of_people, col(Wait.settled_at).is_(None)))
        return {(row.number, row.key): row for row in rows}


def _asked(wait: AnyWait) -> tuple[Any, ...]:
    return wait.kind, wait.question, wait.request
