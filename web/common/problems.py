"""Refusals over HTTP: problem details (RFC 9457), English titles, Indonesian details."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from engine.errors import BadAnswer, BadText, NotAllowed, NotWaiting, Refused, UnknownCase
from engine.people.attempts import TooManyAttempts
from engine.runtime.encryption import Erased
from models.privacy import without_personal_numbers
from web.common.pages import page

MEDIA_TYPE = "application/problem+json"

# Nobody mends more at a time.
MOST_FAULTS = 20
TITLES = {
    400: ("Bad request", "Permintaan tidak dapat dibaca."),
    404: ("Not found", "Alamat ini tidak ada."),
    405: ("Method not allowed", "Cara memanggil alamat ini tidak didukung."),
    414: ("The address is too long", "Alamat ini terlalu panjang. Periksa kembali tautannya."),
}


class Unauthorized(Refused):
    """A request without a token, or with an unknown one."""

    def __init__(self) -> None:
        super().__init__(
            "A token is needed. Make one: jalur user token NAME; send it as Authorization: Bearer TOKEN",
            for_people="Sertakan token akun Anda. Administrator dapat membuatkannya.",
        )


class TooLarge(Refused):
    """A body above its route's limit."""

    def __init__(self, largest: int) -> None:
        size = f"{largest // 2**20} MiB" if largest >= 2**20 else f"{largest // 2**10} KiB"
        super().__init__(
            f"The request is larger than {size}; split the file, or send less",
            for_people=f"Isi permintaan lebih besar dari {size}. Bagilah berkasnya, atau kirim lebih sedikit.",
        )


class TooSlow(Refused):
    """A body that did not arrive in time."""

    def __init__(self, within: float) -> None:
        super().__init__(
            f"The request was not whole after {within:.0f} seconds; send it again",
            for_people=f"Permintaan belum lengkap setelah {within:.0f} detik. Periksa sambungan, lalu kirim lagi.",
        )


class Unreadable(Refused):
    """A body that no form of ours looks like."""

    def __init__(self, what: str, apa: str) -> None:
        super().__init__(
            f"The request {what}; no form is like that", for_people=f"Isi permintaan {apa}. Isi sesuai formulirnya."
        )


# The first class that fits a refusal decides.
STATUS: tuple[tuple[type[Refused], int, str], ...] = (
    (Unauthorized, 401, "A token is needed"),
    (TooLarge, 413, "The request is too large"),
    (TooSlow, 408, "The request is too slow"),
    (Unreadable, 400, "Bad request"),
    (TooManyAttempts, 429, "Too many attempts"),
    (UnknownCase, 404, "Unknown case"),
    (NotWaiting, 409, "Not waiting for that answer"),
    (NotAllowed, 403, "Not allowed"),
    (BadAnswer, 422, "The answer is not filled in as it must be"),
    (BadText, 422, "A text or a number can't be kept"),
    (Erased, 410, "The person was erased"),
    (Refused, 409, "Refused"),
)


def problem(status: int, title: str, detail: str, kind: str = "about:blank", **parts: Any) -> JSONResponse:
    """Return a problem as JSON. ``parts`` stand beside the members that RFC 9457 names."""
    body = {**parts, "type": kind, "title": title, "status": status, "detail": detail}
    return JSONResponse(_masked(body), status, media_type=MEDIA_TYPE)


def _masked(value: Any) -> Any:
    """Return JSON with personal numbers masked, since refusals often repeat typed values."""
    if isinstance(value, dict):
        return {name: _masked(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [_masked(one) for one in value]
    return value if isinstance(value, int | float | None) else without_personal_numbers(str(value))


def refused(error: Refused) -> JSONResponse:
    """Return a refusal as a problem; the refusal's parts are its members."""
    status, title = _status(error)
    kind = f"urn:jalur:{type(error).__name__}"
    parts = dict(error.parts)
    if isinstance(fields := parts.get("fields"), list):
        parts["fields"] = fields[:MOST_FAULTS]
    answer = problem(status, title, error.for_people, kind, **parts)
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyAttempts):
        answer.headers["Retry-After"] = str(error.seconds)
    return answer


def _status(error: Refused) -> tuple[int, str]:
    return next((status, title) for kind, status, title in STATUS if isinstance(error, kind))


def add_to(app: FastAPI) -> None:
    """Add handlers for refusals to ``app``: problems under /api, pages elsewhere.

    Those that mask what was typed are plain functions, which run in a thread beside the event loop.
    """

    @app.exception_handler(Refused)
    def _refused(request: Request, error: Refused) -> Response:
        if is_api(request):
            return refused(error)
        return page("refused.html", _status(error)[0], detail=without_personal_numbers(error.for_people))

    @app.exception_handler(RequestValidationError)
    def _unreadable(_: Request, error: RequestValidationError) -> Response:
        # The typed value is not repeated: it may be a personal number.
        fields = [
            {"field": ".".join(str(part) for part in fault["loc"][1:]) or str(fault["loc"][0]), "reason": fault["msg"]}
            for fault in error.errors()[:MOST_FAULTS]
        ]
        return problem(422, "The request is not as it must be", "Isian permintaan tidak sesuai.", fields=fields)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        answer = plain(request, error.status_code)
        answer.headers.update(error.headers or {})
        return answer


def plain(request: Request, status: int) -> Response:
    """Return the answer to a request that reaches no route of ours."""
    title, detail = TITLES.get(status, ("Refused", "Permintaan tidak dapat dilayani."))
    return problem(status, title, detail) if is_api(request) else page("refused.html", status, detail=detail)


def failed(request: Request) -> Response:
    """Return the answer where something of ours failed; it tells nothing of our inside."""
    detail = "Terjadi kesalahan pada sistem kami. Silakan coba lagi beberapa saat lagi."
    return problem(500, "Internal error", detail) if is_api(request) else page("refused.html", 500, detail=detail)


def is_api(request: Request) -> bool:
    """Return whether a program asks, and not a person's browser."""
    return request.url.path.startswith("/api/")
