"""The registry says which endings there are; each must have a script."""

from __future__ import annotations

import pytest

from engine.definition.registry import Pipeline, current
from tests.replay.scripts import flagship, scripts_of

PIPELINES = current()


@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda pipeline: pipeline.name)
def test_every_outcome_has_a_script(pipeline: Pipeline) -> None:
    """Who adds an outcome adds its script to tests/replay/scripts, or this says which is missing."""
    told = {script.outcome for script in scripts_of(pipeline)}
    missing = sorted({str(outcome) for outcome in pipeline.outcomes} - told)
    assert not missing, f"tests/replay/scripts/{pipeline.slug}.py has no script that ends in: {', '.join(missing)}"


@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda pipeline: pipeline.name)
def test_scripts_are_told_apart(pipeline: Pipeline) -> None:
    """Names are unique, one script is for every day, and the one that is killed for good ends with a document."""
    scripts = scripts_of(pipeline)
    assert all(script.pipeline == pipeline.name for script in scripts)
    assert len({script.name for script in scripts}) == len(scripts)
    assert sum(script.short for script in scripts) == 1
    assert flagship(pipeline) in scripts
