"""The guard around all routes: refused addresses, headers, failures, one log line a request."""

from __future__ import annotations

import logging
import re
import time
import traceback

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
# Neither a case nor a person has them, and PostgreSQL takes no NUL.
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]|%(?:[01][0-9a-fA-F]|7[fF])")


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
            if refused := _refused_address(scope):
                await plain(Request(scope), refused)(scope, receive, guarded)
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
            path = without_personal_numbers(scope["path"][:LONGEST_ADDRESS])
            log.info("%s %s %d %d ms", scope["method"], path, status, milliseconds)


def _refused_address(scope: Scope) -> int | None:
    """Return the status of an address that no route is asked about; None where all is well."""
    raw, query = scope.get("raw_path") or b"", scope["query_string"]
    if len(raw) + len(query) > LONGEST_ADDRESS:
        return 414
    if _CONTROL.search(raw):
        return 404
    return 400 if _CONTROL.search(query) else None


def _told(error: Exception) -> str:
    return "".join(traceback.format_exception(error, limit=-10))[-20_000:]
