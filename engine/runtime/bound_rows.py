"""Rows that a ledger binds: their references, and the hashes over their bound columns.

A case's own entries bind the rows of its tables, the office's ledger those of no single case. Which columns are free, and
why: docs/decisions/0012-what-the-ledgers-bind.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import inspect

from engine.runtime.hash_chain import row_hash
from models import (
    Answer,
    CalendarDay,
    CaseFile,
    ClockSegment,
    DeclaredConflict,
    Delegation,
    Document,
    DocumentStatus,
    Institution,
    Letter,
    Mandate,
    RecordedCertificate,
    Run,
    Standing,
    User,
    UserRole,
    Wait,
    WaitKind,
)
from models.base import Base

_LEASED = frozenset({"leased_until", "attempt", "next_attempt_at"})
# The tables of a case, and the columns that change without an entry. A case's status, outcome and end are checked against
# its entries themselves.
OF_A_CASE: dict[type[Base], frozenset[str]] = {
    CaseFile: frozenset(
        {
            "id",
            "status",
            "outcome",
            "reason",
            "withdrawal",
            "ready",
            "leased_until",
            "attempts",
            "error",
            "holder",
            "segments",
            "corrected_seq",
            "closed_at",
            "last_seq",
            "head",
            "pending_rows",
        }
    ),
    Wait: _LEASED | {"end_unknown"},
    ClockSegment: frozenset(),
    Answer: frozenset(),
    Document: _LEASED | {"error"},
    Letter: _LEASED | {"status", "channel", "sent_at", "end_unknown", "error", "remarks"},
    Standing: frozenset(),
}
# The tables that the office's ledger binds.
OF_THE_OFFICE: dict[type[Base], frozenset[str]] = {
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
# A machine's wait keeps the error of its last attempt in its note.
_ITS_NOTE_IS_SHOWN = (WaitKind.PERSON, WaitKind.HAND_DELIVERY)


def reference(table: type[Base], values: Mapping[str, Any]) -> str:
    """Return a row's table and key: ``wait/dossier_check#1``, ``account_role/3/officer``."""
    return "/".join([str(table.__tablename__), *(str(values[name]) for name in _keys(table))])


def bound_hash(table: type[Base], values: Mapping[str, Any]) -> str:
    """Return the hash of a row's bound columns."""
    bound = {name: values[name] for name in bound_columns(table)}
    if table is Wait and bound["kind"] not in _ITS_NOTE_IS_SHOWN:
        del bound["note"]
    return row_hash(bound)


def is_bound(table: type[Base], values: Mapping[str, Any]) -> bool:
    """Return whether a row is bound yet: a reserved document is when it is issued."""
    return table is not Document or values["status"] != DocumentStatus.RESERVED


@cache
def bound_columns(table: type[Base]) -> tuple[str, ...]:
    """Return the names of a table's columns that its rows' hashes cover."""
    free = OF_A_CASE[table] if table in OF_A_CASE else OF_THE_OFFICE[table]
    return tuple(column.name for column in inspect(table).columns if column.name not in free)  # type: ignore[union-attr]


@cache
def _keys(table: type[Base]) -> tuple[str, ...]:
    """Return the columns of a row's key; within a case those beside the case's own."""
    if table is CaseFile:
        return ()
    return tuple(column.name for column in inspect(table).primary_key if column.name != "case_id")  # type: ignore[union-attr]
