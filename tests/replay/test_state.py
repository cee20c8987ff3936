"""The state of an office holds all that it could go by: every column of every table, every row, and every file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, Column, Date, Float, Integer, LargeBinary, Table

from engine.runtime.office import Office
from models import metadata
from models.base import Moment
from tests.compiled import compiled_once
from tests.replay.cutting import World
from tests.replay.desk import desk, perform
from tests.replay.disks import Place, copy_folder, sqlite_place
from tests.replay.script import Script
from tests.replay.scripts import script_named
from tests.replay.state import state_of
from tests.replay.test_cuts import SCRIPTS, each

pytestmark = pytest.mark.usefixtures("remembered")

PLAYED = script_named("nib-legalization", "DPMPTSP returns it, and lets its time pass")
DOES_NOT_COUNT = {
    "sweep.really_finished_at": "the machine's own clock; only /health reads it",
    "office_chain.id": "there is one row",
}


@pytest.fixture
def played(staffed: Place, folder: Path, outside: World) -> Iterator[tuple[Office, Path]]:
    """An office at the end of a script, with a row in every table."""
    home = copy_folder(staffed.home, folder / "played")
    with desk(sqlite_place(home, staffed.signer), PLAYED, outside.server.url) as office:
        compiled_once(office)
        for act in PLAYED.played:
            outside.begins(act)
            perform(office, PLAYED, act)
        with closing(without_rules(home)) as database:
            for table in metadata.sorted_tables:
                if not rows_of(database, table):
                    insert(database, table, {column.name: other(None, column) for column in table.columns})
        yield office, home


@pytest.mark.slow
def test_every_column_counts(played: tuple[Office, Path]) -> None:
    """One value that is changed, in the last row of a table, makes another state."""
    office, home = played
    before, silent = state_of(office, home), set()
    with closing(without_rules(home)) as database:
        for table in metadata.sorted_tables:
            last = rows_of(database, table)[-1]
            for column in table.columns:
                with instead(database, table, last, last | {column.name: other(last[column.name], column)}):
                    if state_of(office, home) == before:
                        silent.add(f"{table.name}.{column.name}")
    assert silent == DOES_NOT_COUNT.keys()
    assert state_of(office, home) == before


@pytest.mark.slow
def test_every_row_counts(played: tuple[Office, Path]) -> None:
    """A row that is missing makes another state, in each table."""
    office, home = played
    before = state_of(office, home)
    with closing(without_rules(home)) as database:
        for table in metadata.sorted_tables:
            with instead(database, table, rows_of(database, table)[-1], None):
                assert state_of(office, home) != before, table.name


@pytest.mark.slow
def test_a_run_that_is_still_under_way_counts_as_ended(played: tuple[Office, Path]) -> None:
    """The run of a process that died says "running" for good; one that failed is told to administrators."""
    office, home = played
    before = state_of(office, home)
    table = metadata.tables["run"]
    with closing(without_rules(home)) as database:
        last = rows_of(database, table)[-1]
        for said, alike in (("running", True), ("failed", False)):
            dead = last | {"id": f"dead and {said}", "state": said}
            insert(database, table, dead)
            assert (state_of(office, home) == before) == alike
            database.execute("DELETE FROM run WHERE id = ?", [dead["id"]])


@pytest.mark.slow
def test_every_file_counts(played: tuple[Office, Path]) -> None:
    """A file that is changed, missing or new makes another state; the database's own are read as rows."""
    office, home = played
    before = state_of(office, home)
    files = [file for file in home.rglob("*") if file.suffix in {".pdf", ".eml"}]
    assert {file.suffix for file in files} == {".pdf", ".eml"}
    for file in files:
        content = file.read_bytes()
        file.unlink()
        assert state_of(office, home) != before, file
        file.write_bytes(content + b"x")
        assert state_of(office, home) != before, file
        file.write_bytes(content)
    (home / "letters" / "new.eml").touch()
    assert state_of(office, home) != before


@each(script for script in SCRIPTS if script.short)
def test_two_runs_come_through_the_same_states(script: Script, staffed: Place, folder: Path, outside: World) -> None:
    """Chance makes no other state, and each act makes a new one."""
    one, two = (states(script, staffed, folder / name, outside) for name in ("one", "two"))
    assert one == two
    assert len(set(one)) == len(script.played)


def states(script: Script, staffed: Place, home: Path, outside: World) -> list[str]:
    """Play a script; return the state after each act."""
    outside.server.taken.clear()
    copy_folder(staffed.home, home)
    told: list[str] = []
    with desk(sqlite_place(home, staffed.signer), script, outside.server.url) as office:
        compiled_once(office)
        for act in script.played:
            outside.begins(act)
            perform(office, script, act)
            told.append(state_of(office, home))
    return told


def without_rules(home: Path) -> sqlite3.Connection:
    """Connect to the database as somebody whom neither triggers nor constraints hold back."""
    database = sqlite3.connect(home / "jalur.db", isolation_level=None)
    database.row_factory = sqlite3.Row
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f"DROP TRIGGER {name}")
    database.execute("PRAGMA ignore_check_constraints = ON")
    return database


def rows_of(database: sqlite3.Connection, table: Table) -> list[dict[str, Any]]:
    """Return the rows of a table as SQLite keeps them."""
    return [dict(row) for row in database.execute(f"SELECT * FROM {table.name} ORDER BY rowid")]


def insert(database: sqlite3.Connection, table: Table, row: dict[str, Any]) -> None:
    """Insert a row."""
    marks = ", ".join("?" * len(row))
    names = ", ".join(f'"{name}"' for name in row)
    database.execute(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", list(row.values()))


@contextmanager
def instead(
    database: sqlite3.Connection, table: Table, row: dict[str, Any], new: dict[str, Any] | None
) -> Iterator[None]:
    """Let there be another row, or none, in place of a row."""

    def replace(old: dict[str, Any] | None, by: dict[str, Any] | None) -> None:
        if old is not None:
            same = " AND ".join(f'"{name}" IS ?' for name in old)
            assert database.execute(f"DELETE FROM {table.name} WHERE {same}", list(old.values())).rowcount == 1
        if by is not None:
            insert(database, table, by)

    replace(row, new)
    yield
    replace(new, row)


def other(value: Any, column: Column[Any]) -> Any:
    """Return another value than this one, as SQLite keeps it in that column."""
    match column.type:
        case JSON():
            return json.dumps({"changed": value})
        case Boolean():
            return 1 - (value or 0)
        case Integer() | Float():
            return (value or 0) + 1000
        case Date() | Moment() if value:
            return f"{int(value[:4]) + 1}{value[4:]}"
        case Date():
            return "2026-01-01"
        case Moment():
            return "2026-01-01 00:00:00.000000"
        case LargeBinary():
            return (value or b"") + b"x"
        case _:
            return f"{value or ''}x"
