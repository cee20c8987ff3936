"""The scoring standard: its aspects, and the arithmetic in whole hundredths of a point."""

from __future__ import annotations

from enum import StrEnum
from statistics import median
from typing import Any

from pydantic import BaseModel


class Aspect(StrEnum):
    """An aspect that curators score.

    Weights and limits are rule data; a new aspect is a new version of the process.
    """

    BUSINESS_LEGALITY = "business_legality"
    PRODUCT_LEGALITY = "product_legality"
    QUALITY = "quality"
    PACKAGING = "packaging"
    CAPACITY = "capacity"
    PRICE = "price"
    NETWORK = "network"
    UNIQUENESS = "uniqueness"


class Grade(StrEnum):
    """A export-ready, B modern retail and near export, C local market, D not passed."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"

    def is_better_than(self, other: Grade) -> bool:
        """Return whether this grade is above ``other``."""
        return self.value < other.value


class Weighing(BaseModel):
    """Weighted totals, their result, and how far apart they are, in hundredths of a point."""

    totals: list[int]
    total: int
    spread: int
    grade: Grade
    needs_third: bool

    @property
    def points(self) -> str:
        """Return the total as people read it: 8640 is 86,40."""
        return in_points(self.total)


def in_points(hundredths: int) -> str:
    """Return hundredths of a point as people read them."""
    return f"{hundredths // 100},{hundredths % 100:02d}"


def weighted(rubric: dict[str, Any], scores: dict[Aspect, int]) -> int:
    """Return a curator's total: each score by its weight.

    Weights add up to 100, so a point is 100.
    """
    return sum(int(rubric["weights"][aspect]) * score for aspect, score in scores.items())


def weigh_up(rubric: dict[str, Any], totals: list[int]) -> Weighing:
    """Return the result of the curators' totals: the mean of two, the median of three.

    Half a hundredth is dropped.
    """
    total = int(median(totals))
    spread = max(totals) - min(totals)
    limits = rubric["grades"]
    grade = next((grade for grade in (Grade.A, Grade.B, Grade.C) if total >= 100 * limits[grade]), Grade.D)
    too_far = spread > 100 * rubric["spread"] and len(totals) <= rubric["curators"]
    return Weighing(totals=totals, total=total, spread=spread, grade=grade, needs_third=too_far)
