"""`jalur serve`: the web app in this process; Prefect's server and deployments as children."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import NoReturn

import uvicorn

from engine.errors import Refused
from engine.runtime.office import Office
from engine.runtime.private_files import keep_private
from engine.runtime.settings import Settings
from scheduling.children import Child, ask_all_to_end
from scheduling.server import flush_logs, pointed_at, started

log = logging.getLogger(__name__)

# The web process goes on alone rather than wait for Prefect.
IMPATIENCE = {"PREFECT_CLIENT_MAX_RETRIES": "3", "PREFECT_API_REQUEST_TIMEOUT": "5"}


class Stopped(BaseException):
    """A signal to end during the start; no Exception, so that nothing catches it by accident."""


def serve(settings: Settings, *, say: Callable[..., None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM; return when every child is down.

    Call this in the main thread:

    1. Bind the web app's port, so that a port in use is refused before anything is started.
    2. Start Prefect's server on the project's own Prefect home, unless PREFECT_API_URL names another.
    3. Start the process that serves the deployments. Either child is started again when it ends by itself.
    4. Serve the web app in this process until the signal; then end the children.

    ``say`` gets an English line, and the parts that its braces name.

    Raises:
        Refused: the port is taken, or Prefect's server does not come up.
    """
    keep_private()
    say = say or (lambda line, **parts: print(line.format(**parts), file=sys.stderr, flush=True))
    before = {number: signal.signal(number, _stopped) for number in (signal.SIGINT, signal.SIGTERM)}
    ended = True
    try:
        with ExitStack() as stack:
            ended = _serve(settings, say, stack)
    except Stopped:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if not ended:  # a long run is under way in a thread; the rows that it holds are free again when their leases end
        os._exit(0)


def _serve(settings: Settings, say: Callable[..., None], stack: ExitStack) -> bool:
    listener = stack.enter_context(_bound(settings.web_host, settings.web_port))
    host, port = listener.getsockname()[:2]
    office = Office.open(settings)
    stack.callback(office.close)
    url = os.environ.get("PREFECT_API_URL")
    if url:
        say("Prefect's server is the configured one: {url}", url=url)
    else:
        say("Starting Prefect's server (about 10 s) …")
        url = stack.enter_context(started(settings, keep=True))
        stack.enter_context(pointed_at(settings, url))
    stack.enter_context(_deployments(settings))
    os.environ.update(IMPATIENCE)

    from web.app import create_app  # after the environment is set: this imports Prefect

    app = create_app(office)
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, server_header=False, lifespan="on"))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
    password = settings.path("var/prefect/password")
    say("Prefect: {url} (user and password: {password})", url=url.removesuffix("/api"), password=password)
    say("Jalur:   http://{host}:{port}", host=host, port=port)
    asyncio.run(server.serve(sockets=[listener]))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # we are ending already; a second Ctrl-C must not orphan the children
    say("Ending …")
    flush_logs()
    ask_all_to_end()
    return bool(app.state.ended)


class _Server(uvicorn.Server):
    """Uvicorn under our own signal handlers: its own raise the signal again at the end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise Refused(
                f"Cannot listen on {host}:{port}: {error.strerror}. Set JALUR_WEB_PORT to another",
                for_people=f"Alamat {host}:{port} tidak dapat dipakai. Atur JALUR_WEB_PORT ke nomor lain.",
            ) from None
        yield listener


@contextmanager
def _deployments(settings: Settings) -> Iterator[None]:
    """Keep the process that serves the deployments running."""
    child = Child(
        [sys.executable, "-m", "scheduling.deployments"],
        env={**os.environ, "PREFECT_RUNNER_POLL_FREQUENCY": "1"},
        log=settings.path("var/prefect/deployments.log"),
        niceness=5,  # scheduled runs are a safety net: people at a page come first
    )
    child.keep()
    try:
        yield
    finally:
        child.stop()  # by SIGINT: on SIGTERM Prefect's runner forgets to await its own end


def _stopped(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped
