"""Takes over a database older than what its ledgers bind: each row gets its first hash."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlmodel import Session, col

from engine.runtime.bound_rows import OF_A_CASE, OF_THE_OFFICE, bound_hash, is_bound, reference
from engine.runtime.office_ledger import append, hashes_of
from models import CaseFile, OfficeEntry
from models.base import Base

BATCH = 1000  # rows that one entry takes over, and cases that are read together
TAKEN_OVER = "taken over"


def take_over(session: Session, at: datetime) -> None:
    """Bind all rows there are, where the office's ledger has no entry yet.

    The rows of the office go into its first entries. Those of a case wait in its own row until its next entry binds them.
    """
    if session.scalar(select(col(OfficeEntry.seq)).limit(1)) is not None:
        return
    for table in OF_THE_OFFICE:
        for rows in session.scalars(select(table)).partitions(BATCH):
            named = str(table.__tablename__)
            facts = {"rows": hashes_of(rows)}
            append(session, at=at, run_id=None, actor="jalur", what=TAKEN_OVER, subject=named, facts=facts)
    kept = update(CaseFile.__table__).where(col(CaseFile.id) == bindparam("case"))  # type: ignore[attr-defined]
    for ids in _ids(session):
        found = [{"case": case_id, "pending_rows": hashes} for case_id, hashes in _hashes(session, ids).items()]
        session.connection().execute(kept.values(pending_rows=bindparam("pending_rows")), found)


def columns_of_case(table: type[Base]) -> list[Any]:
    """Return a table's columns; the first one is the case's id."""
    core: Any = table.__table__  # type: ignore[attr-defined]
    first = core.c.id if table is CaseFile else core.c.case_id
    return [first, *(column for column in core.c if column is not first)]


def _ids(session: Session) -> Iterator[list[int]]:
    last = 0
    while True:
        wanted = select(col(CaseFile.id)).where(col(CaseFile.id) > last).order_by(col(CaseFile.id)).limit(BATCH)
        ids = [case_id for case_id in session.scalars(wanted) if case_id]
        if not ids:
            return
        yield ids
        last = ids[-1]


def _hashes(session: Session, ids: list[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for table in OF_A_CASE:
        first, *others = columns_of_case(table)
        for row in session.execute(select(first, *others).where(first.between(ids[0], ids[-1]))):
            values = row._asdict()
            if is_bound(table, values):
                found[row[0]][reference(table, values)] = bound_hash(table, values)
    return found
