"""A date in a year whose days off no decree fixes yet is told as provisional, wherever people read it; no other date is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlmodel import select

from engine.actions.extend import extend
from engine.cases.dossier import fetch_by_number
from engine.runtime.office import Office
from engine.sweeps.calendar_decisions import add_day_off
from models import Document, Notice
from tests.stories.nib_legalization.conftest import NibStory
from tests.stories.nib_legalization.conftest import nib as nib

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., NibStory]
SAID = "pemerintah belum menetapkan hari libur tahun 2027. Tanggal tahun 2027 di surat ini masih sementara"


def returned(nib: Nib, day: str, **applicant: Any) -> NibStory:
    return nib(**applicant).on(day).dossier("return", deficiencies=["foto KTP buram"])


def facts_of(story: NibStory, kind: str) -> dict[str, Any]:
    with story.office.db.reading() as session:
        dossier = fetch_by_number(story.office, session, story.number)
        wanted = select(Document.facts).where(Document.case_id == story.case.id, Document.kind == kind)
        facts: dict[str, Any] = story.office.vault.decrypt(dossier.key, session.exec(wanted).one())
        return facts


def test_letters_and_papers_say_which_of_their_dates_may_move(nib: Nib) -> None:
    """Returned on 29 December 2026, due on 7 January 2027; of a case of November not a word."""
    story = returned(nib, "2026-12-29")
    assert story.shown()["waiting_for"][0]["due_on"] == "2027-01-07"
    assert SAID in story.letter("return_notice")["text"]
    assert facts_of(story, "return_notice")["provisional"] == ["2027"]
    assert SAID not in story.letter("receipt")["text"]
    assert "provisional" not in facts_of(story, "receipt")


def test_reminders_and_moved_and_extended_dates_say_so_too(nib: Nib, office: Office) -> None:
    """What the office writes by itself is about the same date."""
    story = returned(nib, "2026-12-29").on("2027-01-04").nothing_happens()
    assert SAID in story.letter("reminder")["text"]
    with office.run("cli", by="rini") as run:
        add_day_off(office, run, date(2027, 1, 6), "banjir", by="rini")
        extend(
            office, run, story.number, None, until=date(2027, 1, 20), reason="sakit", by="budi", agreed_with="owner-1"
        )
    assert [SAID in story.letter(name)["text"] for name in ("date_moved", "date_extended")] == [True, True]


def test_a_decision_says_that_the_day_until_which_one_may_object_may_move(nib: Nib) -> None:
    """The refusal is drafted in one step and issued after it: both the letter and the numbered decision say so."""
    story = nib().on("2026-12-29").dossier("reject", reason="bukan usaha mikro")
    assert SAID in story.letter("refused")["text"]
    assert facts_of(story, "refusal")["provisional"] == ["2027"]


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_last_day_alone_may_lie_in_such_a_year(nib: Nib, language: str) -> None:
    """Due on 7 December 2026, ended on 15 January 2027: the inbox marks the row, and the letter says it in both languages."""
    story = returned(nib, "2026-11-30", language=language)
    [asked] = story.shown()["waiting_for"]
    assert (asked["due_on"], asked["provisional"]) == ("2026-12-07", False)
    assert (asked["silent_on"], asked["silent_provisional"]) == ("2027-01-15", True)
    note = {"id": SAID, "en": "Dates of 2027 in this letter are provisional and may still move."}[language]
    assert note in story.letter("return_notice")["text"]


def test_officers_read_it_in_what_they_are_told(nib: Nib, office: Office) -> None:
    """A supervisor's, as the holder's: the date with its mark."""
    nib().on("2026-12-29").dossier().on("2027-01-08").nothing_happens()
    with office.db.reading() as session:
        words = {notice.words for notice in session.exec(select(Notice))}
    assert {("(sementara)" in one) for one in words if "2027" in one} == {True}
