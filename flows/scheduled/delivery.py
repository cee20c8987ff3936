"""Delivery of letters whose attachments are ready, of alerts, and of the morning's digests."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from prefect import flow
from prefect.states import Completed

from engine.letters.letter_delivery import deliver
from scheduling.cohort_flow import own_run
from scheduling.lost_runs import record_lost_runs

# The next scheduled run starts after five minutes, and records lost runs before it delivers.
UNTIL_THE_NEXT = timedelta(minutes=4)


@flow(name="delivery", flow_run_name="delivery", persist_result=False, retries=0)
async def delivery() -> Any:
    """Send the letters that are due, what broke since, and in the morning the digests."""
    async with own_run() as (office, run):
        await record_lost_runs(office)
        counts = await asyncio.to_thread(deliver, office, UNTIL_THE_NEXT)
        run.cases = sum(counts.values())
    return Completed(message=", ".join(f"{count} {what}" for what, count in counts.items()))
