"""The audit of the office: its triggers, its ledger, and the rows that the ledger binds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from engine.reports.audit import sentences
from engine.reports.audit.findings import Finding, found
from engine.runtime.bound_rows import OF_A_CASE, OF_THE_OFFICE, bound_hash, reference
from engine.runtime.hash_chain import as_object
from engine.runtime.office_ledger import office_hash
from models import CaseFile, LedgerEntry, OfficeChain, OfficeEntry, Run, triggers

BATCH = 1000
RUNNING = "running"


def audit_triggers(session: Session) -> Iterator[Finding]:
    """Yield the append-only triggers that are missing, disabled, or do something else."""
    connection = session.connection()
    for name in sorted(set(triggers.expected(connection)) - set(triggers.in_force(connection))):
        yield found("trigger", None, sentences.TRIGGER, name=name)


def audit_orphans(session: Session) -> Iterator[Finding]:
    """Yield the rows whose case is gone, and the entries whose run is gone."""
    known = select(col(CaseFile.id))
    for table in (LedgerEntry, *OF_A_CASE):
        if table is CaseFile:
            continue
        core: Any = table.__table__  # type: ignore[attr-defined]
        for case_id in session.scalars(select(core.c.case_id).where(core.c.case_id.not_in(known)).distinct()):
            words = sentences.CASE_GONE
            yield found("case", None, words, table=core.name, case_id=case_id)


def audit_office(session: Session) -> Iterator[Finding]:
    """Yield everything that is wrong with the office's ledger and the rows that it binds."""
    recorded: dict[str, tuple[str | None, int]] = {}
    yield from _of_the_chain(session, recorded)
    for table in OF_THE_OFFICE:
        core: Any = table.__table__  # type: ignore[attr-defined]
        names = [column.name for column in core.c]
        for row in session.execute(select(*core.c).execution_options(yield_per=BATCH)):
            values = dict(zip(names, row, strict=True))
            name = reference(table, values)
            hashed, seq = recorded.pop(name, (None, 0))
            if hashed is None and seq == 0:
                if table is not Run or values["state"] != RUNNING:  # a run that died, or is under way, has no entry
                    yield found(core.name, None, sentences.OFFICE_ROW_UNKNOWN, row=name)
            elif hashed is None:
                words = sentences.OFFICE_ROW_BACK
                yield found(core.name, None, words, row=name, seq=seq)
            elif hashed != bound_hash(table, values):
                words = sentences.OFFICE_ROW_CHANGED
                yield found(core.name, None, words, row=name, seq=seq)
    for name, (hashed, seq) in recorded.items():
        if hashed is not None:
            words = sentences.OFFICE_ROW_GONE
            yield found(name.split("/")[0], None, words, row=name, seq=seq)


def _of_the_chain(session: Session, recorded: dict[str, tuple[str | None, int]]) -> Iterator[Finding]:
    """Yield the breaks of the office's chain.

    Mutates: ``recorded``, with the last hash of each row, and its entry.
    """
    core: Any = OfficeEntry.__table__  # type: ignore[attr-defined]
    names = [column.name for column in core.c]
    previous, expected = "", 1
    for row in session.execute(select(*core.c).order_by(core.c.seq).execution_options(yield_per=BATCH)):
        entry = dict(zip(names, row, strict=True))
        seq = entry["seq"]
        if seq != expected:
            yield found("office_entry", None, sentences.OFFICE_MISSING, seq=expected)
        elif entry["previous_hash"] != previous:
            yield found("office_entry", None, sentences.OFFICE_UNFOLLOWED, seq=seq)
        if entry["hash"] != office_hash(entry["previous_hash"], entry):
            words = sentences.OFFICE_CHANGED
            yield found("office_entry", None, words, seq=seq)
        previous, expected = entry["hash"], seq + 1
        for name, hashed in as_object(as_object(entry["facts"]).get("rows")).items():
            recorded[name] = hashed, seq
    end = session.execute(select(col(OfficeChain.last_seq), col(OfficeChain.head))).all()
    if [tuple(one) for one in end] != ([(expected - 1, previous)] if end or expected > 1 else []):
        words = sentences.OFFICE_CUT
        yield found("office_entry", None, words, found=expected - 1)
