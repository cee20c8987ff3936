"""Random drives through every registered pipeline. Whoever adds one adds nothing here: the registry and its scripts do.

A failure prints the shortest row of acts that shows it.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st

from engine.definition.registry import Pipeline, current, pipeline_named
from tests.drives.conftest import Begin

PIPELINES = pytest.mark.parametrize("pipeline", current(), ids=lambda pipeline: pipeline.name)
SETTINGS: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "report_multiple_bugs": False,
    "phases": [Phase.generate, Phase.shrink],
    "suppress_health_check": list(HealthCheck),
}
ROUNDS = 6

pytestmark = pytest.mark.usefixtures("laid_out_only")


def drive(begin: Begin, pipeline: Pipeline, draw: Any, acts: int, **how: Any) -> set[str]:
    """Drive once, give the endings come to; say what was done if it fails."""
    with begin(draw, **how) as it:
        try:
            it.go(pipeline, acts)
        finally:
            note("\n".join(it.log))
        return {ending for ending in it.endings() if ending.startswith(f"{pipeline.name}: ")}


def test_a_few_drives(drive_on_sqlite: Begin) -> None:
    """Three of them, short, through the longest pipeline, the same every day; the others wait for CI."""

    @seed(1)
    @settings(max_examples=3, **SETTINGS)
    @given(st.data())
    def few(data: st.DataObject) -> None:
        drive(drive_on_sqlite, pipeline_named("lsp-competency-test"), data.draw, acts=10)

    few()


@pytest.mark.slow
@PIPELINES
def test_many_drives(pipeline: Pipeline, drive_on_sqlite: Begin) -> None:
    """Longer ones, round after round, until they have come to a third of the pipeline's endings; six rounds must do."""
    endings: set[str] = set()

    @settings(max_examples=5, **SETTINGS)
    @given(st.data())
    def many(data: st.DataObject) -> None:
        endings.update(drive(drive_on_sqlite, pipeline, data.draw, acts=25))

    for number in range(ROUNDS):
        seed(number)(many)()
        if len(endings) * 3 >= len(list(pipeline.outcomes)):
            return
    pytest.fail(f"drives came no further than {sorted(endings)}")


@pytest.mark.slow
@PIPELINES
def test_two_at_once(pipeline: Pipeline, drive_on_postgres: Begin) -> None:
    """On PostgreSQL, where every answer is clicked twice at once and two workers carry the cases on."""

    @seed(2)
    @settings(max_examples=2, **SETTINGS)
    @given(st.data())
    def many(data: st.DataObject) -> None:
        drive(drive_on_postgres, pipeline, data.draw, acts=12, together=True)

    many()
