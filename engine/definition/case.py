"""Frozen views of a case for the code of its pipeline: no session, no clock, no randomness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from rules import RulesAt


@dataclass(frozen=True)
class Applicant:
    """The person whose case it is, without personal numbers.

    Steps read the numbers from the facts of the case.
    """

    person_id: int
    name: str
    language: str

    @property
    def handle(self) -> str:
        """Return the account name of the applicant."""
        return handle_of(self.person_id)


@dataclass(frozen=True)
class HandedOn:
    """The origin of a case: another case, or a certificate of another body.

    ``number`` names it, ``known`` are the facts known there.

    ``decided_by`` is set where the case examines another one anew: the deciders of each question of the first case,
    who may not answer it again.
    """

    number: str
    known: dict[str, Any]
    decided_by: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A case as replayed code sees it, with the facts of its opening and the rules of its date."""

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
        """Return the facts known from the case of origin; an empty dict where there is none."""
        return self.handed_on.known if self.handed_on else {}

    def decided_before(self, question: str) -> list[str]:
        """Return the accounts that answered ``question`` in the case that this one examines anew."""
        return list(self.handed_on.decided_by.get(question, [])) if self.handed_on else []


@dataclass(frozen=True)
class Lodged:
    """An objection as the code of its process sees it.

    ``about`` is ``application`` where the ending of a case (``outcome``) is contested, or the question whose decision in an
    open case is. ``decided_by`` names the deciders of each question. ``known`` are the prefilled facts of a new case.
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
        """Return the accounts that decided a question in this case, or in the one examined anew."""
        return sorted({name for names in self.decided_by.values() for name in names})


@dataclass(frozen=True)
class Expiring:
    """An expiring certificate, as the code of the pipeline that renews it sees it.

    ``stands`` are the standings that it gives. ``answers`` are the last answers of its holder and of the office by question,
    where the same pipeline gave it.
    """

    stands: tuple[str, ...]
    number: str | None
    until: date
    rules: RulesAt
    answers: Mapping[str, Mapping[str, Any]]


def handle_of(person_id: int) -> str:
    """Return the account name of an owner, made of the row's id and of no personal number."""
    return f"owner-{person_id}"
