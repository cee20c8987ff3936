"""Serves every deployment of ``prefect.yaml`` on this machine: ``python -m web.deployments``, started by `jalur serve`.

It polls once a second and runs each flow run in a process of its own. No work pool is needed, so the pool that the
stanzas name is for workers only.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import yaml  # type: ignore[import-untyped]
from prefect import aserve
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment

from engine.settings import shipped

AT_A_TIME = 4


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
    deployments = [deployment_of(stanza) for stanza in stanzas()]
    await aserve(*deployments, pause_on_shutdown=False, print_starting_message=False, limit=AT_A_TIME)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve_all())
