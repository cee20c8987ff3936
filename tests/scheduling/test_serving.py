"""`jalur serve` as one process tree: it serves, it outlives Prefect's server and its database, and it ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from engine.errors import Refused
from scheduling.deployments import stanzas
from scheduling.server import free_port
from tests.scheduling.conftest import EACH_ITS_OWN_CONNECTION, SLOW_DAY, PrefectApi, eventually, running
from tests.scheduling.small_office import PIPELINE, SmallOffice
from web.serving import serve

pytestmark = [pytest.mark.prefect, pytest.mark.slow]

R = TypeVar("R")
SERVE = "from engine.runtime.settings import Settings; from web.serving import serve; serve(Settings())"
COMPLETE = {"decision": "complete"}


class Served:
    """A `jalur serve` in another process: its web app, its Prefect server and its words."""

    def __init__(self, small: SmallOffice, port: int, home: Path, child: subprocess.Popen[bytes]) -> None:
        self.small, self.home, self.child = small, home, child
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers=small.token("budi"),
            timeout=30,
            limits=EACH_ITS_OWN_CONNECTION,
        )

    def comes(self, look: Callable[[], R | None], what: str) -> R:
        """Return what ``look`` finds, however slow the day, as long as the program runs."""
        return eventually(look, SLOW_DAY, what, of=self.child)

    def health(self) -> dict[str, Any] | None:
        """What /health says, or None while nobody listens."""
        try:
            answer: dict[str, Any] = self.http.get("/health").json()
        except httpx.TransportError:
            return None
        return answer

    def prefect_at_rest(self) -> PrefectApi:
        """Wait until Prefect's server has nothing to do but what it is asked: all is registered, no schedule runs.

        A start registers nine deployments, and a schedule starts processes: beside these a run may not begin in time.
        """
        self.comes(lambda: (self.health() or {}).get("prefect") == "ok", "Prefect's server is there")
        prefect = self.comes(lambda: PrefectApi(self.small.office, server_url(self.home)), "it gives a token")
        self.comes(lambda: prefect.pause_all(len(stanzas())), "the deployments are there")
        self.comes(lambda: not prefect.under_way(), "what had begun has ended")
        return prefect

    def open(self) -> str:
        """Open a case in this process, and see it advanced by the other to its first question."""
        case = self.small.open()[0]
        self.comes(lambda: self.questions(case) == ["dossier_check#1"], f"{case} waits for its first answer")
        return case

    def check(self, case: str) -> None:
        """Answer the first question through the API."""
        answer = self.http.post(f"/api/v1/cases/{case}/answers/dossier_check%231", json=COMPLETE)
        assert answer.status_code == 201, answer.text

    def answer_elsewhere(self, case: str) -> None:
        """Answer the first question in this process, as a command line would."""
        self.small.answer(case, "dossier_check#1", "budi", COMPLETE)

    def questions(self, case: str) -> list[str]:
        """Which questions a case waits for."""
        return [one["question"] for one in self.http.get(f"/api/v1/cases/{case}").json()["waiting_for"]]

    def goes_on(self, case: str) -> float:
        """See a case that was answered wait for its second question; return how many seconds that took."""
        began = time.monotonic()
        self.comes(lambda: self.questions(case) == ["classification#1"], f"{case} goes on")
        return time.monotonic() - began

    def flow_run_that_advances(self, answer: Callable[[str], None]) -> str | None:
        """Open a case, answer it, see it go on in time; return the flow run that did it.

        None where the server was too busy for that run of ours, as the program then says.
        """
        case = self.open()
        answer(case)
        assert self.goes_on(case) < 5
        flow_run, excused = self.flow_run_of(case)
        assert flow_run is not None or excused
        return flow_run

    def flow_run_of(self, case: str) -> tuple[str | None, bool]:
        """The flow run that went on after the first answer, and whether the program said why our run had none."""
        history = self.http.get(f"/api/v1/cases/{case}/history").json()
        [entry] = [entry for entry in history if entry["key"] == "confirm_completeness#1"]
        said = f"our run {entry['run']} advances {PIPELINE} without it" in (self.home / "serve.log").read_text()
        return entry["flow_run_id"], said


def test_serving_outlives_prefect_and_ends_cleanly(small: SmallOffice, tmp_path: Path) -> None:
    """One story, since a start takes a quarter of a minute: served by Prefect, without it, with a new one, ended."""
    port = free_port()
    env = {**small.environment, "JALUR_WEB_PORT": str(port)}
    with running([sys.executable, "-c", SERVE], env, tmp_path / "serve.log") as child:
        served = Served(small, port, tmp_path, child)
        served.comes(served.health, "the web app listens")
        prefect = served.prefect_at_rest()

        # Prefect is there: an answer is advanced by a recorded flow run, on the account of the web process.
        flow_run = served.comes(lambda: served.flow_run_that_advances(served.check), "a flow run advances a case")
        assert prefect.ended(flow_run, SLOW_DAY)["state"]["name"] == "Waiting"

        # … and so is one that another process took.
        served.comes(lambda: served.flow_run_that_advances(served.answer_elsewhere), "a flow run advances another")

        # Prefect's server dies, and its database with it: cases go on in runs of ours.
        third = served.open()
        served.comes(lambda: not prefect.under_way(), "the run that opened it has ended")
        os.kill(server_pid(server_url(tmp_path)), signal.SIGKILL)
        for file in (tmp_path / "var/prefect").glob("prefect.db*"):
            file.unlink()
        served.check(third)
        assert served.goes_on(third) < 5
        assert served.flow_run_of(third) == (None, True)

        # The server is started again, on an empty database: it is told of the deployments again, and takes runs as before.
        prefect = served.prefect_at_rest()
        flow_run = served.comes(
            lambda: served.flow_run_that_advances(served.check), "a new server's run advances a case"
        )
        assert prefect.ended(flow_run, SLOW_DAY)["state"]["name"] == "Waiting"

        # The end: everything down, exit 0.
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
    assert not processes_that_mention(str(tmp_path))
    assert not (tmp_path / "var/prefect/server.json").exists()


def test_a_port_in_use_is_refused_before_anything_starts(small: SmallOffice, tmp_path: Path) -> None:
    """In words, with the setting to change."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = small.office.settings.model_copy(update={"web_port": taken.getsockname()[1]})
        with pytest.raises(Refused, match="JALUR_WEB_PORT"):
            serve(settings)
    assert not (tmp_path / "var/prefect/server.log").exists()


def server_url(home: Path) -> str:
    """Where the served Prefect's API is."""
    return str(json.loads((home / "var/prefect/server.json").read_text())["url"])


def server_pid(url: str) -> int:
    """The process that listens there."""
    port = url.rsplit(":", 1)[1].removesuffix("/api")
    [pid] = [pid for pid, command in commands() if f"--port {port} " in command + " "]
    return pid


def processes_that_mention(text: str) -> list[int]:
    """The processes, this one apart, whose environment names ``text``."""
    found = []
    for pid, _ in commands():
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        if text.encode() in environment and pid != os.getpid():
            found.append(pid)
    return found


def commands() -> list[tuple[int, str]]:
    """Every process with its command line."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            found.append((int(folder.name), command))
    return found
