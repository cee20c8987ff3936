"""Write-behind buffer: the rows of a unit of work are inserted together at its end.

It also keeps the hashes of the rows of cases that the unit of work wrote: the next entry of a case binds them
(engine/cases/ledger.py). What no entry of this unit of work binds stays in the case's own row until one does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from sqlalchemy import JSON, Dialect, Insert, LargeBinary, bindparam, column, func, insert, select
from sqlmodel import Session

from engine.runtime.bound_rows import OF_A_CASE, bound_hash, is_bound, reference
from models import Answer, CaseFile, ClockSegment, Document, LedgerEntry, Letter, Standing, Wait
from models.base import Base, Moment

# Parents before children, for the foreign keys.
ORDER: tuple[type[Base], ...] = (LedgerEntry, Wait, ClockSegment, Answer, Document, Letter, Standing)


class BatchWriter:
    """Collects rows by table, for all cases of a chunk, and inserts them.

    Core inserts, one statement a table: a chunk may hold thousands of rows.
    """

    def __init__(self) -> None:
        self._rows: dict[type[Base], list[dict[str, Any]]] = defaultdict(list)
        self._hashes: dict[int, dict[str, str | None]] = defaultdict(dict)

    def write(self, table: type[Base], **row: Any) -> None:
        """Add a row; the table's own defaults fill what is not given."""
        whole = {**_defaults(table), **row}
        self._rows[table].append(whole)
        if table in OF_A_CASE:
            self.note(table, whole)

    def note(self, table: type[Base], row: Mapping[str, Any], *, removed: bool = False) -> None:
        """Note a row of a case as it stands now, whole; the next entry of the case binds it.

        The caller holds the lock of the case's row.
        """
        if is_bound(table, row):
            case_id = row["id" if table is CaseFile else "case_id"]
            self._hashes[case_id][reference(table, row)] = None if removed else bound_hash(table, row)

    def take_hashes(self, case_id: int | None) -> dict[str, str | None]:
        """Return the hashes of the noted rows of a case, and forget them: an entry binds them."""
        return self._hashes.pop(case_id or 0, {})

    def leave_hashes(self, session: Session) -> None:
        """Leave in the rows of their cases the hashes that no entry has bound.

        Locks: those of the cases that the session has not loaded.
        """
        for case_id, hashes in sorted(self._hashes.items()):
            case = session.identity_map.get(session.identity_key(CaseFile, case_id))
            case = case or session.get_one(CaseFile, case_id, with_for_update=True)
            case.pending_rows = {**(case.pending_rows or {}), **hashes}
        self._hashes.clear()

    def last_wait(self, case_id: int | None) -> str | None:
        """Return the key of the last wait opened for that case in this chunk, or None."""
        keys = [row["key"] for row in self._rows.get(Wait, []) if row["case_id"] == case_id]
        return keys[-1] if keys else None

    def insert(self, session: Session) -> None:
        """Insert the collected rows, one statement a table, and empty the buffer."""
        dialect = session.get_bind().dialect
        for table in ORDER:
            if rows := self._rows.pop(table, None):
                if dialect.name == "sqlite":
                    session.execute(insert(table.__table__), rows)  # type: ignore[attr-defined]
                else:
                    session.execute(_from_json(table), {"rows": _as_json(table, dialect, rows)})


@cache
def _from_json(table: type[Base]) -> Insert:
    """Return the statement that inserts the rows of one JSON parameter.

    See docs/decisions/0010-inserts.md.
    """
    into = table.__table__  # type: ignore[attr-defined]
    columns = [column(one.name, one.type) for one in into.columns]
    rows = func.json_to_recordset(bindparam("rows", type_=JSON())).table_valued(*columns, name="given")
    given = rows.render_derived(with_types=True)
    names = [one.name for one in columns]
    return insert(into).from_select(names, select(*[given.c[name] for name in names]), include_defaults=False)


def _as_json(table: type[Base], dialect: Dialect, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with moments in UTC and bytes in PostgreSQL's hex format.

    Raises:
        ValueError: a moment has no time zone.
    """
    writers = _writers(table, dialect)
    return [row | {name: write(row[name]) for name, write in writers.items() if row[name] is not None} for row in rows]


@cache
def _writers(table: type[Base], dialect: Dialect) -> dict[str, Callable[[Any], Any]]:
    """Return functions that make a column's value fit for JSON, by the names of such columns."""
    writers: dict[str, Callable[[Any], Any]] = {}
    for one in table.__table__.columns:  # type: ignore[attr-defined]
        if isinstance(one.type, Moment):
            writers[one.name] = partial(one.type.process_bind_param, dialect=dialect)
        elif isinstance(one.type, LargeBinary):
            writers[one.name] = _in_hex
    return writers


def _in_hex(value: bytes) -> str:
    return f"\\x{value.hex()}"


@cache
def _defaults(table: type[Base]) -> dict[str, Any]:
    """Return the defaults of a table's columns.

    Lists and dicts among them are shared by all rows, and never changed.
    """
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in table.model_fields.items()
        if not field.is_required()
    }
