"""The database is made by migrations alone: up, down and up again, on both kinds, with the ledger's triggers in force."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import models
from engine.errors import Refused
from engine.runtime.database import Database
from engine.runtime.migrations import at_revision, migrate_schema, must_be_migrated
from models import triggers
from tests.conftest import DATABASES, named, on_server

pytestmark = pytest.mark.both_databases
EXPECTED = {
    kind: sorted(f"append_only_{table}_{event}" for table in triggers.APPEND_ONLY for event in events)
    for kind, events in {"sqlite": ("delete", "insert", "update"), "postgresql": ("row", "truncate")}.items()
}


@pytest.fixture(params=DATABASES)
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    if request.param == "sqlite":
        db = Database(f"sqlite:///{tmp_path / 'blank.db'}")
        yield db
        db.close()
        return
    server, name = request.getfixturevalue("postgres"), f"blank_{uuid4().hex[:8]}"
    on_server(server, f"CREATE DATABASE {name}")
    db = Database(named(server, name))
    yield db
    db.close()
    on_server(server, f"DROP DATABASE {name} WITH (FORCE)")


def in_force(db: Database) -> list[str]:
    with db.engine.connect() as connection:
        return triggers.in_force(connection)


def test_the_newest_revision_is_what_the_models_say(blank: Database) -> None:
    """A model that was changed without a migration turns this red."""
    migrate_schema(blank)
    with blank.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, models.metadata) == []


def test_down_and_up_again_leaves_the_triggers_in_force(blank: Database) -> None:
    """Each way ends with the ledger append-only; at the base there is no table of ours left."""
    kind = blank.engine.dialect.name
    assert migrate_schema(blank) == at_revision(blank)
    assert in_force(blank) == EXPECTED[kind]
    migrate_schema(blank, "base")
    with blank.engine.connect() as connection:
        assert not connection.dialect.has_table(connection, "ledger_entry")
    migrate_schema(blank)
    assert in_force(blank) == EXPECTED[kind]


def test_migrating_twice_changes_nothing(blank: Database) -> None:
    """The second time finds everything done."""
    assert migrate_schema(blank) == migrate_schema(blank)
    assert in_force(blank) == EXPECTED[blank.engine.dialect.name]


def test_every_revision_ends_with_the_triggers(blank: Database) -> None:
    """Step by step from the first revision to the last, none leaves the ledger open."""
    versions = sorted((Path(models.__file__).parent / "migrations" / "versions").glob("[0-9]*.py"))
    for version in versions:
        migrate_schema(blank, version.name.split("_")[0])
        kept = {name for name in EXPECTED[blank.engine.dialect.name] if "ledger_entry" in name}
        assert kept <= set(in_force(blank))


def test_what_stands_in_the_ledger_can_be_neither_changed_nor_deleted(blank: Database) -> None:
    """The database itself refuses, whoever asks."""
    migrate_schema(blank)
    for statement in ("UPDATE ledger_entry SET actor = 'x'", "DELETE FROM ledger_entry"):
        with blank.engine.connect() as connection:
            _write_an_entry(connection)
            with pytest.raises(DBAPIError, match="append-only"):
                connection.execute(text(statement))


def test_a_database_that_was_never_made_is_refused_with_the_command_that_makes_it(tmp_path: Path) -> None:
    """Only `jalur migrate` makes a database: a wrong path makes no empty one."""
    file = tmp_path / "nowhere.db"
    with pytest.raises(Refused, match="jalur migrate"):
        must_be_migrated(Database(f"sqlite:///{file}"))
    assert not file.exists()


def _write_an_entry(connection: object) -> None:
    connection.execute(  # type: ignore[attr-defined]
        text("INSERT INTO run (id, kind, by, started_at, state, cases) VALUES ('r', 'cli', 'x', '2026-01-01', 'x', 0)")
    )
    if connection.dialect.name == "sqlite":  # type: ignore[attr-defined]
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))  # type: ignore[attr-defined]
    else:
        connection.execute(text("ALTER TABLE ledger_entry DROP CONSTRAINT fk_ledger_entry_case_id"))  # type: ignore[attr-defined]
    connection.execute(  # type: ignore[attr-defined]
        text(
            "INSERT INTO ledger_entry (case_id, seq, at, kind, key, actor, arguments_hash, rule_versions,"
            " pipeline_version, run_id, previous_hash, hash)"
            " VALUES (1, 1, '2026-01-01', 'step', 'a#1', 'x', '', '{}', 1, 'r', '', 'h')"
        )
    )
