"""Random drives through every registered pipeline. Whoever adds one adds nothing here: the registry and its scripts do.

A failure prints the shortest row of acts that shows it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from engine.registry import Pipeline, current
from tests.drives.conftest import Begin

PIPELINES = pytest.mark.parametrize("pipeline", current(), ids=lambda pipeline: pipeline.name)
SETTINGS: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "derandomize": True,
    "report_multiple_bugs": False,
    "phases": [Phase.generate, Phase.shrink],
    "suppress_health_check": list(HealthCheck),
}
ENDINGS: dict[str, set[str]] = defaultdict(set)

pytestmark = pytest.mark.usefixtures("laid_out_only")


def drive(begin: Begin, pipeline: Pipeline, draw: Any, acts: int, **how: Any) -> None:
    """Drive once; say what was done if it fails."""
    with begin(draw, **how) as it:
        try:
            it.go(pipeline, acts)
        finally:
            note("\n".join(it.log))
        ENDINGS[pipeline.name] |= it.endings()


@PIPELINES
def test_a_few_drives(pipeline: Pipeline, drive_on_sqlite: Begin) -> None:
    """Eight of them, short, the same every day."""

    @settings(max_examples=3, **SETTINGS)
    @given(st.data())
    def few(data: st.DataObject) -> None:
        drive(drive_on_sqlite, pipeline, data.draw, acts=10)

    few()


@pytest.mark.slow
@PIPELINES
def test_many_drives(pipeline: Pipeline, drive_on_sqlite: Begin) -> None:
    """Longer ones; together they come to a third of the pipeline's endings at least."""

    @settings(max_examples=6, **SETTINGS)
    @given(st.data())
    def many(data: st.DataObject) -> None:
        drive(drive_on_sqlite, pipeline, data.draw, acts=25)

    many()
    reached = {ending for ending in ENDINGS[pipeline.name] if ending.startswith(f"{pipeline.name}: ")}
    assert len(reached) * 3 >= len(list(pipeline.outcomes)), f"drives came no further than {sorted(reached)}"


@pytest.mark.slow
@PIPELINES
def test_two_at_once(pipeline: Pipeline, drive_on_postgres: Begin) -> None:
    """On PostgreSQL, where every answer is clicked twice at once and two workers carry the cases on."""

    @settings(max_examples=2, **SETTINGS)
    @given(st.data())
    def many(data: st.DataObject) -> None:
        drive(drive_on_postgres, pipeline, data.draw, acts=12, together=True)

    many()
