"""The page that counts the days to a passed deadline: each counted day, each day off, and what follows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from engine.book import Book
from engine.calendar import Calendar
from engine.clock import local_date
from engine.deadlines import Effect, ladder_key
from engine.dossiers import Dossier
from engine.legal_clock import DAY
from engine.office import Office
from engine.outbox import letter_facts, queue_paper
from engine.registry import COMPUTATION
from models import AnyWait
from rules import Rule


def queue_computation(office: Office, book: Book, dossier: Dossier, wait: AnyWait, effect: Effect) -> str:
    """Hand out the page for a deadline of ``wait`` that passed; return its key."""
    question = dossier.pipeline.questions[wait.question or ""]
    budget = dossier.case.rules[question.due or ""]
    asked_on, due_on = local_date(wait.asked_at), local_date(wait.due_at or wait.asked_at)
    language = dossier.case.applicant.language
    days = list(counted(office.calendar, budget, asked_on, due_on, language))
    facts = {
        **letter_facts(office, dossier.case),
        "question": question.title,
        "authority": effect.authority,
        "citation": effect.citation,
        "budget": f"{budget.value} {UNITS[language][budget.unit]}",
        "budget_citation": budget.citation,
        "started_on": asked_on.isoformat(),
        "due_on": due_on.isoformat(),
        "extended": [wait.extended_until.isoformat()] if wait.extended_until else [],
        "used": sum(1 for day in days if day["place"]),
        "days": days,
        "by_law": [effect.effect] if effect.by_law else [],
        "not_by_law": [] if effect.by_law else [effect.effect],
        "effect": EFFECTS[language].get(effect.effect, effect.effect),
    }
    return queue_paper(
        book,
        dossier.row,
        lambda plain: office.vault.seal(dossier.key, plain),
        office.clock.now(),
        key=f"{ladder_key(wait)}/{COMPUTATION.name}",
        kind=COMPUTATION,
        language=language,
        facts=facts,
    )


# What a rule's effect, and the reasons why a day does not count, are called on the page.
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
    "id": {"start": "hari mulai, tidak dihitung", "weekend": "akhir pekan"},
    "en": {"start": "the first day never counts", "weekend": "weekend"},
}
UNITS = {
    "id": {"working_days": "hari kerja", "calendar_days": "hari kalender"},
    "en": {"working_days": "working days", "calendar_days": "calendar days"},
}


def counted(calendar: Calendar, budget: Rule, start: date, due: date, language: str) -> Iterator[dict[str, Any]]:
    """Yield each day from the start to the date: its place in the count, or why it does not count."""
    place, day, words = 0, start, UNCOUNTED[language]
    while day <= due:
        if day == start:
            why = words["start"]
        elif budget.unit == "working_days" and not calendar.is_working_day(day):
            why = calendar.days_off(day.year).get(day, (words["weekend"], ""))[0]
        else:
            why = ""
            place += 1
        yield {"date": day.isoformat(), "place": "" if why else str(place), "why": why}
        day += DAY
