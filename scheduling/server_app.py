"""Prefect's server as we start it: what meets a locked database soon fails, and comes again.

On SQLite the server answers 503 where two of its own writers meet, some of a hundred calls. Its client then waits two seconds
and more, unless the answer says how long: a tenth of a second is enough. Why a writer waits for the lock a second instead of
Prefect's minute: docs/decisions/0013-prefects-lock.md.
"""

from __future__ import annotations

from typing import Any

from prefect.server.api import server
from prefect.server.database.configurations import AioSqliteConfiguration
from starlette.types import ASGIApp, Message, Receive, Scope, Send

RETRY_AFTER = b"0.1"
WAITS_FOR_A_LOCK = 1000  # milliseconds


def create_app() -> ASGIApp:
    """Return Prefect's app for ``uvicorn --factory``."""
    AioSqliteConfiguration.setup_sqlite = _set_up  # type: ignore[method-assign, assignment]
    return _SoonAgain(server.create_app())


_prefects_own = AioSqliteConfiguration.setup_sqlite


def _set_up(self: AioSqliteConfiguration, connection: Any, record: Any) -> None:
    """Set a connection up as Prefect does, except that it waits for a lock shortly."""
    _prefects_own(self, connection, record)
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {WAITS_FOR_A_LOCK}")
    cursor.close()


class _SoonAgain:
    """Adds Retry-After to each 503 that lacks it."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 503:
                headers = list(message.get("headers", []))
                if all(name.lower() != b"retry-after" for name, _ in headers):
                    message = {**message, "headers": [*headers, (b"retry-after", RETRY_AFTER)]}
            await send(message)

        await self.app(scope, receive, sent)
