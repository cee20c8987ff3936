"""The guard around all routes: refused addresses, headers, failures, one log line a request."""

from __future__ import annotations

import logging
import time
import traceback
from urllib.parse import quote

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.runtime.settings import Environment, Settings
from models.privacy import without_personal_numbers
from web.common.problems import failed, plain

log = logging.getLogger(__name__)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ONE_YEAR = "max-age=31536000"
LONGEST_ADDRESS = 8_000  # bytes of path and query


def is_private(settings: Settings, scheme: str) -> bool:
    """Return whether cookies and addresses are for HTTPS alone.

    They are in production, never in a demo, and in a test where it asks by HTTPS.
    """
    if settings.env is Environment.DEMO:
        return False
    return settings.env is Environment.PRODUCTION or scheme == "https"


class Guard:
    """Stands around the app, beneath the trusted proxies."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.monotonic(), 0

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
                if is_private(self.settings, scope["scheme"]):
                    headers["Strict-Transport-Security"] = ONE_YEAR
            await send(message)

        try:
            if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_ADDRESS:
                await plain(Request(scope), 414)(scope, receive, guarded)
            else:
                await self.app(scope, receive, guarded)
        except Exception as error:
            # One record, with numbers masked: a traceback's last line often repeats a value.
            log.error("%s failed: %s", scope["method"], without_personal_numbers(_told(error)))
            if status:
                raise
            await failed(Request(scope))(scope, receive, guarded)
        finally:
            milliseconds = round((time.monotonic() - began) * 1000)
            # Quoted after masking: a line break or a mark of the terminal in an address must not forge a line of the log.
            path = quote(without_personal_numbers(scope["path"][:LONGEST_ADDRESS]), safe="/*@+#")
            log.info("%s %s %d %d ms", scope["method"], path, status, milliseconds)


def _told(error: Exception) -> str:
    return "".join(traceback.format_exception(error, limit=-10))[-20_000:]
