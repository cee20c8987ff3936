"""Legal time: clock segments, days off, delegations, notices, sweeps, renewals."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from models.base import Base, Moment
from models.cases import RowId


class Holder(StrEnum):
    """The party that has to act.

    The office with its partners, the applicant, or a body outside (OSS, DPMPTSP, BPJPH, MUI …).
    """

    OFFICE = "office"
    APPLICANT = "applicant"
    OUTSIDE = "outside"


class ClockSegment(Base, table=True):
    """A segment of a case's clock, from ``since`` until the next one: append-only by trigger.

    ``running`` tells whether the clock runs; ``ground`` names the rule or the act by which it does or does not; ``key`` is the
    ledger key of the question or ending that began the segment. The last segment of a closed case has no holder.
    """

    __tablename__ = "clock_segment"
    case_id: int = Field(primary_key=True, foreign_key="case_file.id", sa_type=BigInteger)
    seq: int = Field(primary_key=True)
    since: datetime = Field(sa_type=Moment)
    holder: str | None = Field(default=None, max_length=16)
    running: bool = False
    ground: str = Field(max_length=128)
    key: str = Field(max_length=128)


class CalendarKind(StrEnum):
    """The kind of a decision about a day.

    OFFICE: the office is off; CANCELLED: it works, although the day is a holiday.
    """

    OFFICE = "office"
    CANCELLED = "cancelled"


class CalendarDay(Base, table=True):
    """A decision about one day: append-only by trigger; the newest one about a day counts."""

    __tablename__ = "calendar_day"
    id: int | None = Field(default=None, primary_key=True)
    day: date = Field(index=True)
    kind: str = Field(max_length=16)
    name: str
    recorded_by: str = Field(max_length=64)
    recorded_at: datetime = Field(sa_type=Moment)


class Delegation(Base, table=True):
    """A delegation: until a date one account answers for another.

    In one role or all, in one case or all; the ledger names both accounts.
    """

    __tablename__ = "delegation"
    __table_args__ = (
        CheckConstraint("until >= since", name="until_follows_since"),
        CheckConstraint("from_id <> to_id", name="to_somebody_else"),
    )
    id: int | None = Field(default=None, primary_key=True)
    from_id: int = Field(foreign_key="account.id", index=True)
    to_id: int = Field(foreign_key="account.id", index=True)
    role: str | None = Field(default=None, max_length=32)
    case_id: int | None = Field(default=None, foreign_key="case_file.id", index=True, sa_type=BigInteger)
    since: date
    until: date
    reason: str
    recorded_by: str = Field(max_length=64)
    recorded_at: datetime = Field(sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)


class Notice(Base, table=True):
    """A piece of news for an account, told once: in an alert, or in the morning's digest."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("account_id", "what"),
        Index(
            "ix_notice_untold",
            "account_id",
            sqlite_where=text("told_at IS NULL"),
            postgresql_where=text("told_at IS NULL"),
        ),
    )
    id: int | None = Field(default=None, sa_column=Column(RowId, primary_key=True))
    account_id: int = Field(foreign_key="account.id")
    what: str = Field(
        max_length=200, description="the thing said, e.g. NIB-2026-000001/dossier_check#1/rung-2; not said twice"
    )
    kind: str = Field(max_length=16)
    case_number: str | None = Field(default=None, max_length=32)
    words: str
    at: datetime = Field(sa_type=Moment)
    told_at: datetime | None = Field(default=None, sa_type=Moment)


class Digest(Base, table=True):
    """A mail to an account about its notices: the digest of a morning, or an alert."""

    __tablename__ = "digest"
    __table_args__ = (
        UniqueConstraint("account_id", "day", "occasion"),
        Index("ix_digest_outbox", "status", "next_attempt_at"),
    )
    id: int | None = Field(default=None, sa_column=Column(RowId, primary_key=True))
    account_id: int = Field(foreign_key="account.id")
    day: date
    occasion: str = Field(max_length=32, description="morning, or alert- and the newest notice that it tells of")
    subject: str
    text: str
    html: str
    status: str = Field(max_length=12)
    channel: str | None = Field(default=None, max_length=16)
    at: datetime = Field(sa_type=Moment)
    leased_until: datetime | None = Field(default=None, sa_type=Moment)
    attempt: int = 0
    next_attempt_at: datetime | None = Field(default=None, sa_type=Moment)
    sent_at: datetime | None = Field(default=None, sa_type=Moment)
    end_unknown: bool = Field(default=False, description="an attempt may have delivered it: later copies are marked")
    error: str | None = None


class Sweep(Base, table=True):
    """One sweep over due waits. The newest finished one shows whether the sweeps still run.

    ``really_finished_at`` is by the machine's clock, whatever the office's clock was turned to.
    """

    __tablename__ = "sweep"
    id: int | None = Field(default=None, sa_column=Column(RowId, primary_key=True))
    run_id: str = Field(max_length=36, foreign_key="run.id")
    started_at: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment, index=True)
    really_finished_at: datetime | None = Field(default=None, sa_type=Moment)
    due: int = 0
    reminded: int = 0
    escalated: int = 0
    silent: int = 0
    failed: int = 0


class Renewal(Base, table=True):
    """The renewal of a standing (``case_id``, ``what``).

    How many reminders went out, and the number of the case that was opened.

    For a certificate of another body, ``case_id`` is the case of its renewal, and ``what`` the certificate's number.
    """

    __tablename__ = "renewal"
    case_id: int = Field(primary_key=True, foreign_key="case_file.id", sa_type=BigInteger)
    what: str = Field(primary_key=True, max_length=64)
    until: date
    reminded: int = 0
    opened: str | None = Field(default=None, max_length=32)
    refused: str | None = None
    at: datetime = Field(sa_type=Moment)
