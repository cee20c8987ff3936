"""Pipelines made up by a test: written as text, so that a story can show how the code changed, and gone after the test."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from engine.definition import registry
from engine.definition.registry import Pipeline

FARM_VISIT = """
from enum import StrEnum
from engine.pipeline import *

class Found(StrEnum):
    FINE = "fine"
    BAD = "bad"

class Visit(Form):
    decision: Found
    reason: str = ""

class Sample(Form):
    decision: Found

class Outcome(Ending):
    DONE = "done", "Selesai"
    WITHDRAWN = "withdrawn", "Ditarik"

VISIT = Question(Visit, of=Role.OFFICER, title="Kunjungi lahan")
SAMPLE = Question(Sample, of=Role.COMPANION, title="Ambil contoh")

@step
def greet(case: Case) -> str:
    return "selamat datang"

@step
def weigh(case: Case, grams: int) -> int:
    return grams

@step
def thank(case: Case) -> None:
    pass

def withdrawn(case: Case, reason: str) -> Outcome:
    return Outcome.WITHDRAWN

@pipeline("farm-visit", version=1, title="Kunjungan lahan", prefix="FRM", subject="business",
          outcomes=Outcome, on_withdrawal=withdrawn)
def farm_visit(case: Case) -> Outcome:
    greet(case)
    visit = ask(VISIT)
    weigh(case, 100)
    sample = ask(SAMPLE)
    thank(case)
    return close(case, Outcome.DONE, f"dikunjungi {visit.by}, diambil {sample.by}")
"""

# A document without anything before it, and a laboratory that is asked by machine.
CERTIFICATES = (
    FARM_VISIT.replace('prefix="FRM"', 'prefix="CRT"')
    .replace("farm-visit", "certificates")
    .replace(
        FARM_VISIT[FARM_VISIT.index("    greet(case)\n    visit") :],
        """    certificate = issue(CERTIFICATE, {"to": case.applicant.name})
    return close(case, Outcome.DONE, certificate.number)

CERTIFICATE = Paper("certificate", "Sertifikat", series="SRT")
""",
    )
)


class Workshop:
    """Registers pipelines for one test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take copies of what is registered, so that the real registry comes back afterwards."""
        registry.load_pipelines()  # or what is loaded later would be forgotten with the copy
        monkeypatch.setattr(registry, "_pipelines", dict(registry._pipelines))
        monkeypatch.setattr(registry, "_appeal_options", dict(registry._appeal_options))
        self._monkeypatch = monkeypatch

    def write(self, source: str = FARM_VISIT, module: str = "made_up", *changes: tuple[str, str]) -> Pipeline:
        """Register the pipeline in ``source`` with ``changes`` (old text, new text), as if its module had been edited."""
        for old, new in changes:
            assert old in source, f"there is no {old!r} to change"
            source = source.replace(old, new)
        name = f"tests.pipelines_for_tests.{module}"
        made = ModuleType(name)
        self._monkeypatch.setitem(sys.modules, name, made)
        exec(compile(source, f"<{module}>", "exec", dont_inherit=True), vars(made))
        [found] = [pipeline for pipeline in registry._pipelines.values() if pipeline.body.__globals__ is vars(made)]
        return found

    def lose(self, name: str, version: int) -> None:
        """Take the code of a version away, as somebody who deletes the wrong file."""
        del registry._pipelines[name, version]

    def restore(self, lost: Pipeline) -> None:
        """Bring the code of a version back."""
        registry._pipelines[lost.name, lost.version] = lost
