"""Due dates of a question, rungs of its escalation ladder, and the moment of its silence.

The ladder of a question is the rule ``<question>_ladder`` of its pipeline, else ``applicant_ladder`` or ``office_ladder``.
All dates are derived from the day of asking, the rules and the calendar, and derived again when the calendar changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import ceil
from typing import Any

from engine.deadlines.calendar import Calendar
from engine.deadlines.clock import LAST_SECOND, end_of, is_over, local_date, morning_of
from engine.definition.forms import Question
from models import AnyWait, Role
from rules import Rule, RulesAt


@dataclass(frozen=True)
class Rung:
    """One rung of an escalation ladder: when it fires, and whom it tells or what it does.

    It fires at a ``share`` of the budget, or ``days`` working days after the due date (0: on it). ``tell`` is holder, supervisor,
    division_head or office_head; ``act`` is ``reassign`` (to the next who may answer) or ``say_passed`` (hand out the page that
    counts the days, where the deadline's effect is not confirmed as law).
    """

    share: float | None = None
    days: int = 0
    tell: str | None = None
    act: str | None = None


# Where the rule of a deadline's effect is no law, an official decides, with the page that counts the days.
SAY_PASSED = Rung(days=1, act="say_passed")


@dataclass(frozen=True)
class Times:
    """The time columns of a wait: see `models.Wait`."""

    due_at: datetime | None
    silent_at: datetime | None
    next_due_at: datetime | None

    def values(self) -> dict[str, Any]:
        """Return the columns by name."""
        return {"due_at": self.due_at, "silent_at": self.silent_at, "next_due_at": self.next_due_at}


@dataclass(frozen=True)
class Effect:
    """The effect of a passed deadline, as a rule gives it; ``authority`` should have acted.

    ``deadline`` is counted in days of the unit of the question's own budget.
    """

    deadline: Any
    authority: str
    effect: str
    citation: str
    by_law: bool


def times_of(
    calendar: Calendar,
    rules: RulesAt,
    question: Question[Any],
    asked_at: datetime,
    *,
    rung: int = 0,
    extended_until: date | None = None,
    legal_due: date | None = None,
) -> Times:
    """Return the times of a wait whose first ``rung`` rungs have fired.

    ``legal_due`` is the last day of the case's own budget, where it has one: the earlier of the two dates counts.
    """
    asked_on = local_date(asked_at)
    own = calendar.due_date(asked_on, rules[question.due]) if question.due else None
    if extended_until and own:
        own = max(own, extended_until)
    ends = calendar.due_date(asked_on, rules[question.silent_after]) if question.silent_after else None
    if ends and extended_until:
        ends = max(ends, extended_until)
    if own and (passed_on := passes_on(calendar, rules, question, asked_on, extended_until)):
        ends = recorded_until(calendar, rules, passed_on) if question.recorded_for else passed_on
        own = min(own, passed_on)
    due = min((day for day in (own, legal_due) if day), default=None)
    silent_at = end_of(ends) if ends else None
    return Times(
        end_of(due) if due else None,
        silent_at,
        next_due(calendar, ladder_of(rules, question), asked_on, due, silent_at, rung),
    )


def keep_told_dates(
    calendar: Calendar, rules: RulesAt, question: Question[Any], wait: AnyWait, times: Times, now: datetime
) -> Times:
    """Return ``times``, but keep the dates of ``wait`` that would move into the past.

    People were told the present date; a date that moves into the past would take away time that they still had.
    """

    def told(before: datetime | None, after: datetime | None) -> datetime | None:
        return before if before and after and after < before and is_over(after, now) else after

    due_at, silent_at = told(wait.due_at, times.due_at), told(wait.silent_at, times.silent_at)
    if (due_at, silent_at) == (times.due_at, times.silent_at):
        return times
    asked_on, due = local_date(wait.asked_at), local_date(due_at) if due_at else None
    return Times(due_at, silent_at, next_due(calendar, ladder_of(rules, question), asked_on, due, silent_at, wait.rung))


def next_due(
    calendar: Calendar,
    ladder: tuple[Rung, ...],
    asked_on: date,
    due: date | None,
    silent_at: datetime | None,
    rung: int,
) -> datetime | None:
    """Return the moment of the next rung after the first ``rung`` rungs, or of the silence."""
    coming = rung_times(calendar, ladder, asked_on, due)[rung:] if due else []
    if silent_at:
        coming.append(silent_at + LAST_SECOND)
    return min(coming, default=None)


def rungs_due(
    calendar: Calendar, ladder: tuple[Rung, ...], asked_at: datetime, due_at: datetime | None, now: datetime
) -> int:
    """Return how many rungs of a ladder are due at ``now``."""
    if due_at is None:
        return 0
    return sum(moment <= now for moment in rung_times(calendar, ladder, local_date(asked_at), local_date(due_at)))


def ladder_key(wait: AnyWait) -> str:
    """Return the key under which the reminders of a wait are counted.

    Each extension gives a new key, so that the reminders start again.
    """
    return f"{wait.key}/until-{wait.extended_until}" if wait.extended_until else wait.key


def rung_times(calendar: Calendar, ladder: tuple[Rung, ...], asked_on: date, due: date) -> list[datetime]:
    """Return the moments of a ladder's rungs, in its order.

    A share of the budget fires on the due date at the latest.
    """
    length = calendar.working_days_between(asked_on, due)
    days = [
        min(due, calendar.after(asked_on, ceil(one.share * length)))
        if one.share is not None
        else calendar.after(due, one.days)
        for one in ladder
    ]
    return [morning_of(day) for day in days]


def ladder_of(rules: RulesAt, question: Question[Any]) -> tuple[Rung, ...]:
    """Return the rungs for a question, the first one first; () where no rule gives any."""
    common = "applicant_ladder" if question.of is Role.APPLICANT else "office_ladder"
    rule = rules.peek(f"{question.name}_ladder") or rules.peek(common)
    ladder = _by_time(Rung(**one) for one in rule.value) if rule else ()
    effect = effect_of(rules, question)
    return _by_time((*ladder, SAY_PASSED)) if effect and not effect.by_law else ladder


def effect_of(rules: RulesAt, question: Question[Any]) -> Effect | None:
    """Return the effect of this question's passed deadline; None where no rule names one.

    The effect is by law only where the rule is law and names deadline, authority and effect.
    """
    rule = rules.peek(question.passes) if question.passes else None
    if rule is None:
        return None
    deadline, authority, effect = (rule.value.get(name) for name in ("deadline", "authority", "effect"))
    named = isinstance(deadline, int) and deadline > 0 and bool(authority and effect)
    return Effect(deadline, authority or "", effect or "", rule.citation, rule.is_law and named)


def budget_by_law(rules: RulesAt, question: Question[Any]) -> Rule | None:
    """Return the days after which the law attaches an effect; None where it attaches none.

    Its days are the deadline that the rule of the effect names. The question's own budget may be another number, by a rule
    that is no law (a target of the office): it neither hastens nor delays the effect.
    """
    effect = effect_of(rules, question)
    if question.due is None or effect is None or not effect.by_law:
        return None
    own = rules[question.due]
    same = own.is_law and own.value == effect.deadline
    return own if same else replace(own, value=effect.deadline, citation=effect.citation)


def passes_on(
    calendar: Calendar, rules: RulesAt, question: Question[Any], asked_on: date, extended_until: date | None
) -> date | None:
    """Return the last day before the effect by law; None where no rule of law names one."""
    budget = budget_by_law(rules, question)
    return max(calendar.due_date(asked_on, budget), extended_until or asked_on) if budget else None


def recorded_until(calendar: Calendar, rules: RulesAt, due: date) -> date:
    """Return the last day on which another authority's timely decision can be recorded."""
    grace = rules.peek("recording_time")
    return calendar.due_date(due, grace) if grace else due


def _by_time(rungs: Iterable[Rung]) -> tuple[Rung, ...]:
    return tuple(sorted(rungs, key=lambda one: (one.share is None, one.share or one.days)))
