"""A script: one ending of one pipeline as data. Who says what, when; a test plays it, cuts it, and plays the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.outside.misbehaving_oss import Mood
from tests.people import EVIDENCE as EVIDENCE

OWNER = "the owner"
"""Stands for the account of the applicant, whatever its number came to be."""

NATIONAL_IDS = ("3508166904956220", "3521010101578871", "3516074107880002")
"""Made-up owners: well-formed numbers, one a case."""


@dataclass(frozen=True)
class Act:
    """Something that happens on a day, at nine in Surabaya. After it cases advance and letters leave.

    ``mood`` is how OSS treats every filing of that act, so that a filing that is tried again is treated alike.
    """

    on: str
    mood: Mood = field(default=Mood.HONEST, kw_only=True)


@dataclass(frozen=True)
class Imports(Act):
    """An officer hands in the intake file."""


@dataclass(frozen=True)
class Opens(Act):
    """An officer opens a case for every imported subject that has none."""


@dataclass(frozen=True)
class Answers(Act):
    """Somebody answers a question, in every case of the script; or in its ``only``-th, where one was opened anew."""

    by: str
    question: str
    data: Mapping[str, Any]
    only: int | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Withdraws(Act):
    """The applicant takes every case of the script back."""

    by: str
    reason: str


@dataclass(frozen=True)
class Contests(Act):
    """The applicant contests the ending of every case of the script."""

    by: str
    reason: str


@dataclass(frozen=True)
class Passes(Act):
    """Nobody says anything: the sweep for silences comes by, and what was put off is tried again."""


@dataclass(frozen=True)
class Script:
    """One way through a pipeline, up to its ``outcome``.

    ``subjects`` are the rows of the intake file. ``oss`` is "machine" (an HTTP server) or "by hand". ``bounces`` makes
    the mail server turn every letter away for good. ``together`` lets the cases advance as a chunk, in one transaction,
    as a large run's do. ``short`` marks the one of a pipeline that is soon played: more tests play it.
    """

    pipeline: str
    name: str
    outcome: str
    acts: tuple[Act, ...]
    subjects: tuple[Mapping[str, str], ...]
    oss: str = "by hand"
    bounces: bool = False
    together: bool = False
    short: bool = False

    @property
    def id(self) -> str:
        """Return how pytest and people name it."""
        return f"{self.pipeline}: {self.name}"

    @property
    def played(self) -> tuple[Act, ...]:
        """Return all acts: each script begins with the file and the opening, on the Monday at which tests begin."""
        return (Imports("2026-01-12"), Opens("2026-01-12"), *self.acts)
