"""The legal clock of a case: days used of its whole budget, derived from its segments.

UU 33/2014 as amended by UU 6/2023 (art. 30): the time runs from the day on which the dossier is complete. A clarification stops
it and never resets it; a rule limits how often and how long. A working day is used up when the clock runs at 23:59:59
Asia/Jakarta of that day; the day on which it starts never counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Protocol

from engine.deadlines.calendar import Calendar
from engine.deadlines.clock import end_of, local_date
from rules import Rule, RulesAt

DAY = timedelta(days=1)


class Segment(Protocol):
    """A `models.ClockSegment`, or a row of it: it lasts from ``since`` until the next one's."""

    since: datetime
    holder: str | None
    running: bool
    ground: str


@dataclass(frozen=True)
class Stretch:
    """The days of one segment: ``first`` to ``last``, both inclusive.

    A day belongs to the segment that holds at its end; no day where last < first.
    """

    first: date
    last: date
    holder: str | None
    running: bool
    ground: str


@dataclass(frozen=True)
class LegalClock:
    """The state of a case's budget: used and stopped days, both in the budget's unit.

    ``used_up_on`` is the day on which the budget was used up; None while days are left.
    """

    budget: Rule
    started_on: date
    used: int
    stopped: int
    stops: int
    running: bool
    used_up_on: date | None = None

    @property
    def remaining(self) -> int:
        """Return how many days are left; negative when they are overdrawn."""
        return int(self.budget.value) - self.used


@dataclass(frozen=True)
class StopLimit:
    """The limit of stops: how many, and how many days in all. Beyond it the clock runs on."""

    count: int
    days: int
    citation: str = ""


def stop_limit(rules: RulesAt) -> StopLimit:
    """Return the limit that the rule ``clock_stops`` gives; no stops without that rule."""
    rule = rules.peek("clock_stops")
    return StopLimit(rule.value["count"], rule.value["days"], rule.citation) if rule else StopLimit(0, 0, "")


def stretches(segments: Sequence[Segment], now: datetime) -> Iterator[Stretch]:
    """Yield the days of each segment up to ``now``."""
    if not segments:
        return
    ends = [local_date(later.since) - DAY for _, later in pairwise(segments)]
    today = local_date(now)
    ends.append(today if now >= end_of(today) else today - DAY)
    for segment, last in zip(segments, ends, strict=True):
        yield Stretch(local_date(segment.since), last, segment.holder, segment.running, segment.ground)


def legal_clock(
    calendar: Calendar,
    budget: Rule,
    limit: StopLimit,
    complete_at: datetime,
    segments: Sequence[Segment],
    now: datetime,
) -> LegalClock:
    """Return the clock at ``now``; stopped days beyond the limit count as used."""
    used = stopped = stops = 0
    used_up_on: date | None = None
    for one, days, allowed in _measured(calendar, budget, limit, complete_at, segments, now):
        stops += not one.running
        stopped += allowed
        left = int(budget.value) - used
        used += days - allowed
        if used_up_on is None and 0 < left <= days - allowed:
            used_up_on = add_days(calendar, budget, one.first - DAY, allowed + left)
    running = segments[-1].running if segments else False
    return LegalClock(budget, local_date(complete_at), used, stopped, stops, running, used_up_on)


def stopped_days(
    calendar: Calendar,
    budget: Rule,
    limit: StopLimit,
    complete_at: datetime,
    segments: Sequence[Segment],
    now: datetime,
) -> set[date]:
    """Return the days that the budget did not count, because a stop within the limit held."""
    return {
        add_days(calendar, budget, one.first - DAY, place)
        for one, _, allowed in _measured(calendar, budget, limit, complete_at, segments, now)
        for place in range(1, allowed + 1)
    }


def _measured(
    calendar: Calendar,
    budget: Rule,
    limit: StopLimit,
    complete_at: datetime,
    segments: Sequence[Segment],
    now: datetime,
) -> Iterator[tuple[Stretch, int, int]]:
    """Yield each stretch after the day of the start, with two counts.

    The counts are its days, and, of a stop, the days that the limit allows.
    """
    started = local_date(complete_at)
    stopped = stops = 0
    for stretch in stretches(segments, now):
        if stretch.holder is None:
            return  # the case is closed: an appeal after that has clocks of its own
        if stretch.last < started:
            continue
        one, allowed = replace(stretch, first=max(stretch.first, started + DAY)), 0
        days = count_days(calendar, budget, one.first, one.last)
        if not one.running:
            stops += 1
            allowed = min(days, max(0, limit.days - stopped)) if stops <= limit.count else 0
            stopped += allowed
        yield one, days, allowed


def legal_due(calendar: Calendar, clock: LegalClock, limit: StopLimit, today: date) -> date:
    """Return the last day of the budget, if the clock goes on as on ``today``.

    ``today`` is a day that is not over yet.

    A stopped clock runs again at the latest when the limit of its stops is reached. A budget that is used up stays so.
    """
    if clock.used_up_on is not None:
        return calendar.ends_on(clock.used_up_on, clock.budget)
    ahead = clock.remaining
    if not clock.running and clock.stops <= limit.count:
        ahead += max(0, limit.days - clock.stopped)
    yesterday = today - DAY
    if today <= clock.started_on:
        yesterday = clock.started_on
    return calendar.ends_on(add_days(calendar, clock.budget, yesterday, ahead), clock.budget)


def case_due_date(
    calendar: Calendar,
    rules: RulesAt,
    clock: str | None,
    complete_at: datetime | None,
    segments: Sequence[Segment],
    at: datetime,
) -> date | None:
    """Return the last day of a case's own budget, the rule ``clock``, at the moment ``at``.

    None for a case without a budget, before its dossier is complete, and once the case is closed: questions of an appeal have
    clocks of their own.
    """
    budget = rules.peek(clock) if clock else None
    so_far = [one for one in segments if one.since <= at]
    if budget is None or complete_at is None or any(one.holder is None for one in so_far):
        return None
    limit, today = stop_limit(rules), local_date(at)
    coming = today if at < end_of(today) else today + DAY  # a day is used up in its last second
    return legal_due(calendar, legal_clock(calendar, budget, limit, complete_at, so_far, at), limit, coming)


def count_days(calendar: Calendar, budget: Rule, first: date, last: date) -> int:
    """Return how many days from ``first`` to ``last`` (both inclusive) the budget counts."""
    if last < first:
        return 0
    if budget.unit == "calendar_days":
        return (last - first).days + 1
    return calendar.working_days_between(first - DAY, last)


def add_days(calendar: Calendar, budget: Rule, after: date, days: int) -> date:
    """Return the day on which ``days`` days of the budget after ``after`` are used up."""
    return after + timedelta(days=days) if budget.unit == "calendar_days" else calendar.after(after, days)
