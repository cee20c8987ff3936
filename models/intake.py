"""Imported files, and their lines, each encrypted under the key of its person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary
from sqlmodel import Field

from models.base import Base, Moment


class Import(Base, table=True):
    """One uploaded file.

    ``content`` is encrypted under the import's own key, and deleted when the file was taken over.
    """

    __tablename__ = "import_file"
    id: int | None = Field(default=None, primary_key=True)
    name: str
    sha256: str = Field(max_length=64, index=True)
    key_id: str = Field(max_length=32)
    content: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    uploaded_by: str
    uploaded_at: datetime = Field(sa_type=Moment)
    taken_over_at: datetime | None = Field(default=None, sa_type=Moment)
    accepted: int = 0
    unchanged: int = 0
    refused: int = 0


class ImportLine(Base, table=True):
    """One line of a file, encrypted in ``sealed``.

    It was taken over as a business, was known already, or was refused with its reasons.
    """

    __tablename__ = "import_line"
    import_id: int = Field(primary_key=True, foreign_key="import_file.id")
    line: int = Field(primary_key=True)
    status: str = Field(max_length=12)
    business_id: int | None = Field(default=None, foreign_key="business.id", index=True)
    key_id: str = Field(max_length=32)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    remarks: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
