"""What /health sees: a store that is gone, a full disk, a database that only reads, a sweep that no longer comes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select, text

from engine.deadlines.clock import Clock, TurnedClock
from engine.runtime.office import Office
from engine.sweeps.sweep import sweep
from models import Sweep
from tests.people import PAPER
from web import health
from web.app import create_app

pytestmark = pytest.mark.both_databases

# Another process that reads and leaves. SQLite lets the last one that leaves delete the log of writes.
VISIT = """
import sqlite3, sys
visitor = sqlite3.connect(sys.argv[1])
visitor.execute("SELECT count(*) FROM sqlite_master").fetchone()
visitor.close()
"""


@pytest.fixture
def client(office: Office) -> Iterator[TestClient]:
    """Somebody who looks whether all is well."""
    office.store.put(PAPER)
    with TestClient(create_app(office, advance=False), raise_server_exceptions=False) as client:
        yield client


def test_all_is_well(client: TestClient) -> None:
    """Each part is named, and the free space is a number."""
    answer = client.get("/health")
    seen = answer.json()
    assert (answer.status_code, seen["status"]) == (200, "ok")
    assert (seen["database"], seen["store"], seen["disk"], seen["sweep_stale"]) == ("ok", "ok", "ok", False)
    assert seen["free_mib"] > 0


def test_a_store_that_is_gone_is_seen(client: TestClient, office: Office, tmp_path: Path) -> None:
    """A folder that was not mounted, or a file where it should be: 503, and the database is still well."""
    folder = tmp_path / "var/documents"
    shutil.rmtree(folder)
    folder.write_text("no folder")
    answer = client.get("/health")
    assert answer.status_code == 503
    assert (answer.json()["status"], answer.json()["store"], answer.json()["database"]) == ("failed", "failed", "ok")
    folder.unlink()
    assert client.get("/health").json()["store"] == "ok"  # it is made with the next file


def test_a_look_leaves_nothing_behind(client: TestClient, tmp_path: Path) -> None:
    """What is written to see whether it can be is gone again."""
    before = sorted(tmp_path.rglob("*"))
    client.get("/health")
    assert [one for one in sorted(tmp_path.rglob("*")) if "jalur.db" not in one.name] == [
        one for one in before if "jalur.db" not in one.name
    ]


def test_a_full_disk_is_seen_before_it_is_full(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than the least: 503, while what is there can still be saved."""
    monkeypatch.setattr(health, "LEAST_FREE", 2**60)
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["disk"]) == (503, "full")


def test_a_database_that_only_reads_is_seen(client: TestClient, office: Office, tmp_path: Path) -> None:
    """A standby of PostgreSQL; a file of SQLite whose folder is gone or whose place something else took."""
    if office.db.is_sqlite:
        office.db.close()
        (tmp_path / "jalur.db").rename(tmp_path / "elsewhere.db")
        (tmp_path / "jalur.db").mkdir()
    else:
        with office.db.writing() as session:
            name = session.execute(text("SELECT current_database()")).scalar()
            session.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        office.db.close()
    try:
        answer = client.get("/health")
        assert (answer.status_code, answer.json()["database"]) == (503, "failed")
    finally:
        if not office.db.is_sqlite:
            with office.db.engine.connect() as connection:
                connection.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"))
                connection.execute(text("COMMIT"))
                connection.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
                connection.execute(text("COMMIT"))
            office.db.close()


def test_a_look_takes_no_lock_away(client: TestClient, office: Office, tmp_path: Path) -> None:
    """To another process the office is still there: a look that opened the file would have ended SQLite's locks."""
    if not office.db.is_sqlite:
        pytest.skip("the server of PostgreSQL keeps the locks")
    with office.db.writing() as session:
        session.execute(text("UPDATE run SET cases = cases"))
    assert client.get("/health").status_code == 200
    subprocess.run([sys.executable, "-c", VISIT, str(tmp_path / "jalur.db")], check=True, timeout=60)
    assert (tmp_path / "jalur.db-wal").exists()


def test_a_writer_under_way_makes_nobody_ill(client: TestClient, office: Office) -> None:
    """A look waits for no lock."""
    with office.db.writing() as session:
        session.exec(select(Sweep)).all()
        assert client.get("/health").json()["status"] == "ok"


def test_a_missing_sweep_is_seen_though_the_offices_clock_stands(
    client: TestClient, office: Office, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JALUR_NOW stands at a day in January: an hour without a sweep is an hour all the same."""
    machine = TurnedClock(datetime.now(UTC))
    monkeypatch.setattr(health, "MACHINE", machine)
    with office.run("flow", by="escalation") as run:
        sweep(office, run)
    assert client.get("/health").json()["sweep_stale"] is False
    machine.turn(minutes=44)
    assert client.get("/health").json()["sweep_stale"] is False
    machine.turn(minutes=2)
    assert client.get("/health").json()["sweep_stale"] is True
    clock.turn(days=400)  # the office's clock runs ahead: no harm either
    with office.run("flow", by="escalation") as run:
        sweep(office, run)
    monkeypatch.setattr(health, "MACHINE", Clock())
    assert client.get("/health").json()["sweep_stale"] is False
    with office.db.reading() as session:
        ends = session.exec(select(Sweep.really_finished_at)).all()
    assert all(one is not None and datetime.now(UTC) - one < timedelta(minutes=10) for one in ends)
