"""Escalation: reminders, hand-overs and endings that are due, each once."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import flow
from prefect.states import Completed

from engine.sweeps.sweep import sweep
from scheduling.cohort_flow import own_run


@flow(name="escalation", flow_run_name="escalation", persist_result=False, retries=0)
async def escalation() -> Any:
    """Sweep over what is due; the pipelines' own runs advance the cases whose question ended."""
    async with own_run() as (office, run):
        swept = await asyncio.to_thread(sweep, office, run)
    counts = {**swept.as_json(), "failed": len(swept.failed)}
    message = ", ".join(f"{count} {what}" for what, count in counts.items())
    return Completed(name="Incomplete" if swept.failed else None, message=message)
