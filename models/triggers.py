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


def install(connection: Connection) -> None:
    """Create the triggers on every append-only table that exists."""
    for statement in _statements(connection):
        connection.execute(text(statement))


def in_force(connection: Connection) -> list[str]:
    """Return the names of the append-only triggers that the database has, sorted."""
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
    else:
        found = connection.execute(text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"))
    return sorted(name for (name,) in found if name.startswith("append_only_"))


def _statements(connection: Connection) -> list[str]:
    tables = [table for table in APPEND_ONLY if connection.dialect.has_table(connection, table)]
    if connection.dialect.name == "sqlite":
        return [
            statement
            for table in tables
            for event, when in (("update", ""), ("delete", ""), ("insert", f"WHEN {_is_there(table)} "))
            for statement in (
                f"DROP TRIGGER IF EXISTS append_only_{table}_{event}",
                f"CREATE TRIGGER append_only_{table}_{event} BEFORE {event} ON {table} "
                f"{when}BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
            )
        ]
    function = (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{MESSAGE}'; END $$"
    )
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
