"""The base of all tables: names of constraints, moments in UTC, and the roles of accounts."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import DateTime, Dialect, MetaData, TypeDecorator
from sqlmodel import SQLModel

metadata: MetaData = SQLModel.metadata
# A migration can drop a constraint only by its name.
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(SQLModel):
    """The base class of all tables."""


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC.

        Raises:
            ValueError: the moment has no time zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} bears no time zone; moments come from the injected clock")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment with UTC as its time zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Role(StrEnum):
    """A role of an account, from which its permissions follow.

    ``ROLE_TITLES`` has the Indonesian titles.
    """

    APPLICANT = "applicant"
    COMPANION = "companion"
    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    DIVISION_HEAD = "division_head"
    OFFICE_HEAD = "office_head"
    LSP_OFFICER = "lsp_officer"
    LSP_HEAD = "lsp_head"
    ASSESSOR = "assessor"
    PLENARY = "plenary"
    CURATOR = "curator"
    PANEL_CHAIR = "panel_chair"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


ROLE_TITLES: dict[Role, str] = {
    Role.APPLICANT: "Pelaku usaha",
    Role.COMPANION: "Pendamping",
    Role.OFFICER: "Petugas dinas",
    Role.SUPERVISOR: "Penyelia",
    Role.DIVISION_HEAD: "Kepala bidang",
    Role.OFFICE_HEAD: "Kepala dinas",
    Role.LSP_OFFICER: "Petugas LSP",
    Role.LSP_HEAD: "Ketua LSP",
    Role.ASSESSOR: "Asesor",
    Role.PLENARY: "Anggota pleno",
    Role.CURATOR: "Kurator",
    Role.PANEL_CHAIR: "Ketua panel kurasi",
    Role.ADMINISTRATOR: "Administrator",
    Role.AUDITOR: "Auditor",
}
