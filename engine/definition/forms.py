"""What a person fills in: typed forms, the question that asks for one, and the silence that may come instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar, overload

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from models import Role

Evidence = Annotated[
    str,
    Field(
        pattern=r"^sha256:[0-9a-f]{64}$",
        description="A file kept as evidence, by its hash. On the command line: @path/to/file",
    ),
]


class Form(BaseModel):
    """An answer. ``by`` (the account's name) and ``at`` are set by the engine and can't be typed in."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
    _by: str = PrivateAttr(default="")
    _at: datetime | None = PrivateAttr(default=None)

    @property
    def by(self) -> str:
        """Return the account that gave this answer, or the name of the system that did."""
        return self._by

    @property
    def at(self) -> datetime:
        """Return the moment at which the answer was recorded."""
        if self._at is None:
            raise AttributeError("This form was not recorded yet")
        return self._at

    def recorded(self, by: str, at: datetime) -> Form:
        """Set who answered and when."""
        self._by, self._at = by, at
        return self

    def decided(self) -> str:
        """Return the word that stands in the ledger as this answer's outcome."""
        return str(getattr(self, "decision", "answered"))


class ApplicantForm(Form):
    """What an owner hands in: with an own code, or on paper that an officer scans and records for them."""

    own_code: str | None = Field(default=None, description="The owner's own code; it is checked, never kept")
    paper: Evidence | None = Field(default=None, description="The scanned paper, where the owner answered on paper")


@dataclass(frozen=True)
class Silence:
    """What a question ends with when nobody answered in the time that it had."""

    question: str
    since: datetime
    asked_on: date
    due_on: date | None = None


@dataclass(frozen=True)
class Passed:
    """What a question ends with when its deadline passed and the law itself says what follows (fiktif positif, hand-over).

    ``authority`` is who should have acted, ``effect`` what the rule names (deemed_approved, handed_over), ``computation``
    the key of the page that counts the days.
    """

    question: str
    at: datetime
    asked_on: date
    due_on: date
    authority: str
    effect: str
    citation: str
    computation: str


A = TypeVar("A")
F = TypeVar("F", bound=Form)


@dataclass(frozen=True, init=False)
class Question(Generic[A]):
    """A question, declared at the top of a pipeline so that it can be listed, previewed and drawn before anything runs.

    ``due`` and ``silent_after`` name rules. Only a question with ``silent_after`` can end in `Silence`, and its
    type says so. ``recorded_for`` names the outside body whose decision an officer records here. ``passes`` names the rule
    that says what the passing of the deadline does: only where that rule is law does the question end in `Passed`.

    Who must be impartial (ISO/IEC 17024 and 17065) says so here: ``apart_from`` names questions of the case whose
    answerers may not answer this one, ``other_institution`` bars who works where the applicant does, ``holds`` names the
    standing that must be in force on the day. engine/people/impartiality.py enforces it, when it is asked and when it is answered.
    """

    form: type[Form]
    of: Role
    due: str | None
    silent_after: str | None
    passes: str | None
    title: str
    signed: bool
    recorded_for: str | None
    apart_from: tuple[str, ...]
    other_institution: bool
    holds: str | None
    name: str = field(default="")

    @overload
    def __init__(
        self: Question[F],
        form: type[F],
        *,
        of: Role,
        title: str,
        due: str | None = None,
        signed: bool = False,
        recorded_for: str | None = None,
        apart_from: tuple[str, ...] = (),
        other_institution: bool = False,
        holds: str | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self: Question[F | Silence],
        form: type[F],
        *,
        of: Role,
        title: str,
        due: str | None = None,
        silent_after: str,
        signed: bool = False,
        recorded_for: str | None = None,
        apart_from: tuple[str, ...] = (),
        other_institution: bool = False,
        holds: str | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self: Question[F | Passed],
        form: type[F],
        *,
        of: Role,
        title: str,
        due: str,
        passes: str,
        signed: bool = False,
        recorded_for: str | None = None,
        apart_from: tuple[str, ...] = (),
        other_institution: bool = False,
        holds: str | None = None,
    ) -> None: ...

    def __init__(
        self,
        form: type[Form],
        *,
        of: Role,
        title: str,
        due: str | None = None,
        silent_after: str | None = None,
        passes: str | None = None,
        signed: bool = False,
        recorded_for: str | None = None,
        apart_from: tuple[str, ...] = (),
        other_institution: bool = False,
        holds: str | None = None,
    ) -> None:
        set_field = object.__setattr__  # a frozen dataclass with an own __init__, for the overloads' sake
        set_field(self, "form", form)
        set_field(self, "of", of)
        set_field(self, "title", title)
        set_field(self, "due", due)
        set_field(self, "silent_after", silent_after)
        set_field(self, "passes", passes)
        set_field(self, "signed", signed)
        set_field(self, "recorded_for", recorded_for)
        set_field(self, "apart_from", apart_from)
        set_field(self, "other_institution", other_institution)
        set_field(self, "holds", holds)
        set_field(self, "name", snake_case(form.__name__))

    def choices(self) -> list[str]:
        """Return the values of the form's ``decision``, or ``["answered"]`` where there is nothing to choose."""
        schema: Mapping[str, Any] = self.form.model_json_schema()
        decision = schema.get("properties", {}).get("decision", {})
        if "$ref" in decision:
            decision = schema["$defs"][decision["$ref"].rsplit("/", 1)[-1]]
        return list(decision.get("enum", [decision["const"]] if "const" in decision else ["answered"]))


def snake_case(name: str) -> str:
    """Return ``DossierCheck`` as ``dossier_check``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
