"""Refusals over HTTP: problem details (RFC 9457), English titles, Indonesian details."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from engine.errors import BadAnswer, BadText, NotAllowed, NotWaiting, Refused, UnknownCase
from engine.runtime.encryption import Erased
from models.privacy import without_personal_numbers
from web.common.pages import page

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

# The first class that fits a refusal decides.
STATUS: tuple[tuple[type[Refused], int, str], ...] = (
    (UnknownCase, 404, "Unknown case"),
    (NotWaiting, 409, "Not waiting for that answer"),
    (NotAllowed, 403, "Not allowed"),
    (BadAnswer, 422, "The answer is not filled in as it must be"),
    (BadText, 422, "A text or a number can't be kept"),
    (Erased, 410, "The person was erased"),
    (Refused, 409, "Refused"),
)
TITLES = {
    400: ("Bad request", "Permintaan tidak dapat dibaca."),
    404: ("Not found", "Alamat ini tidak ada."),
    405: ("Method not allowed", "Cara memanggil alamat ini tidak didukung."),
}


class Unauthorized(Refused):
    """A request without a token, or with an unknown one."""

    def __init__(self) -> None:
        super().__init__(
            "A token is needed. Make one: jalur user token NAME; send it as Authorization: Bearer TOKEN",
            for_people="Sertakan token akun Anda. Administrator dapat membuatkannya.",
        )


class TooLarge(Refused):
    """An upload above the limit."""

    def __init__(self, largest: int) -> None:
        megabytes = largest // 2**20
        super().__init__(
            f"The file is larger than {megabytes} MiB; split it",
            for_people=f"Berkas lebih besar dari {megabytes} MiB. Bagilah menjadi beberapa berkas.",
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
    answer = problem(status, title, error.for_people, kind, **error.parts)
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _status(error: Refused) -> tuple[int, str]:
    if isinstance(error, Unauthorized):
        return 401, "A token is needed"
    if isinstance(error, TooLarge):
        return 413, "The file is too large"
    return next((status, title) for kind, status, title in STATUS if isinstance(error, kind))


def add_to(app: FastAPI) -> None:
    """Add handlers for all errors to ``app``: problems under /api, pages elsewhere."""

    @app.exception_handler(Refused)
    async def _refused(request: Request, error: Refused) -> Response:
        if _is_api(request):
            return refused(error)
        return page("refused.html", _status(error)[0], detail=without_personal_numbers(error.for_people))

    @app.exception_handler(RequestValidationError)
    async def _unreadable(_: Request, error: RequestValidationError) -> Response:
        # The typed value is not repeated: it may be a personal number.
        fields = [
            {"field": ".".join(str(part) for part in fault["loc"][1:]) or str(fault["loc"][0]), "reason": fault["msg"]}
            for fault in error.errors()
        ]
        return problem(422, "The request is not as it must be", "Isian permintaan tidak sesuai.", fields=fields)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        title, detail = TITLES.get(error.status_code, ("Refused", "Permintaan tidak dapat dilayani."))
        if _is_api(request):
            answer: Response = problem(error.status_code, title, detail)
        else:
            answer = page("refused.html", error.status_code, detail=detail)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def _failed(request: Request, error: Exception) -> Response:
        log.error("%s failed: %s", request.method, without_personal_numbers(f"{type(error).__name__}: {error}"))
        detail = "Terjadi kesalahan pada sistem kami. Silakan coba lagi beberapa saat lagi."
        if _is_api(request):
            return problem(500, "Internal error", detail)
        return page("refused.html", 500, detail=detail)


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")
