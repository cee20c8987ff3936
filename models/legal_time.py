"""Legal time: whose turn it was and when, the office's own days, absences, what people were told, and the sweeps."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from models.base import Base, Moment
from models.cases import RowId


class Holder(StrEnum):
    """Who holds the ball: the office and its partners, the applicant, or a body outside (OSS, DPMPTSP, BPJPH, MUI …)."""

    OFFICE = "office"
    APPLICANT = "applicant"
    OUTSIDE = "outside"


class ClockSegment(Base, table=True):
    """A stretch of a case, from ``since`` until the next one: append-only by trigger. Everything else is derived.

    ``running`` tells whether the legal clock runs; ``ground`` names the rule or the act that set it so; ``key`` is the
    ledger's key of what was asked or ended there. The last segment of a closed case holds nobody's time.
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
    """What the office decided about a day: it does not work then, or it does although the list of holidays says otherwise."""

    OFFICE = "office"
    CANCELLED = "cancelled"


class CalendarDay(Base, table=True):
    """A decision about one day. Never changed: the newest about a day counts."""

    __tablename__ = "calendar_day"
    id: int | None = Field(default=None, primary_key=True)
    day: date = Field(index=True)
    kind: str = Field(max_length=16)
    name: str
    recorded_by: str = Field(max_length=64)
    recorded_at: datetime = Field(sa_type=Moment)


class Delegation(Base, table=True):
    """Somebody is away: until a date another answers for them, in one role or all, in one case or all. Both names are recorded."""

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
    """Something that an account is to be told, at once or in the morning: once, whatever happens."""

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
    """What one account is told by mail of its notices: one digest a morning, and an alert for each look that found a trouble."""

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
    error: str | None = None


class Sweep(Base, table=True):
    """One run of the escalation over what is due. The newest finished one tells whether anybody still watches."""

    __tablename__ = "sweep"
    id: int | None = Field(default=None, sa_column=Column(RowId, primary_key=True))
    run_id: str = Field(max_length=36, foreign_key="run.id")
    started_at: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment, index=True)
    due: int = 0
    reminded: int = 0
    escalated: int = 0
    silent: int = 0
    failed: int = 0


class Renewal(Base, table=True):
    """What was done ahead of the end of a standing (``case_id``, ``what``): how many stages, and the case opened for it.

    Of a certificate that another body gave, ``case_id`` is the case of its renewal and ``what`` its number.
    """

    __tablename__ = "renewal"
    case_id: int = Field(primary_key=True, foreign_key="case_file.id", sa_type=BigInteger)
    what: str = Field(primary_key=True, max_length=64)
    until: date
    reminded: int = 0
    opened: str | None = Field(default=None, max_length=32)
    refused: str | None = None
    at: datetime = Field(sa_type=Moment)
