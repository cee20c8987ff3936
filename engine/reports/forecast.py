"""The forecast of late answers: each desk answers by date, at its recent pace.

A desk is an account, or a role of one office, or an outside body; its pace is the number of working days with open questions
per answer, over the days of the rule ``forecast_pace``. A desk with too few answers gets the pace of all desks for the same
question; where that is unknown too, the question is expected on its due date.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from math import ceil
from typing import Any, NamedTuple

from sqlalchemy import Row, func, or_, select
from sqlmodel import Session, col

from engine.deadlines.calendar import Calendar
from engine.deadlines.clock import JAKARTA, is_over, local_date
from engine.deadlines.legal_clock import DAY
from engine.definition.registry import all_versions
from engine.reports.time_report import local_day, office_code
from engine.runtime.office import Office
from models import CaseFile, Role, Wait, WaitKind
from rules import book
from rules.regions import region_name


class Desk(NamedTuple):
    """A place of open questions: an account (``holder``), or a role or body of one office."""

    holder: str | None
    role: str | None
    office: str


class Asked(NamedTuple):
    """A question of a pipeline, by the two names."""

    pipeline: str
    question: str | None


@dataclass
class Pace:
    """The number of answers, and the number of working days with something to answer."""

    answers: int = 0
    days: int = 0

    def of_one(self, enough: int) -> float | None:
        """Return the working days per answer; None with fewer answers than ``enough``."""
        return self.days / self.answers if self.answers >= enough else None


@dataclass
class Backlog:
    """Open questions: their number, those late by now, and those that will be late."""

    open: int = 0
    late: int = 0
    will_breach: int = 0

    def count(self, *, late: bool, breaches: bool) -> None:
        """Count one question."""
        self.open += 1
        self.late += late
        self.will_breach += breaches and not late


@dataclass
class _Paces:
    enough: int
    desks: dict[Desk, Pace] = field(default_factory=lambda: defaultdict(Pace))
    questions: dict[Asked, Pace] = field(default_factory=lambda: defaultdict(Pace))

    def of_one(self, desk: Desk, asked: Asked) -> float | None:
        own = self.desks.get(desk, Pace()).of_one(self.enough)
        return own if own is not None else self.questions.get(asked, Pace()).of_one(self.enough)


def forecast(office: Office, session: Session, *, within: int | None = None) -> dict[str, Any]:
    """Return the forecast as ``jalur report forecast`` prints it.

    ``expected_on`` is the day of the answer at the present pace, today at the earliest, or None where neither pace nor date is
    known; ``breaches`` tells whether ``expected_on`` comes after ``due_on``. With ``within``, ``cases`` holds the questions
    due in that many days. ``will_breach`` counts breaches that are not yet late; ``pace_days`` are working days per answer.
    An ``officer`` is an account, or a role or outside body with the code of its office.
    """
    now = office.clock.now()
    today, outside = local_date(now), _decided_outside()
    paces = _paces(office, session, outside)
    day_after = cache(lambda days: office.calendar.after(today - DAY, days))
    lying: dict[Desk, float] = defaultdict(float)  # working days until everything before is answered
    cases: list[dict[str, Any]] = []
    offices: dict[str, Backlog] = defaultdict(Backlog)
    desks: dict[Desk, Backlog] = defaultdict(Backlog)
    for wait in _open(session):
        desk = _desk(wait, outside)
        due_on = local_date(wait.due_at) if wait.due_at else None
        one = paces.of_one(desk, Asked(wait.pipeline, wait.question))
        if one is None:
            expected = max(due_on, today) if due_on else None
        else:
            lying[desk] += one
            expected = day_after(max(1, ceil(round(lying[desk], 6))))
        breaches = bool(due_on and expected and expected > due_on)
        late = is_over(wait.due_at, now)
        offices[office_code(wait.region_code)].count(late=late, breaches=breaches)
        if wait.role != Role.APPLICANT:
            desks[desk].count(late=late, breaches=breaches)
        if within is None or (due_on and due_on <= today + timedelta(days=within)):
            cases.append(
                {
                    "case": wait.number,
                    "question": wait.key,
                    "holder": wait.holder,
                    "due_on": due_on.isoformat() if due_on else None,
                    "expected_on": expected.isoformat() if expected else None,
                    "breaches": breaches,
                }
            )
    return {
        "cases": cases,
        "by_office": [{"office": code, "name": region_name(code), **vars(offices[code])} for code in sorted(offices)],
        "by_officer": [_of_desk(desk, desks[desk], paces) for desk in sorted(desks, key=str)],
    }


def _of_desk(desk: Desk, backlog: Backlog, paces: _Paces) -> dict[str, Any]:
    pace = paces.desks.get(desk, Pace()).of_one(paces.enough)
    who = desk.holder or f"{desk.role} {desk.office}"
    return {"officer": who, **vars(backlog), "pace_days": round(pace, 2) if pace is not None else None}


def _open(session: Session) -> Iterable[Row[Any]]:
    """Return the open questions, the earliest date first, those without a date last."""
    return session.execute(
        select(*_OF_A_WAIT)
        .join(CaseFile, col(CaseFile.id) == col(Wait.case_id))
        .where(col(Wait.kind) == WaitKind.PERSON, col(Wait.settled_at).is_(None))
        .order_by(col(Wait.due_at).is_(None), col(Wait.due_at), col(Wait.asked_at), col(CaseFile.number), col(Wait.key))
    )


_PLACE: list[Any] = [col(column) for column in (Wait.pipeline, Wait.question, Wait.role, Wait.holder)]
_PLACE.append(col(CaseFile.region_code))
_OF_A_WAIT: list[Any] = [*_PLACE, col(CaseFile.number), col(Wait.key), col(Wait.due_at)]


def _decided_outside() -> dict[Asked, str]:
    """Return the outside bodies by the questions that they decide and an officer records."""
    questions = ((pipeline.name, question) for pipeline in all_versions() for question in pipeline.questions.values())
    return {Asked(name, question.name): question.recorded_for for name, question in questions if question.recorded_for}


def _desk(wait: Row[Any], outside: Mapping[Asked, str]) -> Desk:
    if body := outside.get(Asked(wait.pipeline, wait.question)):
        return Desk(None, body, office_code(wait.region_code))
    return Desk(wait.holder, None, "") if wait.holder else Desk(None, wait.role, office_code(wait.region_code))


def _paces(office: Office, session: Session, outside: Mapping[Asked, str]) -> _Paces:
    """Return the pace of each desk and of each question, over the days of ``forecast_pace``.

    Days with an empty desk do not count: they tell nothing of its pace. Days on which a question lay untouched do count.
    """
    today = office.clock.today()
    rule = book("common").at("forecast_pace", today).value
    first = today - timedelta(days=rule["days"])
    paces = _Paces(enough=rule["answers"])
    lay: dict[tuple[Desk, Asked], list[tuple[date, date]]] = defaultdict(list)
    answers: dict[tuple[Desk, Asked], int] = defaultdict(int)
    for wait in _lying(session, datetime.combine(first, time(), JAKARTA)):
        place = _desk(wait, outside), Asked(wait.pipeline, wait.question)
        lay[place].append((max(wait.asked_on, first), wait.ended_on or today - DAY))  # today is not over
        answers[place] += wait.times if wait.settled_as == "answered" else 0
    on_desk: dict[Desk, list[tuple[date, date]]] = defaultdict(list)
    for (desk, asked), spans in lay.items():
        on_desk[desk] += spans
        paces.desks[desk].answers += answers[desk, asked]
        paces.questions[asked].answers += answers[desk, asked]
        paces.questions[asked].days += max(_working_days_in(office.calendar, spans), min(1, answers[desk, asked]))
    for desk, spans in on_desk.items():
        paces.desks[desk].days = max(_working_days_in(office.calendar, spans), 1)
    return paces


def _lying(session: Session, since: datetime) -> Iterable[Row[Any]]:
    """Return the questions that were open at ``since`` or later, as counts of equal ones.

    Equal are questions of one desk with the same name, end, and days of asking and ending.
    """
    alike: list[Any] = [
        *_PLACE,
        col(Wait.settled_as),
        local_day(session, col(Wait.asked_at)).label("asked_on"),
        local_day(session, col(Wait.settled_at)).label("ended_on"),
    ]
    lay_since = or_(col(Wait.settled_at).is_(None), col(Wait.settled_at) >= since)
    return session.execute(
        select(*alike, func.count().label("times"))
        .join(CaseFile, col(CaseFile.id) == col(Wait.case_id))
        .where(col(Wait.kind) == WaitKind.PERSON, lay_since)
        .group_by(*alike)
    )


def _working_days_in(calendar: Calendar, spans: list[tuple[date, date]]) -> int:
    """Return the number of working days in the union of ``spans`` (first and last day)."""
    days, covered = 0, date.min
    for first, last in sorted(spans):
        first = max(first, covered + DAY)
        if last >= first:
            days += calendar.working_days_between(first - DAY, last)
            covered = last
    return days
