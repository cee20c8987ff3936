"""The date of a question is the earlier of its own budget's and the case's, however and however late it comes to be asked."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from sqlmodel import select

from engine.actions.answer import answer
from engine.deadlines.clock import JAKARTA, TurnedClock
from engine.reports.time_report import of_case
from engine.runtime.office import Office
from engine.sweeps.calendar_decisions import add_day_off
from models import Wait
from outside.oss_http import HttpOss
from tests.people import hire_staff, register_business
from tests.stories.nib_legalization.conftest import OWNER, NibStory
from tests.stories.test_rules_change_by_date import Adds, adds

__all__ = ["adds"]


def of_days(days: int) -> str:
    return f"""
[[rule]]
name = "service_time"
value = {days}
unit = "working_days"
since = 2026-01-01
citation = "Usulan contoh: layanan singkat"
standing = "policy"
"""


def begun(office: Office, clock: TurnedClock) -> NibStory:
    """A dossier that is complete on Monday 12 January 2026; Friday the 16th is a holiday (Isra Mikraj)."""
    hire_staff(office)
    clock.moment = datetime.combine(date(2026, 1, 12), time(9), JAKARTA)
    return NibStory(office, clock, "nib-legalization", register_business(office))


def due_on(story: NibStory) -> tuple[str, str]:
    [asked] = story.shown()["waiting_for"]
    return asked["question"], asked["due_on"]


def test_days_on_which_an_answer_lay_here_unseen_are_the_offices(
    office: Office, clock: TurnedClock, adds: Adds
) -> None:
    """Answered on the 14th, carried on on the 19th: the 14th and 15th are used, and of four days two are left."""
    adds("nib_legalization", of_days(4))
    story = begun(office, clock).to_verification()
    assert due_on(story) == ("verification#1", "2026-01-19")
    story.on("2026-01-13").verified("return", deficiencies=["denah lokasi"])
    story.on("2026-01-14")
    with office.run("cli", by=OWNER) as run:
        answer(office, run, story.number, "correction#1", by=OWNER, data={"note": "denah baru"})
    story.on("2026-01-19").advance()
    assert (due_on(story), story.shown()["clock"]["used_days"]) == (("verification#2", "2026-01-20"), 2)
    with office.run("cli", by="rini") as run:
        assert add_day_off(office, run, date(2026, 1, 28), "rapat kerja", by="rini") == []
        [moved] = add_day_off(office, run, date(2026, 1, 20), "banjir", by="rini")
    assert str(moved.after) == "2026-01-21"


def test_what_is_asked_and_answered_in_one_moment_lies_here_from_then_on(
    office: Office, clock: TurnedClock, adds: Adds
) -> None:
    """A clock that is turned stands still: returned and answered at once on the 13th, carried on with on the 19th."""
    adds("nib_legalization", of_days(4))
    story = begun(office, clock).to_verification().on("2026-01-13").verified("return", deficiencies=["denah lokasi"])
    with office.run("cli", by=OWNER) as run:
        answer(office, run, story.number, "correction#1", by=OWNER, data={"note": "denah baru"})
    story.on("2026-01-19").advance()
    assert (due_on(story), story.shown()["clock"]["used_days"]) == (("verification#2", "2026-01-19"), 3)


def test_a_day_in_whose_last_second_something_is_asked_counts_once(
    office: Office, clock: TurnedClock, adds: Adds
) -> None:
    """At 23:59:59 of the 13th that day is used up: of four days the 14th, the 15th and the 19th are left."""
    adds("nib_legalization", of_days(4))
    story = begun(office, clock).to_statement("MT").signs_on_paper().filed()
    clock.moment = datetime.combine(date(2026, 1, 13), time(23, 59, 59), JAKARTA)
    story.recorded()
    assert (due_on(story), story.shown()["clock"]["used_days"]) == (("verification#1", "2026-01-19"), 1)


def test_what_a_machine_leaves_to_a_person_is_due_by_the_cases_own_time_too(
    office: Office, clock: TurnedClock, adds: Adds
) -> None:
    """OSS is away for a day: two days for the filing would end on the 15th, the case's own two end on the 14th."""
    adds("nib_legalization", of_days(2))
    story = begun(office, clock).to_statement()
    office.adapters.oss = HttpOss("http://127.0.0.1:9/oss", "a-token-for-tests", timeout=0.2)
    story.signs_on_paper()
    while not story.shown()["waiting_for"]:
        clock.turn(hours=6)
        story.advance()
    assert clock.today() > date(2026, 1, 12)
    assert due_on(story) == ("oss_filing#1", "2026-01-14")


def test_what_an_officer_does_by_hand_is_the_offices_turn(office: Office, clock: TurnedClock) -> None:
    """The machine's tries were OSS's time; from the hour at which the officer is asked the days are the office's, and stay so."""
    story = begun(office, clock).to_statement()
    office.adapters.oss = HttpOss("http://127.0.0.1:9/oss", "a-token-for-tests", timeout=0.2)
    story.signs_on_paper()
    assert story.shown()["clock"]["holder"] == "outside"
    while not story.shown()["waiting_for"]:
        clock.turn(hours=6)
        story.advance()
    assert (story.shown()["clock"]["holder"], story.shown()["clock"]["running"]) == ("office", True)
    with office.db.reading() as session:
        before = of_case(office, session, story.number)
    story.on("2026-01-28").corrected(name="Sari Sri Baru").advance()
    with office.db.reading() as session:
        after = of_case(office, session, story.number)
    assert (after["outside_days"], after["applicant_days"]) == (before["outside_days"], 0)
    assert after["office_days"] > before["office_days"]


@pytest.mark.parametrize("late", [timedelta(0), timedelta(milliseconds=1), timedelta(milliseconds=999)])
def test_the_last_second_lasts_a_second(office: Office, clock: TurnedClock, late: timedelta) -> None:
    """A clock that is no test's tells parts of a second: at 23:59:59.999 an answer is in time, and no sweep ends it."""
    story = begun(office, clock).dossier("return", deficiencies=["foto KTP buram"])
    with office.db.reading() as session:
        end = session.exec(select(Wait.silent_at).where(Wait.key == "correction#1")).one()
    assert end is not None
    clock.moment = end + late
    story.nothing_happens()
    assert story.corrects(note="foto baru").waits_for == ["dossier_check#2"]


def test_a_second_later_the_time_is_up(office: Office, clock: TurnedClock) -> None:
    """Midnight belongs to the next day."""
    story = begun(office, clock).dossier("return", deficiencies=["foto KTP buram"])
    last = date.fromisoformat(story.shown()["waiting_for"][0]["silent_on"])
    clock.moment = datetime.combine(last + timedelta(days=1), time(0), JAKARTA)
    assert story.nothing_happens().outcome == "not_corrected"
