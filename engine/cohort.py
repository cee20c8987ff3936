"""A pipeline as a Prefect flow. Prefect schedules, distributes, retries and shows; the cases' state is in the ledger.

One flow run advances a cohort: all ready cases, or those that are named. It ends in the named state ``Waiting``, so a
waiting case costs Prefect nothing. This is the one module of the engine that imports Prefect.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

import prefect
from prefect import flow, task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run
from prefect.states import Completed

from engine.advance import Tally, drain
from engine.office import Office
from engine.registry import Pipeline

log = logging.getLogger(__name__)
R = TypeVar("R")

# Whoever starts a flow in its own process may put a list here and find the tally in it afterwards.
report: ContextVar[list[tuple[str, Tally]] | None] = ContextVar("report", default=None)
# … and may lend it the office it has open already.
lent: ContextVar[Office | None] = ContextVar("lent", default=None)
# … and say on whose account the run stands; a run from Prefect's own page is unattributed.
started_by: ContextVar[tuple[str, str]] = ContextVar("started_by", default=("flow", "prefect (unattributed)"))


class PrefectWorker:
    """Makes a task run of each step in a small run, and of each chunk in a large one.

    Tasks take case numbers and names only: work and results stay here, out of Prefect's database.
    """

    def step(self, case: str, key: str, work: Callable[[], None]) -> None:
        """Do a step as the task run ``NIB-2026-000001 confirm_receipt#1``."""
        _as_task(f"{case} {key}", lambda: work())

    def piece(self, name: str, work: Callable[[], R]) -> R:
        """Do a chunk as a task run; a look for work that finds none leaves no trace."""
        if not name.startswith("advance"):
            return work()
        done: list[R] = []
        _as_task(name, lambda: done.append(work()))
        return done[0]


def _as_task(name: str, work: Callable[[], object]) -> None:
    _work.set(work)
    _perform.with_options(task_run_name=name.replace("{", "(").replace("}", ")"))()


_work: ContextVar[Callable[[], object]] = ContextVar("work")


@task(name="step", cache_policy=NO_CACHE, persist_result=False, retries=0)
def _perform() -> None:
    _work.get()()


def cohort_flow(pipeline: Pipeline) -> Any:
    """Return ``pipeline`` as an async Prefect flow with the parameter ``cases`` (numbers; none: all that are ready)."""

    def run_name() -> str:
        cases = flow_run.parameters.get("cases")
        return f"{pipeline.name}: {_listed(cases)}"

    async def cohort(cases: list[str] | None = None) -> Any:
        """Advance ready cases from wait to wait.

        Args:
            cases: Numbers of the cases to advance; leave it empty for all that are ready.
        """
        office = lent.get() or Office.open()
        try:
            kind, by = started_by.get()
            if cases and len(cases) == 1:
                await _tag(cases[0])
            with office.run(kind, by=by, pipeline=pipeline.name, flow_run_id=str(flow_run.id)) as run:
                tally = await asyncio.to_thread(
                    drain, office, run, pipeline.name, numbers=cases, worker=PrefectWorker()
                )
            heard = report.get()
            if heard is not None:
                heard.append((run.id, tally))
            await _leave_artifact(pipeline, run.id, tally)
            return _end(tally)
        finally:
            if lent.get() is None:
                office.close()

    cohort.__name__ = pipeline.slug
    cohort.__doc__ = f"{pipeline.title}: advance ready cases from wait to wait."
    return flow(name=pipeline.name, flow_run_name=run_name, persist_result=False, retries=0)(cohort)


async def run_in_process(
    pipeline_flow: Any, office: Office, *, kind: str, by: str, cases: list[str] | None = None, tags: tuple[str, ...] = ()
) -> tuple[Tally, str]:
    """Run a cohort flow here and now, on somebody's account; return its tally and Prefect's id of the run."""
    heard: list[tuple[str, Tally]] = []
    report.set(heard)
    lent.set(office)
    started_by.set((kind, by))
    with prefect.tags(pipeline_flow.name, *tags, *(cases or [])[:1]):
        state = await pipeline_flow(cases=cases, return_state=True)
    if not heard:
        await state.result()  # raises what made the run fail
    return heard[0][1], str(state.state_details.flow_run_id)


def _end(tally: Tally) -> Any:
    words = f"{len(tally.waiting)} waiting, {len(tally.closed)} closed, {len(tally.failed)} parked"
    if tally.failed:
        return Completed(name="Parked", message=words)
    return Completed(name="Waiting" if tally.waiting else "Completed", message=words)


async def _leave_artifact(pipeline: Pipeline, run_id: str, tally: Tally) -> None:
    if not tally.moves:
        return
    rows = [{"case": number, "from": start, "to": end} for number, (start, end) in sorted(tally.moves.items())]
    await acreate_table_artifact(
        table=rows[:2000],
        key=f"{pipeline.name}-cases",
        description=f"{pipeline.title}: {len(rows)} cases advanced by our run {run_id}",
    )


async def _tag(number: str) -> None:
    run_id = flow_run.id
    async with get_client() as client:
        await client.update_flow_run(run_id, tags=sorted({*flow_run.tags, number}))


def _listed(cases: list[str] | None) -> str:
    if not cases:
        return "ready cases"
    return cases[0] if len(cases) == 1 else f"{cases[0]} and {len(cases) - 1} more"
