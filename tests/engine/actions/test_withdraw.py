"""An owner takes an application back at any moment; what a machine has in hand is first brought to its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from engine.actions.withdraw import withdraw
from engine.deadlines.clock import JAKARTA
from engine.errors import NotWaiting, Refused
from engine.runtime.office import Office
from tests.engine.conftest import Begin
from tests.outside.misbehaving_oss import MisbehavingOss, Mood
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]


def outcomes(story: NibStory) -> list[tuple[str, str | None]]:
    """Key and outcome of what happened after the statement."""
    keys = [entry.key for entry in story.entries]
    return [(entry.key, entry.outcome) for entry in story.entries[keys.index("confirm_statement#1") + 1 :]]


def test_while_oss_is_busy_a_withdrawal_is_noted_and_waits_for_the_outcome(nib: Nib, oss: MisbehavingOss) -> None:
    """What became of the filing is recorded first; then the case ends as withdrawn, and nobody is asked any more."""
    oss.next(Mood.BUSY)
    story = nib().to_statement().signs_on_paper()
    story.withdraws("owner-1", "pindah kota")
    assert (story.outcome, story.waits_for) == (None, ["oss_filing#1"])
    assert outcomes(story) == [("withdrawal_noted", "withdrawal_noted")]
    story.clock.turn(minutes=3)
    story.advance()
    assert story.outcome == "withdrawn"
    assert outcomes(story) == [
        ("withdrawal_noted", "withdrawal_noted"),
        ("oss_filing#1", "issued"),
        ("nib_record#1", "withdrawn"),
        ("confirm_withdrawn#1", None),
        ("closed#1", "withdrawn"),
    ]
    entry = next(entry for entry in story.entries if entry.key == "nib_record#1")
    assert (entry.actor, entry.reason) == ("owner-1", "pindah kota")
    assert story.letters[-1] == "withdrawn"


def test_what_oss_refuses_is_not_filed_again_for_who_withdrew(nib: Nib, oss: MisbehavingOss) -> None:
    """The refusal is recorded; the correction that would be asked for ends in the withdrawal instead."""
    oss.next(Mood.BUSY, Mood.REFUSE)
    story = nib().to_statement().signs_on_paper().withdraws("owner-1")
    story.clock.turn(minutes=3)
    story.advance()
    assert story.outcome == "withdrawn"
    assert ("correction#1", "withdrawn") in outcomes(story)
    assert oss.taken == []


def test_nobody_files_by_hand_for_who_withdrew_before_anything_went_out(nib: Nib, oss: MisbehavingOss) -> None:
    """OSS stays closed for good and nothing was sent: the wait ends in the withdrawal, not in an officer's inbox."""
    oss.next(*[Mood.BUSY] * 12)
    story = nib().to_statement().signs_on_paper().withdraws("owner-1")
    for _ in range(11):
        story.clock.turn(minutes=3)
        story.advance()
    assert story.outcome == "withdrawn"
    assert ("oss_filing#1", "withdrawn") in outcomes(story)
    assert oss.taken == []


def test_where_something_may_have_gone_out_an_officer_looks_all_the_same(nib: Nib, oss: MisbehavingOss) -> None:
    """A NIB may be there: an officer finds out and records it before the withdrawal takes effect."""
    oss.next(Mood.FAIL_AFTER)
    oss.next_look_up(Mood.GARBAGE)
    story = nib().to_statement().signs_on_paper().withdraws("owner-1")
    story.clock.turn(minutes=3)
    story.advance()
    [asked] = story.shown()["waiting_for"]
    assert (asked["question"], asked["role"]) == ("oss_filing#1", "officer")
    story.filed()
    assert story.outcome == "withdrawn"
    assert outcomes(story)[1:3] == [("oss_filing#1", "issued"), ("nib_record#1", "withdrawn")]


def test_once_a_person_is_asked_to_file_the_owner_may_withdraw_at_once(nib: Nib, oss: MisbehavingOss) -> None:
    """The machine gave up; what waits for an officer is taken back like any other question."""
    oss.next(Mood.STRANGER)
    story = nib().to_statement().signs_on_paper().withdraws("owner-1")
    assert story.outcome == "withdrawn"


def test_while_a_document_is_issued_it_is_too_late(nib: Nib, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number is drawn: the case closes as it would have, and the ledger notes who wanted it otherwise."""
    with monkeypatch.context() as broken:
        broken.setattr("engine.execution.issuing.make_and_store", lambda *_: 1 / 0)
        story = nib().to_statement().signs_on_paper().filed().recorded()
        assert story.waits_for == ["certificate_of_legalization#1"]
        story.withdraws("owner-1")
    story.clock.turn(minutes=3)
    story.advance()
    assert story.outcome == "legalized"
    noted = [entry for entry in story.entries if entry.key == "withdrawal_noted"]
    assert [(entry.actor, entry.kind) for entry in noted] == [("owner-1", "remark")]


def test_a_second_withdrawal_is_refused(nib: Nib, office: Office, oss: MisbehavingOss) -> None:
    """Whether the first is only noted, or recorded and not yet carried out, or done."""
    oss.next(Mood.BUSY)
    noted = nib().to_statement().signs_on_paper().withdraws("owner-1")
    with pytest.raises(Refused, match=f"{noted.number} is already being withdrawn"):
        noted.withdraws("owner-1")
    recorded = nib(national_id="3508166904956221")
    with office.run("cli", by="owner-2") as run:
        withdraw(office, run, recorded.number, by="owner-2", reason="")
        with pytest.raises(Refused, match="already being withdrawn") as refused:
            withdraw(office, run, recorded.number, by="owner-2", reason="")
    assert "sudah selesai atau sedang ditarik" in refused.value.for_people
    recorded.advance()
    with pytest.raises(Refused, match=r"already closed \(withdrawn\). See: jalur case show"):
        recorded.withdraws("owner-2")
    assert [entry.outcome for entry in recorded.entries].count("withdrawn") == 2  # the answer and the end


def test_of_several_open_questions_all_end_and_one_bears_the_withdrawal(begin: Begin, workshop: Workshop) -> None:
    """Two people are asked; the owner withdraws; neither is asked any longer, and the ledger says it once."""
    both = "visit, sample = ask_all(VISIT, SAMPLE)"
    workshop.write(FARM_VISIT, "made_up", ("visit = ask(VISIT)", both), ("    sample = ask(SAMPLE)\n", ""))
    story = begin().withdraws("owner-1", "lahan dijual")
    assert (story.outcome, story.waits_for) == ("withdrawn", [])
    taken_back = [entry.key for entry in story.entries if entry.kind == "answer"]
    assert len(taken_back) == 1
    for by, key in (("budi", "visit#1"), ("ani", "sample#1")):
        with pytest.raises(NotWaiting, match="was withdrawn before"):
            story.answers(by, key, decision="fine")


def test_time_that_is_up_is_not_undone_by_a_withdrawal(nib: Nib) -> None:
    """The owner let the last day pass, no sweep came by, and budi records a withdrawal: the case lapsed, as it would have."""
    swept, late = nib(), nib(national_id="3508166904956221")
    for story in (swept, late):
        story.on("2026-01-12").dossier("return", deficiencies=["foto KTP buram"])
    last = late.shown()["waiting_for"][0]["silent_on"]
    late.on(str(date.fromisoformat(last) + timedelta(days=1))).withdraws("budi")
    with pytest.raises(Refused, match="already closed"):
        swept.nothing_happens().withdraws("budi")
    assert swept.outcome == late.outcome == "not_corrected"
    assert [(one.key, one.outcome) for one in late.entries if one.kind == "answer"][-1] == ("correction#1", "silent")
    [noted] = [one for one in late.entries if one.key == "withdrawal_noted"]
    assert (noted.actor, noted.role, noted.on_behalf_of) == ("budi", "officer", "owner-2")


def test_of_two_questions_the_one_whose_time_is_up_ends_so(begin: Begin, workshop: Workshop) -> None:
    """The other bears the withdrawal; on the last second itself neither had ended."""
    both = "visit, sample = ask_all(VISIT, SAMPLE)"
    timed = ("of=Role.OFFICER,", 'of=Role.OFFICER, silent_after="answer_limit",')
    workshop.write(FARM_VISIT, "made_up", timed, ("visit = ask(VISIT)", both), ("    sample = ask(SAMPLE)\n", ""))
    in_time, late = begin(), begin()
    [last] = [date.fromisoformat(one["silent_on"]) for one in in_time.shown()["waiting_for"] if one["silent_on"]]
    in_time.clock.moment = datetime.combine(last, time(23, 59, 59), JAKARTA)
    in_time.withdraws(f"owner-{in_time.case.person_id}")
    late.clock.turn(seconds=1)
    late.withdraws(f"owner-{late.case.person_id}")
    ends = [[(one.key, one.outcome) for one in story.entries if one.kind == "answer"] for story in (in_time, late)]
    assert ends == [[("sample#1", "withdrawn")], [("visit#1", "silent"), ("sample#1", "withdrawn")]]
    assert in_time.outcome == late.outcome == "withdrawn"


def test_a_reason_that_names_a_number_is_kept_without_it(nib: Nib) -> None:
    """The ledger is for good, so a NIK that somebody types into a reason is masked before."""
    story = nib().withdraws("budi", "NIK 3508166904956220 salah")
    reasons = {entry.reason for entry in story.entries if entry.outcome == "withdrawn"}
    assert "NIK 350816********20 salah" in reasons
    assert not any("3508166904956220" in (reason or "") for reason in reasons)
