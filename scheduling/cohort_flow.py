"""A pipeline as a Prefect flow: Prefect schedules, retries and shows.

The state of cases is in the ledger. One flow run advances a cohort: all ready cases, or those that are named. It ends in the
named state ``Waiting``: a waiting case costs Prefect nothing. Prefect sees case numbers, names of steps and types of errors; the
words of an error may name a person, and stay in our own record.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar
from uuid import UUID

import prefect
from prefect import flow, task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext, SyncClientContext, TagsContext
from prefect.runtime import flow_run
from prefect.states import Completed
from pydantic import Field

from engine.definition.registry import Pipeline
from engine.execution.drain import DrainResult, drain
from engine.runtime.office import Office, RunHandle
from engine.runtime.private_files import keep_private

log = logging.getLogger(__name__)
R = TypeVar("R")

# A run can be started on Prefect's page: nothing but case numbers may be typed in there.
CaseNumber = Annotated[str, Field(pattern=r"^[A-Z]{2,8}-\d{4}-\d{6,9}$")]

# Prefect keeps an artifact as one JSON column; a longer list is in `jalur runs`.
ARTIFACT_ROWS = 2000


@dataclass
class InProcess:
    """A flow run that is started in this process: by whom, with which office, and its result."""

    kind: str
    by: str
    office: Office
    on_drained: Callable[[], None] = lambda: None
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    flow_run_id: str | None = None
    result: DrainResult | None = None
    error: Exception | None = None


_in_process: ContextVar[InProcess | None] = ContextVar("in_process", default=None)


class FailedHere(Exception):
    """A failure as Prefect is told of it: its type and its place.

    The words of the error are with the parked case, or in `jalur runs`.
    """


class PrefectLost(Exception):
    """Prefect's server did not take the run; nothing was advanced."""


class PrefectWorker:
    """Makes a task run of each step in a small run, and of each chunk in a large one."""

    def step(self, case: str, key: str, work: Callable[[], None]) -> None:
        """Do a step as the task run ``NIB-2026-000001 confirm_receipt#1``."""
        _Piece(f"{case} {key}", work).do()

    def piece(self, name: str, work: Callable[[], R]) -> R:
        """Do a chunk as a task run; a look for work that finds none leaves no trace."""
        return _Piece(name, work).do() if name.startswith("advance") else work()


class _Piece:
    """A piece of work that is done by a task run, without being its argument or its result.

    What the work raises reaches the engine as it is. Where Prefect fails beside the work, the work counts: done once,
    by Prefect or without it.
    """

    def __init__(self, name: str, work: Callable[[], Any]) -> None:
        self.name, self.work = name, work
        self.ended = False
        self.result: Any = None
        self.error: BaseException | None = None

    def do(self) -> Any:
        """Do the work in a task run, or without one if Prefect fails; return or raise what it does."""
        _piece.set(self)
        try:
            _perform.with_options(task_run_name=self.name.replace("{", "(").replace("}", ")"))()
        except Exception as error:
            if self.error is None:
                log.warning("Prefect failed at %s (%s); the work itself goes on", self.name, type(error).__name__)
        if not self.ended:
            self.perform()
        if self.error is not None:
            raise self.error
        return self.result

    def perform(self) -> None:
        try:
            self.result = self.work()
        except BaseException as error:
            self.error = error
        self.ended = True


_piece: ContextVar[_Piece] = ContextVar("piece")


@task(name="step", cache_policy=NO_CACHE, persist_result=False, retries=0)
def _perform() -> None:
    piece = _piece.get()
    piece.perform()
    if piece.error is not None:
        raise FailedHere(f"{type(piece.error).__name__} at {piece.name}") from None


def cohort_flow(pipeline: Pipeline, module: str = "flows.deployed") -> Any:
    """Return ``pipeline`` as an async Prefect flow.

    Its parameter ``cases`` takes case numbers (none: all that are ready). ``module`` is where the flow is found by the pipeline's
    slug, which is how a deployment names it.
    """

    def run_name() -> str:
        return f"{pipeline.name}: {_listed(flow_run.parameters.get('cases'))}"

    async def cohort(cases: list[CaseNumber] | None = None) -> Any:
        """Advance ready cases from wait to wait.

        Args:
            cases: Numbers of the cases to advance; leave it empty for all that are ready.
        """
        here = _in_process.get()
        office = here.office if here else _own_office()
        kind, by = (here.kind, here.by) if here else ("flow", _starter())
        flow_run_id = str(flow_run.id)
        if here:
            here.begun.set()
        try:
            with office.run(kind, by=by, pipeline=pipeline.name, flow_run_id=flow_run_id) as run:
                result = await asyncio.to_thread(_drain, office, run, pipeline.name, cases)
        except Exception as error:
            if here:
                here.error = error
            raise FailedHere(f"{type(error).__name__}: see jalur runs --failed") from None
        finally:
            if here is None:
                office.close()
        if here:
            here.flow_run_id, here.result = flow_run_id, result
            here.on_drained()
        await _show(pipeline, run.id, result)
        return _end(result)

    cohort.__name__ = cohort.__qualname__ = pipeline.slug
    cohort.__module__ = module
    cohort.__doc__ = f"{pipeline.title}: advance ready cases from wait to wait.\n\n{_ARGUMENTS}"
    return flow(name=pipeline.name, flow_run_name=run_name, persist_result=False, retries=0)(cohort)


def _drain(office: Office, run: RunHandle, pipeline: str, cases: list[str] | None) -> DrainResult:
    # One client for all task runs: Prefect would make one each, and read the machine's certificates for it (40 ms).
    # And no tags on them, which the flow run has: with tags it would ask its server for a slot each, and wait.
    with SyncClientContext.get_or_create(), TagsContext(current_tags=set()):
        return drain(office, run, pipeline, numbers=cases, worker=PrefectWorker())


_ARGUMENTS = """Args:
    cases: Numbers of the cases to advance; leave it empty for all that are ready.
"""


async def run_in_process(
    pipeline_flow: Any,
    office: Office,
    *,
    kind: str,
    by: str,
    cases: list[str] | None = None,
    begins_within: float | None = None,
    on_drained: Callable[[], None] = lambda: None,
) -> tuple[DrainResult, str]:
    """Run a cohort flow in this process; return its result and Prefect's id of the run.

    ``on_drained`` is called when the cases are advanced and Prefect is still being told.

    Raises:
        PrefectLost: Prefect's server did not take the run, or not within ``begins_within`` seconds.
        Exception: what the drain raised.
    """
    here = InProcess(kind, by, office, on_drained)
    token = _in_process.set(here)
    try:
        with prefect.tags(pipeline_flow.name, *(cases if cases and len(cases) == 1 else ())):
            flow_task = asyncio.ensure_future(pipeline_flow(cases=cases, return_state=True))
    finally:
        _in_process.reset(token)
    begun = asyncio.ensure_future(here.begun.wait())
    await asyncio.wait({flow_task, begun}, timeout=begins_within, return_when=asyncio.FIRST_COMPLETED)
    begun.cancel()
    if not here.begun.is_set() and not flow_task.done():
        _given_up.add(flow_task)  # not awaited: to end in order, it would ask the same server
        flow_task.add_done_callback(_forget)
        flow_task.cancel()
        raise PrefectLost(f"Prefect's server did not take the run within {begins_within} s")
    lost = (await asyncio.gather(flow_task, return_exceptions=True))[0]
    if here.error is not None:
        raise here.error
    if here.result is None or here.flow_run_id is None:
        raise PrefectLost(f"Prefect's server did not take the run: {type(lost).__name__}")
    if isinstance(lost, BaseException):
        log.warning("Prefect was lost after the cases were advanced (%s)", type(lost).__name__)
    return here.result, here.flow_run_id


_given_up: set[asyncio.Future[Any]] = set()


def _forget(flow_task: asyncio.Future[Any]) -> None:
    _given_up.discard(flow_task)
    if not flow_task.cancelled():
        flow_task.exception()  # read, or asyncio complains


@asynccontextmanager
async def own_run(pipeline: str | None = None) -> AsyncIterator[tuple[Office, RunHandle]]:
    """Open the office and a run of ours, inside a Prefect flow.

    Raises:
        FailedHere: the flow failed; Prefect is told the type of the error alone.
    """
    office = _own_office()
    try:
        with office.run("flow", by=_starter(), pipeline=pipeline, flow_run_id=str(flow_run.id)) as run:
            yield office, run
    except Exception as error:
        raise FailedHere(f"{type(error).__name__}: see jalur runs --failed") from None
    finally:
        office.close()


def _own_office() -> Office:
    """Open the office in a worker's process, which was not started by us."""
    keep_private()
    return Office.open()


def _starter() -> str:
    context = FlowRunContext.get()
    scheduled = context is not None and context.flow_run is not None and context.flow_run.auto_scheduled
    return "prefect (schedule)" if scheduled else "prefect (unattributed)"


def _end(result: DrainResult) -> Any:
    words = f"{len(result.waiting)} waiting, {len(result.closed)} closed, {len(result.failed)} parked"
    if result.failed:
        return Completed(name="Parked", message=words)
    return Completed(name="Waiting" if result.waiting else "Completed", message=words)


async def _show(pipeline: Pipeline, run_id: str, result: DrainResult) -> None:
    """Show the run in Prefect: tags, and a table of the cases. If that fails the cases are safe."""
    tags = {pipeline.name, *(result.moves if len(result.moves) == 1 else ())}
    rows = [
        {"case": number, "from": start, "to": "parked" if number in result.failed else end}
        for number, (start, end) in sorted(result.moves.items())
    ]
    try:
        if not tags.issubset(flow_run.tags):
            async with get_client() as client:
                await client.update_flow_run(UUID(str(flow_run.id)), tags=sorted({*flow_run.tags, *tags}))
        if rows:
            await acreate_table_artifact(
                table=rows[:ARTIFACT_ROWS],
                key=f"{pipeline.name}-cases",
                description=f"{pipeline.title}: {len(rows)} cases advanced by our run {run_id}",
            )
    except Exception as error:
        log.warning("Prefect did not take tags or table of our run %s (%s)", run_id, type(error).__name__)


def _listed(cases: list[str] | None) -> str:
    if not cases:
        return "ready cases"
    return cases[0] if len(cases) == 1 else f"{cases[0]} and {len(cases) - 1} more"
