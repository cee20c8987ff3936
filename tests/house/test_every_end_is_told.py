"""Driven by the registry: every outcome, and every choice and silence of every question, has a story that tells it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.registry import Pipeline, current

FLOWS = Path(__file__).parents[1] / "flows"


def wanted(pipeline: Pipeline) -> set[str]:
    """Return what the stories of a pipeline must tell."""
    claims = {f"outcome:{outcome}" for outcome in pipeline.outcomes}
    for question in pipeline.questions.values():
        claims |= {f"{question.name}:{choice}" for choice in question.choices()}
        if question.silent_after:
            claims.add(f"{question.name}:silent")
    return claims


def claimed(pipeline: Pipeline) -> set[str]:
    """Return what the story tests of a pipeline claim to tell; each is held to it when it runs."""
    return {claim for test in _tests(pipeline) for mark in _marks(test) for claim in mark.args}


@pytest.mark.parametrize("pipeline", current(), ids=lambda pipeline: pipeline.name)
def test_every_outcome_choice_and_silence_has_a_story(pipeline: Pipeline) -> None:
    """A new outcome or a new choice without its story turns this red."""
    assert sorted(wanted(pipeline) - claimed(pipeline)) == []


@pytest.mark.parametrize("pipeline", current(), ids=lambda pipeline: pipeline.name)
def test_no_story_claims_what_the_pipeline_does_not_have(pipeline: Pipeline) -> None:
    """A claim that is misspelt, or outlived its choice, turns this red."""
    assert sorted(claimed(pipeline) - wanted(pipeline)) == []


def _tests(pipeline: Pipeline) -> Iterator[object]:
    for file in sorted((FLOWS / pipeline.slug).glob("test_*.py")):
        yield from vars(importlib.import_module(f"tests.flows.{pipeline.slug}.{file.stem}")).values()


def _marks(test: object) -> list[pytest.Mark]:
    return [mark for mark in getattr(test, "pytestmark", []) if mark.name == "tells"]
