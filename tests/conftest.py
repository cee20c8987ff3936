"""What all tests share: an office on SQLite and on PostgreSQL, with a clock that is turned and never slept on."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from documents.signing import create_demo_key
from engine.cases.dossier import Dossier
from engine.deadlines.clock import TurnedClock
from engine.runtime.database import Database
from engine.runtime.migrations import migrate_schema
from engine.runtime.office import Office
from engine.runtime.settings import Environment, Settings
from models import Document
from tests.compiled import compiled_once
from tests.postgres import postgres_server

MASTER_KEY = SecretStr("amFsdXItdGVzdC1tYXN0ZXIta2V5LTMyLWJ5dGVzISE=")
CUTS = "cuts of the replay test"
MATRIX = "calls of the test of who sees what"
# Every row of every table, whatever refers to it, and the ids from one again; the ledger's triggers are put back in force.
EMPTY = """
DO $$ DECLARE found record; BEGIN
    SET LOCAL session_replication_role = replica;
    SET LOCAL lock_timeout = '10s';
    FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', found.tablename);
    END LOOP;
    FOR found IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', found.sequencename);
    END LOOP;
    ALTER TABLE ledger_entry ENABLE TRIGGER USER;
END $$
"""
DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
START = datetime(2026, 1, 12, 2, 0, tzinfo=UTC)  # a Monday, 09.00 in Surabaya


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every day a test runs on SQLite; on PostgreSQL as well only where it is about what databases do."""
    for item in items:
        if item.get_closest_marker("postgresql") and not item.get_closest_marker("both_databases"):
            item.add_marker(pytest.mark.slow)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Everyday, papers stay blank where no test reads them; CI makes each of them."""
    parser.addoption("--blank-papers", action="store_true", help="make papers only for tests marked reads_papers")


@pytest.fixture
def blank_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Papers without words, for stories in which no paper is read: a real one takes 50 ms."""

    def make(office: Office, dossier: Dossier, document: Document, paper: object) -> bytes:
        return f"%PDF-1.7\n% {dossier.case.number} {document.key}\n%%EOF\n".encode()

    monkeypatch.setattr("engine.execution.document_files.make_file", make)


@pytest.fixture(autouse=True)
def blank_papers_every_day(request: pytest.FixtureRequest) -> None:
    """With ``--blank-papers`` every test has them that does not read one."""
    if request.config.getoption("--blank-papers") and not request.node.get_closest_marker("reads_papers"):
        request.getfixturevalue("blank_papers")


@pytest.fixture
def clock() -> TurnedClock:
    """A clock that stands at 09.00 of Monday 12 January 2026 until a test turns it."""
    return TurnedClock(START)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A private PostgreSQL server, once a session; gives its URL."""
    with postgres_server(durable=False) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied by each test."""
    file = tmp_path_factory.mktemp("template") / "jalur.db"
    db = Database(f"sqlite:///{file}")
    migrate_schema(db)
    db.close()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> str:
    """A migrated PostgreSQL database, to be copied by each test; gives its name."""
    name = f"template_{uuid4().hex[:8]}"
    on_server(postgres, f"CREATE DATABASE {name}")
    db = Database(named(postgres, name))
    migrate_schema(db)
    db.close()
    return name


@pytest.fixture(scope="session")
def postgres_database(postgres: str, postgres_template: str) -> str:
    """A migrated PostgreSQL database for one test after the other; gives its URL. A database a test costs 0.1 s each."""
    name = f"test_{uuid4().hex[:12]}"
    on_server(postgres, f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    return named(postgres, name)


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated and empty database; every test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        file = tmp_path / "jalur.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    url = request.getfixturevalue("postgres_database")
    yield url
    on_server(url, EMPTY)


@pytest.fixture(scope="session")
def signer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the key and certificate of a test office, made once."""
    folder = tmp_path_factory.mktemp("signer")
    create_demo_key(folder, now=START, environment="test")
    return folder


@pytest.fixture
def settings(database_url: str, tmp_path: Path, signer_folder: Path) -> Settings:
    """Settings of an office that lives in the test's own folder."""
    return Settings(
        home=tmp_path,
        env=Environment.TEST,
        database_url=database_url,
        master_key=MASTER_KEY,
        signer_key=signer_folder / "office-demo.key.pem",
        signer_certificate=signer_folder / "office-demo.cert.pem",
    )


@pytest.fixture
def office(settings: Settings, clock: TurnedClock) -> Iterator[Office]:
    """An open office with an empty database."""
    office = Office.open(settings, clock)
    compiled_once(office)
    yield office
    office.close()


def named(server: str, name: str) -> str:
    """Return the URL of the database ``name`` on that server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def on_server(server: str, statement: str) -> None:
    """Run a statement that no transaction may hold."""
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement.encode())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many cuts were made, and how, and how many calls tried who sees what."""
    sums: dict[str, list[int]] = {}
    calls = 0
    for report in terminalreporter.getreports("passed"):
        for name, told in report.user_properties:
            if name == CUTS:
                how, *numbers = told
                sums[how] = [a + b for a, b in zip(sums.get(how, [0, 0, 0, 0, 0]), [1, *numbers], strict=True)]
            calls += told if name == MATRIX else 0
    if calls:
        terminalreporter.write_line(f"who sees what: {calls} calls over route, role and account")
    for how, (endings, made, commits, calls, played) in sums.items():
        terminalreporter.write_line(
            f"replay: {made} cuts {how}, in {endings} endings at {commits} commits and {calls} calls; {played} of "
            f"those that differ on disk were finished by a fresh engine, all to the same record"
        )
