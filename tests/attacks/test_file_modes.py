"""File modes: what an entry point writes is for its own account alone, and what lies open is closed or named."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from engine.runtime.private_files import close_to_others, write_private
from engine.runtime.settings import Environment, Settings
from scheduling.children import Child
from tests.engine.people.intake.listing import as_csv, row
from tests.scheduling.conftest import SLOW_DAY, eventually, running

ROOT = Path(__file__).parents[2]
LENIENT = ["sh", "-c", 'umask 022; exec "$@"', "sh"]


def environment(home: Path) -> dict[str, str]:
    """An office on SQLite with its letters in a folder, all below ``home``."""
    named = {"JALUR_HOME": str(home), "JALUR_ENV": "test", "JALUR_LANGUAGE": "en", "PYTHONPATH": str(ROOT)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JALUR_", "PREFECT_"))}
    return {**kept, **named}


def python(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a shell whose umask lets everybody read."""
    command = [*LENIENT, sys.executable, *words]
    return subprocess.run(command, env=environment(home), cwd=home, capture_output=True, text=True, timeout=240)


def jalur(home: Path, *words: str) -> str:
    """Run a command; return what it says to people."""
    done = python(home, "-m", "cli", *words)
    assert done.returncode == 0, done.stderr
    return done.stderr


def open_to_others(home: Path) -> dict[str, str]:
    """Return what others could read or enter below ``home``, with its mode."""
    found = {}
    for one in home.rglob("*"):
        mode = stat.S_IMODE(one.lstat().st_mode)
        if mode & 0o077 and not one.is_symlink():
            found[str(one.relative_to(home))] = f"{mode:o}"
    return found


@pytest.mark.slow
def test_what_the_command_line_writes_is_private(tmp_path: Path) -> None:
    """The database with its log, and the refused rows with their whole numbers, also over a file that was open."""
    jalur(tmp_path, "migrate")
    listed, refused = tmp_path / "list.csv", tmp_path / "refused.csv"
    listed.write_text(as_csv(row(1), row(2, phone="12345")))
    listed.chmod(0o600)
    refused.write_text("old")
    refused.chmod(0o666)
    jalur(tmp_path, "import", str(listed), "--refused-to", str(refused))
    assert row(2)["national_id"] in refused.read_text("utf-8-sig")
    jalur(tmp_path, "import", str(listed), "--refused-to", str(tmp_path / "new.csv"))
    assert open_to_others(tmp_path) == {}
    assert {"var/jalur.db", "refused.csv", "new.csv"} <= {str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*")}


KEPT = """
import sqlite3, sys
from engine.cases.opening import open_cases
from engine.definition.registry import pipeline_named
from engine.execution.drain import drain
from engine.letters.letter_delivery import deliver
from engine.runtime.office import Office
from engine.runtime.private_files import keep_private
keep_private()
office = Office.open()
nib = pipeline_named("nib-legalization")
with office.run("flow", by="test") as run:
    open_cases(office, run, nib, [1], by="budi")
    drain(office, run, nib.name)
print(deliver(office))
"""


@pytest.mark.slow
@pytest.mark.reads_papers
def test_papers_letters_and_the_write_ahead_log_are_private(tmp_path: Path) -> None:
    """An entry point sets its umask once; whatever is made below it has it: store, letters, WAL."""
    jalur(tmp_path, "migrate")
    listed = tmp_path / "list.csv"
    listed.write_text(as_csv(row(1)))
    listed.chmod(0o600)
    jalur(tmp_path, "import", str(listed))
    done = python(tmp_path, "-c", KEPT)
    assert "'sent': 1" in done.stdout, done.stderr
    names = {one.suffix for one in tmp_path.rglob("*") if one.is_file()}
    assert {".pdf", ".eml", ".db"} <= names
    assert open_to_others(tmp_path) == {}


@pytest.mark.slow
def test_an_office_that_lay_open_is_closed_at_migrate_and_says_so(tmp_path: Path) -> None:
    """Made before this rule: database, papers, letters and Prefect's home; what people are told names each."""
    jalur(tmp_path, "migrate")
    for folder in ("var/documents/ab", "var/letters", "var/prefect"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file.pdf").write_text("NIK 3508166904956220")
    for one in (tmp_path / "var").rglob("*"):
        one.chmod(0o755 if one.is_dir() else 0o644)
    told = jalur(tmp_path, "migrate")
    for place in ("jalur.db", "documents", "letters", "prefect", "master.key"):
        assert f"var/{place}" in told, told
    assert "(644)" in told and "(755)" in told
    assert open_to_others(tmp_path) == {}
    assert "could read" not in jalur(tmp_path, "migrate"), "once is enough"


def test_what_cannot_be_closed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is another account's: its owner is asked to close it, and nothing stops."""
    (tmp_path / "var/letters").mkdir(parents=True, mode=0o755)
    (tmp_path / "var/letters").chmod(0o755)

    def not_ours(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", not_ours)
    [found] = close_to_others(Settings(home=tmp_path, env=Environment.TEST))
    assert (found.path.name, found.mode, found.closed) == ("letters", "755", False)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """What a link points to may be anybody's."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("x")
    (elsewhere / "file").chmod(0o644)
    documents = tmp_path / "var/documents"
    documents.mkdir(parents=True)
    documents.chmod(0o755)
    (documents / "link").symlink_to(elsewhere / "file")
    close_to_others(Settings(home=tmp_path, env=Environment.TEST))
    assert stat.S_IMODE(documents.stat().st_mode) == 0o700
    assert stat.S_IMODE((elsewhere / "file").stat().st_mode) == 0o644


def test_private_words_may_go_to_a_terminal() -> None:
    """What is no file keeps its mode."""
    before = os.stat("/dev/null").st_mode
    write_private(Path("/dev/null"), b"x")
    assert os.stat("/dev/null").st_mode == before


WORKER = """
import asyncio, os
from scheduling.cohort_flow import own_run
async def main():
    async with own_run() as (office, run):
        print(oct(os.umask(0)))
asyncio.run(main())
"""


@pytest.mark.slow
def test_a_run_in_a_worker_of_prefects_own_is_private(tmp_path: Path) -> None:
    """`prefect worker start` begins a process that none of our commands has begun."""
    jalur(tmp_path, "migrate")
    done = python(tmp_path, "-c", WORKER)
    assert done.stdout.strip() == "0o77", done.stderr


def test_a_child_of_ours_is_private(tmp_path: Path) -> None:
    """Prefect's server and the deployments run in children: their database and logs are theirs."""
    said = tmp_path / "said"
    words = f"open({str(said)!r}, 'w').write('x')"
    child = Child([sys.executable, "-c", words], env=dict(os.environ), log=tmp_path / "log")
    eventually(child.ended, SLOW_DAY, "the child has written")
    assert stat.S_IMODE(said.stat().st_mode) == 0o600


def test_the_deployments_start_private() -> None:
    """Started by hand as well: ``python -m scheduling.deployments``."""
    started = (ROOT / "scheduling" / "deployments.py").read_text().split('if __name__ == "__main__":')[1]
    assert started.strip().startswith("keep_private()")


@pytest.mark.slow
@pytest.mark.prefect
def test_what_serve_writes_is_private(tmp_path: Path) -> None:
    """The web app, Prefect's server with its database, and the deployments."""
    jalur(tmp_path, "migrate")
    (tmp_path / "var/letters").mkdir()
    (tmp_path / "var/letters").chmod(0o755)
    command = [*LENIENT, sys.executable, "-m", "cli", "serve"]
    env = {**environment(tmp_path), "JALUR_WEB_PORT": "0"}
    with running(command, env, tmp_path / "log", cwd=tmp_path) as child:
        log = tmp_path / "log"
        eventually(lambda: "Jalur:   http" in log.read_text(), SLOW_DAY, "it serves", of=child)
        eventually(lambda: (tmp_path / "var/prefect/prefect.db").exists(), SLOW_DAY, "a database", of=child)
        note = json.loads((tmp_path / "var/prefect/server.json").read_text())
        found = open_to_others(tmp_path)
    assert note["url"]
    assert "var/letters" in log.read_text()
    assert {name: mode for name, mode in found.items() if name not in ("log", "var")} == {}
