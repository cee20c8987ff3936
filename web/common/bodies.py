"""Bodies of requests: counted and timed as they arrive, read after the caller is known."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import Message

from engine.errors import Refused
from web.common.problems import TooLarge, TooSlow, Unreadable

KB = 2**10
LARGEST_FORM = 4 * KB
LARGEST_JSON = 256 * KB
READ_WITHIN = 30.0  # seconds for a whole body; a file has `FILE_WITHIN`
FILE_WITHIN = 300.0

# No form of ours comes near these.
MOST_VALUES = 2_000
DEEPEST = 20
MOST_DIGITS = 30
LONGEST_NAME = 200


def bounded(
    largest: int, *, first: Callable[[Request], Awaitable[object]] | None = None, file: bool = False
) -> type[APIRoute]:
    """Return a class of routes whose bodies have at most ``largest`` bytes.

    ``first`` is awaited before anything of the body is read, and refuses the request by raising; ``file`` allows the time that
    an upload needs.
    """

    class Bounded(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handler(request: Request) -> Response:
                if first is not None:
                    await first(request)
                body = _Body(request, largest, FILE_WITHIN if file else READ_WITHIN)
                try:
                    return await handle(_Bounded(request.scope, body))
                except HTTPException as error:  # FastAPI wraps whatever is raised while it reads a body
                    if isinstance(error.__cause__, Refused):
                        raise error.__cause__ from None
                    raise

            return handler

    return Bounded


class _Body:
    """Receives a body, counted and timed.

    Raises:
        TooLarge: more came, or was declared, than is taken.
        TooSlow: the body is not whole in time.
    """

    def __init__(self, request: Request, largest: int, within: float) -> None:
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and (len(declared) > 15 or int(declared) > largest):
            raise TooLarge(largest)
        self._receive, self._largest, self._within = request.receive, largest, within
        self._until = asyncio.get_running_loop().time() + within
        self._came = 0

    async def __call__(self) -> Message:
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise TooSlow(self._within) from None
        self._came += len(message.get("body", b""))
        if self._came > self._largest:
            raise TooLarge(self._largest)
        return message


class _Bounded(Request):
    """A request whose JSON is read outside of the event loop."""

    async def json(self) -> Any:
        """Return the body's JSON.

        Raises:
            Unreadable: it is deeper, or has more values or digits, than any form.
            JSONDecodeError: it is no JSON.
        """
        if not hasattr(self, "_json"):
            self._json = await run_in_threadpool(read_json, await self.body())
        return self._json


def read_json(body: bytes) -> Any:
    """Return the value of a JSON text that is as simple as a form.

    Raises:
        Unreadable: it is deeper, or has more values or digits, than any form.
        JSONDecodeError: it is no JSON.
    """
    try:
        value = json.loads(body.decode(), parse_int=_whole, parse_float=_decimal, parse_constant=_no_number)
    except RecursionError:
        raise _too_deep() from None
    except UnicodeDecodeError:
        raise Unreadable("is not UTF-8", "bukan teks UTF-8") from None
    _must_be_simple(value)
    return value


def _must_be_simple(value: Any) -> None:
    level, depth, values = [value], 0, 0
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        values += sum(map(len, level))
        if depth > DEEPEST:
            raise _too_deep()
        if values > MOST_VALUES:
            raise Unreadable(f"has more than {MOST_VALUES} values", f"memuat lebih dari {MOST_VALUES} isian")
        if any(len(name) > LONGEST_NAME for one in level if isinstance(one, dict) for name in one):
            raise Unreadable("has a name that is too long", "memuat nama isian yang terlalu panjang")
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]


def _whole(digits: str) -> int:
    _must_be_short(digits)
    return int(digits)


def _decimal(digits: str) -> float:
    _must_be_short(digits)
    number = float(digits)
    return number if math.isfinite(number) else _no_number(digits)


def _must_be_short(digits: str) -> None:
    if len(digits) > MOST_DIGITS:
        raise Unreadable(
            f"has a number with more than {MOST_DIGITS} digits",
            f"memuat bilangan dengan lebih dari {MOST_DIGITS} angka",
        )


def _no_number(_: str) -> float:
    raise Unreadable("has a value that is no number", "memuat nilai yang bukan bilangan")


def _too_deep() -> Unreadable:
    return Unreadable(f"is nested deeper than {DEEPEST} levels", f"bersusun lebih dari {DEEPEST} tingkat")
