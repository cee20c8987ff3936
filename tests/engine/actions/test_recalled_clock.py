"""An answer that made the dossier complete is taken back: the legal clock stops, and starts anew when it is complete again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from sqlmodel import col, select

from engine.actions.recall import recall
from engine.deadlines.clock import local_date
from engine.deadlines.legal_clock import stop_limit
from engine.execution.clock_segments import INCOMPLETE
from models import ClockSegment
from rules import RulesAt
from tests.engine.conftest import Begin
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop
from tests.stories.story import Story

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]


def turns(story: Story) -> list[tuple[str, str | None, bool, str]]:
    """Return the case's segments: day, holder, whether the clock runs, key."""
    with story.office.db.reading() as session:
        wanted = select(ClockSegment).where(ClockSegment.case_id == story.case.id).order_by(col(ClockSegment.seq))
        return [(local_date(one.since).isoformat(), one.holder, one.running, one.key) for one in session.exec(wanted)]


def clock(story: Story) -> tuple[int, bool]:
    """Return the used days of the legal clock, and whether it runs."""
    shown = story.shown()["clock"]
    return shown["used_days"], shown["running"]


def due(story: Story) -> str:
    """Return the day on which the only open question is due."""
    (waiting,) = story.shown()["waiting_for"]
    return str(waiting["due_on"])


def test_the_time_runs_from_the_day_on_which_the_dossier_is_complete_again(nib: Nib) -> None:
    """Complete on Monday, taken back on Thursday, complete again a week later: the first three days are not counted."""
    story = nib().on("2026-01-12").dossier().on("2026-01-15")
    assert clock(story) == (2, True)
    story.recalls("budi", "foto KTP tidak terbaca")
    assert clock(story) == (0, False)
    assert story.case.complete_at is None
    assert due(story) == "2026-01-21"  # three working days of the question's own; 16 January is a day off

    story.on("2026-01-20").dossier("return", deficiencies=["foto KTP buram"])
    story.on("2026-01-21").corrects(note="foto baru").on("2026-01-22").dossier()
    assert story.case.complete_at is not None and local_date(story.case.complete_at).isoformat() == "2026-01-22"
    assert clock(story) == (0, True)
    assert clock(story.on("2026-01-24")) == (1, True)
    started = [(entry.key, entry.outcome) for entry in story.entries if entry.key.startswith("start_legal_time")]
    assert started == [("start_legal_time#1", "starts the clock"), ("start_legal_time#2", "starts the clock")]
    assert turns(story) == [
        ("2026-01-12", "office", False, "opened#1"),
        ("2026-01-12", "office", True, "dossier_check#1"),
        ("2026-01-15", "office", False, "recall#1"),
        ("2026-01-20", "applicant", False, "correction#1"),
        ("2026-01-21", "office", False, "correction#1"),
        ("2026-01-22", "office", True, "dossier_check#3"),
    ]
    assert story.is_whole()


def test_a_later_answer_that_is_taken_back_leaves_the_clock_running(nib: Nib) -> None:
    """The classification comes after completeness: taking it back makes no dossier incomplete."""
    story = nib().on("2026-01-12").dossier().on("2026-01-15")
    classified(story, 1)
    began = story.case.complete_at
    story.recalls("ani")
    assert story.case.complete_at == began
    assert clock(story) == (2, True)
    story.recalls("budi")
    assert clock(story) == (0, False)


def test_until_somebody_comes_by_the_recall_already_counts(nib: Nib) -> None:
    """Taken back on Thursday, no worker until Monday: the office's days, and none of the law's."""
    story = nib().on("2026-01-12").dossier().on("2026-01-15")
    with story.office.run("cli", by="budi") as run:
        recall(story.office, run, story.number, by="budi", reason="salah tekan")
    assert clock(story) == (0, False)
    story.on("2026-01-19").advance()
    assert turns(story)[2:] == [("2026-01-15", "office", False, "recall#1")]


def test_stops_before_the_recall_are_not_counted_against_the_new_time(nib: Nib) -> None:
    """Four stops may be, and the fifth stops nothing; a time that starts anew has all four."""
    story = nib().on("2026-01-12").dossier()
    for n in range(1, 6):
        classified(story, n)
        assert clock(story)[1] == (n == 5)
        story.recalls("ani")
    story.recalls("budi").on("2026-01-19").dossier()
    classified(story, 7)
    assert clock(story.on("2026-01-23")) == (0, False)


def classified(story: Story, n: int) -> None:
    """A companion settles code and risk; the owner has the ball then."""
    story.answers("ani", f"classification#{n}", decision="proceed", industry_code="10794", risk_level="R")


def test_the_record_of_the_applicants_turn_says_that_the_dossier_is_incomplete_again(
    workshop: Workshop, begin: Begin
) -> None:
    """The owner completed it and was asked on: taken back, they have the ball as before, and on another ground."""
    workshop.write(FARM_VISIT, "made_up", *BY_OWNER)
    story = begin().on("2026-01-13").answers("owner-1", "visit", decision="fine")
    story.on("2026-01-15").recalls("owner-1")
    with story.office.db.reading() as session:
        wanted = select(ClockSegment).where(ClockSegment.case_id == story.case.id).order_by(col(ClockSegment.seq))
        found = [(one.holder, one.running, one.ground) for one in session.exec(wanted)]
    assert found == [
        ("office", False, INCOMPLETE),
        ("applicant", False, INCOMPLETE),
        ("applicant", False, stop_limit(RulesAt(story.pipeline.rules, story.case.rule_date)).citation),
        ("applicant", False, INCOMPLETE),
    ]


BY_OWNER = (
    ("Visit, of=Role.OFFICER", "Visit, of=Role.APPLICANT"),
    ("Sample, of=Role.COMPANION", "Sample, of=Role.APPLICANT"),
    (
        "def weigh(case: Case, grams: int) -> int:\n",
        "def weigh(case: Case, grams: int) -> int:\n    dossier_complete()\n",
    ),
    ("outcomes=Outcome,", 'outcomes=Outcome, clock="answer_limit",'),
)


def test_a_step_that_starts_the_clock_does_nothing_else_that_its_entry_names(workshop: Workshop, begin: Begin) -> None:
    """One entry has one outcome: what a recall looks for must not be hidden by another."""
    opens = ("    return grams\n", "    stand('weighed')\n    return grams\n")
    workshop.write(FARM_VISIT, "made_up", BY_OWNER[2], opens)
    story = begin().answers("budi", "visit", decision="fine")
    assert story.case.status == "parked"
    assert "opens the way and starts the legal clock" in (story.case.error or "")
