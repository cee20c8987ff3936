"""Typed forms, the questions that ask for them, and the results of unanswered questions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar, overload

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr

from models import Role


class NamedFile(str):
    """The name of a file in a field for evidence: ``sha256:`` and 64 hexadecimal digits.

    The type tells such a field from other texts, which may look the same and name nothing.
    """

    @property
    def sha256(self) -> str:
        """Return the hash of the file."""
        return self.removeprefix("sha256:")


Evidence = Annotated[
    str,
    Field(
        pattern=r"^sha256:[0-9a-f]{64}$",
        description="A file kept as evidence, by its hash. On the command line: @path/to/file",
    ),
    AfterValidator(lambda text: NamedFile(text)),
]


def evidence_in(value: Any, field: str = "") -> Iterator[tuple[str, NamedFile]]:
    """Yield each file that a form names in a field for evidence, with the field's path."""
    if isinstance(value, NamedFile):
        yield field, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from evidence_in(getattr(value, name), f"{field}.{name}" if field else name)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from evidence_in(inner, f"{field}.{name}" if field else str(name))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from evidence_in(inner, f"{field}.{place}")


class Form(BaseModel):
    """An answer, as a person or an outside system fills it in.

    The engine sets ``by`` (the account's name) and ``at``; they are no fields of the form.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
    _by: str = PrivateAttr(default="")
    _at: datetime | None = PrivateAttr(default=None)

    @property
    def by(self) -> str:
        """Return the name of the account, or of the outside system, that gave this answer."""
        return self._by

    @property
    def at(self) -> datetime:
        """Return the moment at which the answer was recorded."""
        if self._at is None:
            raise AttributeError("This form was not recorded yet")
        return self._at

    def recorded(self, by: str, at: datetime) -> Form:
        """Set ``by`` and ``at``, and return the form."""
        self._by, self._at = by, at
        return self

    def decided(self) -> str:
        """Return the answer's outcome for the ledger: its ``decision``, or ``answered``."""
        return str(getattr(self, "decision", "answered"))


class ApplicantForm(Form):
    """An owner's answer: signed with their own code, or on paper that an officer scans."""

    own_code: str | None = Field(default=None, description="The owner's own code; it is checked, never kept")
    paper: Evidence | None = Field(default=None, description="The scanned paper, where the owner answered on paper")


@dataclass(frozen=True)
class Silence:
    """The result of a question that nobody answered in time."""

    question: str
    since: datetime
    asked_on: date
    due_on: date | None = None


@dataclass(frozen=True)
class Passed:
    """The result of a question whose deadline passed, where the law attaches an effect.

    In Indonesian law such an effect is fiktif positif, or the hand-over to another authority.

    ``authority`` should have acted; ``effect`` is deemed_approved or handed_over, as the rule names it; ``computation`` is the
    key of the page that counts the days.
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
    """A question, declared at the top of a pipeline.

    Declared there, it can be listed and previewed before a case runs.

    ``due`` and ``silent_after`` name rules. Only a question with ``silent_after`` can end in `Silence`, and its type says so.
    ``passes`` names the rule of the effect of a passed deadline; the question ends in `Passed` where that rule is law.
    ``recorded_for`` names the outside body whose decision an officer records here.

    Impartiality (ISO/IEC 17024 and 17065): ``apart_from`` names questions of the case whose answerers may not answer this one;
    ``other_institution`` excludes accounts of the applicant's institution; ``holds`` names the standing that the answerer must
    hold on the day. engine/people/impartiality.py enforces all three, at asking and at answering.
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
        set_field = object.__setattr__  # a frozen dataclass with an own __init__, which the overloads need
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
        """Return the values of the form's ``decision``; ``["answered"]`` for a form without one."""
        schema: Mapping[str, Any] = self.form.model_json_schema()
        decision = schema.get("properties", {}).get("decision", {})
        if "$ref" in decision:
            decision = schema["$defs"][decision["$ref"].rsplit("/", 1)[-1]]
        return list(decision.get("enum", [decision["const"]] if "const" in decision else ["answered"]))


def snake_case(name: str) -> str:
    """Return ``DossierCheck`` as ``dossier_check``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
