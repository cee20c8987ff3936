"""Results of cleaning: value, fault of a cell, note on a column, unreadable file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FILE = "file"


@dataclass(frozen=True)
class Cleaned:
    """A value that can be taken over; ``caution`` says what a person should check all the same."""

    value: Any
    caution: str | None = None
    caution_en: str | None = None


@dataclass(frozen=True)
class Fault:
    """The reason why a cell is refused, in Indonesian and English, personal numbers masked."""

    reason_id: str
    reason_en: str


@dataclass(frozen=True)
class Note:
    """A remark on a column, in Indonesian and English; `FILE` stands for the whole file.

    ``count`` is the number of remarks that it stands for, where only the columns of several are named.
    """

    column: str
    reason_id: str
    reason_en: str
    count: int = 1


class Unreadable(Exception):
    """The file as a whole can't be read, for the reason given in both languages."""

    def __init__(self, reason_id: str, reason_en: str) -> None:
        """Take the reason as people read it, and in English."""
        super().__init__(reason_en)
        self.remark = Note(FILE, reason_id, reason_en)
