"""The web app: all doors, its health, and the advancer of ready cases.

Several processes may serve one database. `create_app` is a factory for uvicorn: ``uvicorn --factory web.app:create_app``.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from sqlmodel import col, func, select, text

from engine.deadlines.clock import JAKARTA
from engine.letters.sweep_health import last_sweep, stale_since
from engine.runtime.office import Office
from models import Run
from models.privacy import without_personal_numbers
from scheduling.advancer import Advancer
from scheduling.server import is_healthy
from web.api import v1
from web.check import lookup
from web.common import login, problems
from web.common.access import OfficeDep
from web.common.pages import stylesheet
from web.desk import tasks

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
# The largest import with its form around it; a request that declares more is refused unread.
LARGEST_BODY = v1.LARGEST_IMPORT + 2**16


def create_app(office: Office | None = None, *, advance: bool = True) -> FastAPI:
    """Return the app; with ``advance=False`` it leaves ready cases to other processes."""
    opened = office or Office.open()
    advancer = Advancer(opened)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if advance:
            await asyncio.to_thread(_warm_up, advancer)
            advancer.start()
        yield
        app.state.ended = await asyncio.to_thread(advancer.stop) if advance else True
        if office is None:
            opened.close()

    app = FastAPI(
        title="Jalur",
        version="1",
        summary="Certification and curation pipelines of a provincial Cooperatives and SME office",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.office, app.state.advancer, app.state.wake, app.state.ended = opened, advancer, advancer.wake, True
    problems.add_to(app)
    for router in (lookup.router, login.router, tasks.router, v1.router):
        app.include_router(router)
    _add_own_routes(app)
    app.middleware("http")(_guard)
    return app


def _warm_up(advancer: Advancer) -> None:
    """Import slow modules before the first request: Prefect 2-3 s, WeasyPrint and pyHanko 1 s."""
    late = ["documents.render", "engine.runtime.signing_keys"]
    if advancer.prefect_url():
        late.append("scheduling.cohort_flow")
    for name in late:
        importlib.import_module(name)


def _add_own_routes(app: FastAPI) -> None:
    @app.get("/health", tags=["public"])
    def health(office: OfficeDep, response: Response) -> dict[str, Any]:
        """Report the health of database, Prefect and sweeps; 503 without the database."""
        advancer: Advancer = app.state.advancer
        last: float | None = None
        swept: datetime | None = None
        stale: datetime | None = None
        try:
            with office.db.reading() as session:
                session.execute(text("SELECT 1"))
                newest = session.exec(select(func.max(col(Run.started_at))).where(Run.kind == "flow")).one()
                last = (office.clock.now() - newest).total_seconds() if newest else None
                swept, stale = last_sweep(session), stale_since(office, session)
            database = "ok"
        except Exception as error:  # whatever failed, the database needs a look
            log.warning("Health: the database failed: %s", type(error).__name__)
            database, response.status_code = "failed", 503
        url = advancer.prefect_url()
        looked = advancer.looked_at
        return {
            "status": "ok" if database == "ok" else "failed",
            "database": database,
            "prefect": "ok" if url and is_healthy(url, 0.5) else "unreachable",
            "seconds_since_scheduled_run": round(last, 1) if last is not None else None,
            "last_sweep": swept.astimezone(JAKARTA).isoformat() if swept else None,
            "sweep_stale": stale is not None,
            "seconds_since_look": round(time.monotonic() - looked, 1) if looked else None,
        }

    @app.get("/static/page.css", include_in_schema=False)
    def css() -> Response:
        return PlainTextResponse(stylesheet(), media_type="text/css", headers={"Cache-Control": "max-age=3600"})


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuse too large bodies, set the security headers, log requests with numbers masked."""
    began = time.monotonic()
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > LARGEST_BODY:
        response: Response = problems.refused(problems.TooLarge(v1.LARGEST_IMPORT))
    else:
        response = await call_next(request)
    response.headers.update(HEADERS)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    milliseconds = round((time.monotonic() - began) * 1000)
    # Quoted after masking: a line break or a mark of the terminal in an address must not forge a line of the log.
    path = quote(without_personal_numbers(request.scope["path"]), safe="/*@+#")
    log.info("%s %s %d %d ms", request.method, path, response.status_code, milliseconds)
    return response
