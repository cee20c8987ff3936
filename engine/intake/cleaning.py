"""What a cleaner gives back: a value, or the fault of a cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


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
