"""The advancer: in the web process, cases go on within a second of the answer to them.

A thread of its own looks for ready cases: at once when a page or the API took an answer, every 0.15 s for answers that other
processes took. It runs one flow per pipeline at a time, so that a burst of answers makes its own batches.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from sqlmodel import col, select

from engine.definition.registry import current, pipeline_named
from engine.execution.drain import DrainResult, drain
from engine.runtime.leases import unleased
from engine.runtime.office import Office
from models import CaseFile
from models.privacy import without_personal_numbers
from scheduling.server import is_healthy, running_url

log = logging.getLogger(__name__)

LOOK_EVERY = 0.15
# A server that is slower than this to say that it is healthy would hold up the cases.
PREFECT_ANSWERS_WITHIN = 0.5
# … and so would one that dies while it is told of a run. An answer is carried on within five seconds in all: the look, the
# question after its health and this leave more than a second for the work itself.
RUN_BEGINS_WITHIN = 3.0
# After a run that failed or found nothing, that pipeline rests, or it would be run over and over.
REST = 3.0
BY = "jalur web"


class Advancer:
    """Advances ready cases in a thread; knows whether Prefect answered, and when it last looked."""

    def __init__(self, office: Office, prefect_url: str | None = None) -> None:
        self.office = office
        self.looked_at: float | None = None
        self.prefect_answered: bool | None = None
        self._prefect_url = prefect_url
        self._busy: dict[str, object] = {}
        self._rests_until: dict[str, float] = {}
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()), name="advancer", daemon=True)

    def start(self) -> None:
        """Begin to look for ready cases."""
        self._thread.start()

    def wake(self) -> None:
        """Look at once: an answer was just taken."""
        with suppress(RuntimeError):  # the loop is closed already
            if self._loop and self._woken:
                self._loop.call_soon_threadsafe(self._woken.set)

    def stop(self, within: float = 2.0) -> bool:
        """End when the runs under way have ended; return whether they had, within that many seconds."""
        self._stopping = True
        self.wake()
        self._thread.join(within)
        return not self._thread.is_alive()

    def prefect_url(self) -> str | None:
        """Return where Prefect's API is: configured, or kept running by another process of ours."""
        return self._prefect_url or os.environ.get("PREFECT_API_URL") or running_url(self.office.settings)

    async def _work(self) -> None:
        self._loop, self._woken = asyncio.get_running_loop(), asyncio.Event()
        runs: set[asyncio.Task[None]] = set()
        while not self._stopping:
            self._woken.clear()
            for name in await self._ready():
                token = self._busy[name] = object()
                run = asyncio.create_task(self._advance(name, token))
                runs.add(run)
                run.add_done_callback(runs.discard)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), LOOK_EVERY)
        if runs:
            await asyncio.wait(runs)

    async def _ready(self) -> list[str]:
        try:
            found = await asyncio.to_thread(self._look)
        except Exception as error:  # a database that is away comes back
            log.warning("Could not look for ready cases: %s", type(error).__name__)
            await asyncio.sleep(1)
            return []
        self.looked_at = time.monotonic()
        return found

    def _look(self) -> list[str]:
        now, awake = self.office.clock.now(), time.monotonic()
        names = [pipeline.name for pipeline in current()]
        with self.office.db.reading() as session:
            return [
                name
                for name in names
                if name not in self._busy
                and self._rests_until.get(name, 0) <= awake
                and session.exec(
                    select(CaseFile.id)
                    .where(CaseFile.pipeline == name, col(CaseFile.ready), unleased(CaseFile.leased_until, now))
                    .limit(1)
                ).first()
            ]

    async def _advance(self, name: str, token: object) -> None:
        def let_go() -> None:
            if self._busy.get(name) is token:
                del self._busy[name]

        try:
            result = await self.advance(name, let_go)
            if not result.advanced:
                self._rests_until[name] = time.monotonic() + REST
        except Exception as error:
            log.error("Could not advance %s: %s", name, without_personal_numbers(f"{type(error).__name__}: {error}"))
            self._rests_until[name] = time.monotonic() + REST
        finally:
            let_go()

    async def advance(self, name: str, on_drained: Callable[[], None]) -> DrainResult:
        """Advance a pipeline's ready cases once: by a flow run, or plainly without Prefect.

        ``on_drained`` is called when the next run may begin: nobody waits for Prefect to be told of this one's end.
        """
        url = self.prefect_url()
        healthy = bool(url) and await asyncio.to_thread(is_healthy, url or "", PREFECT_ANSWERS_WITHIN)
        self.prefect_answered = healthy
        why = "Prefect's server did not say that it is healthy" if url else ""
        if healthy:
            from scheduling.cohort_flow import (  # Prefect takes seconds to import
                PrefectLost,
                cohort_flow,
                run_in_process,
            )

            try:
                result, _ = await run_in_process(
                    cohort_flow(pipeline_named(name)),
                    self.office,
                    kind="web",
                    by=BY,
                    begins_within=RUN_BEGINS_WITHIN,
                    on_drained=on_drained,
                )
            except PrefectLost as lost:
                why = str(lost)
                self.prefect_answered = False
            else:
                return result
        return await asyncio.to_thread(self._drain, name, why)

    def _drain(self, name: str, why: str) -> DrainResult:
        """Advance without Prefect; ``why`` is empty where no server is known."""
        with self.office.run("web", by=BY, pipeline=name) as run:
            if why:
                log.warning("%s; our run %s advances %s without it", why, run.id, name)
            return drain(self.office, run, name)
