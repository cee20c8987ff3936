"""Schema migrations: create the database, and bring its tables to a revision, up or down."""

from __future__ import annotations

from pathlib import Path

from sqlmodel import Session

import models
from engine.deadlines.clock import Clock
from engine.errors import Refused
from engine.runtime.database import Database
from engine.runtime.taking_over import take_over

SCRIPTS = Path(models.__file__).parent / "migrations"


def migrate_schema(db: Database, revision: str = "head") -> str:
    """Migrate the tables to ``revision``; return the revision reached.

    A missing database is created. The ledgers take over the rows of a database that is older than what they bind.
    """
    from alembic import command
    from alembic.config import Config

    if db.is_sqlite and db.engine.url.database not in (None, "", ":memory:"):
        Path(str(db.engine.url.database)).parent.mkdir(parents=True, exist_ok=True)
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with db.engine.begin() as connection:
        config.attributes["connection"] = connection
        downwards = revision == "base" or revision.startswith("-")
        (command.downgrade if downwards else command.upgrade)(config, revision)
        if revision == "head":
            with Session(connection, join_transaction_mode="create_savepoint") as session, session.begin():
                take_over(session, Clock().now())
    return at_revision(db) or "base"


def at_revision(db: Database) -> str | None:
    """Return the revision of the database's tables; None for an empty database."""
    from alembic.migration import MigrationContext

    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def must_be_migrated(db: Database) -> None:
    """Check that the database has tables.

    Raises:
        Refused: it has none, or its file is missing; the message names the command that makes it.
    """
    file = db.engine.url.database if db.is_sqlite else None
    if file and file != ":memory:" and not Path(file).exists():
        raise Refused(
            f"There is no database at {file}. Make it: jalur migrate",
            for_people=f"Belum ada basis data di {file}. Buat dengan: jalur migrate",
        )
    with db.engine.connect() as connection:
        if not connection.dialect.has_table(connection, "ledger_entry"):
            raise Refused(
                "The database is empty. Make its tables: jalur migrate",
                for_people="Basis data masih kosong. Buat tabelnya dengan: jalur migrate",
            )


def is_migrated(db: Database) -> bool:
    """Return whether the database has tables; a missing SQLite file is not created."""
    try:
        must_be_migrated(db)
    except Refused:
        return False
    return True
