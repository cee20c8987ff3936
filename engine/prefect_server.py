"""The Prefect server that Jalur starts when none is configured and none is running: on the project's own Prefect home.

Nothing here imports Prefect: it sets the environment that Prefect reads when it is imported.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import Refused
from engine.settings import Settings

STARTS_WITHIN = 120.0


def environment(settings: Settings, url: str) -> dict[str, str]:
    """Return what Prefect's client, server and workers are to read: our home, our server, its password, no telemetry."""
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
    """Return ``user:password`` of the server we start: set, or made once and kept readable by its owner alone."""
    if settings.prefect_auth is not None:
        return settings.prefect_auth.get_secret_value()
    file = settings.path("var/prefect/password")
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(f"jalur:{secrets.token_urlsafe(24)}")
    return file.read_text()


@contextmanager
def prefect_api(settings: Settings, *, say: object = None) -> Iterator[str]:
    """Point this process at Prefect: the configured server, the one that runs here, or one started for the time being.

    Call it before Prefect is imported. Raises `Refused` when a configured server does not answer.
    """
    configured = os.environ.get("PREFECT_API_URL")
    if configured:
        yield configured
        return
    running = _running(settings)
    if running:
        os.environ.update(environment(settings, running))
        yield running
        return
    if callable(say):
        say("No Prefect server is running: starting one on the project's own Prefect home (13 s the first time)")
    with started(settings) as url:
        os.environ.update(environment(settings, url))
        yield url


@contextmanager
def started(settings: Settings, port: int = 0) -> Iterator[str]:
    """Start a server and stop it again; give its API's URL. Raises `Refused` when it does not come up."""
    port = port or _free_port()
    url = f"http://127.0.0.1:{port}/api"
    note = settings.path("var/prefect/server.json")
    note.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
    with open(note.with_suffix(".log"), "ab") as log:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"],
            env={**os.environ, **environment(settings, url)},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(server, url, Path(log.name))
        note.write_text(json.dumps({"url": url, "pid": server.pid}))
        yield url
    finally:
        note.unlink(missing_ok=True)
        stop(server, signal.SIGINT)


def stop(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM, within: float = 15.0) -> None:
    """End a child: ask, then insist."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(within)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(url: str, timeout: float = 2.0) -> bool:
    """Return whether a Prefect server is healthy at ``url``."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=timeout) as reply:
            return bool(reply.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def basic_auth(settings: Settings) -> str:
    """Return the Authorization header of the server we start."""
    return "Basic " + base64.b64encode(password(settings).encode()).decode()


def _running(settings: Settings) -> str | None:
    note = settings.path("var/prefect/server.json")
    if not note.exists():
        return None
    url = str(json.loads(note.read_text())["url"])
    return url if answers(url) else None


def _wait_for(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while not answers(url):
        if server.poll() is not None or time.monotonic() > deadline:
            raise Refused(f"Prefect's server did not start; its last words are in {log}")
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
