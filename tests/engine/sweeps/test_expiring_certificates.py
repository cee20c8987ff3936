"""Which certificates are renewed and which are not, with what, and what their holders read."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from sqlmodel import delete, select, update

from documents.letters import write_letter
from documents.preview import sample_facts
from documents.templating import TEMPLATES
from engine.deadlines.clock import JAKARTA, TurnedClock
from engine.definition.declarations import OFFICE
from engine.errors import NotWaiting
from engine.runtime.office import Office
from models import Business, PersonKey, Renewal, Standing
from tests.people import register_business
from tests.pipelines_for_tests.permits import (
    END,
    NOTHING,
    OPENED,
    PERMIT,
    REMINDED,
    Permit,
    ahead,
    due_permits,
    goes_through,
    letters,
    numbers,
    recorded,
    renewed,
    taken_up,
)
from tests.pipelines_for_tests.permits import permit as permit
from tests.pipelines_for_tests.workshop import Workshop
from tests.stories.story import Story


def test_a_reminder_says_how_the_renewal_stands(permit: Permit, office: Office, clock: TurnedClock) -> None:
    """With its holder: the step; with the office: nothing to do; closed without a permit: apply again, and none is opened."""
    for _ in range(3):
        permit()
    clock.turn(days=185)
    assert renewed(office) == {**NOTHING, "due": 3, "opened": 3}
    idle, busy, lapsed = (taken_up(office, clock, f"IZN-2026-00000{place}") for place in (4, 5, 6))
    busy.answers(f"owner-{busy.case.person_id}", "wish#1")
    idle.on(ahead(30))
    with pytest.raises(NotWaiting, match="the time has passed"):
        lapsed.answers(f"owner-{lapsed.case.person_id}", "wish#1")
    lapsed.advance()
    assert lapsed.outcome == "lapsed"
    assert renewed(office) == {**NOTHING, "due": 3, "reminded": 3}
    texts = [story.letter("renewal_reminder")["text"] for story in (idle, busy, lapsed)]
    for place, words in enumerate(("menunggu satu langkah", "sedang kami proses", "permohonan baru (Izin lapak)")):
        assert [words in text for text in texts] == [place == 0, place == 1, place == 2]
    assert not any("bukan untuk memperpanjang" in text for text in texts)
    assert len(numbers(office)) == 6


def test_a_certificate_of_another_body_is_renewed_as_ours_are(
    permit: Permit, office: Office, clock: TurnedClock
) -> None:
    """With its own number and what it gives, on the same days; what the renewal then gives is renewed in its turn."""
    recorded(office)
    number = "IZN-2026-000001"
    for days, comes in ((181, NOTHING), (180, OPENED), (179, NOTHING), (90, REMINDED), (30, REMINDED), (-1, NOTHING)):
        clock.moment = datetime.combine(END - timedelta(days=days), time(6, 20), JAKARTA)
        assert (days, renewed(office), renewed(office)) == (days, comes, NOTHING)
    new = taken_up(office, clock, number)
    assert new.entries[0].reason == "dilanjutkan dari sertifikat LAIN/1"
    [asked] = new.shown()["waiting_for"]
    known = asked["form"]["properties"]
    assert (known["area"]["default"], known["previous"]["default"]) == ("permit", "LAIN/1")
    new.answers(f"owner-{new.case.person_id}", "wish#1").answers("budi", "look#1")
    clock.turn(days=365 - 180)
    assert (renewed(office), renewed(office)) == (OPENED, NOTHING)
    assert numbers(office) == [number, "IZN-2027-000001"]


@pytest.mark.parametrize("why", ["outlasted", "lasts for ever", "ended", "erased", "no rule names it"])
def test_what_is_not_renewed(
    permit: Permit, office: Office, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """A newer permit is there; it has no end, or was ended; its holder's key is gone; nothing says who renews it."""
    old = permit().on(ahead(100))
    if why == "outlasted":
        goes_through(Story(office, clock, "permit", old.case.subject_id))
    if why == "no rule names it":
        due_permits(monkeypatch, standings=["passport"])
    with office.db.writing() as session:
        if why == "lasts for ever":
            session.execute(update(Standing).values(until=None))
        if why == "ended":
            session.execute(update(Standing).values(until=office.clock.today() - timedelta(days=1)))
        if why == "erased":
            session.execute(delete(PersonKey))
    assert renewed(office) == NOTHING


@pytest.mark.parametrize("ours_ends", ["2026-12-31", "2027-01-31"])
def test_of_ours_and_another_bodys_the_one_that_ends_last_is_renewed(
    permit: Permit, office: Office, clock: TurnedClock, ours_ends: str
) -> None:
    """Whichever of the two it is."""
    old = permit()
    recorded(office, person=old.case.subject_id)
    with office.db.writing() as session:
        session.execute(update(Standing).values(until=date.fromisoformat(ours_ends)))
    old.on(ahead(100))
    assert (renewed(office), renewed(office)) == (OPENED, NOTHING)
    with office.db.reading() as session:
        assert session.exec(select(Renewal.what)).all() == ["LAIN/1" if ours_ends < "2027" else "permit"]


def test_where_no_case_can_be_opened_the_letter_goes_with_the_old_one(
    permit: Permit, workshop: Workshop, office: Office, clock: TurnedClock
) -> None:
    """The business is gone from the register; the holder is told all the same, at each stage."""
    workshop.write(PERMIT.replace('subject="person"', 'subject="business"'), "permits")
    old = goes_through(Story(office, clock, "permit", register_business(office)))
    with office.db.writing() as session:
        session.execute(delete(Business))
    for days in (180, 90):
        old.on(ahead(days))
        assert (renewed(office), renewed(office)) == (REMINDED, NOTHING)
    assert letters(office) == [(old.number, "renewal_reminder")] * 2
    with office.db.reading() as session:
        [why] = session.exec(select(Renewal.refused))
    assert why == f"there is no business {old.case.subject_id} any more"
    assert old.is_whole()


def test_an_end_that_was_put_right_counts_anew(permit: Permit, office: Office) -> None:
    """The office corrected the last day after it had reminded: the stages of the new one come on their own days."""
    old = permit().on(ahead(20))
    assert renewed(office) == OPENED
    with office.db.writing() as session:
        session.execute(update(Standing).values(until=END + timedelta(days=365)))
    assert renewed(office) == NOTHING
    old.clock.turn(days=365 - 70)
    assert renewed(office) == REMINDED, "the case is open still"


def test_a_pipeline_may_carry_nothing(permit: Permit, office: Office, clock: TurnedClock, workshop: Workshop) -> None:
    """Where it does not say what is known, the form is empty."""
    permit().on(ahead(180))
    workshop.write(PERMIT.replace("version=1", "version=2").replace(", renews=known", ""), "permits_anew")
    assert renewed(office) == OPENED
    [asked] = taken_up(office, clock, "IZN-2026-000002").shown()["waiting_for"]
    assert "default" not in asked["form"]["properties"]["area"]


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("letter", ["renewal_opened", "renewal_reminder"])
def test_the_letters_are_whole_in_both_languages(letter: str, language: str) -> None:
    """With their sample facts, which are all that they need; the subject is the rule's."""
    template = f"{OFFICE}/letters/{letter}"
    written = write_letter(template, sample_facts(TEMPLATES / template), language)
    assert written.subject == "Sertifikat kompetensi Anda akan berakhir, segera ajukan RCC"
    assert "62019 2513 6 0033443 2026" in written.text and "2029" in written.text
