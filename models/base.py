"""The ground all tables stand on: names of constraints, UTC moments, JSON, and the roles people hold."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import DateTime, Dialect, MetaData, TypeDecorator
from sqlmodel import SQLModel

metadata: MetaData = SQLModel.metadata
# Named constraints, or a migration could not name what it drops.
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(SQLModel):
    """What every table of ours inherits."""


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept in UTC. A naive datetime is a mistake and is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC. Raises ValueError when it bears no time zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} bears no time zone; moments come from the injected clock")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment with its zone, UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Role(StrEnum):
    """What somebody may do here. The Indonesian titles are in ``ROLE_TITLES``."""

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
