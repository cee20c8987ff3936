"""Working days: Monday to Friday without holidays, joint leave and days off of the office.

A year's holidays come from the ministers' joint decree (rules/calendar.toml); without a decree on record, from the library
`holidays`, as provisional dates. The office adds and cancels days off: its newest decision about a day counts.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from sqlmodel import Session, col, func, select

from models import CalendarDay, CalendarKind
from rules import HERE, Rule

DaysOff = dict[date, tuple[str, str]]
DAY = timedelta(days=1)


class Calendar:
    """The working days of one office, with its decisions up to the one whose id is ``newest``."""

    def __init__(self, decisions: Iterable[CalendarDay] = (), newest: int = 0) -> None:
        self.newest = newest
        self._decided = {one.day: one for one in sorted(decisions, key=lambda one: one.id or 0)}
        self._off: dict[int, DaysOff] = {}
        self._working: dict[int, list[date]] = {}

    def days_off(self, year: int) -> DaysOff:
        """Return the days off of a year, sorted: date to name and kind (see `CalendarKind`)."""
        if year not in self._off:
            found = dict(_listed(year))
            for day, one in self._decided.items():
                if day.year == year and one.kind == CalendarKind.CANCELLED:
                    found.pop(day, None)
                elif day.year == year:
                    found[day] = (one.name, str(CalendarKind.OFFICE))
            self._off[year] = dict(sorted(found.items()))
        return self._off[year]

    def is_working_day(self, day: date) -> bool:
        """Return whether the office works on ``day``."""
        return day.weekday() < 5 and day not in self.days_off(day.year)

    def knows(self, year: int) -> bool:
        """Return whether the days off of ``year`` are known, from a decree or from the library."""
        return year in _decrees() or bool(_listed(year))

    def is_provisional(self, day: date) -> bool:
        """Return whether ``day`` lies in a year for which no decree is on record."""
        return day.year not in _decrees()

    def provisional_years(self, *days: date | None) -> list[str]:
        """Return the years of ``days`` that have no decree on record: dates in them may still move."""
        return sorted({str(day.year) for day in days if day and self.is_provisional(day)})

    def due_date(self, start: date, budget: Rule) -> date:
        """Return the last day of ``budget`` for a clock that starts on ``start``.

        The day of the start does not count. A calendar-day budget that ends on a day off moves to the next working day only
        where its rule says so.
        """
        if budget.unit != "calendar_days":
            return self.after(start, int(budget.value))
        return self.ends_on(start + timedelta(days=budget.value), budget)

    def ends_on(self, day: date, budget: Rule) -> date:
        """Return the last day of a budget that ends on ``day``, moved where its rule moves it."""
        return self.after(day - DAY, 1) if budget.moves_to_working_day else day

    def after(self, day: date, working_days: int) -> date:
        """Return the day ``working_days`` working days after ``day``; ``day`` itself for none."""
        if working_days <= 0:
            return day
        year, left = day.year, working_days
        place = bisect_right(self._year(year), day)
        while len(self._year(year)) - place < left:
            left -= len(self._year(year)) - place
            year, place = year + 1, 0
        return self._year(year)[place + left - 1]

    def working_days_between(self, start: date, end: date) -> int:
        """Return how many working days a clock that started on ``start`` used up by ``end``."""
        if end <= start:
            return 0
        upto = bisect_right(self._year(end.year), end)
        if start.year == end.year:
            return upto - bisect_right(self._year(end.year), start)
        between = sum(len(self._year(year)) for year in range(start.year + 1, end.year))
        return len(self._year(start.year)) - bisect_right(self._year(start.year), start) + between + upto

    def _year(self, year: int) -> list[date]:
        """Return the working days of a year, sorted."""
        if year not in self._working:
            first = date(year, 1, 1)
            days = (first + timedelta(days=place) for place in range((date(year + 1, 1, 1) - first).days))
            self._working[year] = [day for day in days if self.is_working_day(day)]
        return self._working[year]


def read_calendar(session: Session, known: Calendar | None) -> Calendar:
    """Return the calendar with all decisions in the database; ``known`` if none is new."""
    newest = session.exec(select(func.max(CalendarDay.id))).one() or 0
    if known is not None and known.newest >= newest:
        return known
    return Calendar(session.exec(select(CalendarDay).where(col(CalendarDay.id) <= newest)).all(), newest)


@lru_cache(maxsize=64)
def _listed(year: int) -> DaysOff:
    """Return the days off of a year from its decree, or from the library where there is none."""
    if year in _decrees():
        return _decrees()[year]
    from holidays import country_holidays  # 0.2 s, which only those who look beyond the decrees pay

    public = country_holidays("ID", years=year, categories=("public",), language="id")
    joint = country_holidays("ID", years=year, categories=("government",), language="id")
    found = {day: (name, "joint_leave") for day, name in joint.items()}
    return {**found, **{day: (name, "public") for day, name in public.items()}}


@lru_cache(maxsize=2)
def _decrees(file: Path = HERE / "calendar.toml") -> dict[int, DaysOff]:
    """Return the days off of each year whose decree is on record."""
    return {
        one["year"]: {
            date.fromisoformat(day): (name, kind)
            for kind in ("public", "joint_leave")
            for day, name in one[kind].items()
        }
        for one in tomllib.loads(file.read_text("utf-8"))["decree"]
    }
