"""SQLite and PostgreSQL: connections, transactions, and the few differences between the two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import orjson
from sqlalchemy import ARRAY, ColumnElement, Engine, any_, create_engine, event, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

BUSY_TIMEOUT_MS = 30_000


def among(session: Session, column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """Return the condition that ``column`` is one of ``values``.

    PostgreSQL takes the values as one array: with a parameter for each value, the statement's text would change with
    their number, and psycopg would prepare it anew every time.
    """
    wanted = list(values)
    if session.get_bind().dialect.name == "sqlite":
        return cast("ColumnElement[bool]", column.in_(wanted))
    return cast("ColumnElement[bool]", column == any_(literal(wanted, ARRAY(column.type))))


def insert_new(session: Session, table: type[Any], *unique: str) -> Any:
    """Return an insert into ``table`` that skips rows which exist already.

    ``unique`` names the columns whose values tell that a row exists; without them, any unique key does.
    """
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    inserting: Any = sqlite.insert(table) if on_sqlite else postgresql.insert(table)
    return inserting.on_conflict_do_nothing(index_elements=list(unique) or None)


class Database:
    """Opens transactions for writing and for reading.

    The end of their block commits; an exception rolls back.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine: Engine = create_engine(url, **self._arguments())
        if self.is_sqlite:
            event.listen(self.engine, "connect", _sqlite_connection)
            event.listen(self.engine, "begin", _sqlite_begin)

    def _arguments(self) -> dict[str, Any]:
        json = {"json_serializer": _to_json, "json_deserializer": _from_json}
        if not self.is_sqlite:
            return {"pool_pre_ping": True, **json}
        return {"connect_args": {"check_same_thread": False}, **json}

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a transaction that will write.

        Locks: on SQLite the whole database for writing, from the beginning, so that no later statement is refused.
        """
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.connection(execution_options={"jalur_writes": True})
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a transaction that only reads; on SQLite it never waits for a writer."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close the connections of the pool."""
        self.engine.dispose()


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _from_json(value: Any) -> Any:
    return (
        orjson.loads(value) if isinstance(value, str | bytes) else value
    )  # SQLite returns a bare JSON number as a number


def _sqlite_connection(connection: Any, entry: ConnectionPoolEntry) -> None:
    # pysqlite's own transaction handling keeps rows of a released savepoint after the outer rollback; we begin ourselves.
    connection.isolation_level = None
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("jalur_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
