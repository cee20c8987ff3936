"""Registry of pipelines and appeals, by name and version.

Modules of ``flows`` register their pipelines on import.
"""

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
    """The process of an objection, inside the contested case.

    ``window`` is the rule for how long an objection can be lodged.
    """

    name: str
    version: int
    title: str
    window: str
    body: Callable[[Case, Lodged], Ending]
    withdrawal: Callable[[Case, Lodged, str], Ending]
    module: str = field(default="")


@dataclass(frozen=True)
class NoAppeal:
    """The reason why an ending can't be contested here, in English for officers.

    ``for_people`` names the alternative, in Indonesian.
    """

    why: str
    for_people: str


AppealOption = Appeal | NoAppeal


@dataclass(frozen=True)
class Pipeline(Declared):
    """A process, with the declarations that the engine needs to carry cases through it."""

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
        """Return the questions of the pipeline and of the appeals against its endings, by name."""
        return self.own_questions | {name: one for appeal in self.appeals for name, one in appeal.own_questions.items()}

    @cached_property
    def appeals(self) -> list[Appeal]:
        """Return the appeals against the endings of this pipeline, and against decisions inside it."""
        declared = (*appeal_options(self.name).values(), *appeals_inside(self.name).values())
        return list(dict.fromkeys(option for option in declared if isinstance(option, Appeal)))

    def paper(self, kind: str) -> Paper:
        """Return a kind of document of this pipeline, of its appeals, or of the engine itself."""
        appeals = {name: paper for appeal in self.appeals for name, paper in appeal.papers.items()}
        return self.papers.get(kind) or appeals.get(kind) or OFFICE_PAPERS[kind]


_pipelines: dict[tuple[str, int], Pipeline] = {}
_appeals: dict[tuple[str, int], Appeal] = {}
_appeal_options: dict[str, dict[str, AppealOption]] = {}
_appeals_inside: dict[str, dict[str, Appeal]] = {}
_carries: dict[str, str] = {}


def register_pipeline(pipeline: Pipeline) -> None:
    """Register a pipeline under its name and version.

    Raises:
        ValueError: another module registered that name and version.
    """
    known = _pipelines.get((pipeline.name, pipeline.version))
    if known is not None and known.module != pipeline.module:
        raise ValueError(f"{pipeline.name} version {pipeline.version} is registered by {known.module} already")
    _pipelines[pipeline.name, pipeline.version] = pipeline


def register_appeal(appeal: Appeal) -> None:
    """Register an appeal under its name and version."""
    _appeals[appeal.name, appeal.version] = appeal


def declare_appeals(
    pipeline: str,
    endings: Mapping[Ending, AppealOption],
    *,
    inside: Mapping[str, Appeal] | None = None,
    carries: str = "",
) -> None:
    """Declare the appeal, or the reason for none, against each ending of a pipeline.

    ``inside`` names the applicant's questions by which a decision is contested in the process itself, before any ending.
    ``carries`` names the question whose last answer stands in the form of a case that is opened anew.
    """
    _appeal_options[pipeline] = {str(ending): option for ending, option in endings.items()}
    _appeals_inside[pipeline] = dict(inside or {})
    _carries[pipeline] = carries


def appeal_options(pipeline: str) -> dict[str, AppealOption]:
    """Return the appeal, or the reason for none, against each ending, by the ending's code."""
    load_pipelines()
    return _appeal_options.get(pipeline, {})


def appeals_inside(pipeline: str) -> dict[str, Appeal]:
    """Return the appeals against decisions inside a pipeline, by their lodging questions."""
    load_pipelines()
    return _appeals_inside.get(pipeline, {})


def carried_question(pipeline: str) -> str:
    """Return the question whose last answer prefills a case that is opened anew; "" for none."""
    return _carries.get(pipeline, "")


def appeal_named(name: str, version: int) -> Appeal:
    """Return a version of an appeal.

    Raises:
        Refused: the code of that version is gone.
    """
    load_pipelines()
    if (name, version) not in _appeals:
        raise Refused(
            f"There is no code of the appeal {name} version {version}. Restore it to flows/past/",
            for_people=f"Kode keberatan {name} versi {version} tidak tersedia. Kembalikan ke flows/past/.",
        )
    return _appeals[name, version]


def all_appeals() -> list[Appeal]:
    """Return all registered versions of all appeals."""
    load_pipelines()
    return [appeal for _, appeal in sorted(_appeals.items())]


# Modules of ``flows`` that import Prefect, which takes seconds; no pipeline is registered in them.
PREFECT_MODULES = ("deployed", "scheduled")


@cache
def load_pipelines() -> None:
    """Import the modules of ``flows`` once, except `PREFECT_MODULES`.

    Each module registers its pipelines and appeals.
    """
    import flows

    for found in pkgutil.walk_packages(flows.__path__, "flows."):
        if found.name.split(".")[1] not in PREFECT_MODULES:
            importlib.import_module(found.name)


def current() -> list[Pipeline]:
    """Return the newest version of each pipeline, by name."""
    load_pipelines()
    newest = {pipeline.name: pipeline for _, pipeline in sorted(_pipelines.items())}
    return sorted(newest.values(), key=lambda pipeline: pipeline.name)


def pipeline_named(name: str, version: int | None = None) -> Pipeline:
    """Return a version of a pipeline, by default the newest.

    The name may be written ``nib-legalization`` or ``nib_legalization``.

    Raises:
        Refused: there is no such pipeline or version.
    """
    name = name.replace("_", "-")
    if version is not None and (name, version) in _pipelines:
        return _pipelines[name, version]
    load_pipelines()
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
    """Return all registered versions of all pipelines, superseded ones too."""
    load_pipelines()
    return [pipeline for _, pipeline in sorted(_pipelines.items())]
