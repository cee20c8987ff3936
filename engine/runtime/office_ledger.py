"""The office's ledger: one append-only hash chain for what belongs to no single case.

Accounts, roles, mandates, declared conflicts, delegations, calendar days and runs: each change appends an entry that
names the hash of every row it touched (``facts["rows"]``), so that a row changed by hand is unlike its last entry.
Workers do not queue on the chain's end: a run writes its own entry once, when it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, update
from sqlmodel import Session, col

from engine.runtime.bound_rows import bound_hash, reference
from engine.runtime.database import insert_new
from engine.runtime.hash_chain import link_hash
from models import OfficeChain, OfficeEntry
from models.base import Base
from models.privacy import masked_in

if TYPE_CHECKING:
    from engine.runtime.office import Work

# The fields of an entry that its hash covers.
CHAINED = ("seq", "at", "run_id", "actor", "what", "subject", "facts")


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
    personal data (their numbers are masked all the same). ``rows`` are the rows of `OF_THE_OFFICE` that were inserted or
    changed, flushed; ``removed`` are those that were deleted. ``actor`` is the run's own where it is not named.

    Locks: the end of the chain until the commit. Call it last in a transaction, after every other lock, so that two
    writers can't deadlock.
    """
    hashes: dict[str, str | None] = hashes_of(rows) | {_named(row): None for row in removed}
    given: dict[str, Any] = masked_in(dict(facts or {}))
    append(
        work.session,
        at=work.now,
        run_id=work.run.id or None,
        actor=work.run.signed(actor)["actor"] if actor else work.run.by or "jalur",
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


def hashes_of(rows: Iterable[Base]) -> dict[str, str | None]:
    """Return the hashes of rows by their references."""
    return {_named(row): bound_hash(type(row), _values(row)) for row in rows}


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


def _named(row: Base) -> str:
    return reference(type(row), _values(row))


def _values(row: Base) -> dict[str, Any]:
    return {name: getattr(row, name) for name in type(row).model_fields}
