"""Prefect's server as we start it: a call that met a locked database may soon come again.

On SQLite the server answers 503 where two of its own writers meet, some of a hundred calls. Its client then waits two
seconds and more, unless the answer says how long: a tenth of a second is enough.
"""

from __future__ import annotations

from typing import Any

from prefect.server.api import server
from starlette.types import ASGIApp, Message, Receive, Scope, Send

RETRY_AFTER = b"0.1"


def create_app() -> ASGIApp:
    """Return Prefect's app for ``uvicorn --factory``."""
    return _SoonAgain(server.create_app())


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
