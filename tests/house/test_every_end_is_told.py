"""Driven by the registry: every outcome, and every choice and silence of every question, has a story that tells it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from engine.definition.registry import Appeal, NoAppeal, Pipeline, all_appeals, appeal_options, current, pipeline_named
from flows.appeals import GRANTED, LAPSED
from models import Role
from tests.refusals import GOES_ON, REFUSES, must_not_be_denied

FLOWS = Path(__file__).parents[1] / "stories"


def wanted(pipeline: Pipeline) -> set[str]:
    """Return what the stories of a pipeline must tell."""
    return {f"outcome:{outcome}" for outcome in pipeline.outcomes} | answers(pipeline)


def answers(process: Pipeline | Appeal) -> set[str]:
    """Return every choice and silence of the questions that a process declares."""
    claims = set()
    for question in process.own_questions.values():
        claims |= {f"{question.name}:{choice}" for choice in question.choices()}
        if question.silent_after:
            claims.add(f"{question.name}:silent")
    return claims


def claimed(folder: str) -> set[str]:
    """Return what the story tests of a process claim to tell; each is held to it when it runs."""
    return {claim for test in _tests(folder) for mark in _marks(test) for claim in mark.args}


@pytest.mark.parametrize("pipeline", current(), ids=lambda pipeline: pipeline.name)
def test_every_outcome_choice_and_silence_has_a_story(pipeline: Pipeline) -> None:
    """A new outcome or a new choice without its story turns this red."""
    assert sorted(wanted(pipeline) - claimed(pipeline.slug)) == []


@pytest.mark.parametrize("pipeline", current(), ids=lambda pipeline: pipeline.name)
def test_no_story_claims_what_the_pipeline_does_not_have(pipeline: Pipeline) -> None:
    """A claim that is misspelt, or outlived its choice, turns this red."""
    assert sorted(claimed(pipeline.slug) - wanted(pipeline)) == []


@pytest.mark.parametrize("appeal", all_appeals(), ids=lambda appeal: appeal.name)
def test_every_choice_and_silence_of_an_appeal_has_a_story(appeal: Appeal) -> None:
    """What can become of an objection is told like what can become of an application."""
    assert sorted(answers(appeal) - claimed(appeal.slug)) == []


@pytest.mark.parametrize("pipeline", current(), ids=lambda pipeline: pipeline.name)
def test_every_ending_can_be_contested_or_says_why_not(pipeline: Pipeline) -> None:
    """A new outcome without a line in flows/appeals.py turns this red, and so does a reason that is none."""
    declared = appeal_options(pipeline.name)
    assert set(declared) == {str(outcome) for outcome in pipeline.outcomes}
    for outcome, way in declared.items():
        if isinstance(way, Appeal):
            assert pipeline.rules.at(way.window, date(2026, 11, 22)).standing in ("law", "policy"), outcome
        else:
            assert way.why and "\n" not in way.why and way.for_people.endswith("."), outcome


@pytest.mark.parametrize("process", [*current(), *all_appeals()], ids=lambda process: process.name)
def test_every_choice_of_a_decision_refuses_or_does_not(process: Pipeline | Appeal) -> None:
    """A new choice is put in one of the two, so that no story which ends by it is denied its appeal unseen."""
    decided = [one for one in process.own_questions.values() if one.of != Role.APPLICANT]
    choices = {choice for question in decided for choice in question.choices()} - {"answered"}
    assert choices <= REFUSES ^ GOES_ON
    assert not REFUSES & GOES_ON


@pytest.mark.parametrize("way", [GRANTED, LAPSED], ids=["granted", "lapsed"])
@pytest.mark.parametrize(
    ("pipeline", "ending", "refusal"),
    [
        ("nib-legalization", "refused", "dossier_check:reject"),
        ("lsp-competency-test", "refused", "admin_check:reject"),
        ("product-curation", "no_curators", "curators_wanted:reject"),
    ],
)
def test_an_ending_that_is_declared_as_no_refusal_is_found_out(
    pipeline: str, ending: str, refusal: str, way: NoAppeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What flows/appeals.py says rightly passes; the same story fails where it says that nothing was refused."""
    declared = appeal_options(pipeline)
    must_not_be_denied(pipeline_named(pipeline), ending, refusal)
    monkeypatch.setitem(declared, ending, way)
    with pytest.raises(AssertionError, match=f"{refusal} led to {ending}"):
        must_not_be_denied(pipeline_named(pipeline), ending, refusal)


@pytest.mark.parametrize("pipeline", current(), ids=lambda pipeline: pipeline.name)
def test_what_an_appeal_declares_bears_no_name_of_the_pipeline(pipeline: Pipeline) -> None:
    """They share one ledger: two questions or steps of one name would be counted together."""
    for appeal in pipeline.appeals:
        for declared in ("own_questions", "papers", "steps"):
            assert not getattr(pipeline, declared).keys() & getattr(appeal, declared).keys()


def _tests(folder: str) -> Iterator[object]:
    for file in sorted((FLOWS / folder).glob("test_*.py")):
        yield from vars(importlib.import_module(f"tests.stories.{folder}.{file.stem}")).values()


def _marks(test: object) -> list[pytest.Mark]:
    return [mark for mark in getattr(test, "pytestmark", []) if mark.name == "tells"]
