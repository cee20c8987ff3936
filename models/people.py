"""Persons and their keys, businesses, institutions, accounts, mandates and certificates."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from models.base import Base, Moment


class PersonKey(Base, table=True):
    """The encryption key of one person or one import, wrapped by the master key.

    Deleting the row erases the person.
    """

    __tablename__ = "sealing_key"
    id: str = Field(primary_key=True, max_length=32)
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Person(Base, table=True):
    """A human being.

    National id, tax id, phone, e-mail and address are in ``sealed``, encrypted under their key.

    ``channel`` is the one that they chose (mail, sms, whatsapp); without it, the first that reaches them is used.
    """

    __tablename__ = "person"
    id: int | None = Field(default=None, primary_key=True)
    name: str
    language: str = Field(default="id", max_length=2)
    channel: str | None = Field(default=None, max_length=16)
    key_id: str = Field(max_length=32, index=True)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_type=Moment)
    erased_at: datetime | None = Field(default=None, sa_type=Moment)


class PersonIndex(Base, table=True):
    """The index of persons by their numbers, of which only a keyed digest is stored.

    One national id is one person: the database refuses a second.
    """

    __tablename__ = "person_index"
    __table_args__ = (
        Index(
            "uq_person_index_national_id",
            "digest",
            unique=True,
            sqlite_where=text("kind = 'national_id'"),
            postgresql_where=text("kind = 'national_id'"),
        ),
    )
    kind: str = Field(primary_key=True, max_length=16)
    digest: str = Field(primary_key=True, max_length=64)
    person_id: int = Field(primary_key=True, foreign_key="person.id", index=True)


class Business(Base, table=True):
    """A small business. One national id holds one NIB, so that one owner has one business."""

    __tablename__ = "business"
    __table_args__ = (
        UniqueConstraint("owner_id", "name"),
        CheckConstraint("capital_rupiah >= 0 AND annual_sales_rupiah >= 0", name="money_is_not_negative"),
    )
    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="person.id", index=True)
    name: str
    region_code: str = Field(max_length=8, index=True)
    industry_code: str = Field(max_length=5)
    industry_code_version: str = Field(max_length=4)
    main_product: str
    cluster: str
    capital_rupiah: int = Field(sa_type=BigInteger)
    annual_sales_rupiah: int = Field(sa_type=BigInteger)
    business_id_number: str | None = Field(default=None, max_length=13, index=True)
    import_id: int | None = Field(default=None, foreign_key="import_file.id", index=True)
    created_at: datetime = Field(sa_type=Moment)


class Product(Base, table=True):
    """A product of a business, to be curated; its cluster says which curators may judge it."""

    __tablename__ = "product"
    __table_args__ = (UniqueConstraint("business_id", "name"),)
    id: int | None = Field(default=None, primary_key=True)
    business_id: int = Field(foreign_key="business.id", index=True)
    name: str
    cluster: str = Field(max_length=32)
    created_at: datetime = Field(sa_type=Moment)


class Institution(Base, table=True):
    """An institution: office, LSP, LPH, companion body, curation house, export center."""

    __tablename__ = "institution"
    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(max_length=32, unique=True)
    name: str
    kind: str = Field(max_length=32)
    region_code: str = Field(max_length=8)


class User(Base, table=True):
    """An account that may act in Jalur; the ledger names it as the actor.

    An ended one stays as a name of the past: it has no token and no code, acts in nothing and is asked nothing.
    """

    __tablename__ = "account"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=64, unique=True)
    person_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    institution_id: int | None = Field(default=None, foreign_key="institution.id", index=True)
    unit: str | None = Field(default=None, max_length=64)
    region_code: str | None = Field(default=None, max_length=8)
    reports_to_id: int | None = Field(default=None, foreign_key="account.id", index=True)
    own_code_hash: str | None = None
    own_code_since: datetime | None = Field(default=None, sa_type=Moment)
    api_token_hash: str | None = Field(default=None, max_length=64, index=True)
    token_since: datetime | None = Field(default=None, sa_type=Moment)
    token_until: date | None = None
    created_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_because: str | None = None

    def has_token(self, on: date) -> bool:
        """Return whether the account may be signed in to with its token on ``on``."""
        current = self.token_until is None or on <= self.token_until
        return self.api_token_hash is not None and current and self.ended_at is None

    def works_in(self, region_code: str) -> bool:
        """Return whether a region lies in the account's; one without a region works everywhere."""
        return region_code.startswith(self.region_code or "")


class Attempt(Base, table=True):
    """The attempts of an account at an address that went wrong since the last right one.

    ``subject`` is ``own_code/<account>``, or ``sign_in`` where no account is known; ``address`` is a keyed digest.
    """

    __tablename__ = "attempt"
    subject: str = Field(primary_key=True, max_length=32)
    address: str = Field(primary_key=True, max_length=64)
    failures: int = 0
    failed_at: datetime = Field(sa_type=Moment, index=True)
    right_at: datetime | None = Field(default=None, sa_type=Moment)


class UserRole(Base, table=True):
    """A role of an account, until its last day or until it was ended.

    engine/people/roles.py reads them. ``since`` is None for roles that were given before this was written down.
    """

    __tablename__ = "account_role"
    user_id: int = Field(primary_key=True, foreign_key="account.id")
    role: str = Field(primary_key=True, max_length=32)
    since: date | None = None
    until: date | None = None
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class Mandate(Base, table=True):
    """A mandate on paper, by which an owner lets an account act for them.

    It can be revoked at any moment.
    """

    __tablename__ = "mandate"
    __table_args__ = (CheckConstraint("until IS NULL OR until >= since", name="until_follows_since"),)
    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="person.id", index=True)
    user_id: int = Field(foreign_key="account.id", index=True)
    since: date
    until: date | None = None
    paper_sha256: str = Field(max_length=64)
    recorded_by_id: int = Field(foreign_key="account.id", index=True)
    recorded_at: datetime = Field(sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)


class DeclaredConflict(Base, table=True):
    """A declared conflict of interest: the account decides nothing about the subject.

    The subject is a person, a business or an institution.

    ISO/IEC 17024 and 17065 ask for it. The row stays when the conflict ends; ``until`` says when it ended.
    """

    __tablename__ = "declared_conflict"
    __table_args__ = (
        CheckConstraint("until IS NULL OR until >= declared_on", name="until_follows_declaration"),
        Index("ix_declared_conflict_subject", "subject_kind", "subject_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="account.id", index=True)
    subject_kind: str = Field(max_length=16)
    subject_id: int
    kind: str = Field(max_length=16)
    declared_on: date
    until: date | None = None
    declared_by_id: int = Field(foreign_key="account.id", index=True)


class RecordedCertificate(Base, table=True):
    """A certificate of another body, recorded with its evidence.

    An assessor's, for example, or a curator's of another LSP.

    It gives its holder the standing ``what`` from ``since`` until ``until``, as a certificate of ours does.
    """

    __tablename__ = "recorded_certificate"
    __table_args__ = (
        UniqueConstraint("what", "number"),
        CheckConstraint("until IS NULL OR until >= since", name="until_follows_since"),
        Index("ix_recorded_certificate_holder", "person_id", "what"),
        Index(
            "ix_recorded_certificate_until",
            "until",
            sqlite_where=text("until IS NOT NULL"),
            postgresql_where=text("until IS NOT NULL"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id")
    what: str = Field(max_length=64)
    number: str = Field(max_length=64)
    since: date
    until: date | None = None
    source: str
    evidence_sha256: str = Field(max_length=64)
    recorded_by_id: int = Field(foreign_key="account.id", index=True)
    recorded_at: datetime = Field(sa_type=Moment)
