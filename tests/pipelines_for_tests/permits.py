"""Permits of a year, which a made-up pipeline gives and renews; and the words in which stories of them are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from engine.deadlines.clock import TurnedClock
from engine.definition.registry import pipeline_named
from engine.people.persons import record_certificate
from engine.runtime.office import Office
from engine.sweeps.renew import renew
from models import CaseFile, Letter
from rules import Rule, RuleBook, book
from tests.people import EVIDENCE, hire_staff, register_person
from tests.pipelines_for_tests.workshop import Workshop
from tests.stories.story import Story

PERMIT = """
from engine.pipeline import *

class Wish(Form):
    area: str
    previous: str = ""

class Look(Form):
    reason: str = ""

class Outcome(Ending):
    GIVEN = "given", "Diberikan"
    LAPSED = "lapsed", "Gugur"
    WITHDRAWN = "withdrawn", "Ditarik"

WISH = Question(Wish, of=Role.APPLICANT, due="answer_time", silent_after="answer_limit", title="Isi permohonan izin")
LOOK = Question(Look, of=Role.OFFICER, title="Periksa permohonan izin")

@step
def give(case: Case, area: str) -> None:
    stand("permit", reference=f"P/{case.number}", until=this_step.today.replace(year=this_step.today.year + 1))
    stand(f"permit:{area}", reference=f"P/{case.number}", until=this_step.today.replace(year=this_step.today.year + 1))

def withdrawn(case: Case, reason: str) -> Outcome:
    return Outcome.WITHDRAWN

def known(permit: Expiring) -> dict[str, str]:
    if permit.number == "RUSAK":
        raise ValueError("the seal of 3508166904956220 is broken")
    area = permit.answers.get("wish", {}).get("area") or ", ".join(permit.stands)
    return {"area": area, "previous": permit.number}

@pipeline("permit", version=1, title="Izin lapak", prefix="IZN", subject="person", outcomes=Outcome,
          on_withdrawal=withdrawn, renews=known)
def permit(case: Case) -> Outcome:
    wish = ask(WISH, known=case.carried)
    if isinstance(wish, Silence):
        return close(case, Outcome.LAPSED, "tidak dijawab")
    ask(LOOK)
    give(case, wish.area)
    return close(case, Outcome.GIVEN, "izin diberikan")
"""
END = date(2027, 1, 12)  # of a permit given on the first day of these stories
NOTHING = {"due": 0, "opened": 0, "reminded": 0, "skipped": 0, "failed": []}
OPENED, REMINDED = {**NOTHING, "due": 1, "opened": 1}, {**NOTHING, "due": 1, "reminded": 1}
SKIPPED = {**NOTHING, "due": 1, "skipped": 1}

Permit = Callable[..., Story]


def ahead(days: int) -> str:
    """Return the day so many days before the permits end."""
    return (END - timedelta(days=days)).isoformat()


def due_permits(monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
    """Give the rules of permits a row for their renewal."""
    rule = {"days": [180, 90, 30], "standings": ["permit"], **more}
    row = Rule("renewal", rule, "days_ahead", date(2022 if more else 2021, 1, 1), None, "Kebijakan", "policy")
    known = book
    monkeypatch.setattr(
        "engine.definition.registry.book",
        lambda slug: RuleBook([*known(slug).rows(), *([row] if slug == "permit" else [])]),
    )


@pytest.fixture
def permit(office: Office, clock: TurnedClock, workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Permit:
    """Give permits, each to somebody of their own: they end on 12 January 2027."""
    workshop.write(PERMIT, "permits")
    due_permits(monkeypatch)
    hire_staff(office)
    given: list[Story] = []

    def give() -> Story:
        person = register_person(office, f"35081669049562{len(given) + 20:02d}")
        given.append(goes_through(Story(office, clock, "permit", person)))
        return given[-1]

    return give


def goes_through(story: Story) -> Story:
    """Apply for the permit and get it."""
    story.answers(f"owner-{story.case.person_id}", "wish#1", area="pasar")
    return story.answers("budi", "look#1")


def renewed(office: Office) -> dict[str, Any]:
    """Run it once."""
    with office.run("flow", by="renewal") as run:
        return renew(office, run).as_json()


def recorded(office: Office, number: str = "LAIN/1", person: int | None = None) -> int:
    """Record a permit that another body gave somebody; return their id."""
    person = person or register_person(office, "3508166904956299")
    about = {"since": date(2026, 1, 1), "until": END, "source": "kota", "evidence": EVIDENCE, "by": "admin"}
    record_certificate(office, person, "permit", number, **about)  # type: ignore[arg-type]
    return person


def taken_up(office: Office, clock: TurnedClock, number: str) -> Story:
    """Return the story of a case that was opened by itself, advanced as far as it goes."""
    story = Story.__new__(Story)
    story.office, story.clock, story.number, story.pipeline = office, clock, number, pipeline_named("permit")
    story.advance()
    return story


def numbers(office: Office) -> list[str]:
    with office.db.reading() as session:
        return list(session.exec(select(CaseFile.number).order_by(col(CaseFile.id))))


def letters(office: Office) -> list[tuple[str, str]]:
    """Return the case and name of every letter about renewals, the oldest first."""
    with office.db.reading() as session:
        wanted = select(CaseFile.number, Letter.letter).join(CaseFile, col(CaseFile.id) == col(Letter.case_id))
        return list(session.exec(wanted.where(col(Letter.letter).like("renewal%")).order_by(col(Letter.at))))
