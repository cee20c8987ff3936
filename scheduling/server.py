"""The Prefect server: a configured one, one that runs here already, or one started here.

A server of ours keeps its data in the project's own Prefect home. Nothing here imports Prefect: Prefect reads its environment
when it is imported, and this module sets it.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import Refused
from engine.runtime.settings import Settings
from scheduling.children import Child

STARTS_WITHIN = 120.0


def environment(settings: Settings, url: str) -> dict[str, str]:
    """Return the environment of Prefect's client, server and workers: home, server, password."""
    home = settings.path("var/prefect")
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": url,
        "PREFECT_API_AUTH_STRING": password(settings),
        "PREFECT_SERVER_API_AUTH_STRING": password(settings),
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "true",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": url.removesuffix("/api"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_API_URL": url,
        "PREFECT_LOGGING_LEVEL": os.environ.get("PREFECT_LOGGING_LEVEL", "WARNING"),
        "PREFECT_CLI_PROMPT": "false",
        "PREFECT_API_ENABLE_HTTP2": "false",
        "DO_NOT_TRACK": "1",
    }


def password(settings: Settings) -> str:
    """Return ``user:password`` of the server that we start.

    It is set, or made once and kept in a file that only its owner can read.
    """
    if settings.prefect_auth is not None:
        return settings.prefect_auth.get_secret_value()
    file = settings.path("var/prefect/password")
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"password.{os.getpid()}.{secrets.token_hex(4)}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(f"jalur:{secrets.token_urlsafe(24)}")
        with suppress(FileExistsError):  # another process was first: its password it is
            os.link(draft, file)
        draft.unlink()
    return file.read_text()


@contextmanager
def prefect_api(settings: Settings, *, say: object = None) -> Iterator[str]:
    """Point this process at Prefect, before Prefect is imported; give the URL of its API.

    Raises:
        Refused: a configured server does not answer, or ours does not come up.
    """
    configured = os.environ.get("PREFECT_API_URL")
    if configured:
        if not is_healthy(configured):
            raise Refused(
                f"Prefect's server at {configured} does not answer. Start it, or unset PREFECT_API_URL",
                for_people=f"Server Prefect di {configured} tidak menjawab. Jalankan server itu, "
                "atau hapus setelan PREFECT_API_URL.",
            )
        yield configured
        return
    running = running_url(settings)
    if running:
        with pointed_at(settings, running):
            yield running
        return
    if callable(say):
        say("No Prefect server is running: starting one on the project's own Prefect home (13 s the first time)")
    with started(settings) as url, pointed_at(settings, url):
        try:
            yield url
        finally:
            flush_logs()


@contextmanager
def pointed_at(settings: Settings, url: str) -> Iterator[None]:
    """Set the environment for our server at ``url``, and put it back afterwards."""
    before = dict(os.environ)
    os.environ.update(environment(settings, url))
    try:
        yield
    finally:
        for name in environment(settings, url):
            os.environ.pop(name, None)
            os.environ.update({name: before[name]} if name in before else {})


@contextmanager
def started(settings: Settings, port: int = 0, *, keep: bool = False) -> Iterator[str]:
    """Start a server, give the URL of its API, and stop it again.

    ``keep`` starts it again when it ends by itself. It ends with this process, however this process ends: two servers on one
    database would both schedule.

    Raises:
        Refused: the server does not come up.
    """
    port = port or free_port()
    url = f"http://127.0.0.1:{port}/api"
    note = _note(settings)
    command = [sys.executable, "-m", "uvicorn", "--factory", "scheduling.server_app:create_app"]
    server = Child(
        [*command, "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"],
        env={**os.environ, **environment(settings, url)},
        log=note.with_suffix(".log"),
    )
    try:
        _wait_for(server, url)
        note.write_text(json.dumps({"url": url}))
        if keep:
            server.keep()
        yield url
    finally:
        with suppress(OSError, ValueError):
            if json.loads(note.read_text())["url"] == url:
                note.unlink()
        server.stop()


def is_healthy(url: str, timeout: float = 2.0) -> bool:
    """Return whether a Prefect server is healthy at ``url``."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=timeout) as reply:  # noqa: S310 - the settings' own URL
            return bool(reply.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def running_url(settings: Settings) -> str | None:
    """Return the URL of the server that another process of ours runs here, if it answers."""
    try:
        url = str(json.loads(_note(settings).read_text())["url"])
    except (OSError, ValueError, KeyError):
        return None
    return url if is_healthy(url) else None


def flush_logs() -> None:
    """Let Prefect send what it still has to tell, before its server goes."""
    for module, worker in (("prefect.logging.handlers", "APILogWorker"), ("prefect.events.worker", "EventsWorker")):
        if module in sys.modules:
            with suppress(Exception):  # words about words: nothing depends on them
                getattr(sys.modules[module], worker).drain_all(timeout=1)


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _note(settings: Settings) -> Path:
    return settings.path("var/prefect/server.json")


def _wait_for(server: Child, url: str) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while not is_healthy(url):
        if server.ended() or time.monotonic() > deadline:
            raise Refused(
                f"Prefect's server did not start; its last words are in {server.log}",
                for_people=f"Server Prefect tidak berhasil dijalankan. Keterangannya ada di {server.log}.",
            )
        time.sleep(0.1)
