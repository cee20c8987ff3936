"""The office's ledger: one append-only hash chain for what belongs to no single case.

Accounts, roles, mandates, declared conflicts, delegations, calendar days and runs: each change appends an entry that
names the hash of every row it touched (``facts["rows"]``), so that a row changed by hand is unlike its last entry.
Workers do not queue on the chain's end: a run writes its own entry once, when it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, inspect, select, update
from sqlmodel import Session, col

from engine.runtime.database import insert_new
from engine.runtime.hash_chain import link_hash, row_hash
from models import (
    CalendarDay,
    DeclaredConflict,
    Delegation,
    Institution,
    Mandate,
    OfficeChain,
    OfficeEntry,
    RecordedCertificate,
    Run,
    User,
    UserRole,
)
from models.base import Base
from models.privacy import masked_in

if TYPE_CHECKING:
    from engine.runtime.office import Work

# The tables whose rows the office's ledger binds, and the columns that change without an entry.
BOUND: dict[type[Base], frozenset[str]] = {
    User: frozenset(),
    UserRole: frozenset(),
    Mandate: frozenset(),
    DeclaredConflict: frozenset(),
    Delegation: frozenset(),
    RecordedCertificate: frozenset(),
    Institution: frozenset(),
    CalendarDay: frozenset(),
    Run: frozenset(),
}
# The fields of an entry that its hash covers.
CHAINED = ("seq", "at", "run_id", "actor", "what", "subject", "facts")
TAKEN_OVER = "taken over"
A_THOUSAND = 1000  # rows that one entry takes over at most


def record(
    work: Work,
    what: str,
    subject: str,
    facts: Mapping[str, Any] | None = None,
    *,
    rows: Iterable[Base] = (),
    removed: Iterable[Base] = (),
    actor: str | None = None,
) -> None:
    """Append an entry in the caller's transaction.

    ``what`` is a past-tense fact ("account added"), ``subject`` its account, day or run, ``facts`` are JSON without
    personal data (their numbers are masked all the same). ``rows`` are the rows of `BOUND` tables that were inserted or
    changed, flushed; ``removed`` are those that were deleted. ``actor`` is the run's own where it is not named.

    Locks: the end of the chain until the commit. Call it last in a transaction, after every other lock, so that two
    writers can't deadlock.
    """
    hashes = {reference(row): bound_hash(row) for row in rows} | {reference(row): None for row in removed}
    given: dict[str, Any] = masked_in(dict(facts or {}))
    append(
        work.session,
        at=work.now,
        run_id=work.run.id or None,
        actor=actor or work.run.by or "jalur",
        what=what,
        subject=subject,
        facts={**given, "rows": hashes} if hashes else given,
    )


def append(
    session: Session, *, at: datetime, run_id: str | None, actor: str, what: str, subject: str, facts: dict[str, Any]
) -> None:
    """Append an entry whose facts are finished.

    Locks: the end of the chain until the commit.
    """
    seq, previous = _next(session)
    row: dict[str, Any] = {
        "seq": seq,
        "at": at,
        "run_id": run_id,
        "actor": actor,
        "what": what,
        "subject": subject,
        "facts": facts,
        "previous_hash": previous,
    }
    row["hash"] = office_hash(previous, row)
    session.execute(insert(OfficeEntry).values(**row))
    session.execute(update(OfficeChain).values(head=row["hash"]))


def office_hash(previous: str, row: Mapping[str, Any]) -> str:
    """Return the hash of an entry that follows ``previous`` in the office's ledger."""
    return link_hash(previous, {name: row[name] for name in CHAINED})


def reference(row: Base) -> str:
    """Return a row's table and key: ``account/3``, ``account_role/3/officer``."""
    table = type(row)
    return "/".join([str(table.__tablename__), *(str(getattr(row, name)) for name in _keys(table))])


def bound_hash(row: Base) -> str:
    """Return the hash of a row's bound columns."""
    free = BOUND[type(row)]
    return row_hash({name: getattr(row, name) for name in type(row).model_fields if name not in free})


def take_over(session: Session, at: datetime) -> None:
    """Bind the rows of a database that is older than the office's ledger; do it once, in its first entries."""
    if session.scalar(select(OfficeEntry.seq).limit(1)) is not None:  # type: ignore[call-overload]
        return
    for table in BOUND:
        keys = [getattr(table, name) for name in _keys(table)]
        for rows in session.scalars(select(table).order_by(*keys)).partitions(A_THOUSAND):
            facts = {"rows": {reference(row): bound_hash(row) for row in rows}}
            named = str(table.__tablename__)
            append(session, at=at, run_id=None, actor="jalur", what=TAKEN_OVER, subject=named, facts=facts)


def _next(session: Session) -> tuple[int, str]:
    """Return the next entry's number and the hash before it; lock the end of the chain."""
    raised = (
        update(OfficeChain)
        .values(last_seq=OfficeChain.last_seq + 1)
        .returning(col(OfficeChain.last_seq), col(OfficeChain.head))
    )
    found = session.execute(raised).first()
    if found is None:
        session.execute(insert_new(session, OfficeChain, "id").values(id=1, last_seq=0, head=""))
        found = session.execute(raised).one()
    return found[0], found[1]


def _keys(table: type[Base]) -> list[str]:
    return [column.name for column in inspect(table).primary_key]  # type: ignore[union-attr]
