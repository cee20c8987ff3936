"""The soak in short: about a minute of kills on each database, and one of `serve`; `make soak` goes on for as long as one likes."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from tests.attacks.soak import Plan, Told, soak
from tests.conftest import DATABASES, named, on_server
from tests.postgres import postgres_server

pytestmark = pytest.mark.slow


def holds(told: Told, *killed: str) -> None:
    """Everything came out right, and the kills were real ones."""
    print(told.in_words())
    assert told.faults == [], "\n".join(told.faults[:20])
    assert told.closed == told.cases > 0
    assert told.letters > told.cases
    assert not {what for what in killed if not told.killed[what]}, told.in_words()


@pytest.mark.parametrize("kind", DATABASES)
def test_random_kills_leave_every_case_moved_or_waiting(kind: str, tmp_path: Path) -> None:
    """Eight rounds: nothing is doubled, numbers have no gap, a letter that went twice says so, nobody is parked."""
    plan = Plan(seconds=120, seed=14, cases=8, rounds=8, blank=True)
    if kind == "sqlite":
        holds(soak(tmp_path, f"sqlite:///{tmp_path / 'jalur.db'}", plan), "advance", "deliver")
        return
    with postgres_server() as server:  # a server of its own, which keeps its promises about disks: it is killed
        name = f"soak_{uuid4().hex[:8]}"
        on_server(server, f"CREATE DATABASE {name}")
        holds(soak(tmp_path, named(server, name), plan), "advance", "deliver", "postgresql")


@pytest.mark.prefect
@pytest.mark.postgresql
def test_serve_is_killed_as_well(tmp_path: Path) -> None:
    """Twice, each with what it started: Prefect's server, the deployments, its advancer in the middle of a case."""
    with postgres_server() as server:
        holds(soak(tmp_path, server, Plan(seconds=60, seed=3, cases=6, rounds=4, serve=True, blank=True)), "serve")
