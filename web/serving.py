"""`jalur serve`: the web app in this process; Prefect's server and deployments as children."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import uvicorn

from engine.errors import Refused
from engine.runtime.office import Office
from engine.runtime.private_files import keep_private
from engine.runtime.settings import Environment, Settings
from scheduling.children import Child, ask_all_to_end, kill_all
from scheduling.server import flush_logs, pointed_at, started
from web.connections import Connection

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)

# The web process goes on alone rather than wait for Prefect.
IMPATIENCE = {"PREFECT_CLIENT_MAX_RETRIES": "3", "PREFECT_API_REQUEST_TIMEOUT": "5"}
# Requests under way have so long to end after the signal; the whole process, so long.
REQUESTS_END_WITHIN = 3
ENDS_WITHIN = 8.0


class Stopped(BaseException):
    """A signal to end during the start; no Exception, so that nothing catches it by accident."""


def serve(settings: Settings, *, say: Callable[..., None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM; return when every child is down.

    Eight seconds after the signal the process ends, whatever is under way: the next one finds it by its leases, and does it
    again. Call this in the main thread:

    1. Bind the web app's port, so that a port in use is refused before anything is started.
    2. Start Prefect's server on the project's own Prefect home, unless PREFECT_API_URL names another.
    3. Start the process that serves the deployments. Either child is started again when it ends by itself.
    4. Serve the web app in this process until the signal; then end the children.

    ``say`` gets an English line, and the parts that its braces name.

    Raises:
        Refused: the port is taken, or Prefect's server does not come up; the TLS key can't be used; or production would speak
            plain HTTP beyond this machine.
    """
    _must_be_private(settings)
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
    context = _tls(settings)
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
    server = server_of(app, context)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
    password = settings.path("var/prefect/password")
    say("Prefect: {url} (user and password: {password})", url=url.removesuffix("/api"), password=password)
    say("Jalur:   {scheme}://{host}:{port}", scheme="https" if context else "http", host=host, port=port)
    server.serve_on(listener)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # we are ending already; a second Ctrl-C must not orphan the children
    say("Ending …")
    flush_logs()
    ask_all_to_end()
    return bool(app.state.ended)


def server_of(app: FastAPI, context: ssl.SSLContext | None = None) -> Server:
    """Return the server of the web app; with a TLS context it speaks HTTPS."""
    config = uvicorn.Config(
        app,
        http=Connection.secured(context) if context else Connection,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        proxy_headers=False,  # the app looks at them, where a trusted proxy is named
        timeout_graceful_shutdown=REQUESTS_END_WITHIN,
    )
    return Server(config)


class Server(uvicorn.Server):
    """Uvicorn under our own signal handlers: its own raise the signal again at the end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end, and see to it: a thread that hangs would hold the process for ever."""
        if not self.should_exit:
            _end_at_last()
        super().handle_exit(sig, frame)

    def serve_on(self, listener: socket.socket) -> None:
        """Serve until the end, on a socket that is bound already."""
        asyncio.run(self.serve(sockets=[listener]))


def _end_at_last() -> None:
    """Let the process live for eight more seconds, while it ends by itself."""
    last = threading.Timer(ENDS_WITHIN, _end_now)
    last.daemon = True
    last.start()


def _end_now() -> None:
    log.error("Still at work %s s after the signal to end; what is under way is done again later", ENDS_WITHIN)
    kill_all()
    os._exit(0)


def _must_be_private(settings: Settings) -> None:
    """Refuse production that speaks plain HTTP beyond this machine.

    Raises:
        Refused: there is neither a TLS key nor a trusted proxy.
    """
    secured = settings.tls_key or settings.proxies
    if settings.env is Environment.PRODUCTION and settings.is_public and not secured:
        raise Refused(
            f"JALUR_WEB_HOST={settings.web_host} would speak plain HTTP beyond this machine. Set JALUR_TLS_KEY and "
            "JALUR_TLS_CERTIFICATE, or name the proxy that speaks HTTPS in JALUR_TRUSTED_PROXIES",
            for_people=f"JALUR_WEB_HOST={settings.web_host} akan melayani HTTP tanpa pengamanan di luar mesin ini. Atur "
            "JALUR_TLS_KEY dan JALUR_TLS_CERTIFICATE, atau sebutkan proksi HTTPS di JALUR_TRUSTED_PROXIES.",
        )


def _tls(settings: Settings) -> ssl.SSLContext | None:
    """Return the context with which the server speaks HTTPS; None without a key.

    Raises:
        Refused: the key or the certificate can't be used.
    """
    if settings.tls_key is None or settings.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(
            settings.path(settings.tls_certificate), settings.path(settings.tls_key), password=lambda: b""
        )
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise Refused(
            f"JALUR_TLS_KEY and JALUR_TLS_CERTIFICATE can't be used: {error.__class__.__name__}. Both are PEM files, of one "
            "pair, and the key bears no password",
            for_people="JALUR_TLS_KEY dan JALUR_TLS_CERTIFICATE tidak dapat dipakai. Keduanya berkas PEM yang sepasang, dan "
            "kuncinya tanpa kata sandi.",
        ) from None
    return context


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
    _end_at_last()
    raise Stopped
