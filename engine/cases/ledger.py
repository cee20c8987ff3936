"""The ledger: one append-only hash chain per case, verified from first entry to head.

An entry's hash is SHA-256 over the previous hash and the canonical JSON of its own fields: a changed, removed or
inserted entry breaks the chain at its place, and the case's ``head`` reveals a tail that was cut off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from sqlalchemy import select
from sqlmodel import Session

from engine.definition.incoming import must_be_clean, normalised
from engine.errors import Refused
from engine.runtime.hash_chain import canonical, link_hash
from engine.runtime.office import Work
from models import CaseFile, EntryKind, LedgerEntry
from models.privacy import without_personal_numbers

# The kinds of entry that a replay reads; the others are remarks beside the process.
REPLAYED = frozenset({EntryKind.STEP, EntryKind.ANSWER, EntryKind.MACHINE})
SYSTEM = "jalur"  # the actor of entries that the engine writes by itself
# Outcomes, and the key of an objection, by which other code recognises entries.
RECALLED = "recalled"
CORRECTED = "corrected"
STARTS_CLOCK = "starts the clock"
OPENS_WAY = "opens the way"
CHANGES_REGISTER = "changes a register"
LODGED = "appeal_lodged#1"
# The fields of an entry that its hash covers.
CHAINED = (
    "seq",
    "at",
    "kind",
    "key",
    "actor",
    "role",
    "on_behalf_of",
    "outcome",
    "reason",
    "arguments_hash",
    "result",
    "rule_versions",
    "pipeline_version",
    "run_id",
)


def jsonable(value: BaseModel | Any) -> Any:
    """Return ``value`` in JSON types: dicts, lists, texts, numbers."""
    return to_jsonable_python(value)


def salted_hash(salt: str, value: Any) -> str:
    """Return SHA-256 over the case's salt and ``value``.

    The hash proves a value that is shown; without the salt nobody can guess the value from it.
    """
    return hashlib.sha256(salt.encode() + canonical(value)).hexdigest()


class Chained(Protocol):
    """The fields of a case that its chain needs."""

    id: int | None
    number: str
    version: int
    last_seq: int
    head: str


@dataclass
class Head:
    """The chain of a case that has no row yet."""

    id: int | None
    number: str
    version: int
    last_seq: int = 0
    head: str = ""


def append(
    case: Chained, *, at: datetime, run_id: str, kind: str, key: str, actor: str, **fields: Any
) -> dict[str, Any]:
    """Return the row of the case's next entry, for the caller to insert.

    The caller holds the lock of the case's row: no other writer can take the same ``seq``.

    Mutates: ``case``, whose head moves to the new entry.
    """
    case.last_seq += 1
    row: dict[str, Any] = {
        "case_id": case.id,
        "seq": case.last_seq,
        "at": at,
        "kind": str(kind),
        "key": key,
        "actor": actor,
        "role": None,
        "on_behalf_of": None,
        "outcome": None,
        "reason": None,
        "arguments_hash": "",
        "result": None,
        "rule_versions": {},
        "pipeline_version": case.version,
        "run_id": run_id,
        "previous_hash": case.head,
        **fields,
    }
    row["hash"] = case.head = entry_hash(case.number, case.head, row)
    return row


def write_remark(work: Work, row: CaseFile, key: str, actor: str, reason: str | None, **fields: Any) -> None:
    """Write a remark into the ledger: an entry beside the process, which no replay reads.

    The caller holds the lock of the case's row.

    Mutates: ``row``, whose head moves to the remark.
    """
    entry = append(
        row,
        at=work.now,
        run_id=work.run.id,
        kind=EntryKind.REMARK,
        key=key,
        reason=reason,
        **{"outcome": key, **fields, **work.run.signed(actor, fields.get("on_behalf_of"))},
    )
    work.rows.write(LedgerEntry, **entry)


def entry_hash(case_number: str, previous: str, row: dict[str, Any]) -> str:
    """Return the hash of an entry that follows ``previous`` in the chain of that case."""
    return link_hash(previous, {"case": case_number, **{name: row[name] for name in CHAINED}})


@dataclass(frozen=True)
class Broken:
    """The first bad entry of a chain, and its fault."""

    case: str
    seq: int
    what: str


@dataclass(frozen=True)
class Audit:
    """The result of a verification: how many entries were read, and the first bad one."""

    entries: int
    first_bad: Broken | None


def verify(session: Session, numbers: list[str] | None = None) -> Audit:
    """Check the chains of all cases, or of the given ones, up to the first bad entry."""
    entries = 0
    for case, chain in _chains(session, numbers):
        rows = list(chain)
        entries += len(rows)
        broken = first_break(case.number, rows, case.last_seq, case.head)
        if broken:
            return Audit(entries, broken)
    return Audit(entries, None)


def first_break(number: str, chain: list[LedgerEntry], last_seq: int, head: str) -> Broken | None:
    """Return the first break in the chain of one case; None when the chain is whole."""
    previous = ""
    for expected, entry in enumerate(chain, start=1):
        if entry.seq != expected:
            return Broken(number, expected, f"entry {expected} is missing")
        if entry.previous_hash != previous:
            return Broken(number, entry.seq, "it does not follow the entry before it")
        if entry.hash != entry_hash(number, previous, entry.model_dump()):
            return Broken(number, entry.seq, "its content is not what was hashed")
        previous = entry.hash
    if len(chain) != last_seq or previous != head:
        return Broken(number, len(chain) + 1, f"the case counts {last_seq} entries; the ledger ends after {len(chain)}")
    return None


def _chains(session: Session, numbers: list[str] | None) -> Iterator[tuple[CaseFile, Iterable[LedgerEntry]]]:
    wanted = select(CaseFile).order_by(CaseFile.id)  # type: ignore[arg-type]
    if numbers is not None:
        wanted = wanted.where(CaseFile.number.in_(numbers))  # type: ignore[attr-defined]
    for cases in session.scalars(wanted).yield_per(500).partitions():
        ids = [case.id for case in cases]
        by_case: dict[int | None, list[LedgerEntry]] = {case_id: [] for case_id in ids}
        found = select(LedgerEntry).where(LedgerEntry.case_id.in_(ids))  # type: ignore[attr-defined]
        for entry in session.scalars(found.order_by(LedgerEntry.case_id, LedgerEntry.seq)):  # type: ignore[arg-type]
            by_case[entry.case_id].append(entry)
        for case in cases:
            yield case, by_case[case.id]
            session.expunge(case)


def valid_reason(reason: str) -> str:
    """Return a reason, stripped, with personal numbers masked.

    Raises:
        BadText: the reason holds letters that can't be kept or printed.
        Refused: the reason has less than three characters.
    """
    reason = optional_reason(reason)
    if len(reason) < 3:
        raise Refused("Say why, in words: --reason", for_people="Tuliskan alasannya.")
    return reason


def optional_reason(reason: str) -> str:
    """Return a reason that may be empty, stripped, with personal numbers masked.

    Raises:
        BadText: the reason holds letters that can't be kept or printed.
    """
    must_be_clean(reason=reason)
    return without_personal_numbers(str(normalised(reason)).strip())
