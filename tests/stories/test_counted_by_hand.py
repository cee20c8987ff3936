"""Random NIB cases beside a slow, obvious count by hand: the dates of the inbox and the clock of the case, act after act.

The count knows the acts, the rules and the ministers' list, and the rule of counting at the end of the command line's contract.
It reads no segment, and shares no line with the engine's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from random import Random
from typing import Any

import pytest
from holidays import country_holidays

from engine.actions.answer import answer
from engine.actions.extend import extend
from engine.deadlines.clock import JAKARTA, TurnedClock
from engine.errors import Refused
from engine.runtime.office import Office
from engine.sweeps.calendar_decisions import add_day_off, cancel_day_off
from rules import HERE
from tests.people import EVIDENCE, hire_staff, register_business
from tests.stories.nib_legalization.conftest import NIB, OWNER, NibStory
from tests.stories.test_rules_change_by_date import Adds
from tests.stories.test_rules_change_by_date import adds as adds

pytestmark = pytest.mark.usefixtures("blank_papers")
DAY = timedelta(days=1)
DECREES = tomllib.loads((HERE / "calendar.toml").read_text("utf-8"))["decree"]
LISTED = {date.fromisoformat(day) for one in DECREES for kind in ("public", "joint_leave") for day in one[kind]} | {
    day
    for category in ("public", "government")
    for day in country_holidays("ID", years=(2027, 2028), categories=(category,))
}
# Question: the rule of its date, the rule of its end, who has the ball.
QUESTIONS: dict[str, tuple[str, str | None, str]] = {
    "dossier_check": ("check_time", None, "office"),
    "correction": ("correction_time", "correction_limit", "applicant"),
    "classification": ("advice_time", None, "office"),
    "statement": ("statement_time", "statement_limit", "applicant"),
    "oss_filing": ("filing_time", None, "office"),
    "nib_record": ("record_time", None, "office"),
    "verification": ("verification_time", None, "outside"),
}
SIGNS = {"decision": "sign", "k3l": True, "spatial": True, "sppl": True, "paper": EVIDENCE}
ISSUED = {"decision": "issued", "source": "oss.go.id", "nib": NIB, "holder_name": "Sri Purnomo", "evidence": EVIDENCE}
RETURNED = {"decision": "return", "source": "surat DPMPTSP", "evidence": EVIDENCE, "deficiencies": ["denah"]}
ANSWERS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "dossier_check": ("budi", [{"decision": "complete"}, {"decision": "return", "deficiencies": ["foto KTP"]}]),
    "correction": (OWNER, [{"note": "foto baru"}]),
    "classification": ("ani", [{"decision": "proceed", "industry_code": "10794", "risk_level": "MT"}]),
    "statement": ("budi", [SIGNS]),
    "oss_filing": ("budi", [ISSUED, {"decision": "refused", "source": "oss.go.id", "reason": "alamat"}]),
    "nib_record": ("tuti", [{"decision": "match"}]),
    "verification": ("budi", [RETURNED]),
}
EDGES = [time(0), time(23, 59, 58), time(23, 59, 59), time(6, 59, 59), time(7)]  # at 07.00 the day in UTC begins
ROW = """
[[rule]]
name = "{name}"
value = {value}
unit = "{unit}"
since = 2023-01-01
citation = "contoh {name}"
standing = "policy"
moves_to_working_day = {moves}
"""
Turns = list[tuple[datetime, str]]


def last_second(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), JAKARTA)


@dataclass(frozen=True)
class Budget:
    """A rule's row: so many days, and whether they may end on a day off."""

    days: int
    unit: str
    moves: bool


@dataclass
class Count:
    """One day after the other, on a wall calendar."""

    budgets: dict[str, Budget]
    stops: int
    stopped_days: int
    decided: dict[date, bool] = field(default_factory=dict)
    complete_at: datetime | None = None

    def is_off(self, day: date) -> bool:
        return day.weekday() >= 5 or self.decided.get(day, day in LISTED)

    def counts(self, budget: Budget, day: date) -> bool:
        return budget.unit == "calendar_days" or not self.is_off(day)

    def moved(self, budget: Budget, day: date) -> date:
        while budget.unit == "calendar_days" and budget.moves and self.is_off(day):
            day += DAY
        return day

    def ends(self, name: str, asked: datetime) -> date:
        """Return the last day of a question's own budget."""
        budget, day = self.budgets[name], asked.astimezone(JAKARTA).date()
        left = budget.days
        while left:
            day += DAY
            left -= self.counts(budget, day)
        return self.moved(budget, day)

    def days_used(self, turns: Turns) -> Iterator[tuple[date, bool]]:
        """Yield each day after completeness, and whether a day of the case's budget is used up with it, if nothing more happens."""
        assert self.complete_at is not None
        held = [
            next(group)
            for _, group in groupby((one for one in turns if one[0] >= self.complete_at), lambda one: one[1])
        ]
        day, stopped = self.complete_at.astimezone(JAKARTA).date(), 0
        while True:
            day += DAY
            holders = [holder for since, holder in held if since <= last_second(day)]
            counts = self.counts(self.budgets["service_time"], day)
            within = holders.count("applicant") <= self.stops and stopped < self.stopped_days
            may_stop = holders[-1] == "applicant" and within
            stopped += counts and may_stop
            yield day, counts and not may_stop

    def used(self, turns: Turns, now: datetime) -> int:
        used = 0
        for day, is_used in self.days_used(turns) if self.complete_at else ():
            if last_second(day) > now:
                break
            used += is_used
        return used

    def case_ends(self, turns: Turns) -> date | None:
        """Return the last day of the case's budget; None before its time begins."""
        left = self.budgets["service_time"].days
        for day, is_used in self.days_used(turns) if self.complete_at else ():
            left -= is_used
            if left == 0:
                return self.moved(self.budgets["service_time"], day)
        return None

    def runs(self, turns: Turns) -> bool:
        if self.complete_at is None:
            return False
        held = [holder for holder, _ in groupby(holder for since, holder in turns if since >= self.complete_at)]
        return held[-1] != "applicant" or held.count("applicant") > self.stops


class Drive:
    """One case, and the count beside it."""

    def __init__(self, office: Office, clock: TurnedClock, adds: Adds, draw: Random) -> None:
        self.office, self.clock, self.draw = office, clock, draw
        longest = {"service_time": 40, "correction_limit": 45, "statement_limit": 45}
        budgets = {
            name: Budget(
                draw.randint(25 if name.endswith("limit") else 1, longest.get(name, 12)),
                draw.choice(["working_days", "calendar_days"]),
                draw.random() < 0.5,
            )
            for name in ["service_time", *(rule for about in QUESTIONS.values() for rule in about[:2] if rule)]
        }
        self.count = Count(budgets, draw.randint(0, 4), draw.choice([0, 1, 3, 8, 30]))
        rows = {name: (one.days, one.unit, one.moves) for name, one in budgets.items()}
        stops = f"{{ count = {self.count.stops}, days = {self.count.stopped_days} }}"
        for name, (value, unit, moves) in {**rows, "clock_stops": (stops, "stops_and_days", False)}.items():
            adds("nib_legalization", ROW.format(name=name, value=value, unit=unit, moves=str(moves).lower()))
        hire_staff(office)
        clock.moment = datetime.combine(date(2025, 1, 2) + DAY * draw.randint(0, 760), self.hour(), JAKARTA)
        self.story = NibStory(office, clock, "nib-legalization", register_business(office))
        self.turns: Turns = [(clock.moment, "office")]
        self.asks()

    def hour(self) -> time:
        at = time(self.draw.randint(0, 23), self.draw.randint(0, 59), self.draw.randint(0, 59))
        return self.draw.choice([*EDGES, at])

    def days_pass(self, days: int) -> None:
        later = datetime.combine(self.clock.today() + DAY * days, self.hour(), JAKARTA)
        self.clock.moment = max(self.clock.moment, later)

    def asks(self) -> None:
        """Note what is asked now."""
        [self.key] = self.story.waits_for
        self.question, self.asked, self.until = self.key.split("#")[0], self.clock.moment, date.min
        self.turns.append((self.asked, QUESTIONS[self.question][2]))
        self.before = list(self.turns)
        self.due, self.ends = self.derived()

    def derived(self) -> tuple[date, date | None]:
        own, limit, _ = QUESTIONS[self.question]
        due = max(self.count.ends(own, self.asked), self.until)
        ends = max(self.count.ends(limit, self.asked), self.until) if limit else None
        return min(due, self.count.case_ends(self.before) or due), ends

    def agrees(self) -> None:
        """What is shown is what was counted."""
        shown = self.story.shown()
        [row] = shown["waiting_for"]
        asked = (self.key, self.due.isoformat(), self.ends.isoformat() if self.ends else None)
        assert (row["question"], row["due_on"], row["silent_on"]) == asked, self
        used, holder = self.count.used(self.turns, self.clock.moment), QUESTIONS[self.question][2]
        clock = {"budget_days": self.count.budgets["service_time"].days, "used_days": used, "holder": holder}
        assert shown["clock"] == clock | {"running": self.count.runs(self.turns)}, self

    def answers(self) -> None:
        """The question is answered; now and then no machine comes by for days."""
        by, choices = ANSWERS[self.question]
        data = dict(self.draw.choice(choices))
        if data.get("decision") == "issued":
            data["issued_on"] = self.clock.today().isoformat()
        with self.office.run("cli", by=by) as run:
            answer(self.office, run, self.story.number, self.key, by=by, data=data)
        self.turns.append((self.clock.moment, "office"))
        if self.draw.random() < 0.3:
            self.days_pass(self.draw.randint(0, 6))
        self.story.advance()
        if data.get("decision") == "complete":
            self.count.complete_at = self.clock.moment
            self.turns.append((self.clock.moment, "office"))
        self.asks()

    def extends(self) -> None:
        until = max(self.due, self.clock.today()) + DAY * self.draw.randint(1, 20)
        with self.office.run("cli", by="rini") as run:
            try:
                extend(
                    self.office,
                    run,
                    self.story.number,
                    self.key,
                    until=until,
                    reason="sakit",
                    by="rini",
                    agreed_with=OWNER,
                )
            except Refused:
                return
        self.until = until
        self.due, self.ends = self.derived()

    def a_day_is_decided(self) -> None:
        """A day about the date becomes a day off, or a working day; what moves is listed; no date moves behind today."""
        day = self.due + DAY * self.draw.randint(-12, 3)
        if day.weekday() >= 5:
            return
        decide = cancel_day_off if self.count.is_off(day) else add_day_off
        self.count.decided[day] = decide is add_day_off
        told, derived = (self.due, self.ends), self.derived()
        if any(one and one >= day for one in told):
            self.due = self.told(told[0], derived[0]) or self.due
            self.ends = self.told(told[1], derived[1])
        with self.office.run("cli", by="rini") as run:
            moved = [one.as_json() for one in decide(self.office, run, day, "banjir", by="rini")]
        row = {"case": self.story.number, "question": self.key, "from": str(told[0]), "to": str(self.due)}
        assert moved == ([row] if self.due != told[0] else []), self
        with self.office.run("cli", by="rini") as run, pytest.raises(Refused):
            decide(self.office, run, day, "banjir", by="rini")

    def told(self, before: date | None, after: date | None) -> date | None:
        """Return the date that stands: an earlier one does not, if it lies behind today."""
        return before if before and after and after < min(before, self.clock.today()) else after

    def goes_on(self, acts: int) -> None:
        """Let days pass and things happen; after each, and before, the two counts agree."""
        for _ in range(acts):
            self.days_pass(self.draw.choice([0, 0, 1, 1, 2, 3, 5, 8, 13]))
            if self.ends and self.clock.today() > self.ends:
                return
            self.agrees()
            self.draw.choices([self.answers, self.a_day_is_decided, self.extends], [65, 25, 10])[0]()
            self.agrees()
        assert self.story.is_whole()


def test_a_short_case_is_counted_as_by_hand(office: Office, clock: TurnedClock, adds: Adds) -> None:
    """The same one every day."""
    Drive(office, clock, adds, Random(7)).goes_on(acts=5)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24))
def test_long_cases_are_counted_as_by_hand(office: Office, clock: TurnedClock, adds: Adds, seed: int) -> None:
    """Clarifications, stops beyond their limit, extensions, days that are added and cancelled, at the edges of days."""
    Drive(office, clock, adds, Random(seed)).goes_on(acts=20)
