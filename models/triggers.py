"""Triggers that make tables append-only: they refuse to update, delete or truncate rows.

Each migration creates them again at its end, because Alembic's batch mode recreates an SQLite table without its triggers.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.engine import Connection

APPEND_ONLY = {
    "ledger_entry": ("case_id", "seq"),
    "office_entry": ("seq",),
    "clock_segment": ("case_id", "seq"),
    "calendar_day": ("id",),
}
MESSAGE = "the ledger is append-only"
BODY = f" BEGIN RAISE EXCEPTION '{MESSAGE}'; END "  # of PostgreSQL's function


def install(connection: Connection) -> None:
    """Create the triggers on every append-only table that exists."""
    for statement in _statements(connection):
        connection.execute(text(statement))


def in_force(connection: Connection) -> list[str]:
    """Return the names of the append-only triggers in force, sorted.

    One that is disabled, or is not as `install` makes it, is not in force.
    """
    names = expected(connection)
    if connection.dialect.name == "sqlite":
        made = {name: sql for name, sql in _on_sqlite(_tables(connection))}
        found = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        return sorted(name for name, sql in found if name in names and sql == made[name])
    found = connection.execute(
        text(
            "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid "
            "WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgqual IS NULL AND tgnargs = 0 AND prosrc = :body "
            "AND tgname = 'append_only_' || relname || CASE tgtype WHEN 27 THEN '_row' WHEN 34 THEN '_truncate' END"
        ),
        {"body": BODY},
    )
    return sorted(name for (name,) in found if name in names)


def expected(connection: Connection) -> list[str]:
    """Return the names of the triggers that `install` makes, sorted."""
    events = ("delete", "insert", "update") if connection.dialect.name == "sqlite" else ("row", "truncate")
    return sorted(f"append_only_{table}_{event}" for table in _tables(connection) for event in events)


def _tables(connection: Connection) -> list[str]:
    return [table for table in APPEND_ONLY if connection.dialect.has_table(connection, table)]


def _on_sqlite(tables: list[str]) -> list[tuple[str, str]]:
    """Return the triggers of SQLite: name and statement."""
    return [
        (
            f"append_only_{table}_{event}",
            f"CREATE TRIGGER append_only_{table}_{event} BEFORE {event} ON {table} "
            f"{when}BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
        )
        for table in tables
        for event, when in (("update", ""), ("delete", ""), ("insert", f"WHEN {_is_there(table)} "))
    ]


def _statements(connection: Connection) -> list[str]:
    tables = _tables(connection)
    if connection.dialect.name == "sqlite":
        return [
            statement for name, create in _on_sqlite(tables) for statement in (f"DROP TRIGGER IF EXISTS {name}", create)
        ]
    function = f"CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $${BODY}$$"
    return [
        function,
        *(
            statement
            for table in tables
            for statement in (
                f"DROP TRIGGER IF EXISTS append_only_{table}_row ON {table}",
                f"CREATE TRIGGER append_only_{table}_row BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
                f"DROP TRIGGER IF EXISTS append_only_{table}_truncate ON {table}",
                f"CREATE TRIGGER append_only_{table}_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
            )
        ),
    ]


def _is_there(table: str) -> str:
    """Return the SQL condition that a new row would replace another one.

    SQLite's INSERT OR REPLACE deletes the old row without calling a delete trigger.
    """
    same = " AND ".join(f"{column} = NEW.{column}" for column in APPEND_ONLY[table])
    return f"EXISTS (SELECT 1 FROM {table} WHERE ({same}) OR rowid = NEW.rowid)"  # noqa: S608 - names of our own
