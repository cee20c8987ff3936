"""Pauses before the answer to a wrong token: many at a time, each without a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

MOST = 100


class Pauses:
    """Lets some requests wait; more than 100 at a time would hold all our connections."""

    def __init__(self, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self._sleep, self._under_way = sleep, 0

    async def take(self, seconds: float) -> None:
        """Wait for some seconds; at once done where too many wait already."""
        if not seconds or self._under_way >= MOST:
            return
        self._under_way += 1
        try:
            await self._sleep(seconds)
        finally:
            self._under_way -= 1
