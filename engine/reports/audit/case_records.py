"""Everything that the database holds of a case, read for many cases in one query a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from engine.runtime.bound_rows import OF_A_CASE
from engine.runtime.database import among
from engine.runtime.encryption import Key
from models import CaseFile, LedgerEntry, Person, PersonKey
from models.base import Base

BATCH = 200
Values = dict[str, Any]
READ: tuple[type[Base], ...] = (LedgerEntry, *(table for table in OF_A_CASE if table is not CaseFile))


@dataclass
class CaseRecords:
    """The rows of one case by table, each as its values by column; its entries in order.

    ``key`` is None where its person was erased, or the key is gone.
    """

    case: Values
    key: Key | None
    erased: bool
    rows: dict[type[Base], list[Values]] = field(default_factory=lambda: defaultdict(list))

    @property
    def number(self) -> str:
        """Return the number of the case."""
        number: str = self.case["number"]
        return number

    @property
    def entries(self) -> list[Values]:
        """Return the entries of the case's ledger."""
        return self.rows[LedgerEntry]


def read_cases(session: Session, numbers: Sequence[str] | None) -> Iterator[CaseRecords]:
    """Yield the records of the named cases, or of all, in the order of their ids."""
    last = 0
    wanted = select(*_columns(CaseFile)).order_by(col(CaseFile.id)).limit(BATCH)
    if numbers is not None:
        wanted = wanted.where(among(session, col(CaseFile.number), numbers))
    while cases := _values(session, CaseFile, wanted.where(col(CaseFile.id) > last)):
        last = cases[-1]["id"]
        ids = [case["id"] for case in cases]
        people = _people(session, {case["person_id"] for case in cases})
        batch = {case["id"]: CaseRecords(case, *people.get(case["person_id"], (None, False))) for case in cases}
        for table in READ:
            core: Any = table.__table__  # type: ignore[attr-defined]
            rows = select(*core.c).where(among(session, core.c.case_id, ids)).order_by(*core.primary_key.columns)
            for row in _values(session, table, rows):
                batch[row["case_id"]].rows[table].append(row)
        yield from batch.values()


def _people(session: Session, ids: set[int]) -> dict[int, tuple[Key | None, bool]]:
    """Return each person's key, and whether the person was erased."""
    wanted = (
        select(col(Person.id), col(Person.erased_at), col(PersonKey.id), col(PersonKey.wrapped))
        .join(PersonKey, col(PersonKey.id) == col(Person.key_id), isouter=True)
        .where(among(session, col(Person.id), ids))
    )
    return {
        person: (Key(key, wrapped) if key is not None else None, erased_at is not None)
        for person, erased_at, key, wrapped in session.execute(wanted)
    }


def _values(session: Session, table: type[Base], wanted: Any) -> list[Values]:
    names = [column.name for column in _columns(table)]
    return [dict(zip(names, row, strict=True)) for row in session.execute(wanted)]


def _columns(table: type[Base]) -> list[Any]:
    return list(table.__table__.c)  # type: ignore[attr-defined]
