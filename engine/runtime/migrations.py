"""Creates the database and brings it to the newest revision, up or down. Nothing else ever creates one."""

from __future__ import annotations

from pathlib import Path

import models
from engine.errors import Refused
from engine.runtime.database import Database

SCRIPTS = Path(models.__file__).parent / "migrations"


def migrate(db: Database, revision: str = "head") -> str:
    """Bring the database to ``revision`` in one transaction; return the revision that it is at."""
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
    return at_revision(db) or "base"


def at_revision(db: Database) -> str | None:
    """Return the revision that the database is at; None for an empty one."""
    from alembic.migration import MigrationContext

    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def must_be_migrated(db: Database) -> None:
    """Refuse to work on a database that was never made. Raises `Refused` with the command that makes it."""
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
    """Return whether the database was made; an SQLite file that is not there is left so."""
    try:
        must_be_migrated(db)
    except Refused:
        return False
    return True
