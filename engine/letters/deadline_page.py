"""The page of a passed deadline: each counted day, each day off, and the legal effect."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from itertools import groupby
from typing import Any

from sqlmodel import col, select

from documents.formats import days_in_words
from engine.cases.dossier import Dossier
from engine.deadlines.calendar import Calendar
from engine.deadlines.clock import local_date
from engine.deadlines.due_dates import Effect, budget_by_law, ladder_key, passes_on
from engine.deadlines.legal_clock import DAY, stop_limit, stopped_days
from engine.definition.declarations import COMPUTATION
from engine.letters.queue import letter_facts, queue_paper
from engine.runtime.office import Work
from models import AnyWait, ClockSegment
from rules import Rule


def queue_deadline_page(work: Work, dossier: Dossier, wait: AnyWait, effect: Effect) -> str:
    """Queue the page for a passed deadline of ``wait``; return the key of the paper."""
    question, language = dossier.pipeline.questions[wait.question or ""], dossier.case.applicant.language
    budget, started_on, due_on, stopped = _counted_budget(work, dossier, wait)
    days = list(grouped_lines(counted_days(work.calendar, budget, started_on, due_on, language, stopped), language))
    years = range(started_on.year, due_on.year + 1) if budget.unit == "working_days" else ()
    facts = {
        **letter_facts(work.office, dossier.case),
        "question": question.title,
        "authority": effect.authority,
        "citation": effect.citation,
        "budget": f"{budget.value} {UNITS[language][budget.unit]}",
        "budget_citation": budget.citation,
        "started_on": started_on.isoformat(),
        "due_on": due_on.isoformat(),
        "extended": [wait.extended_until.isoformat()] if wait.extended_until else [],
        "used": sum(1 for day in days if day["place"]),
        "days": days,
        "crowding": crowding(len(days)),
        "stopped": bool(stopped),
        "provisional": work.calendar.provisional_years(*(date(year, 1, 1) for year in years)),
        "by_law": [effect.effect] if effect.by_law else [],
        "not_by_law": [] if effect.by_law else [effect.effect],
        "effect": EFFECTS[language].get(effect.effect, effect.effect),
    }
    return queue_paper(
        work,
        dossier,
        work.now,
        key=f"{ladder_key(wait)}/{COMPUTATION.name}",
        kind=COMPUTATION,
        facts=facts,
    )


def _counted_budget(work: Work, dossier: Dossier, wait: AnyWait) -> tuple[Rule, date, date, set[date]]:
    """Return the counted budget, its first and last day, and the days of a stopped clock.

    The budget is the law's where the law's deadline passed and has an effect. Otherwise it is the question's own, or the
    whole case's where the case's time ended first.
    """
    pipeline, rules, asked_on = dossier.pipeline, dossier.case.rules, local_date(wait.asked_at)
    question = pipeline.questions[wait.question or ""]
    if (by_law := budget_by_law(rules, question)) and (
        passed_on := passes_on(work.calendar, rules, question, asked_on, wait.extended_until)
    ):
        return by_law, asked_on, passed_on, set()
    due_on, own = local_date(wait.due_at or wait.asked_at), rules[question.due or ""]
    of_case = rules.peek(pipeline.clock) if pipeline.clock else None
    ends = max(work.calendar.due_date(asked_on, own), wait.extended_until or asked_on)
    if due_on >= ends or of_case is None or dossier.row.complete_at is None:
        return own, asked_on, due_on, set()
    wanted = select(ClockSegment).where(ClockSegment.case_id == dossier.row.id).order_by(col(ClockSegment.seq))
    segments, complete_at = work.session.exec(wanted).all(), dossier.row.complete_at
    stopped = stopped_days(work.calendar, of_case, stop_limit(rules), complete_at, segments, work.now)
    return of_case, local_date(complete_at), due_on, stopped


# The list has to fit on one page: above these numbers of lines it is set closer, in three columns and in four.
CROWDING = ((48, "many crowded"), (40, "many"))
# The page's words for a rule's effect, and for the reasons why a day does not count.
EFFECTS = {
    "id": {
        "deemed_approved": "permohonan dianggap dikabulkan secara hukum (fiktif positif)",
        "handed_over": "kewenangan memutus beralih",
        "objection_granted": "keberatan dianggap dikabulkan",
    },
    "en": {
        "deemed_approved": "the application counts as granted by operation of law (fiktif positif)",
        "handed_over": "the power to decide passes on",
        "objection_granted": "the objection counts as granted",
    },
}
UNCOUNTED = {
    "id": {"start": "hari mulai, tidak dihitung", "weekend": "akhir pekan", "stopped": "berhenti"},
    "en": {
        "start": "the first day never counts",
        "weekend": "weekend",
        "stopped": "stopped",
    },
}
UNITS = {
    "id": {"working_days": "hari kerja", "calendar_days": "hari kalender"},
    "en": {"working_days": "working days", "calendar_days": "calendar days"},
}


def counted_days(
    calendar: Calendar, budget: Rule, start: date, due: date, language: str, stopped: Collection[date] = ()
) -> Iterator[dict[str, Any]]:
    """Yield each day to ``due`` with its place in the count, or why it does not count."""
    place, day, words = 0, start, UNCOUNTED[language]
    while day <= due:
        if day == start:
            why = words["start"]
        elif budget.unit == "working_days" and not calendar.is_working_day(day):
            why = calendar.days_off(day.year).get(day, (words["weekend"], ""))[0]
        elif day in stopped:
            why = words["stopped"]
        else:
            why = ""
            place += 1
        yield {"date": day.isoformat(), "place": "" if why else str(place), "why": why}
        day += DAY


def crowding(lines: int) -> str:
    """Return the classes of the style sheet that make so many lines fit on one page."""
    return next((classes for more_than, classes in CROWDING if lines > more_than), "")


def grouped_lines(days: Iterable[dict[str, Any]], language: str) -> Iterator[dict[str, Any]]:
    """Yield the page's lines: one a counted day, one for neighbours uncounted for one reason."""
    for _, alike in groupby(days, key=lambda day: (day["place"], day["why"])):
        first, *rest = alike
        last = rest[-1]["date"] if rest else first["date"]
        yield {**first, "words": days_in_words(first["date"], last, language)}
