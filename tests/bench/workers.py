"""Starts the processes that are measured, lets them begin each stretch together, and takes the time."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from typing import Any

PATIENCE = 600.0  # seconds until a stretch that does not end is a fault


class MeasuredProcessFailed(RuntimeError):
    """A process that was measured raised; the message is its traceback, ``last_words`` its last line."""

    @property
    def last_words(self) -> str:
        """Return the error without the way to it."""
        return str(self).strip().splitlines()[-1][:200]


Work = Callable[["Together", Any], Any]


@dataclass
class Together:
    """What a measured process knows of the others: which one it is, and where they wait for each other."""

    place: int
    of: int
    barrier: Barrier

    def wait(self) -> float:
        """Wait for all; return the moment."""
        self.barrier.wait(PATIENCE)
        return time.perf_counter()

    def mine(self, things: list[Any]) -> list[Any]:
        """Return this process's share."""
        return things[self.place :: self.of]


def run_together(processes: int, work: Work, argument: Any) -> list[Any]:
    """Run ``work(together, argument)`` in fresh processes; return what each returned. Raises `MeasuredProcessFailed`."""
    context = multiprocessing.get_context("spawn")  # no connection, lock or Prefect context of this process comes along
    barrier = context.Barrier(processes)
    results = context.SimpleQueue()
    running = [
        context.Process(target=_begin, args=(work, Together(place, processes, barrier), argument, results))
        for place in range(processes)
    ]
    for process in running:
        process.start()
    found = [results.get() for _ in running]
    for process in running:
        process.join(30)
        if process.is_alive():
            process.kill()
    for faults in (result for ok, result in found if not ok):
        raise MeasuredProcessFailed(faults)
    return [result for _, result in found]


def _begin(work: Work, together: Together, argument: Any, results: Any) -> None:
    import traceback

    try:
        results.put((True, work(together, argument)))
    except BaseException:
        together.barrier.abort()
        results.put((False, traceback.format_exc()))
