"""Filing at an OSS that misbehaves: never twice, never for somebody else, no case lost, and always said why.

The server (tests/outside/misbehaving_oss.py) is real and gives a NIB to every filing, so its own count finds a double one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlmodel import select

from engine.execution import external_calls
from engine.runtime.office import Office
from models import Wait
from outside.oss import Filing, FilingResult
from outside.oss_http import HttpOss
from tests.engine.together import Killed
from tests.outside.misbehaving_oss import MisbehavingOss, Mood

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]
NIK = "3508166904956220"


def waiting(story: NibStory, key: str = "oss_filing#1") -> Wait:
    """The wait of the filing."""
    with story.office.db.reading() as session:
        return session.exec(select(Wait).where(Wait.case_id == story.case.id, Wait.key == key)).one()


def later(story: NibStory, **by: float) -> NibStory:
    """Turn the clock and let the next run come by."""
    story.clock.turn(**by)
    story.advance()
    return story


def pause(story: NibStory) -> timedelta:
    """How long the next attempt waits from now."""
    until = waiting(story).next_attempt_at
    assert until is not None
    return until - story.clock.now()


def test_oss_answers_and_the_answer_is_recorded_as_its_own(nib: Nib, oss: MisbehavingOss) -> None:
    """A filing by machine bears the name of the system that answered, and its PDF is kept."""
    story = nib().to_statement().signs_on_paper()
    assert story.waits_for == ["nib_record#1"]
    entry = next(entry for entry in story.entries if entry.key == "oss_filing#1")
    assert (entry.kind, entry.actor, entry.outcome) == ("machine", "oss (127.0.0.1)", "issued")
    assert story.recorded(by="budi").outcome == "legalized"
    assert oss.nibs_of(NIK) == {"0203260000001"}
    assert "0203260000001" in (story.case.reason or "")


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("mood", [Mood.LATE, Mood.CUT_OFF])
def test_an_answer_that_never_came_whole_is_looked_up_not_filed_again(
    nib: Nib, oss: MisbehavingOss, mood: Mood
) -> None:
    """OSS filed though we lost patience: the NIB is found under our own reference."""
    oss.next(mood)
    story = nib().to_statement().signs_on_paper()
    oss.wait_until_taken()
    assert (story.waits_for, waiting(story).end_unknown) == (["oss_filing#1"], True)
    assert "no whole answer came back" in story.shown()["error"]
    assert pause(story) == timedelta(minutes=1)
    later(story, seconds=30)
    assert oss.look_ups_heard == 0
    later(story, seconds=31)
    assert story.waits_for == ["nib_record#1"]
    assert (oss.filings_heard, len(oss.nibs_of(NIK))) == (1, 1)


@pytest.mark.parametrize("mood", [Mood.FAIL_AFTER, Mood.GARBAGE, Mood.PENDING])
def test_a_broken_answer_to_a_filing_that_was_taken_is_looked_up(nib: Nib, oss: MisbehavingOss, mood: Mood) -> None:
    """500, a web page, or "later": what became of it is asked, and one NIB stands."""
    oss.next(mood)
    story = nib().to_statement().signs_on_paper()
    assert waiting(story).end_unknown
    assert later(story, seconds=61).waits_for == ["nib_record#1"]
    assert (oss.filings_heard, len(oss.nibs_of(NIK))) == (1, 1)


def test_a_500_before_anything_was_filed_is_looked_up_and_filed(nib: Nib, oss: MisbehavingOss) -> None:
    """The look-up finds nothing for sure, so it is filed under the same reference; once."""
    oss.next(Mood.FAIL_BEFORE)
    story = nib().to_statement().signs_on_paper()
    assert later(story, seconds=61).waits_for == ["nib_record#1"]
    assert (oss.filings_heard, len(oss.taken)) == (2, 1)
    assert {key for key in oss.keys if key} == {f"{story.number}/oss_filing#1"}


@pytest.mark.usefixtures("hasty")
def test_an_oss_that_hangs_holds_up_nothing(nib: Nib, oss: MisbehavingOss) -> None:
    """It took the request and never filed: after the time-out the next attempt finds out and files."""
    oss.next(Mood.HANG)
    story = nib().to_statement().signs_on_paper()
    assert story.waits_for == ["oss_filing#1"]
    assert later(story, seconds=61).waits_for == ["nib_record#1"]
    assert len(oss.taken) == 1


def test_a_request_delivered_twice_is_one_filing(nib: Nib, oss: MisbehavingOss) -> None:
    """Some gateway repeats our request: it bears the same reference, so an OSS that keeps them files once."""
    oss.forgetful = False
    oss.next(Mood.TWICE)
    story = nib().to_statement().signs_on_paper()
    oss.wait_for_redelivery()
    assert story.waits_for == ["nib_record#1"]
    assert len(oss.taken) == 1


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        (Mood.STRANGER, "atas nama orang lain"),
        (Mood.NAMESAKE, "atas nama orang lain"),
        (Mood.OTHER_NAME, "atas nama orang lain"),
        (Mood.CROSSED, "atas nama orang lain"),
        (Mood.BAD_NUMBER, "13 angka"),
        (Mood.TORN_PDF, "rusak"),
    ],
)
def test_what_may_be_another_persons_nib_goes_to_an_officer_and_is_never_recorded(
    nib: Nib, oss: MisbehavingOss, mood: Mood, said: str
) -> None:
    """The officer reads why in Indonesian, and the process goes on under the same key."""
    oss.next(mood)
    story = nib().to_statement().signs_on_paper()
    [asked] = story.shown()["waiting_for"]
    assert (asked["question"], asked["role"]) == ("oss_filing#1", "officer")
    assert said in asked["note"]
    assert asked["due_on"] == "2026-01-14"
    assert "oss_filing#1" not in {entry.key for entry in story.entries}
    later(story, days=1)
    assert oss.filings_heard == 1
    assert story.filed().waits_for == ["nib_record#1"]


def test_a_busy_oss_is_left_alone_as_long_as_it_asked(nib: Nib, oss: MisbehavingOss) -> None:
    """429 with Retry-After: 120 means two minutes, and nothing is known to have been filed."""
    oss.next(Mood.BUSY)
    story = nib().to_statement().signs_on_paper()
    assert pause(story) == timedelta(seconds=120)
    assert not waiting(story).end_unknown
    assert "busy (429)" in story.shown()["error"]
    later(story, seconds=119)
    assert oss.filings_heard == 1
    assert later(story, seconds=1).waits_for == ["nib_record#1"]
    assert (oss.filings_heard, oss.look_ups_heard, len(oss.taken)) == (2, 0, 1)


def test_what_oss_refuses_comes_back_for_fixing_without_the_number_it_quotes(nib: Nib, oss: MisbehavingOss) -> None:
    """The owner reads OSS's own reason, the NIK in it masked; the mended filing has a reference of its own."""
    oss.next(Mood.REFUSE)
    story = nib().to_statement().signs_on_paper()
    assert story.waits_for == ["correction#1"]
    text = story.letter("return_notice")["text"]
    assert "357801********01 tidak sesuai dengan data Dukcapil" in text
    assert "3578014107900001" not in text
    assert story.corrects(owner_name="Sri Purnomo").waits_for == ["nib_record#1"]
    assert [one.reference for one in oss.taken] == [f"{story.number}/oss_filing#2"]


def test_who_holds_a_nib_already_is_not_filed_for_again(nib: Nib, oss: MisbehavingOss) -> None:
    """One NIK, one NIB: what OSS knows is recorded, and the owner told how to add an activity to it."""
    oss.forgetful = False
    held = oss.register(NIK, "SRI PURNOMO")
    story = nib().to_statement().signs_on_paper().recorded()
    assert story.outcome == "already_legal"
    assert oss.nibs_of(NIK) == {held}
    assert held in story.letter("already_legal")["text"]


def test_an_outage_that_does_not_end_goes_to_an_officer_after_twelve_attempts(nib: Nib, office: Office) -> None:
    """The pauses double from a minute to six hours; then a person is asked, and no case is lost."""
    office.adapters.oss = HttpOss("http://127.0.0.1:9/oss", "a-token-for-tests", timeout=0.2)
    story = nib().to_statement().signs_on_paper()
    pauses = []
    while waiting(story).kind == "external":
        assert "does not answer" in story.shown()["error"]
        pauses.append(int(pause(story).total_seconds() // 60))
        later(story, minutes=pauses[-1])
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]
    wait = waiting(story)
    assert (wait.attempt, wait.role, wait.end_unknown, wait.leased_until) == (12, "officer", False, None)
    assert "Sistem luar sedang tidak dapat melayani" in (wait.note or "")
    assert story.filed().recorded().outcome == "legalized"


def test_a_worker_that_dies_after_the_call_leaves_a_trace(
    nib: Nib, oss: MisbehavingOss, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease runs out, the end counts as unknown, and the next worker looks up what was filed."""
    recorded = external_calls._settle

    def die(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(external_calls, "_settle", die)
    story = nib().to_statement()
    with pytest.raises(Killed):
        story.signs_on_paper()
    monkeypatch.setattr(external_calls, "_settle", recorded)
    later(story, seconds=60)
    assert (oss.filings_heard, oss.look_ups_heard) == (1, 0), "the lease still holds"
    assert later(story, seconds=61).waits_for == ["nib_record#1"]
    assert (oss.filings_heard, oss.look_ups_heard, len(oss.taken)) == (1, 1, 1)


def test_a_slow_batch_that_outlives_its_lease_files_nothing_twice(
    nib: Nib, office: Office, oss: MisbehavingOss
) -> None:
    """The first call takes three minutes; another worker takes the batch over; the first one leaves the rest to it."""
    stories = [nib().to_statement(), nib(national_id="3508166904956221").to_statement()]
    real = office.adapters.oss

    class Slow:
        name = "slow"

        def file(self, filing: Filing) -> FilingResult:
            office.adapters.oss = real
            result = real.file(filing)
            later(stories[0], minutes=3)
            assert isinstance(result, FilingResult)
            return result

        look_up = real.look_up

    office.adapters.oss = Slow()
    for story in stories[1:]:
        story.advance = lambda: None  # type: ignore[method-assign,assignment,return-value]
        story.signs_on_paper()
        del story.advance
    stories[0].signs_on_paper()
    assert [story.waits_for for story in stories] == [["nib_record#1"], ["nib_record#1"]]
    assert [len(oss.nibs_of(nik)) for nik in (NIK, "3508166904956221")] == [1, 1]
    assert oss.filings_heard == 2


def test_a_fault_of_our_own_is_masked_tried_again_and_ends_with_a_person(
    nib: Nib, office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    """An adapter that breaks is not a lost case: its error is kept without the number that it quotes."""

    class Broken:
        name = "broken"

        def file(self, filing: Filing) -> FilingResult:
            raise RuntimeError(f"cannot encode {filing.national_id} of {filing.email}")

        def look_up(self, reference: str, national_id: str) -> None:
            raise RuntimeError(f"cannot look up {national_id}")

    office.adapters.oss = Broken()
    story = nib().to_statement().signs_on_paper()
    assert story.shown()["error"] == "RuntimeError: cannot encode 350816********20 of s***@contoh.example"
    assert waiting(story).end_unknown, "what it did before it broke is not known"
    while waiting(story).kind == "external":
        later(story, hours=6)
    assert "Periksa dahulu di sistem tersebut" in (waiting(story).note or "")
    assert NIK not in caplog.text
    assert "sri@contoh.example" not in caplog.text
    assert "RuntimeError: cannot look up 350816********20" in caplog.text
