"""A later date is agreed on: by whom and with whom, how often and how far, and what the law does not give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from sqlmodel import select

from engine.actions.extend import extend
from engine.deadlines.clock import morning_of
from engine.errors import NotAllowed, NotWaiting, Refused
from engine.people.accounts import add_user
from engine.people.persons import declare_conflict
from engine.runtime.office import Office
from models import Notice, User, Wait
from tests.engine.conftest import Begin
from tests.engine.together import at_once
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop
from tests.stories.story import Story

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]


@pytest.fixture
def returned(nib: Nib) -> NibStory:
    """A dossier that came back on 12 January: the owner's five working days end on the 20th."""
    return nib().dossier("return", deficiencies=["foto KTP buram"])


def agree(story: Story, until: str, by: str = "budi", agreed_with: str = "owner-1", key: str | None = None) -> Story:
    """Extend in a run of its own."""
    with story.office.run("cli", by=by) as run:
        about: dict[str, Any] = {"reason": "menunggu surat RT", "by": by, "agreed_with": agreed_with}
        extend(story.office, run, story.number, key, until=date.fromisoformat(until), **about)
    return story


def refused(story: Story, *words: str, **more: str) -> str:
    """Return why it is refused; nothing was changed by it."""
    before = len(story.entries), story.shown()["waiting_for"][0]["due_on"]
    with pytest.raises(Refused) as refusal:
        agree(story, *words, **more)
    assert before == (len(story.entries), story.shown()["waiting_for"][0]["due_on"])
    assert refusal.value.for_people
    return str(refusal.value)


def dates(story: Story) -> tuple[str, str]:
    """Return until when the case waits, and when it ends by itself."""
    [waiting] = story.shown()["waiting_for"]
    return waiting["due_on"], waiting["silent_on"]


def test_the_date_moves_and_the_applicant_is_told(returned: NibStory) -> None:
    """Both names and the reason stand in the ledger; the letter says both dates; the owner still answers."""
    silent = dates(returned)[1]
    agree(returned, "2026-01-30")
    assert dates(returned) == ("2026-01-30", max(silent, "2026-01-30"))
    entry = returned.entries[-1]
    assert (entry.key, entry.kind, entry.actor, entry.role) == ("extended", "remark", "budi", "officer")
    assert entry.reason == "correction#1: 2026-01-20 menjadi 2026-01-30, disepakati dengan owner-1; menunggu surat RT"
    assert entry.result == {
        "question": "correction#1",
        "from": "2026-01-20",
        "to": "2026-01-30",
        "agreed_with": "owner-1",
    }
    assert set(entry.rule_versions) >= {"extension_limit", "extension_longest"}
    assert "Semula 20 Januari 2026, sekarang 30 Januari 2026." in returned.letter("date_extended")["text"]
    assert returned.is_whole()


def test_the_silence_and_the_ladder_follow_the_new_date(returned: NibStory, office: Office) -> None:
    """Reminders come before the new date and on it; past the first limit nothing ends; past the new date the case lapses."""
    silent = date.fromisoformat(dates(returned)[1])
    returned.on("2026-01-20").nothing_happens()
    agree(returned, "2026-02-19")
    said = returned.letters.count("reminder")
    with office.db.reading() as session:
        wait = session.exec(select(Wait).where(Wait.key == "correction#1")).one()
    assert wait.extended_until == date(2026, 2, 19)
    assert (wait.rung, wait.next_due_at) == (0, morning_of(date(2026, 1, 30))), "half of the time to the new date"
    assert dates(returned) == ("2026-02-19", max(silent.isoformat(), "2026-02-19"))
    for place, day in enumerate(("2026-01-30", "2026-02-19"), start=1):
        returned.on(day).nothing_happens()
        assert returned.letters.count("reminder") == said + place
    assert returned.waits_for == ["correction#1"]
    returned.on("2026-06-01").nothing_happens()
    assert returned.outcome == "not_corrected"


def test_how_far_and_how_often(returned: NibStory) -> None:
    """Never shorter or past, thirty days at most, one at a time, twice in all."""
    for until in ("2026-01-20", "2026-01-15", "2026-01-11", "2026-02-20"):
        assert f"{until} is no date to extend to: later than 2026-01-20, until 2026-02-19" in refused(returned, until)
    agree(returned, "2026-01-22")
    assert "is extended until 2026-01-22; the next" in refused(returned.on("2026-01-22"), "2026-01-26")
    agree(returned.on("2026-01-23"), "2026-01-26")
    assert "was extended 2 times, and 2 is the limit" in refused(returned.on("2026-01-27"), "2026-01-30")


def test_who_agrees_with_whom(returned: NibStory, office: Office) -> None:
    """An officer or official of the region, with the owner; no companion, no LSP, not the owner alone, not two officials."""
    add_user(office, "tono", ["division_head"], region="3578")
    add_user(office, "lusi", ["lsp_officer"])
    for by in ("ani", "owner-1", "tono", "lusi"):
        with pytest.raises(NotAllowed):
            agree(returned, "2026-01-30", by=by)
    for other in ("rini", "budi", "ani"):
        assert f"not with {other}" in refused(returned, "2026-01-30", agreed_with=other)
    assert "no user hantu" in refused(returned, "2026-01-30", agreed_with="hantu")
    assert dates(agree(returned, "2026-01-30", by="rini"))[0] == "2026-01-30"


def test_who_declared_a_conflict_gives_no_time(returned: NibStory, office: Office) -> None:
    """Neither the officer of the owner's family nor the head of division who trained them; a colleague does."""
    for name in ("budi", "rini"):
        declare_conflict(office, name, "family", by="admin", business=returned.case.subject_id)
        with pytest.raises(NotAllowed, match=f"{name} declared a conflict of interest"):
            agree(returned, "2026-01-30", by=name)
    assert dates(agree(returned, "2026-01-30", by="tuti"))[0] == "2026-01-30"


def test_an_officers_question_is_extended_in_agreement_and_its_holder_is_told(
    begin: Begin, office: Office, workshop: Workshop
) -> None:
    """A question without a date has none to move."""
    visit = 'VISIT = Question(Visit, of=Role.OFFICER, title="Kunjungi lahan")'
    timed = visit.replace("title=", 'due="answer_time", title=')
    workshop.write(FARM_VISIT, "made_up", (visit, timed), ("ask(VISIT)", 'ask(VISIT, to="budi")'))
    story = begin()
    assert "not with tuti" in refused(story, "2026-01-30", by="rini", agreed_with="tuti")
    agree(story, "2026-01-30", by="rini", agreed_with="budi", key="visit")
    with office.db.reading() as session:
        told = session.exec(select(Notice)).one()
    assert told.words == "Kunjungi lahan: tenggat 2026-01-20 menjadi 2026-01-30; menunggu surat RT"
    story.answers("budi", "visit#1", decision="fine")
    assert "sample#1 has no date to extend" in refused(story, "2026-01-30", agreed_with="ani")
    with pytest.raises(NotWaiting):
        agree(story, "2026-01-30", key="visit#1")


@pytest.mark.both_databases
def test_two_who_extend_at_once_move_it_once(returned: NibStory) -> None:
    """The second finds that one runs."""
    ends = at_once(lambda: agree(returned, "2026-01-30"), lambda: agree(returned, "2026-02-02", by="rini"))
    assert sorted(isinstance(one, Refused) for one in ends) == [False, True]
    assert [entry.key for entry in returned.entries].count("extended") == 1


def test_what_the_law_gives_is_extended_only_by_the_law(
    begin: Begin, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten days of UU 30/2014 have no rule that lets them be moved; with one, they move as far as it says."""
    visit = 'VISIT = Question(Visit, of=Role.OFFICER, title="Kunjungi lahan")'
    made = workshop.write(
        FARM_VISIT, "made_up", (visit, visit.replace("title=", 'due="objection_answer_time", title='))
    )
    story = begin()
    assert "is the law's (UU 30/2014 Pasal 77), which gives no extension" in refused(story, "2026-02-04", by="rini")
    rule = replace(made.rules.at("objection_answer_time", date(2026, 1, 12)), name="objection_answer_time_extension")
    monkeypatch.setitem(made.rules._rules, rule.name, [replace(rule, value=3)])
    assert "until 2026-01-30 (UU 30/2014" in refused(story, "2026-02-02", by="rini")
    assert agree(story, "2026-01-30", by="rini").shown()["waiting_for"][0]["due_on"] == "2026-01-30"


def test_time_that_is_up_is_not_extended(returned: NibStory) -> None:
    """Whether or not a sweep came by."""
    with pytest.raises(NotWaiting, match="the time has passed"):
        agree(returned.on("2026-06-01"), "2026-06-10")


def test_an_officers_ladder_begins_anew_and_says_it_again(nib: Nib, office: Office) -> None:
    """Reminded and handed upwards before the date was extended, they are again after the new one; each thing once."""
    add_user(office, "sari", ["supervisor"])
    story = nib().on("2026-01-15").nothing_happens().on("2026-01-19").nothing_happens()  # due on the 15th
    agree(story, "2026-01-30", agreed_with="owner-1")
    assert [told for told in notices(office) if told.startswith(("sari", "budi"))] == [
        "budi: Periksa kelengkapan berkas: tenggat 15 Januari 2026",
        "sari: Periksa kelengkapan berkas: lewat 1 hari kerja, tenggat 15 Januari 2026",
    ]
    for day in ("2026-01-28", "2026-01-30", "2026-02-02"):
        story.on(day).nothing_happens().nothing_happens()
    assert [told for told in notices(office) if told.startswith(("sari", "budi"))][2:] == [
        "budi: Periksa kelengkapan berkas: tenggat 30 Januari 2026",
        "budi: Periksa kelengkapan berkas: tenggat 30 Januari 2026",
        "sari: Periksa kelengkapan berkas: lewat 1 hari kerja, tenggat 30 Januari 2026",
    ]
    assert story.is_whole()


def notices(office: Office) -> list[str]:
    """Return what officers are told, the oldest first."""
    with office.db.reading() as session:
        found = session.exec(select(User.name, Notice.words).join(User).order_by(Notice.id))  # type: ignore[arg-type]
        return [f"{name}: {words}" for name, words in found]
