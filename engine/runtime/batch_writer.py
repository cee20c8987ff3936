"""The rows a chunk has written so far, inserted together before it commits. Core inserts: a chunk may hold thousands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, insert
from sqlmodel import Session

from models import Answer, ClockSegment, Document, LedgerEntry, Letter, Standing, Wait
from models.base import Base

# Parents before children; each table once.
ORDER: tuple[type[Base], ...] = (LedgerEntry, Wait, ClockSegment, Answer, Document, Letter, Standing)

COPY_FROM = 20  # rows; below, a COPY's two more trips cost more than they save


class Book:
    """Collects rows by table, whichever case of the chunk they belong to."""

    def __init__(self) -> None:
        self._rows: dict[type[Base], list[dict[str, Any]]] = defaultdict(list)

    def write(self, table: type[Base], **row: Any) -> None:
        """Add a row; the table's own defaults fill what is not given."""
        self._rows[table].append({**_defaults(table), **row})

    def last_wait(self, case_id: int | None) -> str | None:
        """Return the key of the last wait opened for that case in this chunk, or None."""
        keys = [row["key"] for row in self._rows.get(Wait, []) if row["case_id"] == case_id]
        return keys[-1] if keys else None

    def insert(self, session: Session) -> None:
        """Insert everything, one statement a table, and start anew."""
        for table in ORDER:
            if rows := self._rows.pop(table, None):
                if len(rows) < COPY_FROM or session.get_bind().dialect.name == "sqlite":
                    session.execute(insert(table.__table__), rows)  # type: ignore[attr-defined]
                else:
                    _copy(session.connection(), table, rows)


def _copy(connection: Connection, table: type[Base], rows: list[dict[str, Any]]) -> None:
    """Send rows by COPY: an INSERT for each costs PostgreSQL and psycopg three times the time."""
    columns, processors = _processors(table, connection.dialect)
    names = ", ".join(f'"{name}"' for name in columns)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.__tablename__}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([process(row[name]) for name, process in zip(columns, processors, strict=True)])


@cache
def _processors(table: type[Base], dialect: Dialect) -> tuple[list[str], list[Callable[[Any], Any]]]:
    """Return the columns, and what makes of a value of each what the driver takes."""
    columns = list(table.__table__.columns)  # type: ignore[attr-defined]
    processors = [column.type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is for column in columns]
    return [column.name for column in columns], processors


def _as_it_is(value: Any) -> Any:
    return str(value) if isinstance(value, StrEnum) else value


@cache
def _defaults(table: type[Base]) -> dict[str, Any]:
    """Return the defaults of a table's columns. A default that is a list or a dict is shared: rows are only inserted."""
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in table.model_fields.items()
        if not field.is_required()
    }
