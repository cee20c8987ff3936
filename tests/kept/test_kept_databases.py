"""A database that an earlier commit left is taken over: migrated, verified, and its open cases come to their ends."""

from __future__ import annotations

import contextlib
import json
import lzma
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import MetaData, create_engine, text

from engine.deadlines.clock import TurnedClock
from engine.definition.registry import current
from engine.execution.drain import drain
from engine.execution.versions.fingerprints import must_have_code
from engine.reports.audit.whole_audit import audit_records
from engine.runtime.database import Database
from engine.runtime.migrations import migrate_schema
from engine.runtime.office import Office
from engine.runtime.settings import Environment, Settings
from tests.conftest import DATABASES, named, on_server
from tests.replay.command_line import MASTER_KEY, Played

HERE = Path(__file__).parent
KEPT = sorted(file.parent.name for file in HERE.glob("*/expected.json"))
SIGNED_BY = ("office-demo.key.pem", "office-demo.cert.pem")

pytestmark = pytest.mark.slow


class Continued(Played):
    """A kept office, whose cases advance without Prefect: what is tried here is what the database holds."""

    def __init__(self, home: Path, url: str, signer: Path) -> None:
        super().__init__(home)
        self.url = url
        key, certificate = (str(signer / name) for name in SIGNED_BY)
        self.settings = {"JALUR_DATABASE_URL": url, "JALUR_SIGNER_KEY": key, "JALUR_SIGNER_CERTIFICATE": certificate}

    def advance(self) -> None:
        """Advance every pipeline, until nothing moves."""
        with self.opened() as office:
            moved = True
            while moved:
                moved = False
                for pipeline in current():
                    with office.run("flow", by="test", pipeline=pipeline.name) as run:
                        moved = bool(drain(office, run, pipeline.name).advanced) or moved

    @contextlib.contextmanager
    def opened(self) -> Iterator[Office]:
        """Open the office on the day that it is here."""
        settings = Settings(
            home=self.home,
            env=Environment.TEST,
            database_url=self.url,
            documents_url="file://documents",
            master_key=SecretStr(MASTER_KEY),
            signer_key=Path(self.settings["JALUR_SIGNER_KEY"]),
            signer_certificate=Path(self.settings["JALUR_SIGNER_CERTIFICATE"]),
        )
        office = Office.open(settings, TurnedClock(datetime.fromisoformat(self.now)))
        try:
            yield office
        finally:
            office.close()


@pytest.fixture(params=KEPT)
def folder(request: pytest.FixtureRequest) -> Path:
    """A folder of tests/kept."""
    return HERE / str(request.param)


@pytest.fixture(params=DATABASES)
def continued(request: pytest.FixtureRequest, folder: Path, tmp_path: Path, signer_folder: Path) -> Iterator[Continued]:
    """The kept office as it was left, on the newest revision."""
    if (folder / "documents").is_dir():
        shutil.copytree(folder / "documents", tmp_path / "documents")
    file = tmp_path / "jalur.db"
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.executescript(lzma.decompress((folder / "jalur.sql.xz").read_bytes()).decode())
    if request.param == "sqlite":
        url = f"sqlite:///{file}"
        migrated(url)
        yield Continued(tmp_path, url, signer_folder)
        return
    server, name = request.getfixturevalue("postgres"), f"kept_{uuid4().hex[:8]}"
    on_server(server, f"CREATE DATABASE {name}")
    url = named(server, name)
    poured(file, url)
    migrated(url)
    yield Continued(tmp_path, url, signer_folder)
    on_server(server, f"DROP DATABASE {name} WITH (FORCE)")


def migrated(url: str) -> None:
    """Bring a database to the newest revision."""
    db = Database(url)
    migrate_schema(db)
    db.close()


def poured(file: Path, url: str) -> None:
    """Pour the rows of an SQLite file into PostgreSQL, at the revision that the file is at."""
    source = create_engine(f"sqlite:///{file}")
    here, there = MetaData(), MetaData()
    with source.connect() as rows:
        db = Database(url)
        migrate_schema(db, str(rows.execute(text("SELECT version_num FROM alembic_version")).scalar_one()))
        here.reflect(rows)
        with db.engine.begin() as connection:
            there.reflect(connection)
            for table in there.sorted_tables:
                if table.name == "alembic_version":
                    continue
                found = [_with_zones(dict(row)) for row in rows.execute(here.tables[table.name].select()).mappings()]
                if found:
                    connection.execute(table.insert(), found)
                for column in table.primary_key.columns:
                    sequence = connection.execute(
                        text("SELECT pg_get_serial_sequence(:table, :column)"),
                        {"table": table.name, "column": column.name},
                    ).scalar()
                    if sequence and found:
                        last = max(row[column.name] for row in found)
                        connection.execute(
                            text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last}
                        )
        db.close()
    source.dispose()


def _with_zones(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of SQLite's with its moments in UTC, as they were written."""
    return {
        name: value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
        for name, value in row.items()
    }


def test_a_kept_database_is_carried_to_its_ends(folder: Path, continued: Continued) -> None:
    """Every chain holds, every open version has its code, and each case ends as it would have ended then."""
    expected = json.loads((folder / "expected.json").read_text())
    continued.now = expected["kept"]["at"]
    with continued.opened() as office, office.db.reading() as session:
        assert audit_records(office, session).findings == []
        must_have_code(session)
    for now, commands in expected["then"].items():
        continued.now = now
        for words in commands:
            if words == ["advance"]:
                continued.advance()
            else:
                continued.jalur(*words)
    for number, outcome in expected["ends"].items():
        shown = continued.jalur("case", "show", number)
        assert (number, shown["status"], shown["outcome"]) == (number, "closed", outcome)
    assert continued.jalur("audit", "verify")["intact"] is True


def test_a_kept_database_holds_cases_in_every_state(folder: Path) -> None:
    """It would say little with closed cases alone: each pipeline has open ones, and each kind of wait is there."""
    waits = json.loads((folder / "expected.json").read_text())["kept"]["waits"]
    assert {number.split("-")[0] for number in waits} == {"NIB", "HSD", "HRG", "LSP", "KUR"}
    told = " ".join(wait for case in waits.values() for wait in case)
    for state in ("open person officer", "open person applicant", "open external", "open issue", "ruling#", "parked"):
        assert state in told
