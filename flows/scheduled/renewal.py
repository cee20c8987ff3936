"""Renewal of certificates that will end: open a case ahead of time, tell the holder."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import flow
from prefect.states import Completed

from engine.sweeps.renew import renew
from scheduling.cohort_flow import own_run


@flow(name="renewal", flow_run_name="renewal", persist_result=False, retries=0)
async def renewal() -> Any:
    """Open and tell what is due today; the pipelines' own runs advance the new cases."""
    async with own_run() as (office, run):
        renewed = await asyncio.to_thread(renew, office, run)
    counts = {**renewed.as_json(), "failed": len(renewed.failed)}
    message = ", ".join(f"{count} {what}" for what, count in counts.items())
    return Completed(name="Incomplete" if renewed.failed else None, message=message)
