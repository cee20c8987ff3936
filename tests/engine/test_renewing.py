"""Certificates are renewed ahead of their end: on their days, once each, whoever runs it, how late, and whatever breaks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
from sqlmodel import col, delete, select, update

from engine import registry, renewing
from engine.clock import JAKARTA, TurnedClock
from engine.documents.letters import write
from engine.documents.preview import sample_facts
from engine.documents.templating import TEMPLATES
from engine.errors import NotWaiting
from engine.office import Office
from engine.outbox import OFFICE
from engine.people import record_certificate
from engine.registry import pipeline_named
from engine.renewing import Renewed, renew
from models import Business, Case, Letter, Renewal, SealingKey, Standing
from rules import Rule, RuleBook
from tests.engine.together import Killed, at_once
from tests.people import EVIDENCE, hire_staff, register_business, register_person
from tests.pipelines_for_tests.workshop import Workshop
from tests.story import Story

PERMIT = """
from datetime import date
from engine.words import *

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
    stand("permit", reference=f"P/{case.number}", until=run.today.replace(year=run.today.year + 1))
    stand(f"permit:{area}", reference=f"P/{case.number}", until=run.today.replace(year=run.today.year + 1))

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
    known = registry.book
    monkeypatch.setattr(
        registry, "book", lambda slug: RuleBook([*known(slug).rows(), *([row] if slug == "permit" else [])])
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
        return list(session.exec(select(Case.number).order_by(col(Case.id))))


def letters(office: Office) -> list[tuple[str, str]]:
    """Return the case and name of every letter about renewals, the oldest first."""
    with office.db.reading() as session:
        wanted = select(Case.number, Letter.letter).join(Case, col(Case.id) == col(Letter.case_id))
        return list(session.exec(wanted.where(col(Letter.letter).like("renewal%")).order_by(col(Letter.at))))


def test_it_is_opened_180_days_ahead_and_reminded_of_at_90_and_30(
    permit: Permit, office: Office, clock: TurnedClock
) -> None:
    """Not a day too early, on no day twice, on none in between, and never once it has ended."""
    old = permit()
    new = "IZN-2026-000002"
    for days, comes in {181: NOTHING, 180: OPENED, 179: NOTHING, 91: NOTHING, 90: REMINDED, 31: NOTHING}.items():
        old.on(ahead(days))
        assert (days, renewed(office), renewed(office)) == (days, comes, NOTHING)
        old.advance()
    for days, comes in {30: REMINDED, 29: NOTHING, 0: NOTHING, -1: NOTHING}.items():
        old.on(ahead(days))
        assert (days, renewed(office)) == (days, comes)
    assert letters(office) == [(new, "renewal_opened"), (new, "renewal_reminder"), (new, "renewal_reminder")]
    opened = taken_up(office, clock, new)
    told = opened.letters
    assert told == ["renewal_opened", "renewal_reminder", "renewal_reminder"]
    words = opened.letter("renewal_opened")
    assert words["subject"] == "Sertifikat Anda akan berakhir"
    assert "12 Januari 2027" in words["text"] and "P/IZN-2026-000001" in words["text"]
    assert [entry.key for entry in old.entries][-1] == "renewal_opened"
    assert old.entries[-1].reason == f"dilanjutkan sebagai {new}"
    assert opened.entries[0].reason == "dilanjutkan dari IZN-2026-000001"
    assert opened.entries[1].reason == "sertifikat P/IZN-2026-000001 berlaku sampai 2027-01-12"
    assert old.is_whole() and opened.is_whole()


def test_what_is_known_is_filled_in_and_a_renewal_given_in_time_is_the_end_of_it(
    permit: Permit, office: Office, clock: TurnedClock
) -> None:
    """Nobody types what the old case knew; the new permit outlasts the old one, which nobody is reminded of any more."""
    permit().on(ahead(180))
    assert renewed(office) == OPENED
    new = taken_up(office, clock, "IZN-2026-000002")
    [asked] = new.shown()["waiting_for"]
    known = asked["form"]["properties"]
    assert (known["area"]["default"], known["previous"]["default"]) == ("pasar", "P/IZN-2026-000001")
    new.answers(f"owner-{new.case.person_id}", "wish#1").answers("budi", "look#1")
    assert new.outcome == "given"
    for days in (90, 30, 0):
        new.on(ahead(days))
        assert renewed(office) == NOTHING
    assert [letter for letter in letters(office) if letter[0] == new.number] == [(new.number, "renewal_opened")]


def test_a_schedule_that_did_not_run_says_the_latest_thing_only(
    permit: Permit, office: Office, clock: TurnedClock
) -> None:
    """Off for 100 days the case is opened 80 days ahead, with one letter; off until the last weeks, one reminder."""
    story = permit().on(ahead(80))
    assert (renewed(office), renewed(office)) == (OPENED, NOTHING)
    story.on(ahead(2))
    assert (renewed(office), renewed(office)) == (REMINDED, NOTHING)
    assert [name for _, name in letters(office)] == ["renewal_opened", "renewal_reminder"]


@pytest.mark.parametrize("whose", ["ours", "another body's"])
def test_many_workers_at_once_open_one_case(permit: Permit, office: Office, clock: TurnedClock, whose: str) -> None:
    """Four at the same moment, at each stage: one case, one letter a stage."""
    story = permit()
    if whose != "ours":
        with office.db.writing() as session:
            session.execute(delete(Standing))
        recorded(office)
    for days, what in ((180, "opened"), (90, "reminded"), (30, "reminded")):
        story.on(ahead(days))
        ends = at_once(*[partial(_run, office)] * 4)
        assert [end for end in ends if not isinstance(end, Renewed) or end.failed] == []
        assert [sum(getattr(end, name) for end in ends) for name in ("due", what)] == [1, 1]
    assert numbers(office) == ["IZN-2026-000001", "IZN-2026-000002"]
    assert len(letters(office)) == 3


def _run(office: Office) -> Renewed:
    with office.run("flow", by="renewal") as run:
        return renew(office, run)


@pytest.mark.parametrize("where", ["_win", "_tell", "note"])
def test_a_worker_killed_in_between_leaves_nothing_half_done(
    permit: Permit, office: Office, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """It dies before its commit: no case, no letter, no number lost; the next run does all of it."""
    permit().on(ahead(180))

    def dies(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(renewing, where, dies)
        with pytest.raises(Killed):
            renewed(office)
    assert (numbers(office), letters(office)) == (["IZN-2026-000001"], [])
    assert renewed(office) == OPENED
    assert numbers(office) == ["IZN-2026-000001", "IZN-2026-000002"]


def test_a_case_that_is_open_already_is_named_and_none_opened(
    permit: Permit, office: Office, clock: TurnedClock
) -> None:
    """Its holder hears once that the permit ends; where that case came to nothing, a case is opened at the next stage."""
    old = permit().on(ahead(180))
    own = Story(office, clock, "permit", old.case.subject_id)
    assert (renewed(office), renewed(office)) == (REMINDED, NOTHING)
    assert "menunggu satu langkah dari Anda: Isi permohonan izin" in own.letter("renewal_reminder")["text"]
    own.withdraws(f"owner-{old.case.person_id}").on(ahead(90))
    assert renewed(office) == OPENED
    assert letters(office) == [(own.number, "renewal_reminder"), ("IZN-2026-000003", "renewal_opened")]


def test_a_case_opened_between_the_look_and_the_lock_is_named_as_well(
    permit: Permit, office: Office, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody opens it in that moment: nothing is opened twice, and nothing fails."""
    old = permit().on(ahead(180))
    own = Story(office, clock, "permit", old.case.subject_id)
    looked = [None]
    known = renewing._running
    monkeypatch.setattr(renewing, "_running", lambda *about: looked.pop() if looked else known(*about))
    assert renewed(office) == REMINDED
    assert numbers(office) == [old.number, own.number]


def test_who_took_the_renewal_back_is_not_asked_again(permit: Permit, office: Office, clock: TurnedClock) -> None:
    """Withdrawn is withdrawn."""
    permit().on(ahead(180))
    renewed(office)
    new = taken_up(office, clock, "IZN-2026-000002")
    new.withdraws(f"owner-{new.case.person_id}").on(ahead(90))
    assert (renewed(office), renewed(office)) == (SKIPPED, NOTHING)
    assert [name for _, name in letters(office)] == ["renewal_opened"]


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
            session.execute(delete(SealingKey))
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


def test_one_that_is_broken_is_reported_and_the_others_go_on(permit: Permit, office: Office) -> None:
    """By its number and without anybody's own; it stays due."""
    story = permit()
    recorded(office, "RUSAK")
    story.on(ahead(180))
    failed = [{"case": "sertifikat RUSAK", "reason": "ValueError: the seal of 350816********20 is broken"}]
    assert renewed(office) == {**OPENED, "due": 2, "failed": failed}
    assert renewed(office) == {**NOTHING, "due": 1, "failed": failed}
    assert len(letters(office)) == 1


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
    written = write(template, sample_facts(TEMPLATES / template), language)
    assert written.subject == "Sertifikat kompetensi Anda akan berakhir, segera ajukan RCC"
    assert "62019 2513 6 0033443 2026" in written.text and "2029" in written.text
