"""A case as its pipeline may see it: frozen. No session, no clock, no randomness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from rules import RulesAt


@dataclass(frozen=True)
class Applicant:
    """The person whose case it is. Their numbers are not here: a step or an adapter reads them from the facts."""

    person_id: int
    name: str
    language: str

    @property
    def handle(self) -> str:
        """Return the account name under which the owner acts."""
        return handle_of(self.person_id)


@dataclass(frozen=True)
class HandedOn:
    """What was handed on with this case: from which case (or certificate of another body), and what was known there."""

    number: str
    known: dict[str, Any]


@dataclass(frozen=True)
class Case:
    """What replayed code may know: the facts taken at opening, the rules at the rule date, and what was handed on."""

    number: str
    pipeline: str
    version: int
    opened_on: date
    subject_kind: str
    subject_id: int
    region_code: str
    applicant: Applicant
    facts: Any
    rules: RulesAt
    handed_on: HandedOn | None = None

    @property
    def carried(self) -> dict[str, Any]:
        """Return what another pipeline handed on with this case; nothing where it began here."""
        return self.handed_on.known if self.handed_on else {}


@dataclass(frozen=True)
class Expiring:
    """A certificate that will end, as the pipeline that renews it may see it.

    ``stands`` are all the standings that it gives; ``answers`` is what its holder and the office answered for it last, by
    question, where this same pipeline gave it.
    """

    stands: tuple[str, ...]
    number: str | None
    until: date
    rules: RulesAt
    answers: Mapping[str, Mapping[str, Any]]


def handle_of(person_id: int) -> str:
    """Return the account name of an owner: the database's number, never a personal one."""
    return f"owner-{person_id}"
