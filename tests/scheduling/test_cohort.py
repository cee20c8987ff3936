"""A pipeline as a flow, as far as no server is needed: what Prefect is shown, and that the work never hangs on it."""

from __future__ import annotations

import asyncio

import pytest
from prefect.exceptions import ParameterTypeError
from prefect.flows import Flow, load_flow_from_entrypoint

from engine.definition.registry import current
from flows.deployed import flow_of
from flows.scheduled.renewal import renewal
from scheduling import cohort_flow
from scheduling.cohort_flow import FailedHere, PrefectWorker
from scheduling.deployments import deployment_of, stanzas
from tests.scheduling.small_office import NATIONAL_ID, PIPELINE, SmallOffice


class FakeTask:
    """Stands for the task: runs the work, before or after Prefect itself fails, or not at all."""

    def __init__(self, runs: bool, fails: bool) -> None:
        self.runs, self.fails, self.names = runs, fails, list[str]()

    def with_options(self, task_run_name: str, **_: object) -> FakeTask:
        """Note the name, as Prefect would show it."""
        self.names.append(task_run_name)
        return self

    def __call__(self) -> None:
        """Do as told."""
        if self.runs:
            piece = cohort_flow._piece.get()
            piece.perform()
            if piece.error:
                raise FailedHere("told to Prefect")
        if self.fails:
            raise ConnectionError("Prefect is gone")


@pytest.mark.parametrize(("runs", "fails"), [(True, False), (True, True), (False, True)])
def test_a_step_is_done_once_whatever_prefect_does(monkeypatch: pytest.MonkeyPatch, runs: bool, fails: bool) -> None:
    """Prefect fails before the work, after it, or not: the work was done once, and its result counts."""
    task = FakeTask(runs, fails)
    monkeypatch.setattr(cohort_flow, "_perform", task)
    done: list[str] = []
    PrefectWorker().step("NIB-2026-000001", "examine#1", lambda: done.append("once"))
    assert done == ["once"]
    assert task.names == ["NIB-2026-000001 examine#1"]


def test_what_a_step_raises_reaches_the_engine_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine parks the case with the words; Prefect was told the type alone."""
    monkeypatch.setattr(cohort_flow, "_perform", FakeTask(runs=True, fails=False))

    def broken() -> None:
        raise ValueError("Sri Purnomo is unknown")

    with pytest.raises(ValueError, match="Sri Purnomo"):
        PrefectWorker().step("NIB-2026-000001", "examine#1", broken)


def test_what_looks_for_work_leaves_no_task_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk is a task run; a look for papers that finds none is not."""
    task = FakeTask(runs=True, fails=False)
    monkeypatch.setattr(cohort_flow, "_perform", task)
    assert PrefectWorker().piece("make papers", lambda: 0) == 0
    assert PrefectWorker().piece("advance 100 cases", lambda: 100) == 100
    assert task.names == ["advance 100 cases"]


@pytest.mark.parametrize("typed", [NATIONAL_ID, "nib-2026-1", "", "NIB-2026-000001; DROP"])
def test_only_case_numbers_can_be_typed_in(typed: str) -> None:
    """Prefect's page takes parameters from anybody: a personal number is refused before it is kept."""
    with pytest.raises(ParameterTypeError):
        flow_of(PIPELINE).validate_parameters({"cases": [typed]})
    assert flow_of(PIPELINE).validate_parameters({"cases": ["NIB-2026-000001"]})


def test_every_pipeline_has_a_stanza_that_sweeps_it() -> None:
    """A sixth pipeline without one would be advanced by answers alone."""
    described = {stanza["entrypoint"]: stanza for stanza in stanzas()}
    for pipeline in current():
        stanza = described[f"flows.deployed.{pipeline.slug}"]
        assert pipeline.name in stanza["tags"]
        assert stanza["schedules"]
        assert stanza["concurrency_limit"]


def test_every_stanza_can_be_served_and_is_told_in_jakarta_time() -> None:
    """Entrypoints are dotted names that load; schedules have a slug and the office's time zone."""
    for stanza in stanzas():
        flow: Flow[..., object] = load_flow_from_entrypoint(stanza["entrypoint"])
        assert flow.isasync, "a sync flow pays a second for its heartbeat"
        assert not flow.persist_result
        assert stanza["work_pool"]["name"] == "jalur"
        served = deployment_of(stanza)
        assert served.entrypoint == stanza["entrypoint"]
        assert [one.slug for one in served.schedules or []] == [one["slug"] for one in stanza.get("schedules", [])]
        assert all(one["timezone"] == "Asia/Jakarta" for one in stanza.get("schedules", []))


def test_a_morning_without_an_ending_certificate_says_so(small: SmallOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scheduled renewal opens the office by itself, leaves a run of ours, and tells Prefect its counts alone."""
    for name, value in small.environment.items():
        monkeypatch.setenv(name, value)
    state = asyncio.run(renewal.fn())
    assert (state.name, state.message) == ("Completed", "0 due, 0 opened, 0 reminded, 0 skipped, 0 failed")
