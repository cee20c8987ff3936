"""SIGTERM ends `jalur serve` within ten seconds, whatever is under way."""

from __future__ import annotations

import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from engine.execution.drain import drain
from scheduling.server import free_port
from tests.scheduling.conftest import SLOW_DAY, eventually, running
from tests.scheduling.small_office import PIPELINE, SmallOffice
from tests.scheduling.test_serving import processes_that_mention

pytestmark = [pytest.mark.slow, pytest.mark.prefect]
SERVE = "from engine.runtime.settings import Settings; from web.serving import serve; serve(Settings())"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallOffice]:
    """An office with three businesses."""
    small = SmallOffice.at(tmp_path)
    yield small
    small.office.close()


def test_a_signal_ends_it_though_a_request_hangs(small: SmallOffice, tmp_path: Path) -> None:
    """An answer waits for a lock that nobody gives back, a body never ends, a client reads nothing: over in ten seconds."""
    [case] = small.open()
    with small.office.run("cli", by="test") as run:
        drain(small.office, run, PIPELINE)
    port = free_port()
    headers = small.token("budi")
    # A server of Prefect that is named and does not answer: cases go on without it, and it costs no start of one.
    env = {**small.environment, "JALUR_WEB_PORT": str(port), "PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api"}
    address = f"http://127.0.0.1:{port}"
    with running([sys.executable, "-c", SERVE], env, tmp_path / "serve.log") as child:

        def is_there() -> bool | None:
            with suppress(httpx.TransportError):
                return httpx.get(f"{address}/login", timeout=5).status_code == 200
            return None

        eventually(is_there, SLOW_DAY, "the web app listens", of=child)
        lock = sqlite3.connect(tmp_path / "jalur.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        path = f"{address}/api/v1/cases/{case}/answers/dossier_check"

        def ask() -> None:
            with suppress(httpx.HTTPError):
                httpx.post(path, json={"decision": "complete"}, headers=headers, timeout=60)

        def endless() -> None:
            def body() -> Iterator[bytes]:
                while True:
                    yield b" "
                    time.sleep(0.1)

            with suppress(httpx.HTTPError):
                httpx.post(path, content=body(), headers=headers, timeout=60)

        hanging = [threading.Thread(target=one, daemon=True) for one in (ask, ask, endless)]
        for one in hanging:
            one.start()
        time.sleep(1)
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0
        took = time.monotonic() - began
        lock.close()
        assert took < 10
    assert not processes_that_mention(str(tmp_path))
    with small.office.db.reading():
        small.answer(case, "dossier_check#1", "budi", {"decision": "complete"})  # nothing is half done


def test_a_signal_ends_it_while_it_starts(small: SmallOffice, tmp_path: Path) -> None:
    """In each of its first ten seconds: nothing of it is left, neither Prefect's server nor its note."""
    env = {**small.environment, "JALUR_WEB_PORT": str(free_port())}
    for seconds in (0.3, 2.0, 5.0):
        with running([sys.executable, "-c", SERVE], env, tmp_path / "serve.log") as child:
            time.sleep(seconds)
            began = time.monotonic()
            child.send_signal(signal.SIGTERM)
            child.wait(30)
            assert time.monotonic() - began < 10
        assert not processes_that_mention(str(tmp_path))
