"""The clock: moments in UTC for the engine, dates in Asia/Jakarta for people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

JAKARTA = ZoneInfo("Asia/Jakarta")
LAST_SECOND = timedelta(seconds=1)


class Clock:
    """Gives the present moment and date, from the system or from a source that tests set."""

    def __init__(self, source: Callable[[], datetime] | None = None) -> None:
        self._source = source or (lambda: datetime.now(UTC))

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return self._source().astimezone(UTC)

    def today(self) -> date:
        """Return the present date in Asia/Jakarta."""
        return local_date(self.now())


class TurnedClock(Clock):
    """A clock that stands still until it is turned: for ``JALUR_NOW`` and tests."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment
        super().__init__(lambda: self.moment)

    def turn(self, **by: float) -> None:
        """Move the clock forward, e.g. ``clock.turn(days=3)``."""
        self.moment += timedelta(**by)


def local_date(moment: datetime) -> date:
    """Return the day of ``moment`` in Asia/Jakarta."""
    return moment.astimezone(JAKARTA).date()


def end_of(day: date) -> datetime:
    """Return 23:59:59 Asia/Jakarta of ``day``: the last second that still counts as that day."""
    return datetime.combine(day, time(23, 59, 59), JAKARTA).astimezone(UTC)


def is_over(end: datetime | None, now: datetime) -> bool:
    """Return whether the second ``end`` has passed completely; False for None."""
    return end is not None and now >= end + LAST_SECOND


def morning_of(day: date) -> datetime:
    """Return 07:00 Asia/Jakarta of ``day``, the hour at which rungs fire."""
    return datetime.combine(day, time(7), JAKARTA).astimezone(UTC)
