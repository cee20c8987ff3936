"""Working days against a slow loop over the days; the decrees' dates against the library's; what the office decides itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from holidays import country_holidays
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.deadlines.calendar import Calendar
from models import CalendarDay, CalendarKind
from rules import Rule

DAY = timedelta(days=1)
DAYS = st.dates(date(2023, 12, 1), date(2028, 2, 1))


def decided(day: date, kind: CalendarKind, place: int) -> CalendarDay:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    return CalendarDay(id=place, day=day, kind=kind, name="putusan kantor", recorded_by="rini", recorded_at=at)


DECISIONS = st.lists(st.tuples(DAYS, st.sampled_from(CalendarKind)), max_size=8)


@given(DAYS, st.integers(0, 60), DECISIONS)
@settings(max_examples=200, deadline=None)
def test_days_are_counted_as_one_would_on_the_wall(
    start: date, budget: int, decisions: list[tuple[date, CalendarKind]]
) -> None:
    """Day after day, by the plain definition, with the newest decision about each day."""
    calendar = Calendar([decided(day, kind, place) for place, (day, kind) in enumerate(decisions)])
    newest = dict(decisions)

    def works(day: date) -> bool:
        off = day in Calendar().days_off(day.year)
        match newest.get(day):
            case CalendarKind.OFFICE:
                off = True
            case CalendarKind.CANCELLED:
                off = False
        return day.weekday() < 5 and not off

    day, left = start, budget
    while left:
        day += DAY
        left -= works(day)
    due = calendar.due_date(start, Rule("time", budget, "working_days", date.min, None, "", "policy"))
    assert due == day
    assert calendar.working_days_between(start, due) == budget
    assert calendar.working_days_between(due, start) == 0


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_the_library_agrees_with_the_ministers_decree(year: int) -> None:
    """Typed from the decree; a fault of the library's shows here, and changes nothing that we count."""
    calendar = Calendar()
    for kind, category in (("public", "public"), ("joint_leave", "government")):
        typed = {day for day, (_, which) in calendar.days_off(year).items() if which == kind}
        assert typed == set(country_holidays("ID", years=year, categories=(category,)))
    assert not calendar.is_provisional(date(year, 7, 1))


def test_a_year_without_a_decree_is_provisional() -> None:
    """The library's dates serve until the ministers have decided."""
    calendar = Calendar()
    assert calendar.is_provisional(date(2027, 1, 1))
    assert calendar.days_off(2027)[date(2027, 12, 25)][1] == "public"


WORKING, CALENDAR = "working_days", "calendar_days"
STORIES = [
    ("over Lebaran and its joint leave, 2025", date(2025, 3, 26), 3, WORKING, date(2025, 4, 9)),
    ("over Nyepi and Lebaran, 2026", date(2026, 3, 16), 3, WORKING, date(2026, 3, 26)),
    ("over the year's end: Christmas, its joint leave, New Year", date(2025, 12, 23), 5, WORKING, date(2026, 1, 2)),
    ("the 18th of August 2025, decreed two weeks before", date(2025, 8, 15), 1, WORKING, date(2025, 8, 19)),
    ("calendar days end on a Sunday", date(2026, 1, 2), 2, CALENDAR, date(2026, 1, 4)),
]


@pytest.mark.parametrize(
    ("start", "budget", "unit", "due"), [row[1:] for row in STORIES], ids=[row[0] for row in STORIES]
)
def test_stories_with_dates(start: date, budget: int, unit: str, due: date) -> None:
    """Dates that anybody can count on a printed calendar."""
    assert Calendar().due_date(start, Rule("time", budget, unit, date.min, None, "", "policy")) == due


def test_a_budget_of_calendar_days_moves_off_a_day_off_only_where_its_rule_says_so() -> None:
    """Sunday becomes Monday; a working day stays."""
    rule = Rule("time", 2, CALENDAR, date.min, None, "", "policy", moves_to_working_day=True)
    assert Calendar().due_date(date(2026, 1, 2), rule) == date(2026, 1, 5)
    assert Calendar().due_date(date(2026, 1, 3), rule) == date(2026, 1, 5)
