"""Declarations in the module of a process: endings, documents, letters, questions, steps."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal, TypeVar

from engine.definition.forms import Question


class Ending(StrEnum):
    """The outcomes of a pipeline: ``LEGALIZED = "legalized", "Usaha telah dilegalkan"``."""

    title_id: str

    def __new__(cls, value: str, title: str) -> Ending:
        """Return a member made of its code and the title that people read."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.title_id = title
        return member


@dataclass(frozen=True)
class Paper:
    """A kind of document; its ``name`` is the name of its template.

    With a ``series`` it is issued: numbered and signed. With a ``bundle`` it carries the kept files that its fact ``files``
    lists ({name, title, sha256} each), embedded in the PDF, or in a ZIP with the PDF as its index. ``language`` is set where
    all are written in one language, ``folder`` where the template belongs to no pipeline.
    """

    name: str
    title: str
    series: str | None = None
    bundle: Literal["pdf", "zip"] | None = None
    language: str | None = None
    folder: str | None = None

    @property
    def suffix(self) -> str:
        """Return the suffix of the file's name: pdf or zip."""
        return self.bundle or "pdf"


# The template folder of documents and letters that the engine itself hands out, in every pipeline.
OFFICE = "office"
DIGEST, ALERT = f"{OFFICE}/digest", f"{OFFICE}/alert"
COMPUTATION = Paper("deadline_computation", "Perhitungan tenggat", folder=OFFICE)
OFFICE_PAPERS = {paper.name: paper for paper in (COMPUTATION,)}


@dataclass(frozen=True)
class Letter:
    """A kind of letter; its ``name`` is the name of its template.

    ``folder`` is set where the template belongs to no pipeline.
    """

    name: str
    folder: str | None = None


_T = TypeVar("_T")


class Declared:
    """A process, with the declarations found in its module, or in the modules of its package."""

    name: str
    module: str
    body: Callable[..., Any]

    @property
    def slug(self) -> str:
        """Return the name as Python and the template folders spell it."""
        return self.name.replace("-", "_")

    @cached_property
    def own_questions(self) -> dict[str, Question[Any]]:
        """Return the questions declared in the module, by name, in the order of their declaration."""
        return {question.name: question for question in self._declared(Question)}

    @cached_property
    def papers(self) -> dict[str, Paper]:
        """Return the kinds of document, by name."""
        return {paper.name: paper for paper in self._declared(Paper)}

    @cached_property
    def letters(self) -> dict[str, Letter]:
        """Return the kinds of letter, by name."""
        return {letter.name: letter for letter in self._declared(Letter)}

    @cached_property
    def steps(self) -> dict[str, Callable[..., Any]]:
        """Return the steps and external steps, by name, in the order of their definition."""
        found = [value for value in self._values() if hasattr(value, "is_step")]
        found.sort(key=lambda step: (step.__module__ != self.module, inspect.unwrap(step).__code__.co_firstlineno))
        return {step.__name__: step for step in found}

    def _declared(self, kind: type[_T]) -> Iterable[_T]:
        seen: list[_T] = []
        for value in self._values():
            if isinstance(value, kind) and value not in seen:
                seen.append(value)
        return seen

    def _values(self) -> Iterable[Any]:
        here: dict[str, Any] = self.body.__globals__
        yield from here.values()
        for found in pkgutil.walk_packages(here.get("__path__", ()), f"{self.module}."):
            yield from vars(importlib.import_module(found.name)).values()
