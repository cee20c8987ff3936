"""Which pipelines there are, in which versions, and what each consists of. Imports no Prefect: the CLI lists without it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from engine.definition.declarations import OFFICE_PAPERS, Declared, Ending, Paper
from engine.definition.forms import Question
from engine.errors import Refused
from rules import RuleBook, book

if TYPE_CHECKING:
    from engine.definition.case import Case, Expiring, Lodged


Body = Callable[["Case"], Ending]


@dataclass(frozen=True)
class Appeal(Declared):
    """The process that goes on in a case after its ending was contested. ``window`` is the rule of how long it can be."""

    name: str
    version: int
    title: str
    window: str
    body: Callable[[Case, Lodged], Ending]
    withdrawal: Callable[[Case, Lodged, str], Ending]
    module: str = field(default="")


@dataclass(frozen=True)
class NoAppeal:
    """Why an ending can't be contested here, and what can be done instead: for officers, and for people."""

    why: str
    for_people: str


Way = Appeal | NoAppeal


@dataclass(frozen=True)
class Pipeline(Declared):
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
    def rules(self) -> RuleBook:
        """Return the rule book of this pipeline."""
        return book(self.slug)

    @cached_property
    def questions(self) -> dict[str, Question[Any]]:
        """Return the pipeline's own questions, by name, and those of the appeals against its endings."""
        return self.own_questions | {name: one for appeal in self.appeals for name, one in appeal.own_questions.items()}

    @cached_property
    def appeals(self) -> list[Appeal]:
        """Return the processes in which endings of this pipeline, or decisions inside it, are contested."""
        declared = (*ways(self.name).values(), *inside(self.name).values())
        return list(dict.fromkeys(way for way in declared if isinstance(way, Appeal)))

    def paper(self, kind: str) -> Paper:
        """Return a kind of document that this pipeline hands out, an appeal against its endings, or the office by itself."""
        appeals = {name: paper for appeal in self.appeals for name, paper in appeal.papers.items()}
        return self.papers.get(kind) or appeals.get(kind) or OFFICE_PAPERS[kind]


_pipelines: dict[tuple[str, int], Pipeline] = {}
_appeals: dict[tuple[str, int], Appeal] = {}
_ways: dict[str, dict[str, Way]] = {}
_inside: dict[str, dict[str, Appeal]] = {}
_carries: dict[str, str] = {}


def register(pipeline: Pipeline) -> None:
    """Add a pipeline. Two different bodies under one name and version are a mistake: ValueError."""
    known = _pipelines.get((pipeline.name, pipeline.version))
    if known is not None and known.module != pipeline.module:
        raise ValueError(f"{pipeline.name} version {pipeline.version} is registered by {known.module} already")
    _pipelines[pipeline.name, pipeline.version] = pipeline


def register_appeal(appeal: Appeal) -> None:
    """Add a process in which endings are contested."""
    _appeals[appeal.name, appeal.version] = appeal


def contest(
    pipeline: str, endings: Mapping[Ending, Way], *, inside: Mapping[str, Appeal] | None = None, carries: str = ""
) -> None:
    """Say what can be done against each ending of a pipeline, whatever its version.

    ``inside`` names the applicant's questions by which a decision is contested in the process itself, before any ending.
    ``carries`` names the question whose last answer stands in the form of a case that is opened anew.
    """
    _ways[pipeline] = {str(ending): way for ending, way in endings.items()}
    _inside[pipeline] = dict(inside or {})
    _carries[pipeline] = carries


def ways(pipeline: str) -> dict[str, Way]:
    """Return what can be done against each ending of a pipeline, by its code."""
    load()
    return _ways.get(pipeline, {})


def inside(pipeline: str) -> dict[str, Appeal]:
    """Return the appeals against decisions that a pipeline takes without ending, by the question with which they are lodged."""
    load()
    return _inside.get(pipeline, {})


def carried_question(pipeline: str) -> str:
    """Return the question whose answer a case that is opened anew begins with; "" where there is none."""
    return _carries.get(pipeline, "")


def appeal_named(name: str, version: int) -> Appeal:
    """Return that version of an appeal's process. Raises `Refused` where its code is gone."""
    load()
    if (name, version) not in _appeals:
        raise Refused(
            f"There is no code of the appeal {name} version {version}. Restore it to flows/past/",
            for_people=f"Kode keberatan {name} versi {version} tidak tersedia. Kembalikan ke flows/past/.",
        )
    return _appeals[name, version]


def all_appeals() -> list[Appeal]:
    """Return every registered version of every appeal's process."""
    load()
    return [appeal for _, appeal in sorted(_appeals.items())]


# What Prefect looks for in flows. Importing it takes seconds, and no pipeline is in it.
FOR_PREFECT = ("deployed", "scheduled")


@cache
def load() -> None:
    """Import every module of ``flows``, once, but what is there for Prefect: pipelines and appeals register themselves."""
    import flows

    for found in pkgutil.walk_packages(flows.__path__, "flows."):
        if found.name.split(".")[1] not in FOR_PREFECT:
            importlib.import_module(found.name)


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
        known = [pipeline.name for pipeline in current()]
        what = name
        if version is not None and name in known:
            what = f"{name} version {version}"
            known = [str(number) for number in sorted(number for other, number in _pipelines if other == name)]
        raise Refused(
            f"There is no pipeline {what}; there are: {', '.join(known)}",
            for_people=f"Tidak ada alur {what}. Yang ada: {', '.join(known)}.",
        )
    return versions[-1]


def all_versions() -> list[Pipeline]:
    """Return every registered version of every pipeline, superseded ones too."""
    load()
    return [pipeline for _, pipeline in sorted(_pipelines.items())]
