"""Documents, letters, uploads, and the standings that certificates give."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, text
from sqlmodel import Field

from models.base import Base, Moment
from models.cases import RowId


class DocumentStatus(StrEnum):
    """The status of a document.

    PENDING: its file is to be made; RESERVED: it has a number, and no file yet.
    """

    PENDING = "pending"
    RESERVED = "reserved"
    READY = "ready"
    REPLACED = "replaced"
    VOIDED = "voided"


class LetterStatus(StrEnum):
    """The status of a letter.

    ``by_hand``: no channel reaches the person, so that somebody prints the letter or telephones. ``said_before``: the same words
    went to the same person within a day, so that the letter was not sent.
    """

    WAITING = "waiting"
    QUEUED = "queued"
    SENT = "sent"
    BOUNCED = "bounced"
    GIVEN_UP = "given_up"
    BY_HAND = "by_hand"
    HANDED_OVER = "handed_over"
    SAID_BEFORE = "said_before"


class Document(Base, table=True):
    """A document of a case: ``facts`` are encrypted under the person's key.

    Its file is in the store, named by its hash.
    """

    __tablename__ = "document"
    __table_args__ = (
        Index("ix_document_number", "number", unique=True),
        Index("ix_document_sha256", "sha256"),
        Index("ix_document_pending", "pipeline", "status", "case_id"),
    )
    case_id: int = Field(primary_key=True, foreign_key="case_file.id", sa_type=BigInteger)
    key: str = Field(primary_key=True, max_length=160)
    pipeline: str = Field(max_length=64)
    seq: int = Field(description="the ledger entry that handed it out")
    kind: str = Field(max_length=64)
    number: str | None = Field(default=None, max_length=64)
    language: str = Field(default="id", max_length=2)
    facts: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = Field(sa_type=Moment)
    status: str = Field(default=DocumentStatus.PENDING, max_length=8)
    replaces: str | None = Field(default=None, max_length=160, description="the key of the document that it corrects")
    sha256: str | None = Field(default=None, max_length=64)
    path: str | None = None
    size: int | None = None
    leased_until: datetime | None = Field(default=None, sa_type=Moment)
    attempt: int = 0
    error: str | None = None


class Letter(Base, table=True):
    """A letter in the outbox, encrypted in ``sealed``.

    Queued in the transaction of its news, sent by the delivery flow.
    """

    __tablename__ = "letter"
    __table_args__ = (Index("ix_letter_outbox", "status", "next_attempt_at"),)
    case_id: int = Field(primary_key=True, foreign_key="case_file.id", sa_type=BigInteger)
    key: str = Field(primary_key=True, max_length=160)
    pipeline: str = Field(max_length=64)
    seq: int = Field(description="the ledger entry that queued it")
    letter: str = Field(max_length=64)
    to_person_id: int = Field(foreign_key="person.id", index=True)
    to_name: str
    language: str = Field(default="id", max_length=2)
    subject: str
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    attachments: list[str] = Field(default_factory=list, sa_type=JSON)
    status: str = Field(default=LetterStatus.QUEUED, max_length=12)
    channel: str | None = Field(default=None, max_length=16)
    at: datetime = Field(sa_type=Moment)
    leased_until: datetime | None = Field(default=None, sa_type=Moment)
    attempt: int = 0
    next_attempt_at: datetime | None = Field(default=None, sa_type=Moment)
    sent_at: datetime | None = Field(default=None, sa_type=Moment)
    end_unknown: bool = Field(default=False, description="an attempt may have delivered it: later copies are marked")
    error: str | None = None
    remarks: list[Any] = Field(default_factory=list, sa_type=JSON)


class Upload(Base, table=True):
    """A file that an account gave as evidence, its place, and its use.

    Its place is a field of a question of a case. ``question`` has no count; a mandate or a recorded certificate has no case.
    ``used_by`` is the ledger entry, or the id of the mandate or certificate. ``taken_over_at`` is set where the use was recorded
    before there were uploads.
    """

    __tablename__ = "upload"
    __table_args__ = (Index("ix_upload_sha256", "sha256"), Index("ix_upload_case", "case_id"))
    id: int | None = Field(default=None, sa_column=Column(RowId, primary_key=True))
    sha256: str = Field(max_length=64)
    case_id: int | None = Field(default=None, foreign_key="case_file.id", sa_type=BigInteger)
    question: str = Field(max_length=64)
    field: str = Field(max_length=256)
    uploader: str = Field(max_length=64)
    at: datetime = Field(sa_type=Moment)
    run_id: str | None = Field(default=None, max_length=36, foreign_key="run.id")
    used_by: int = Field(sa_type=BigInteger)
    taken_over_at: datetime | None = Field(default=None, sa_type=Moment)


class Standing(Base, table=True):
    """A right that a closed case gives its subject: "legalized", "curator:makanan".

    ``until`` is the last day of a right that ends.
    """

    __tablename__ = "standing"
    __table_args__ = (
        Index("ix_standing_subject", "subject_kind", "subject_id", "what"),
        Index(
            "ix_standing_until",
            "until",
            sqlite_where=text("until IS NOT NULL"),
            postgresql_where=text("until IS NOT NULL"),
        ),
    )
    case_id: int = Field(primary_key=True, foreign_key="case_file.id", sa_type=BigInteger)
    what: str = Field(primary_key=True, max_length=64)
    subject_kind: str = Field(max_length=16)
    subject_id: int
    reference: str | None = Field(default=None, max_length=64)
    since: date
    until: date | None = None
