"""A process that is killed for good, at each commit and after each call outside, repeats nothing and loses nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.definition.registry import Pipeline, current
from tests.replay.cutting import Cuts, World
from tests.replay.disks import Disk, Place
from tests.replay.killing import Zygote, kill_everywhere
from tests.replay.scripts import flagship


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", current(), ids=lambda pipeline: pipeline.name)
def test_a_killed_process_leaves_nothing_half_done(
    pipeline: Pipeline, start: tuple[Place, Disk], outside: World, warm: Zygote, tell: Callable[[Cuts, str], None]
) -> None:
    """SIGKILL before and after each commit, and between each call outside and its recording; documents rendered anew."""
    place, disk = start
    kind = "SQLite" if place.database_url.startswith("sqlite") else "PostgreSQL"
    tell(kill_everywhere(flagship(pipeline), place, disk, outside, warm), f"by SIGKILL on {kind}")
