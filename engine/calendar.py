"""Working days of the office: Monday to Friday without national holidays and joint leave (cuti bersama).

A working day is used up when the clock runs at 23:59:59 Asia/Jakarta of that day; the day on which it starts
never counts.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from rules import Rule


@lru_cache(maxsize=16)
def days_off(year: int) -> dict[date, tuple[str, str]]:
    """Return the holidays of a year: date to name and kind (``public`` or ``joint_leave``)."""
    from holidays import country_holidays  # 0.2 s, which only those who count days pay

    public = country_holidays("ID", years=year, categories=("public",))
    joint = country_holidays("ID", years=year, categories=("government",))
    found = {day: (name, "joint_leave") for day, name in joint.items()}
    found.update({day: (name, "public") for day, name in public.items()})
    return dict(sorted(found.items()))


def is_working_day(day: date) -> bool:
    """Return whether the office works on ``day``."""
    return day.weekday() < 5 and day not in days_off(day.year)


def due_date(start: date, budget: Rule) -> date:
    """Return the last day of ``budget`` (working_days or calendar_days) for a clock that starts on ``start``."""
    if budget.unit == "calendar_days":
        return start + timedelta(days=budget.value)
    day, left = start, int(budget.value)
    while left > 0:
        day += timedelta(days=1)
        left -= is_working_day(day)
    return day


def working_days_between(start: date, end: date) -> int:
    """Return how many working days a clock that ran from ``start`` had used up at the end of ``end``."""
    return sum(is_working_day(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))


class Calendar:
    """The working days of one office, as far as it knows them now."""

    def days_off(self, year: int) -> dict[date, tuple[str, str]]:
        """Return the days off of a year: date to name and kind."""
        return days_off(year)

    def is_working_day(self, day: date) -> bool:
        """Return whether the office works on ``day``."""
        return is_working_day(day)

    def due_date(self, start: date, budget: Rule) -> date:
        """Return the last day of ``budget`` (working_days or calendar_days) for a clock that starts on ``start``."""
        return due_date(start, budget)

    def working_days_between(self, start: date, end: date) -> int:
        """Return how many working days a clock that ran from ``start`` had used up at the end of ``end``."""
        return working_days_between(start, end)
