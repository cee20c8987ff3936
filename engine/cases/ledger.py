"""The ledger: one append-only hash chain per case, verified from first entry to head.

A changed, removed or inserted entry breaks the chain at its place, and the case's ``head`` reveals a tail that was cut off.
An entry also binds the rows that were written for its case since the entry before it (waits, answers, documents …), by their
hashes in ``rows``. Only a checkpoint outside the database could show a chain that was hashed anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

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
# The faults of an entry; the command line's catalogue has their Indonesian.
MISSING = "entry {seq} is missing"
UNFOLLOWED = "entry {seq} does not follow the one before it"
CHANGED = "entry {seq}: its content is not what was hashed"
CUT = "the chain counts {counted} entries, and ends after {found}"
FAULTS = (MISSING, UNFOLLOWED, CHANGED, CUT)
# The fields of an entry that its hash covers, and ``rows`` where it binds any.
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
    pending_rows: dict[str, str | None] | None


@dataclass
class Head:
    """The chain of a case that has no row yet."""

    id: int | None
    number: str
    version: int
    last_seq: int = 0
    head: str = ""
    pending_rows: dict[str, str | None] | None = None


def append(
    case: Chained,
    *,
    at: datetime,
    run_id: str,
    kind: str,
    key: str,
    actor: str,
    rows: Mapping[str, str | None] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """Return the row of the case's next entry, for the caller to insert.

    The entry binds ``rows`` and those that wait in the case's row. The caller holds the lock of the case's row: no other
    writer can take the same ``seq``.

    Mutates: ``case``, whose head moves to the new entry.
    """
    case.last_seq += 1
    bound = {**(case.pending_rows or {}), **(rows or {})}
    if case.pending_rows is not None:
        case.pending_rows = None
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
        "rows": bound or None,
        "previous_hash": case.head,
        **fields,
    }
    row["hash"] = case.head = entry_hash(case.number, case.head, row)
    return row


def write_entry(work: Work, case: Chained, *, kind: EntryKind, key: str, actor: str, **fields: Any) -> None:
    """Write the case's next entry; it binds the rows that this unit of work noted.

    The caller holds the lock of the case's row.

    Mutates: ``case``, whose head moves to the new entry.
    """
    fields |= work.run.signed(actor, fields.get("on_behalf_of"))
    moment = fields.pop("at", None) or work.now
    row = append(case, at=moment, run_id=work.run.id, kind=kind, key=key, rows=work.rows.take_hashes(case.id), **fields)
    work.rows.write(LedgerEntry, **row)


def write_remark(work: Work, row: CaseFile, key: str, actor: str, reason: str | None, **fields: Any) -> None:
    """Write a remark into the ledger: an entry beside the process, which no replay reads.

    The caller holds the lock of the case's row.

    Mutates: ``row``, whose head moves to the remark.
    """
    fields = {"outcome": key, **fields}
    write_entry(work, row, kind=EntryKind.REMARK, key=key, actor=actor, reason=reason, **fields)


def entry_hash(case_number: str, previous: str, row: Mapping[str, Any]) -> str:
    """Return the hash of an entry that follows ``previous`` in the chain of that case.

    An entry that binds no rows has the hash that it had before entries could bind any.
    """
    fields = {"case": case_number, **{name: row[name] for name in CHAINED}}
    return link_hash(previous, {**fields, "rows": row["rows"]} if row["rows"] is not None else fields)


@dataclass(frozen=True)
class Broken:
    """A bad entry of a chain, and its fault in words with places for its facts."""

    seq: int
    words: str
    facts: Mapping[str, int]

    @property
    def what(self) -> str:
        """Return the fault in English."""
        return self.words.format(**self.facts)


def breaks(number: str, chain: Iterable[Mapping[str, Any]], last_seq: int, head: str) -> Iterator[Broken]:
    """Yield every break in the chain of one case, whose entries come in order."""
    previous, expected = "", 1
    for entry in chain:
        seq = entry["seq"]
        if seq != expected:
            yield Broken(expected, MISSING, {"seq": expected})
        elif entry["previous_hash"] != previous:
            yield Broken(seq, UNFOLLOWED, {"seq": seq})
        if entry["hash"] != entry_hash(number, entry["previous_hash"], entry):
            yield Broken(seq, CHANGED, {"seq": seq})
        previous, expected = entry["hash"], seq + 1
    if expected - 1 != last_seq or previous != head:
        yield Broken(expected, CUT, {"counted": last_seq, "found": expected - 1})


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
