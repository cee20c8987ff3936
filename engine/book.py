"""The rows a chunk has written so far, inserted together before it commits. Core inserts: a chunk may hold thousands."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session

from models import Answer, Document, LedgerEntry, Letter, Standing, Wait
from models.base import Base

# Parents before children; each table once.
ORDER: tuple[type[Base], ...] = (LedgerEntry, Wait, Answer, Document, Letter, Standing)


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
                session.execute(insert(table.__table__), rows)  # type: ignore[attr-defined]


@cache
def _defaults(table: type[Base]) -> dict[str, Any]:
    """Return the defaults of a table's columns. A default that is a list or a dict is shared: rows are only inserted."""
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in table.model_fields.items()
        if not field.is_required()
    }
