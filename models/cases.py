"""Cases, the runs that work on them, their ledger, their waits and answers.

The rows of a case have natural keys (case and sequence, case and key): the database refuses a replay that writes
the same thing twice.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, LargeBinary, Row, UniqueConstraint, text
from sqlmodel import Field

from models.base import Base, Moment

# SQLite numbers rows by itself only under an INTEGER key; PostgreSQL needs BIGINT for more than two thousand million rows.
RowId = BigInteger().with_variant(Integer, "sqlite")


class CaseStatus(StrEnum):
    """The status of a case.

    A parked one failed in its code or data; ``jalur case retry`` resumes it.
    """

    OPEN = "open"
    PARKED = "parked"
    CLOSED = "closed"


class EntryKind(StrEnum):
    """The kind of a ledger entry.

    `engine.cases.ledger.REPLAYED` names the kinds that a replay reads.
    """

    STEP = "step"
    ANSWER = "answer"
    MACHINE = "machine"
    CLOSED = "closed"
    OPENED = "opened"
    REMARK = "remark"


class WaitKind(StrEnum):
    """The kind of a wait: who or what can settle it."""

    PERSON = "person"
    EXTERNAL = "external"
    ISSUE = "issue"
    HAND_ON = "hand_on"
    HAND_DELIVERY = "hand_delivery"


class Series(Base, table=True):
    """A gap-free series of numbers.

    A rollback of the transaction that drew a number gives the number back.
    """

    __tablename__ = "series"
    name: str = Field(primary_key=True, max_length=64)
    last: int = Field(sa_type=BigInteger)


class Run(Base, table=True):
    """One run by one actor: a flow run, a web request or a command.

    Every ledger entry names its run. ``way`` says how the actor is known (engine.runtime.proofs.Way); ``on_behalf_of`` is the
    account for which an administrator acted, for the ``reason``.
    """

    __tablename__ = "run"
    __table_args__ = (
        Index(
            "ix_run_failed",
            "started_at",
            sqlite_where=text("state = 'failed'"),
            postgresql_where=text("state = 'failed'"),
        ),
    )
    id: str = Field(primary_key=True, max_length=36)
    kind: str = Field(max_length=8)
    pipeline: str | None = Field(default=None, max_length=64, index=True)
    flow_run_id: str | None = Field(default=None, max_length=36, index=True)
    by: str
    way: str | None = Field(default=None, max_length=16)
    on_behalf_of: str | None = Field(default=None, max_length=64)
    reason: str | None = None
    started_at: datetime = Field(sa_type=Moment, index=True)
    seconds: float | None = None
    state: str = Field(default="running", max_length=16)
    cases: int = 0
    error: str | None = None


class OfficeChain(Base, table=True):
    """The end of the office's ledger, in one row, which a writer locks until the commit."""

    __tablename__ = "office_chain"
    id: int = Field(default=1, primary_key=True)
    last_seq: int = Field(default=0, sa_type=BigInteger)
    head: str = Field(default="", max_length=64)


class OfficeEntry(Base, table=True):
    """One entry in the office's ledger: append-only by trigger, chained by hash.

    ``facts["rows"]`` has the hashes of the rows that the entry binds, null for a row that was removed. See
    engine/runtime/office_ledger.py.
    """

    __tablename__ = "office_entry"
    seq: int = Field(sa_column=Column(RowId, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_type=Moment)
    run_id: str | None = Field(default=None, max_length=36, foreign_key="run.id")
    actor: str
    what: str = Field(max_length=64)
    subject: str
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class CaseFile(Base, table=True):
    """A case: one subject in one pipeline.

    ``ready`` means that something new is to be replayed; claims go by it.

    ``complete_at`` is the moment at which the dossier was complete and the legal clock began; ``holder`` has to act now;
    ``segments`` counts the rows of `ClockSegment`. Entries up to ``corrected_seq`` were written before the facts were corrected.
    ``pending_rows`` has the hashes of rows that were written since the last entry, and that the next one binds.
    """

    __tablename__ = "case_file"
    __table_args__ = (
        UniqueConstraint("number"),
        Index("ix_case_file_ready", "pipeline", "id", sqlite_where=text("ready = 1"), postgresql_where=text("ready")),
        Index("ix_case_file_subject", "subject_kind", "subject_id", "pipeline"),
        Index("ix_case_file_open", "pipeline", "status"),
    )
    id: int | None = Field(default=None, sa_column=Column(RowId, primary_key=True))
    number: str = Field(max_length=32)
    pipeline: str = Field(max_length=64)
    version: int
    rule_date: date
    subject_kind: str = Field(max_length=16)
    subject_id: int
    person_id: int = Field(foreign_key="person.id", index=True)
    region_code: str = Field(max_length=8)
    salt: str = Field(max_length=32)
    facts: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    status: str = Field(default=CaseStatus.OPEN, max_length=8)
    outcome: str | None = Field(default=None, max_length=32)
    reason: str | None = None
    withdrawal: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    ready: bool = True
    leased_until: datetime | None = Field(default=None, sa_type=Moment)
    attempts: int = 0
    error: str | None = None
    opened_at: datetime = Field(sa_type=Moment)
    complete_at: datetime | None = Field(default=None, sa_type=Moment)
    holder: str | None = Field(default=None, max_length=16)
    segments: int = 0
    corrected_seq: int = 0
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    last_seq: int = 0
    head: str = Field(default="", max_length=64)
    pending_rows: dict[str, str | None] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


class LedgerEntry(Base, table=True):
    """One entry in the ledger of a case: append-only by trigger, chained by hash.

    ``rows`` has the hashes of the case's rows that the entry binds, null for a row that was removed. See engine/cases/ledger.py.
    """

    __tablename__ = "ledger_entry"
    case_id: int = Field(primary_key=True, foreign_key="case_file.id", sa_type=BigInteger)
    seq: int = Field(primary_key=True)
    at: datetime = Field(sa_type=Moment)
    kind: str = Field(max_length=8)
    key: str = Field(max_length=128)
    actor: str
    role: str | None = Field(default=None, max_length=32)
    on_behalf_of: str | None = None
    outcome: str | None = Field(default=None, max_length=64)
    reason: str | None = None
    arguments_hash: str = Field(max_length=64)
    result: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    rule_versions: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    pipeline_version: int
    run_id: str = Field(max_length=36, foreign_key="run.id")
    rows: dict[str, str | None] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class Wait(Base, table=True):
    """Something that a case waits for; settled once, by one conditional update.

    See engine/cases/waits.py.

    ``due_at`` is the earlier end of its own budget and the case's; at ``silent_at`` it ends by itself; ``rung`` counts the
    rungs of its ladder that fired; ``next_due_at`` is the moment of the next rung, or of the end
    (engine/deadlines/due_dates.py).
    """

    __tablename__ = "wait"
    __table_args__ = (
        Index(
            "ix_wait_machine",
            "pipeline",
            "kind",
            "next_attempt_at",
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
        Index(
            "ix_wait_inbox",
            "role",
            "due_at",
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
        Index(
            "ix_wait_due",
            "next_due_at",
            sqlite_where=text("settled_at IS NULL AND next_due_at IS NOT NULL"),
            postgresql_where=text("settled_at IS NULL AND next_due_at IS NOT NULL"),
        ),
        Index(
            "ix_wait_holder",
            "holder",
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
        Index(
            "ix_wait_clocks",
            "pipeline",
            "question",
            "asked_at",
            sqlite_where=text("settled_at IS NULL AND due_at IS NOT NULL"),
            postgresql_where=text("settled_at IS NULL AND due_at IS NOT NULL"),
        ),
    )
    case_id: int = Field(primary_key=True, foreign_key="case_file.id", sa_type=BigInteger)
    key: str = Field(primary_key=True, max_length=128)
    pipeline: str = Field(max_length=64)
    kind: str = Field(max_length=16)
    question: str | None = Field(default=None, max_length=64)
    role: str | None = Field(default=None, max_length=32)
    holder: str | None = Field(default=None, max_length=64)
    apart_from: list[str] = Field(default_factory=list, sa_type=JSON)
    arguments_hash: str = Field(max_length=64)
    request: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    note: str | None = None
    asked_at: datetime = Field(sa_type=Moment)
    due_at: datetime | None = Field(default=None, sa_type=Moment)
    silent_at: datetime | None = Field(default=None, sa_type=Moment)
    extended_until: date | None = None
    rung: int = 0
    next_due_at: datetime | None = Field(default=None, sa_type=Moment)
    settled_at: datetime | None = Field(default=None, sa_type=Moment)
    settled_as: str | None = Field(default=None, max_length=16)
    leased_until: datetime | None = Field(default=None, sa_type=Moment)
    attempt: int = 0
    end_unknown: bool = False
    next_attempt_at: datetime | None = Field(default=None, sa_type=Moment)


# A wait as an object, or as a row with the names of its columns, where many are read at once.
AnyWait = Wait | Row[Any]


class Answer(Base, table=True):
    """An answer, encrypted in ``sealed`` under the key of the case's person.

    The ledger keeps its salted hash.
    """

    __tablename__ = "answer"
    case_id: int = Field(primary_key=True, foreign_key="case_file.id", sa_type=BigInteger)
    key: str = Field(primary_key=True, max_length=128)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = Field(sa_type=Moment)
