"""A case as its pipeline may see it: frozen. No session, no clock, no randomness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """What another case (or a certificate of another body) handed on with this one: its number, and what was known there.

    ``decided_by`` is of a case that is examined anew: who answered which question of the first one, and answers it no more.
    """

    number: str
    known: dict[str, Any]
    decided_by: Mapping[str, list[str]] = field(default_factory=dict)


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

    def decided_before(self, question: str) -> list[str]:
        """Return who answered ``question`` in the case that this one examines anew."""
        return list(self.handed_on.decided_by.get(question, [])) if self.handed_on else []


@dataclass(frozen=True)
class Lodged:
    """An objection as its process may see it: against what, why, by whom, and who decided before.

    ``about`` is ``application`` where the ending of a case is contested (``outcome``), or the question that was decided in an open
    one. ``known`` is what a case that is opened anew begins with.
    """

    refused_for: str
    closed_on: date
    reason: str
    evidence: str | None
    by: str
    on: date
    decided_by: Mapping[str, list[str]]
    about: str = "application"
    outcome: Any = None
    known: Mapping[str, Any] = field(default_factory=dict)

    @property
    def deciders(self) -> list[str]:
        """Return everybody who decided anything in this case, or in the one that it examined anew."""
        return sorted({name for names in self.decided_by.values() for name in names})


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
