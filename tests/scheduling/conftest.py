"""A real Prefect server, worker and API client for the tests that need them, on a Prefect home of the test's own.

There is no `__init__.py` in this folder: it would shadow the package `prefect`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from engine.runtime.office import Office
from scheduling.server import password
from tests.scheduling.small_office import SmallOffice

ROOT = Path(__file__).parents[2]
# Where nothing is promised, a wait ends here: beside ten busy processes a server took 90 s to start.
SLOW_DAY = 300.0
# A slow server may close a connection that idles just when it is used again.
EACH_ITS_OWN_CONNECTION = httpx.Limits(max_keepalive_connections=0)
R = TypeVar("R")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallOffice]:
    """An office with businesses enough to ask a busy server again and again."""
    small = SmallOffice.at(tmp_path, businesses=300)
    yield small
    small.office.close()


def eventually(look: Callable[[], R | None], within: float, what: str, of: subprocess.Popen[bytes] | None = None) -> R:
    """Return what ``look`` finds, looking until it finds something; a server that is too busy to answer is asked again.

    Without the program ``of`` it could not come: where that has ended, nobody waits.
    """
    until = time.monotonic() + within
    while True:
        if of is not None and of.poll() is not None:
            raise AssertionError(f"The program ended with {of.returncode} before: {what}")
        with suppress(httpx.TimeoutException):
            if found := look():
                return found
        if time.monotonic() > until:
            raise AssertionError(f"Not within {within} s: {what}")
        time.sleep(0.1)


class PrefectApi:
    """Prefect's API as its page uses it: with the password and a CSRF token."""

    def __init__(self, office: Office, url: str) -> None:
        user, _, secret = password(office.settings).partition(":")
        self.http = httpx.Client(base_url=url, auth=(user, secret), timeout=30, limits=EACH_ITS_OWN_CONNECTION)
        self.http.headers["Prefect-Csrf-Client"] = "tests"
        token = self.http.get("/csrf-token", params={"client": "tests"}).json()["token"]
        self.http.headers["Prefect-Csrf-Token"] = token

    def get(self, path: str) -> Any:
        """Return what is there; None where nothing is."""
        answer = self.http.get(path)
        for _ in range(50):
            if answer.status_code != 503:
                break
            time.sleep(float(answer.headers.get("Retry-After", "0.2")))
            answer = self.http.get(path)
        return None if answer.status_code == 404 else answer.raise_for_status().json()

    def post(self, path: str, **body: Any) -> Any:
        """Return what the API answers."""
        return self.send(path, body)

    def send(self, path: str, body: Any) -> Any:
        """Return what the API answers to a body of any kind; on SQLite it may ask to come again."""
        answer = self.http.post(path, json=body)
        for _ in range(50):
            if answer.status_code != 503:
                break
            time.sleep(float(answer.headers.get("Retry-After", "0.2")))
            answer = self.http.post(path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def trigger(self, deployment: str, **parameters: Any) -> str:
        """Start a run of ``flow/deployment``, as somebody on the page would; return its id."""
        found = self.get(f"/deployments/name/{deployment}")
        run = self.post(f"/deployments/{found['id']}/create_flow_run", parameters=parameters)
        return str(run["id"])

    def pause(self, deployment: str) -> None:
        """Let no schedule start runs of ``flow/deployment``, as the switch on the page does."""
        found = self.get(f"/deployments/name/{deployment}")
        self.post(f"/deployments/{found['id']}/pause_deployment")

    def pause_all(self, number: int) -> bool:
        """Let no schedule start a run, once all deployments are there; return whether they are."""
        found = self.post("/deployments/filter")
        if len(found) < number:
            return False
        for one in found:
            self.post(f"/deployments/{one['id']}/pause_deployment")
        return True

    def under_way(self) -> list[str]:
        """Return the flow runs that have begun and not ended."""
        states = {"state": {"type": {"any_": ["PENDING", "RUNNING"]}}}
        return [run["id"] for run in self.post("/flow_runs/filter", flow_runs=states)]

    def ended(self, flow_run_id: str, within: float = 60) -> dict[str, Any]:
        """Return a flow run when it has ended."""

        def look() -> dict[str, Any] | None:
            run: dict[str, Any] = self.get(f"/flow_runs/{flow_run_id}")
            return run if run["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED") else None

        return eventually(look, within, f"flow run {flow_run_id} ends")

    def task_runs(self, flow_run_id: str) -> dict[str, dict[str, Any]]:
        """Return the task runs of a flow run, by name."""
        wanted = {"id": {"any_": [flow_run_id]}}
        return {run["name"]: run for run in self.post("/task_runs/filter", flow_runs=wanted, limit=200)}


@contextmanager
def running(command: list[str], env: dict[str, str], log: Path, cwd: Path = ROOT) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program beside the test; it is gone afterwards, and all that it started with it."""
    with open(log, "ab") as words:
        child = subprocess.Popen(
            command, env={**os.environ, **env}, cwd=cwd, stdout=words, stderr=words, start_new_session=True
        )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def program(name: str) -> str:
    """A program of the environment that the tests run in."""
    return str(Path(sys.executable).with_name(name))
