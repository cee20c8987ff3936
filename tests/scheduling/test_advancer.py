"""The web process carries on what people answered, with Prefect or without."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest
from sqlmodel import select

from engine.execution.drain import drain as engine_drain
from models import CaseFile, LedgerEntry, Run
from scheduling import advancer
from scheduling.advancer import Advancer
from scheduling.cohort_flow import PrefectLost
from tests.scheduling.small_office import SmallOffice


@pytest.fixture
def worker(small: SmallOffice) -> Iterator[Advancer]:
    """An advancer that looks for work."""
    worker = Advancer(small.office)
    worker.start()
    yield worker
    assert worker.stop(10)


def advanced(small: SmallOffice, case: str) -> Run:
    """See a case advanced; return the run of its last entry."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with small.office.db.reading() as session:
            row = session.exec(select(CaseFile).where(CaseFile.number == case)).one()
            if not row.ready:
                entry = session.get_one(LedgerEntry, (row.id, row.last_seq))
                return session.get_one(Run, entry.run_id)
        time.sleep(0.05)
    raise AssertionError(f"{case} was not advanced")


def test_a_case_is_advanced_without_prefect(small: SmallOffice, worker: Advancer) -> None:
    """No server is configured or running: the run is ours, of the kind web."""
    run = advanced(small, small.open()[0])
    assert (run.kind, run.by, run.flow_run_id) == ("web", "jalur web", None)


def test_a_server_that_does_not_take_the_run_holds_up_nobody(
    small: SmallOffice, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It says that it is healthy, and then takes no run."""

    async def refuse(*_: object, **__: object) -> None:
        raise PrefectLost("Prefect's server did not take the run")

    monkeypatch.setattr(advancer, "is_healthy", lambda *_: True)
    monkeypatch.setattr("scheduling.cohort_flow.run_in_process", refuse)
    worker = Advancer(small.office, "http://127.0.0.1:1/api")
    worker.start()
    with caplog.at_level(logging.WARNING):
        run = advanced(small, small.open()[0])
    assert worker.stop(10)
    assert run.flow_run_id is None
    assert "without it" in caplog.text


def test_a_failing_run_is_tried_again_after_a_rest(
    small: SmallOffice, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The database was away for a moment; what failed is logged with its type."""
    monkeypatch.setattr(advancer, "REST", 0.2)
    calls = list[str]()

    def fails_once(*arguments: object, **named: object) -> object:
        calls.append("called")
        if len(calls) == 1:
            raise OSError("the database is away")
        return engine_drain(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(advancer, "drain", fails_once)
    worker = Advancer(small.office)
    worker.start()
    assert advanced(small, small.open()[0]).state in ("running", "completed")
    assert worker.stop(10)
    assert len(calls) >= 2
    assert "OSError" in caplog.text
