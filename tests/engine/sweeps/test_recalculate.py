"""A day is added or cancelled: open clocks move, settled ones don't, and only those are told whose date changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlmodel import col, select, update

from engine.actions.answer import answer
from engine.errors import Refused
from engine.people.accounts import add_user
from engine.runtime.office import Office
from engine.sweeps import recalculate
from engine.sweeps.calendar_decisions import add_day_off, cancel_day_off
from engine.sweeps.recalculate import Moved
from models import CalendarDay, Notice, User, Wait
from tests.engine.conftest import Begin
from tests.engine.together import Killed
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]
NIKS = ("3508166904956220", "3508166904956221", "3508166904956222")


def decided(office: Office, what: Callable[..., list[Moved]], day: date, name: str) -> list[Moved]:
    with office.run("cli", by="rini") as run:
        return what(office, run, day, name, by="rini")


add = partial(decided, what=add_day_off)
cancel = partial(decided, what=cancel_day_off)


def test_a_holiday_announced_late_moves_what_runs_over_it(nib: Nib, office: Office) -> None:
    """One waits for the owner, one for an officer, one was answered: the first two move, the owner alone gets a letter."""
    first, second, third = (nib(national_id=number) for number in NIKS)
    first.dossier("return", deficiencies=["foto KTP buram"])  # five working days from 12 January: the 20th
    third.dossier()
    third.answers("ani", "classification#1", decision="proceed", industry_code="10794", risk_level="R")
    third.on("2026-01-13")
    moved = add(office, day=date(2026, 1, 14), name="banjir di kantor")
    told = {(one.case, one.question): (str(one.before), str(one.after)) for one in moved}
    assert told == {
        (first.number, "correction#1"): ("2026-01-20", "2026-01-21"),
        (second.number, "dossier_check#1"): ("2026-01-15", "2026-01-19"),
        (third.number, "statement#1"): ("2026-01-20", "2026-01-21"),
    }
    text = first.letter("date_moved")["text"]
    assert "Semula 20 Januari 2026, sekarang 21 Januari 2026." in text
    assert "hari libur baru 2026-01-14: banjir di kantor" in text
    assert "date_moved" not in second.letters
    entry = next(one for one in second.entries if one.key == "dossier_check#1/moved")
    assert (entry.actor, entry.outcome) == ("rini", "moved")
    assert entry.reason == "2026-01-15 menjadi 2026-01-19; hari libur baru 2026-01-14: banjir di kantor"
    with office.db.reading() as session:
        words = {notice.words for notice in session.exec(select(Notice))}
        settled = session.exec(select(Wait.due_at).where(Wait.case_id == third.case.id, Wait.key == "dossier_check#1"))
        assert settled.one().isoformat().startswith("2026-01-15")  # type: ignore[union-attr]
    assert words == {"1 tenggat bergeser: hari libur baru 2026-01-14: banjir di kantor"}
    assert first.is_whole() and first.shown()["waiting_for"][0]["due_on"] == "2026-01-21"


def test_a_cancelled_joint_leave_moves_them_back_and_a_second_time_is_refused(nib: Nib, office: Office) -> None:
    """The office works on 16 February after all; the weekend and an ordinary day can't be cancelled."""
    story = nib().on("2026-02-11")
    story.dossier("return", deficiencies=["foto KTP buram"])
    assert story.shown()["waiting_for"][0]["due_on"] == "2026-02-20"  # 16 joint leave and 17 Imlek lie between
    [moved] = cancel(office, day=date(2026, 2, 16), name="tetap melayani")
    assert (str(moved.before), str(moved.after)) == ("2026-02-20", "2026-02-19")
    refusals = {
        date(2026, 2, 16): "not on the list of days off",  # worked on already
        date(2026, 2, 18): "not on the list of days off",
        date(2026, 2, 14): "a weekend, and stays one",
        date(2026, 3, 21): "a weekend, and stays one",  # Idulfitri, a Saturday
    }
    for day, words in refusals.items():
        with pytest.raises(Refused, match=words):
            cancel(office, day=day, name="x")
    [back] = add(office, day=date(2026, 2, 16), name="jadi libur lagi")
    assert str(back.after) == "2026-02-20"
    with pytest.raises(Refused, match="is no working day already"):
        add(office, day=date(2026, 2, 16), name="libur")


def test_a_worker_killed_half_way_moves_nothing_twice(
    nib: Nib, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One case a chunk, and death at the second: the same decision, given again, moves the two that are still wrong."""
    stories = [nib(national_id=number) for number in NIKS]
    monkeypatch.setattr(recalculate, "CHUNK", 1)
    tells = recalculate._tell

    def dies(*args: object) -> None:
        if stories[1].number in str(args):
            raise Killed
        tells(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(recalculate, "_tell", dies)
        with pytest.raises(Killed):
            add(office, day=date(2026, 1, 14), name="banjir")
    moved = add(office, day=date(2026, 1, 14), name="banjir lagi")
    assert [one.case for one in moved] == [stories[1].number, stories[2].number]
    assert [[one.key for one in story.entries].count("dossier_check#1/moved") for story in stories] == [1, 1, 1]
    with office.db.reading() as session:
        assert session.exec(select(CalendarDay.name)).all() == ["banjir"]
    with pytest.raises(Refused, match="is no working day already"):
        add(office, day=date(2026, 1, 14), name="banjir")


def test_a_wait_that_changed_before_it_was_locked_moves_from_where_it_is_then(
    nib: Nib, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the lock one is extended and one is answered: the extension stays, and the answer's date."""
    extended, answered = (nib(national_id=number) for number in NIKS[:2])
    looks = recalculate._outdated

    def late(*args: object) -> object:
        monkeypatch.setattr(recalculate, "_outdated", looks)
        found = looks(*args)  # type: ignore[arg-type]
        with office.db.writing() as session:
            session.execute(
                update(Wait)
                .where(col(Wait.case_id) == extended.case.id, col(Wait.settled_at).is_(None))
                .values(extended_until=date(2026, 1, 30))
            )
        with office.run("cli", by="budi") as run:
            answer(office, run, answered.number, "dossier_check#1", by="budi", data={"decision": "complete"})
        return found

    monkeypatch.setattr(recalculate, "_outdated", late)
    moved = add(office, day=date(2026, 1, 14), name="banjir")
    assert [(one.case, str(one.after)) for one in moved if one.question == "dossier_check#1"] == [
        (extended.number, "2026-01-30")
    ]
    with office.db.reading() as session:
        due = session.exec(
            select(Wait.due_at).where(Wait.case_id == answered.case.id, Wait.key == "dossier_check#1")
        ).one()
    assert str(due).startswith("2026-01-15")


def test_where_only_the_last_day_moves_the_owner_is_told_of_that(nib: Nib, office: Office) -> None:
    """The date is past, the end is not: it moves, is remarked and told, and no date of an inbox changed."""
    story = nib()
    story.dossier("return", deficiencies=["foto KTP buram"])
    story.on("2026-01-21")
    assert add(office, day=date(2026, 1, 22), name="banjir, 3508166904956220") == []
    text = story.letter("date_moved")["text"]
    assert "Batas akhir jawaban Anda semula" in text
    assert "Semula 20 Januari" not in text
    reason = next(one.reason for one in story.entries if one.key == "correction#1/moved") or ""
    assert reason.startswith("batas akhir 2026-")
    assert "3508166904956220" not in reason


def test_a_legal_clock_that_comes_first_is_derived_anew_too(nib: Nib, office: Office) -> None:
    """The case's own 30 days end before DPMPTSP's 14: the date is the case's, and a holiday moves it."""
    story = nib().to_verification()
    for returned, answered in (("2026-01-27", "2026-01-28"), ("2026-02-11", "2026-02-12")):
        story.on(returned).verified("return", deficiencies=["denah"])
        story.on(answered).corrects(note="denah baru")
    assert story.shown()["waiting_for"][0]["due_on"] == "2026-03-02"
    [moved] = add(office, day=date(2026, 2, 20), name="banjir")
    assert (moved.question, str(moved.after)) == ("verification#3", "2026-03-03")


def test_a_case_whose_code_is_gone_stops_no_other(
    begin: Begin, nib: Nib, office: Office, workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    """It keeps its date, the log names it and the administrators are told; with its code back the same decision moves it."""
    made = workshop.write(FARM_VISIT, "made_up", ("of=Role.OFFICER,", 'of=Role.OFFICER, due="answer_time",'))
    lost, story = begin(), nib(national_id=NIKS[1])
    workshop.lose("farm-visit", 1)
    first = add(office, day=date(2026, 1, 14), name="banjir")
    assert [one.case for one in first] == [story.number]
    assert (
        f"The clock of case {lost.number} was not derived again: Refused: There is no pipeline farm-visit; there are: "
        in caplog.text
    )
    with office.db.reading() as session:
        told = session.exec(select(User.name, Notice.words).join(User).where(Notice.kind == "failed")).all()
    assert told == [
        (
            "admin",
            f"Tenggat 1 permohonan belum dihitung ulang ({lost.number}): hari libur baru 2026-01-14: banjir. "
            "Perbaiki, lalu ulangi keputusan itu.",
        )
    ]
    workshop.restore(made)
    assert [
        (one.case, str(one.before), str(one.after)) for one in add(office, day=date(2026, 1, 14), name="banjir")
    ] == [(lost.number, "2026-01-20", "2026-01-21")]


def test_a_case_that_can_not_be_written_to_is_passed_over_alone(
    nib: Nib, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What breaks in the middle of a chunk takes none of the others with it."""
    stories = [nib(national_id=number) for number in NIKS]
    tells = recalculate._tell

    def breaks(*args: object) -> None:
        if stories[1].number in str(args):
            raise KeyError("a key that is gone")
        tells(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(recalculate, "_tell", breaks)
        moved = add(office, day=date(2026, 1, 14), name="banjir")
    assert [one.case for one in moved] == [stories[0].number, stories[2].number]
    assert [one.case for one in add(office, day=date(2026, 1, 14), name="banjir")] == [stories[1].number]


def test_no_date_that_people_were_told_moves_behind_today(nib: Nib, office: Office) -> None:
    """On the owner's last day it is said that the office did work on 16 January: the answer is in time all the same."""
    story = nib().dossier("return", deficiencies=["foto KTP buram"])
    [asked] = story.shown()["waiting_for"]
    story.on(asked["silent_on"])
    assert cancel(office, day=date(2026, 1, 16), name="tetap buka") == []
    assert story.shown()["waiting_for"] == [asked]
    story.nothing_happens()
    assert story.corrects(note="foto baru").waits_for == ["dossier_check#2"]


def test_nor_does_it_once_it_is_past(nib: Nib, office: Office) -> None:
    """The same decision given again after the date, and one about another day, leave what was told and what was remarked."""
    story = nib().dossier("return", deficiencies=["foto KTP buram"])
    story.on("2026-01-20")
    assert cancel(office, day=date(2026, 1, 16), name="tetap buka") == []
    told = story.shown()["waiting_for"]
    story.on("2026-01-21")
    with pytest.raises(Refused, match="not on the list of days off"):
        cancel(office, day=date(2026, 1, 16), name="tetap buka")
    assert add(office, day=date(2026, 1, 28), name="banjir") == []
    assert [one["due_on"] for one in story.shown()["waiting_for"]] == [one["due_on"] for one in told]
    assert [one["silent_on"] for one in story.shown()["waiting_for"]] != [one["silent_on"] for one in told]


def test_a_day_off_has_a_name_and_lies_in_a_year_of_which_a_list_is_known(office: Office) -> None:
    """Nothing is decided without words, nor about a year of which nobody knows the days off."""
    add_user(office, "rini", ["division_head"])
    for what in (add, cancel):
        with pytest.raises(Refused, match="in words"):
            what(office, day=date(2026, 1, 16), name="  ")
        for day in (date.min, date(1900, 1, 1), date.max):
            with pytest.raises(Refused, match=f"known for {day.year}"):
                what(office, day=day, name="x")
    with office.db.reading() as session:
        assert session.exec(select(CalendarDay)).all() == []
