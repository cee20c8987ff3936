"""Which pipelines there are, in which versions, and what each consists of. Imports no Prefect: the CLI lists without it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from engine.errors import Refused
from engine.forms import Question
from rules import RuleBook, book

if TYPE_CHECKING:
    from engine.case import Case, Expiring


class Ending(StrEnum):
    """The outcomes of a pipeline: ``LEGALIZED = "legalized", "Usaha telah dilegalkan"``."""

    title_id: str

    def __new__(cls, value: str, title: str) -> Ending:
        """Make a member of its code and the title that people read."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.title_id = title
        return member


@dataclass(frozen=True)
class Paper:
    """A kind of document. One with a ``series`` is issued: numbered and signed. Its template is its name.

    One with a ``bundle`` carries the kept files that its fact ``files`` names ({name, title, sha256} each): embedded in the
    PDF, or in a ZIP whose index the PDF is. ``language`` is of a kind that is written in one language for everybody,
    ``folder`` where the templates of one that belongs to no pipeline are.
    """

    name: str
    title: str
    series: str | None = None
    bundle: Literal["pdf", "zip"] | None = None
    language: str | None = None
    folder: str | None = None

    @property
    def suffix(self) -> str:
        """Return the ending of its file's name."""
        return self.bundle or "pdf"


# The template folder of what the office hands out by itself, in every pipeline.
OFFICE = "office"
COMPUTATION = Paper("deadline_computation", "Perhitungan tenggat", folder=OFFICE)
OFFICE_PAPERS = {paper.name: paper for paper in (COMPUTATION,)}


@dataclass(frozen=True)
class Letter:
    """A kind of letter; its template is its name."""

    name: str


Body = Callable[["Case"], Ending]


@dataclass(frozen=True)
class Pipeline:
    """A process, and what the engine must know to carry cases through it."""

    name: str
    version: int
    title: str
    prefix: str
    subject: str
    outcomes: type[Ending]
    body: Body
    withdrawal: Callable[[Case, str], Ending]
    clock: str | None = None
    module: str = field(default="")
    renews: Callable[[Expiring], dict[str, Any]] | None = None

    @property
    def slug(self) -> str:
        """Return the name as Python and the template folders spell it."""
        return self.name.replace("-", "_")

    @property
    def rules(self) -> RuleBook:
        """Return the rule book of this pipeline."""
        return book(self.slug)

    @cached_property
    def questions(self) -> dict[str, Question[Any]]:
        """Return the questions declared in the pipeline's module, by name, in the order of their declaration."""
        return {question.name: question for question in self._declared(Question)}

    @cached_property
    def papers(self) -> dict[str, Paper]:
        """Return the kinds of document, by name."""
        return {paper.name: paper for paper in self._declared(Paper)}

    def paper(self, kind: str) -> Paper:
        """Return a kind of document that this pipeline hands out, or the office by itself."""
        return self.papers.get(kind) or OFFICE_PAPERS[kind]

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
        for module in self._modules():
            yield from vars(module).values()

    def _modules(self) -> list[ModuleType]:
        here = sys.modules[self.module]
        inside = [m for name, m in sys.modules.items() if name.startswith(self.module + ".")]
        return [here, *inside]


_T = TypeVar("_T")

_pipelines: dict[tuple[str, int], Pipeline] = {}


def register(pipeline: Pipeline) -> None:
    """Add a pipeline. Two different bodies under one name and version are a mistake: ValueError."""
    known = _pipelines.get((pipeline.name, pipeline.version))
    if known is not None and known.module != pipeline.module:
        raise ValueError(f"{pipeline.name} version {pipeline.version} is registered by {known.module} already")
    _pipelines[pipeline.name, pipeline.version] = pipeline


def load() -> None:
    """Import every module of ``flows`` that may hold a pipeline, once."""
    import flows

    for found in pkgutil.walk_packages(flows.__path__, "flows."):
        if found.name not in sys.modules and not found.name.startswith(NOT_PIPELINES):
            importlib.import_module(found.name)


# These import Prefect, which takes seconds; no pipeline is in them.
NOT_PIPELINES = (
    "flows.deployed",
    "flows.intake",
    "flows.delivery",
    "flows.escalation",
    "flows.renewal",
    "flows.sealing",
)


def current() -> list[Pipeline]:
    """Return the newest version of each pipeline, by name."""
    load()
    newest = {pipeline.name: pipeline for _, pipeline in sorted(_pipelines.items())}
    return sorted(newest.values(), key=lambda pipeline: pipeline.name)


def pipeline_named(name: str, version: int | None = None) -> Pipeline:
    """Return a pipeline by name (``nib-legalization`` or ``nib_legalization``), the newest unless told. Raises `Refused`."""
    name = name.replace("_", "-")
    if version is not None and (name, version) in _pipelines:
        return _pipelines[name, version]
    load()
    versions = [pipeline for (known, _), pipeline in sorted(_pipelines.items()) if known == name]
    if version is not None:
        versions = [pipeline for pipeline in versions if pipeline.version == version]
    if not versions:
        known = ", ".join(pipeline.name for pipeline in current())
        what = name if version is None else f"{name} version {version}"
        raise Refused(f"There is no pipeline {what}; there are: {known}")
    return versions[-1]


def all_versions() -> list[Pipeline]:
    """Return every registered version of every pipeline, superseded ones too."""
    load()
    return [pipeline for _, pipeline in sorted(_pipelines.items())]
