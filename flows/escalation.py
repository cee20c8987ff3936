"""Time passes: where a question ends in silence and its time is up, the silence is recorded like an answer."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import flow
from prefect.states import Completed

from engine.answering import settle_silences
from engine.cohort import own_run


@flow(name="escalation", flow_run_name="escalation", persist_result=False, retries=0)
async def escalation() -> Any:
    """Record the silences whose time is up; the pipelines' own runs advance those cases."""
    async with own_run() as (office, run):
        silent, failed = await asyncio.to_thread(settle_silences, office, run)
    message = f"{len(silent)} silent, {len(failed)} failed"
    return Completed(name="Incomplete" if failed else None, message=message)
