"""Whole cases over the days on which a count goes wrong: the year's end, Lebaran, the last day, days without a schedule."""

from __future__ import annotations

import re
from datetime import date, datetime, time

import pytest
from rich.console import Console

from demo.stalled import stall, tell_of
from engine.deadlines.clock import JAKARTA, TurnedClock
from engine.definition.registry import Pipeline, pipeline_named
from engine.execution.drain import drain
from engine.runtime.office import Office
from engine.sweeps.sweep import sweep
from tests.people import hire_staff, register_business
from tests.stories.nib_legalization.conftest import NibStory
from tests.stories.test_rules_change_by_date import Adds, adds
from tests.stories.test_the_earlier_of_two_dates import due_on, of_days

__all__ = ["adds"]


def begun(office: Office, clock: TurnedClock, day: date) -> NibStory:
    hire_staff(office)
    clock.moment = datetime.combine(day, time(9), JAKARTA)
    return NibStory(office, clock, "nib-legalization", register_business(office))


def used(story: NibStory) -> int:
    days: int = story.shown()["clock"]["used_days"]
    return days


def test_over_the_years_end(office: Office, clock: TurnedClock) -> None:
    """Christmas, its joint leave and New Year count for nobody, in the question's date as in the case's clock."""
    story = begun(office, clock, date(2025, 12, 23))
    assert due_on(story) == ("dossier_check#1", "2025-12-30")  # 24, 29, 30 December
    story.dossier()
    assert due_on(story) == ("classification#1", "2026-01-02")  # 24, 29, 30, 31 December, 2 January
    story.on("2025-12-31", 23)
    assert used(story) == 3  # the 31st is not over
    story.on("2026-01-01", 0)
    assert used(story) == 4
    story.on("2026-01-05")
    assert used(story) == 5
    assert story.number.startswith("NIB-2025-")


def test_asked_on_the_day_before_lebarans_joint_leave(office: Office, clock: TurnedClock) -> None:
    """Thursday 27 March 2025: the next working day is 8 April. The clock stands still for twelve days that nobody stopped."""
    story = begun(office, clock, date(2025, 3, 27)).dossier()
    assert due_on(story) == ("classification#1", "2025-04-14")
    story.on("2025-04-08", 8)
    assert used(story) == 0
    story.on("2025-04-09", 8)
    assert used(story) == 1
    story.classified().signs_on_paper()  # under PP 5/2021: PP 28/2025 came in June
    assert due_on(story) == ("oss_filing#1", "2025-04-11")


def test_the_owner_is_told_the_last_day_of_the_case_and_not_of_its_next_step(
    office: Office, clock: TurnedClock
) -> None:
    """Complete on 12 January: all of it takes 30 working days, the classification five. What is due on a day is in time on it."""
    story = begun(office, clock, date(2026, 1, 12)).dossier()
    assert "untuk menyelesaikan semuanya adalah 26 Februari 2026" in story.letter("completeness")["text"]
    assert "tanda tangani paling lambat 20 Januari 2026" in story.classified().letter("risk_sheet")["text"]


def test_a_clarification_on_the_last_day_leaves_that_day(office: Office, clock: TurnedClock, adds: Adds) -> None:
    """Four days, the fourth is 20 January: returned on it, the case has that one day left whenever the answer comes."""
    adds("nib_legalization", of_days(4))
    story = begun(office, clock, date(2026, 1, 12)).to_verification()
    assert due_on(story) == ("verification#1", "2026-01-19")  # 13, 14, 15, and 19: the 16th is a holiday
    story.on("2026-01-19", 23).verified("return", deficiencies=["denah lokasi"])
    assert used(story) == 3
    story.on("2026-02-09").corrects(note="denah baru")
    assert (used(story), due_on(story)) == (3, ("verification#2", "2026-02-09"))
    story.on("2026-02-10")
    assert used(story) == 4


def test_three_days_without_a_schedule_end_what_ended_meanwhile(office: Office, clock: TurnedClock) -> None:
    """The owner's time ended on the 26th, the next sweep comes on 2 March: it ends then, once, dated by its own last day."""
    story = begun(office, clock, date(2026, 1, 12)).dossier("return", deficiencies=["foto KTP buram"])
    [asked] = story.shown()["waiting_for"]
    assert asked["silent_on"] == "2026-02-26"
    story.on("2026-03-02")
    with office.run("flow", by="escalation") as run:
        first, second = sweep(office, run), sweep(office, run)
    assert (first.silent, second.due) == ([story.number], 0)
    story.advance()
    assert (story.outcome, [entry.outcome for entry in story.entries].count("silent")) == ("not_corrected", 1)


def test_the_demo_of_a_stalled_case_climbs_to_its_end_with_the_page_that_counts_the_days(
    office: Office, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `make demo` shows it, without Prefect: each rung in its order, then DPMPTSP's passed deadline with its page."""

    def advance(office: Office, pipelines: list[Pipeline], only: list[str], *, by: str) -> None:
        with office.run("flow", by=by) as run:
            drain(office, run, pipelines[0].name)

    monkeypatch.setattr("demo.stalled.advance_here", advance)
    hire_staff(office)
    console = Console(record=True, width=240)
    tell_of(office, console, stall(office, clock, pipeline_named("nib-legalization"), register_business(office)))
    shown = console.export_text()
    rungs = [f"dossier_check#1/{name}" for name in ("holder", "supervisor", "division_head", "office_head", "reassign")]
    places = [shown.index(rung) for rung in [*rungs, "verification#1/say_passed"]]
    assert places == sorted(places)
    assert re.search(r"It ended legalized; the page that counts the days: [0-9a-f/]+", shown)
