"""`jalur serve` as one process tree: it serves, it outlives Prefect's server and its database, and it ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.errors import Refused
from engine.prefect_server import free_port
from tests.prefect.conftest import PrefectApi, eventually, running
from tests.prefect.small_office import SmallOffice
from web.serving import serve

pytestmark = [pytest.mark.prefect, pytest.mark.slow]

SERVE = "from engine.settings import Settings; from web.serving import serve; serve(Settings())"
COMPLETE = {"decision": "complete"}


class Served:
    """The web app of a `jalur serve` in another process."""

    def __init__(self, small: SmallOffice, port: int) -> None:
        self.small = small
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=small.token("budi"), timeout=30)

    def health(self) -> dict[str, Any] | None:
        """What /health says, or None while nobody listens."""
        try:
            answer: dict[str, Any] = self.http.get("/health").json()
        except httpx.TransportError:
            return None
        return answer

    def open(self) -> str:
        """Open a case in this process, and see it advanced by the other to its first question."""
        case = self.small.open()[0]
        self.waits_for(case, "dossier_check#1", within=30)
        return case

    def check(self, case: str) -> None:
        """Answer the first question through the API."""
        answer = self.http.post(f"/api/v1/cases/{case}/answers/dossier_check%231", json=COMPLETE)
        assert answer.status_code == 201, answer.text

    def waits_for(self, case: str, key: str, within: float = 15) -> float:
        """See the case wait for ``key``; return how many seconds that took."""
        began = time.monotonic()

        def there() -> bool:
            waiting = self.http.get(f"/api/v1/cases/{case}").json()["waiting_for"]
            return [one["question"] for one in waiting] == [key]

        eventually(there, within, f"{case} waits for {key}")
        return time.monotonic() - began

    def is_advanced_by_prefect(self) -> bool:
        """Open a case, answer it, and see whether the run that advanced it was a flow run; not while the server is busy."""
        if (self.health() or {}).get("prefect") != "ok":
            return False
        case = self.open()
        self.check(case)
        self.waits_for(case, "classification#1")
        return self.flow_run_of(case, "confirm_completeness#1") is not None

    def flow_run_of(self, case: str, key: str) -> str | None:
        """The flow run in which an entry was written; None where the run is ours alone."""
        history = self.http.get(f"/api/v1/cases/{case}/history").json()
        found: str | None = next(entry["flow_run_id"] for entry in history if entry["key"] == key)
        return found


def test_serving_outlives_prefect_and_ends_cleanly(small: SmallOffice, tmp_path: Path) -> None:
    """One story, since a start takes a quarter of a minute: served by Prefect, without it, with a new one, ended."""
    port = free_port()
    env = {**small.environment, "JALUR_WEB_PORT": str(port)}
    with running([sys.executable, "-c", SERVE], env, tmp_path / "serve.log") as child:
        served = Served(small, port)
        eventually(served.health, 60, (tmp_path / "serve.log").read_text())
        prefect = PrefectApi(small.office, server_url(tmp_path))
        # No run of a cron: one that has begun before the server dies may advance the third case, and says so truly.
        eventually(lambda: prefect.get("/deployments/name/nib-legalization/advance"), 60, "the deployments are there")
        prefect.pause("nib-legalization/advance")

        # Prefect is there: an answer is advanced by a recorded flow run, on the account of the web process.
        case = served.open()
        served.check(case)
        assert served.waits_for(case, "classification#1") < 5
        flow_run = served.flow_run_of(case, "confirm_completeness#1")
        assert flow_run is not None
        assert prefect.ended(flow_run)["state"]["name"] == "Waiting"

        # … and so is one that another process took.
        other = served.open()
        small.answer(other, "dossier_check#1", "budi", COMPLETE)
        assert served.waits_for(other, "classification#1") < 5
        assert served.flow_run_of(other, "confirm_completeness#1") is not None

        # Prefect's server dies, and its database with it: cases go on in runs of ours.
        third = served.open()
        eventually(lambda: not prefect.under_way("nib-legalization"), 60, "the run that opened it has ended")
        os.kill(server_pid(server_url(tmp_path)), signal.SIGKILL)
        for file in (tmp_path / "var/prefect").glob("prefect.db*"):
            file.unlink()
        served.check(third)
        assert served.waits_for(third, "classification#1") < 5
        assert served.flow_run_of(third, "confirm_completeness#1") is None

        # The server is started again, on an empty database, and takes runs as before; what it is too busy for goes on in ours.
        eventually(lambda: (served.health() or {})["prefect"] == "ok", 60, "Prefect's server is back")
        eventually(served.is_advanced_by_prefect, 150, "a flow run of the new server advances a case")

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
