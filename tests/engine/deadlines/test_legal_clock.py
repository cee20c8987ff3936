"""The legal clock against a slow, obvious count: one day after the other, who holds the ball at its last second."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.deadlines.calendar import Calendar
from engine.deadlines.clock import end_of, local_date
from engine.deadlines.legal_clock import LegalClock, StopLimit, legal_clock, legal_due
from models import Holder
from rules import Rule

CALENDAR = Calendar()
OPENED = datetime(2026, 2, 23, 2, tzinfo=UTC)  # four weeks before Lebaran and its joint leave
HOLDERS = st.sampled_from([Holder.OFFICE, Holder.APPLICANT, Holder.OUTSIDE])


@dataclass
class Turn:
    """A segment, as the table has it."""

    since: datetime
    holder: str | None
    running: bool
    ground: str = ""


def budget(days: int, unit: str = "working_days") -> Rule:
    return Rule("service_time", days, unit, date(2021, 1, 1), None, "", "policy")


@st.composite
def histories(draw: st.DrawFn) -> tuple[datetime, list[Turn], datetime, StopLimit]:
    """Draw turns before and after the dossier is complete, with stops up to the limit as the engine writes them."""
    limit = StopLimit(draw(st.integers(0, 3)), draw(st.integers(0, 8)))
    steps = draw(st.lists(st.tuples(HOLDERS, st.integers(0, 9 * 24 * 60)), min_size=1, max_size=12))
    complete_from = draw(st.integers(0, len(steps) - 1))
    at, turns, complete_at, stops = OPENED, [], None, 0
    for place, (holder, minutes) in enumerate(steps):
        if place == complete_from:
            complete_at = at
        running = complete_at is not None and (holder is not Holder.APPLICANT or stops >= limit.count)
        stops += complete_at is not None and not running
        turns.append(Turn(at, holder, running))
        at += timedelta(minutes=minutes)
    assert complete_at is not None
    return complete_at, turns, at, limit


def holding(turns: list[Turn], moment: datetime) -> Turn:
    return [turn for turn in turns if turn.since <= moment][-1]


def counts(unit: str, day: date) -> bool:
    return unit == "calendar_days" or CALENDAR.is_working_day(day)


def slowly(unit: str, limit: StopLimit, complete_at: datetime, turns: list[Turn], now: datetime) -> tuple[int, int]:
    """Walk day by day from the day after completeness: used and stopped days."""
    used = stopped = 0
    day = local_date(complete_at) + timedelta(days=1)
    while end_of(day) <= now:
        if counts(unit, day):
            if holding(turns, end_of(day)).running or stopped >= limit.days:
                used += 1
            else:
                stopped += 1
        day += timedelta(days=1)
    return used, stopped


@given(histories(), st.sampled_from(["working_days", "calendar_days"]))
@settings(max_examples=300, deadline=None)
def test_used_and_stopped_days_are_those_of_the_slow_count(
    history: tuple[datetime, list[Turn], datetime, StopLimit], unit: str
) -> None:
    """Whatever the turns: the same days, one by one."""
    complete_at, turns, now, limit = history
    clock = legal_clock(CALENDAR, budget(20, unit), limit, complete_at, turns, now)
    assert (clock.used, clock.stopped) == slowly(unit, limit, complete_at, turns, now)


@given(histories(), st.integers(1, 40), st.sampled_from(["working_days", "calendar_days"]))
@settings(max_examples=300, deadline=None)
def test_the_date_is_the_day_on_which_the_slow_count_is_used_up(
    history: tuple[datetime, list[Turn], datetime, StopLimit], days: int, unit: str
) -> None:
    """If nothing more happens, the last day of the budget is the first at whose end all of it is used; past or to come."""
    complete_at, turns, now, limit = history
    rule = budget(days, unit)
    clock = legal_clock(CALENDAR, rule, limit, complete_at, turns, now)
    due = legal_due(CALENDAR, clock, limit, local_date(now))
    assert slowly(unit, limit, complete_at, turns, end_of(due))[0] == days
    assert slowly(unit, limit, complete_at, turns, end_of(due - timedelta(days=1)))[0] == days - 1


def test_a_clarification_on_the_last_day_stops_the_clock_and_the_day_is_still_there() -> None:
    """Asked at noon of the last day: the day is not used up, and comes back with the answer, after Lebaran."""
    turns = [
        Turn(datetime(2026, 3, 2, 2, tzinfo=UTC), Holder.OFFICE, running=True),
        Turn(datetime(2026, 3, 9, 5, tzinfo=UTC), Holder.APPLICANT, running=False),
        Turn(datetime(2026, 3, 27, 2, tzinfo=UTC), Holder.OFFICE, running=True),
    ]
    limit, rule = StopLimit(3, 30), budget(5)
    stopped = legal_clock(CALENDAR, rule, limit, turns[0].since, turns[:2], datetime(2026, 3, 26, 2, tzinfo=UTC))
    assert (stopped.used, stopped.remaining, stopped.running) == (4, 1, False)
    again = legal_clock(CALENDAR, rule, limit, turns[0].since, turns, turns[2].since)
    assert (again.used, legal_due(CALENDAR, again, limit, date(2026, 3, 27))) == (4, date(2026, 3, 27))


def test_a_fourth_clarification_stops_nothing_and_a_long_one_only_as_long_as_it_may() -> None:
    """Three stops, five days in all: beyond that the clock runs on, though the applicant has the ball."""
    limit = StopLimit(1, 5)
    start = datetime(2026, 4, 6, 2, tzinfo=UTC)
    long = [Turn(start, Holder.OFFICE, running=True), Turn(start, Holder.APPLICANT, running=False)]
    clock = legal_clock(CALENDAR, budget(10), limit, start, long, datetime(2026, 4, 20, 2, tzinfo=UTC))
    assert (clock.stopped, clock.used) == (5, 4)  # 7-13 April are stopped, 14-17 April are used
    assert isinstance(clock, LegalClock) and clock.remaining == 6


def test_a_budget_of_calendar_days_moves_off_a_day_off_only_where_its_rule_says_so() -> None:
    """Ten days from Wednesday 11 March 2026 end on Idulfitri, a Saturday; the next working day is the 25th."""
    start = datetime(2026, 3, 11, 2, tzinfo=UTC)
    turns = [Turn(start, Holder.OFFICE, running=True)]
    for moves, due in ((False, date(2026, 3, 21)), (True, date(2026, 3, 25))):
        rule = replace(budget(10, "calendar_days"), moves_to_working_day=moves)
        for today in (date(2026, 3, 11), date(2026, 3, 30)):
            now = datetime(today.year, today.month, today.day, 3, tzinfo=UTC)
            clock = legal_clock(CALENDAR, rule, StopLimit(3, 30), start, turns, now)
            assert legal_due(CALENDAR, clock, StopLimit(3, 30), today) == due
