"""Deployments: this process serves those of ``prefect.yaml``; `jalur serve` starts it.

``python -m scheduling.deployments`` polls once a second and runs each flow run in a process of its own. No work pool is
needed: the pool that the stanzas name is for workers. A server that has lost its database is told of the deployments again;
else it would start no scheduled run any more, and say nothing.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any
from uuid import UUID

import yaml  # type: ignore[import-untyped]
from prefect import get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.runner import Runner

from engine.runtime.private_files import keep_private
from engine.runtime.settings import shipped

log = logging.getLogger(__name__)

AT_A_TIME = 4
LOOK_FOR_DEPLOYMENTS_EVERY = 5.0


def stanzas() -> list[dict[str, Any]]:
    """Return the deployments as ``prefect.yaml`` describes them."""
    described: dict[str, Any] = yaml.safe_load(shipped("prefect.yaml").read_text("utf-8"))
    deployments: list[dict[str, Any]] = described["deployments"]
    return deployments


def deployment_of(stanza: dict[str, Any]) -> RunnerDeployment:
    """Return a stanza as a deployment that this process can serve."""
    limit = stanza.get("concurrency_limit")
    return RunnerDeployment.from_entrypoint(
        stanza["entrypoint"],
        name=stanza["name"],
        tags=stanza.get("tags"),
        concurrency_limit=ConcurrencyLimitConfig(**limit) if limit else None,
        schedules=[
            DeploymentScheduleCreate(
                slug=schedule["slug"],
                schedule=CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"]),
                parameters=schedule.get("parameters", {}),
            )
            for schedule in stanza.get("schedules", [])
        ],
    )


async def serve_all() -> None:
    """Register the deployments and run what is due, until the process is told to end."""
    runner = Runner(pause_on_shutdown=False, limit=AT_A_TIME)
    last = await _register(runner)
    watch = asyncio.create_task(_keep_registered(runner, last))
    try:
        await runner.start()
    finally:
        watch.cancel()


async def _register(runner: Runner) -> UUID:
    """Tell the server of every deployment; return the id of the last, which comes after all."""
    ids = [await runner.aadd_deployment(deployment_of(stanza)) for stanza in stanzas()]
    return ids[-1]


async def _keep_registered(runner: Runner, last: UUID) -> None:
    """Register the deployments again whenever the server no longer knows them."""
    while True:
        await asyncio.sleep(LOOK_FOR_DEPLOYMENTS_EVERY)
        try:
            async with get_client() as client:
                await client.read_deployment(last)
        except ObjectNotFound:
            log.warning("Prefect's server has lost the deployments; registering them again")
            with suppress(Exception):  # it is asked again
                last = await _register(runner)
        except Exception as error:
            log.warning("Prefect's server was not asked for the deployments (%s)", type(error).__name__)


if __name__ == "__main__":
    keep_private()
    with suppress(KeyboardInterrupt):
        asyncio.run(serve_all())
