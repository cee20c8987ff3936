"""Runs that left no word of their own are put on record by what Prefect's server says of them, once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, State, StateType
from sqlmodel import insert, select

from models import Run
from scheduling import lost_runs
from scheduling.lost_runs import record_lost_runs
from tests.engine.together import at_once

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from engine.runtime.office import Office


def crashed(tag: str = "escalation") -> FlowRun:
    """A scheduled run whose process died, as the server tells of it."""
    state = State(type=StateType.CRASHED, name="Crashed", message="exited with code -9 (NIK 3508166904956220)")
    return FlowRun(flow_id=uuid4(), name="brave-cat", state=state, tags=[tag], auto_scheduled=True)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> list[FlowRun]:
    """What Prefect's server has of runs that failed or crashed."""
    known: list[FlowRun] = []

    class Client:
        async def read_flow_runs(self, **_: Any) -> list[FlowRun]:
            return known

    @asynccontextmanager
    async def answers() -> AsyncIterator[Client]:
        yield Client()

    monkeypatch.setattr(lost_runs, "get_client", answers)
    return known


def recorded(office: Office) -> dict[str | None, tuple[str, str | None]]:
    """Our own record: state and error of each run by Prefect's id."""
    with office.db.reading() as session:
        return {run.flow_run_id: (run.state, run.error) for run in session.exec(select(Run))}


def test_a_run_that_died_before_or_after_its_first_word_has_failed(office: Office, server: list[FlowRun]) -> None:
    """One unknown to us, one that we thought was running, one that had ended here: two are new, and no number is quoted."""
    server += [crashed(), crashed("nib-legalization"), crashed()]
    common = {"kind": "flow", "by": "x", "started_at": office.clock.now(), "cases": 0}
    with office.db.writing() as session:
        for one, state in ((server[1], "running"), (server[2], "completed")):
            session.execute(insert(Run).values(id=str(uuid4()), flow_run_id=str(one.id), state=state, **common))
    assert asyncio.run(record_lost_runs(office)) == 2
    assert asyncio.run(record_lost_runs(office)) == 0
    found = recorded(office)
    assert [found[str(one.id)][0] for one in server] == ["failed", "failed", "completed"]
    assert found[str(server[0].id)][1] == "escalation: Crashed: exited with code -9 (NIK 350816********20)"


@pytest.mark.both_databases
def test_two_deliveries_that_find_it_at_once_record_it_once(office: Office, server: list[FlowRun]) -> None:
    """And neither of them fails by that."""
    server += [crashed() for _ in range(5)]
    ends = at_once(*[partial(lambda: asyncio.run(record_lost_runs(office)))] * 3)
    assert (sum(ends), len(recorded(office))) == (5, 5)


def test_without_a_server_nothing_is_recorded(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next delivery asks again."""

    def lost() -> Any:
        raise OSError("connection refused")

    monkeypatch.setattr(lost_runs, "get_client", lost)
    assert asyncio.run(record_lost_runs(office)) == 0
