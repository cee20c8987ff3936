"""The web app: all doors, the guard around them, and the advancer of ready cases.

Several processes may serve one database. `create_app` is a factory: ``uvicorn --factory web.app:create_app --no-proxy-headers
--http web.connections:Connection --ws none``; `jalur serve` starts it so.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import PlainTextResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from engine.runtime.office import Office
from engine.runtime.settings import NOWHERE, Environment, Settings
from scheduling.advancer import Advancer
from web import health
from web.api import v1
from web.check import lookup
from web.common import login, problems
from web.common.guard import Guard
from web.common.pages import stylesheet
from web.common.pauses import Pauses
from web.desk import tasks

own = APIRouter()


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
        redirect_slashes=False,  # it redirects to whatever host the request names
        lifespan=lifespan,
    )
    app.state.office, app.state.advancer, app.state.wake, app.state.ended = opened, advancer, advancer.wake, True
    app.state.pauses = Pauses()
    problems.add_to(app)
    for router in (lookup.router, login.router, tasks.router, v1.router, health.router, own):
        app.include_router(router)
    # The last one added stands outermost.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=known_hosts(opened.settings), www_redirect=False)
    app.add_middleware(Guard, settings=opened.settings)
    if opened.settings.proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=opened.settings.proxies)
    return app


def known_hosts(settings: Settings) -> list[str]:
    """Return the names under which the app answers.

    These are its public one, the one on which it listens, and this machine's own.
    """
    public = urlsplit(settings.public_url).hostname or ""
    names = {public, settings.web_host, "127.0.0.1", "localhost", "[::1]"} - set(NOWHERE)
    if settings.env is Environment.TEST:
        names.add("testserver")  # the name that Starlette's test client calls
    return sorted(f"[{name}]" if ":" in name and not name.startswith("[") else name for name in names)


@own.get("/static/page.css", include_in_schema=False)
def css() -> Response:
    """Return the stylesheet of the pages."""
    return PlainTextResponse(stylesheet(), media_type="text/css", headers={"Cache-Control": "max-age=3600"})


def _warm_up(advancer: Advancer) -> None:
    """Import slow modules before the first request: Prefect 2-3 s, WeasyPrint and pyHanko 1 s."""
    late = ["documents.render", "engine.runtime.signing_keys"]
    if advancer.prefect_url():
        late.append("scheduling.cohort_flow")
    for name in late:
        importlib.import_module(name)
