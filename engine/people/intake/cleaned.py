"""Results of cleaning: a value, the fault of a cell, a note on a column, a file that can't be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FILE = "file"


@dataclass(frozen=True)
class Cleaned:
    """A value that can be taken over; ``caution`` is what somebody should look at all the same."""

    value: Any
    caution: str | None = None
    caution_en: str | None = None


@dataclass(frozen=True)
class Fault:
    """Why a cell can't be taken over, for people (Indonesian) and in English. Bears no personal number unmasked."""

    reason_id: str
    reason_en: str


@dataclass(frozen=True)
class Note:
    """What is to be said about a column, in Indonesian and English. ``file`` is the column of the whole file."""

    column: str
    reason_id: str
    reason_en: str


class Unreadable(Exception):
    """The file as a whole can't be read, for the reason given in both languages."""

    def __init__(self, reason_id: str, reason_en: str) -> None:
        """Take the reason as people read it, and in English."""
        super().__init__(reason_en)
        self.remark = Note(FILE, reason_id, reason_en)
