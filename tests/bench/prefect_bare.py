"""Bare Prefect, the same shape: an async flow run for each of a case's three advances, two tasks in each, in process.

It keeps nothing of ours: no facts, no answers, no ledger. What is measured is what its server takes for the runs alone.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from engine.runtime.settings import Environment, Settings
from scheduling.server import environment, started
from tests.bench import pipeline as measured
from tests.bench.ground import Ground
from tests.bench.workers import Together, run_together

ADVANCES = (("receive", "examine"), ("confirm", "assess"), ("record", "notify"))


@dataclass(frozen=True)
class Setting:
    """One way to run Prefect."""

    at_once: int
    processes: int = 1


SETTINGS = (Setting(1), Setting(4), Setting(16), Setting(4, processes=2))
DATABASE = "PREFECT_SERVER_DATABASE_CONNECTION_URL"


@contextmanager
def server(ground: Ground, kind: str) -> Iterator[str]:
    """Start a Prefect server on a fresh database of that kind and point this process, and its children, at it."""
    home = ground.folder / f"prefect-{kind}"
    home.mkdir()
    settings = Settings(env=Environment.TEST, home=home)
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    os.environ["PREFECT_LOGGING_LEVEL"] = "ERROR"
    if kind == "postgresql":
        os.environ[DATABASE] = ground.new_database(kind).replace("+psycopg:", "+asyncpg:")
    try:
        with started(settings) as url:
            os.environ.update(environment(settings, url))
            yield url
    finally:
        os.environ.clear()
        os.environ.update(before)


def measure(kind: str, setting: Setting, cases: int) -> dict[str, Any]:
    """Carry ``cases`` through three flow runs and six task runs each; return the rate. The server is running."""
    seconds = max(run_together(setting.processes, _carry, (setting, cases)))
    return {
        "database": kind,
        "workers": setting.processes,
        "cases": cases,
        "seconds": round(seconds, 3),
        "cases_per_second": round(cases / seconds, 3),
        "setting": asdict(setting),
    }


def _carry(together: Together, given: tuple[Setting, int]) -> float:
    from prefect import flow, task
    from prefect.cache_policies import NO_CACHE
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter

    setting, cases = given

    @task(cache_policy=NO_CACHE, persist_result=False)
    async def work(what: str, about: str) -> dict[str, str]:
        return measured.result_of(what, about)

    @flow(persist_result=False)
    async def advance(number: str, steps: list[str]) -> None:
        for what in steps:
            await work(what, number)

    async def carry(numbers: list[str]) -> None:
        free = asyncio.Semaphore(setting.at_once)

        async def one(number: str) -> None:
            async with free:
                for steps in ADVANCES:
                    await advance(number, list(steps))

        await asyncio.gather(*(one(number) for number in together.mine(numbers)))

    async def completed() -> int:
        async with get_client() as client:
            return await client.count_flow_runs(
                flow_run_filter=FlowRunFilter.model_validate({"state": {"type": {"any_": ["COMPLETED"]}}})
            )

    async def all_of_it() -> float:
        await carry([f"warm-{n}" for n in range(setting.processes)])
        together.wait()
        before = await completed()
        began = together.wait()
        await carry([f"case-{n}" for n in range(cases)])
        seconds = together.wait() - began
        runs = await completed() - before
        assert runs == cases * len(ADVANCES), f"{runs} flow runs completed for {cases} cases"
        return seconds

    return asyncio.run(all_of_it())
