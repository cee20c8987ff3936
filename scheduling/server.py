"""The Prefect server that Jalur starts when none is configured and none is running: on the project's own Prefect home.

Nothing here imports Prefect: it sets the environment that Prefect reads when it is imported.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from weakref import WeakSet

from engine.errors import Refused
from engine.runtime.settings import Settings

log = logging.getLogger(__name__)

STARTS_WITHIN = 120.0
LOOK_AFTER_CHILDREN_EVERY = 2.0
# How long a child may take to end when it is asked to; then it is killed with all that it started.
ENDS_WITHIN = 2.0

# What a child runs before its own program: our process has threads, between whose fork and exec no Python may run. It asks
# Linux for a SIGTERM when the thread that started it ends (1 is PR_SET_PDEATHSIG), and is not born where that has ended.
LAUNCH = """
import ctypes, os, signal, sys
parent, niceness, *command = sys.argv[1:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(parent):
    sys.exit("the process that wanted this child has ended")
os.nice(int(niceness))
os.execvp(command[0], command)
"""


def environment(settings: Settings, url: str) -> dict[str, str]:
    """Return what Prefect's client, server and workers are to read: our home, our server, its password."""
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
        draft = file.with_name(f"password.{os.getpid()}.{secrets.token_hex(4)}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(f"jalur:{secrets.token_urlsafe(24)}")
        with suppress(FileExistsError):  # another process was first: its password it is
            os.link(draft, file)
        draft.unlink()
    return file.read_text()


@contextmanager
def prefect_api(settings: Settings, *, say: object = None) -> Iterator[str]:
    """Point this process at Prefect: the configured server, the one that runs here, or one started for the time being.

    Call it before Prefect is imported. Raises `Refused` when a configured server does not answer.
    """
    configured = os.environ.get("PREFECT_API_URL")
    if configured:
        if not answers(configured):
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
    """Start a server and stop it again; give its API's URL. ``keep`` starts it again when it ends by itself.

    Raises `Refused` when it does not come up. It ends with this process, however this process ends: two servers on one
    database would both schedule.
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


_children: WeakSet[Child] = WeakSet()


def ask_all() -> None:
    """Ask every child to end, at once."""
    for child in list(_children):
        child.ask()


class Child:
    """A process in a session of its own, its words in a log. It ends with the process that started it."""

    def __init__(self, command: list[str], *, env: dict[str, str], log: Path, niceness: int = 0) -> None:
        """Start it; with a ``niceness`` above 0 it leaves the processor to others."""
        self.command, self.env, self.log, self.niceness = command, env, log, niceness
        log.parent.mkdir(parents=True, exist_ok=True)
        self._ending = threading.Event()
        self._starting = threading.Lock()
        self._asked_at: float | None = None
        self._keeper: threading.Thread | None = None
        self._process = self._start()
        _children.add(self)

    @property
    def pid(self) -> int:
        """Return the number of the process."""
        return self._process.pid

    def ended(self) -> bool:
        """Return whether the process has ended by itself."""
        return self._process.poll() is not None

    def keep(self) -> None:
        """Start it again, from now on, whenever it ends by itself."""
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._keeper.start()

    def ask(self) -> None:
        """Ask it to end, and go on: several children may end at the same time."""
        with self._starting:
            self._ending.set()
        if self._asked_at is None and not self.ended():
            self._asked_at = time.monotonic()
            self._process.send_signal(signal.SIGINT)

    def stop(self) -> None:
        """End it and what it started: ask, then insist. Whatever it was doing is made to survive that."""
        self.ask()
        left = (self._asked_at or 0) + ENDS_WITHIN - time.monotonic()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(left, 0.1))
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._keeper is not None:
            self._keeper.join()

    def _keep(self) -> None:
        while not self._ending.wait(LOOK_AFTER_CHILDREN_EVERY):
            with self._starting:
                if self.ended() and not self._ending.is_set():
                    words = "%s ended by itself; starting it again. Its words are in %s"
                    log.warning(words, " ".join(self.command[1:5]), self.log)
                    self._process = self._start()
        self._process.wait()  # a child that this thread started is told to end when the thread ends: SIGINT comes first

    def _start(self) -> subprocess.Popen[bytes]:
        launcher = [sys.executable, "-I", "-S", "-c", LAUNCH, str(os.getpid()), str(self.niceness)]
        with open(self.log, "ab") as words:
            return subprocess.Popen(
                [*launcher, *self.command], env=self.env, stdout=words, stderr=subprocess.STDOUT, start_new_session=True
            )


def answers(url: str, timeout: float = 2.0) -> bool:
    """Return whether a Prefect server is healthy at ``url``."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=timeout) as reply:  # noqa: S310 - the settings' own URL
            return bool(reply.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def running_url(settings: Settings) -> str | None:
    """Return the URL of the server that another process of ours keeps running here, if it answers."""
    try:
        url = str(json.loads(_note(settings).read_text())["url"])
    except (OSError, ValueError, KeyError):
        return None
    return url if answers(url) else None


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
    while not answers(url):
        if server.ended() or time.monotonic() > deadline:
            raise Refused(
                f"Prefect's server did not start; its last words are in {server.log}",
                for_people=f"Server Prefect tidak berhasil dijalankan. Keterangannya ada di {server.log}.",
            )
        time.sleep(0.1)
