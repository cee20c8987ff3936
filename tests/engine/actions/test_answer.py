"""Who answers, when, and what is refused: each refusal names the case, the question and the next move."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from engine.actions.answer import Answered, answer
from engine.errors import BadAnswer, NotAllowed, NotWaiting, Refused, UnknownCase
from engine.people.accounts import add_user
from engine.runtime.office import Office
from models import Person, User
from tests.engine.conftest import Begin
from tests.engine.together import at_once
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]


def answered(office: Office, number: str, by: str, question: str, **data: Any) -> Answered:
    """Record an answer, and do not let the case go on."""
    with office.run("web", by=by) as run:
        return answer(office, run, number, question, by=by, data=data)


@pytest.mark.both_databases
def test_of_two_who_answer_at_the_same_moment_one_wins_and_the_other_is_told(nib: Nib, office: Office) -> None:
    """Two officers press the button together: one answer stands in the ledger, the other is refused by name."""
    story = nib()
    names = ("budi", "tuti", "budi", "tuti")
    ends = at_once(*(partial(answered, office, story.number, by, "dossier_check", decision="complete") for by in names))
    [winner] = [place for place, end in enumerate(ends) if isinstance(end, Answered)]
    for end in ends[:winner] + ends[winner + 1 :]:
        assert isinstance(end, NotWaiting)
        assert f"Case {story.number} has already been answered at 'dossier_check#1'" in str(end)
        assert f"jalur case show {story.number}" in str(end)
    [entry] = [entry for entry in story.entries if entry.key == "dossier_check#1"]
    assert entry.actor == names[winner]
    assert entry.seq == ends[winner].entry


def test_an_answer_after_the_last_day_is_refused_though_no_sweep_came_by(nib: Nib) -> None:
    """The silence is recorded by the refusal itself, so a sweep that runs late changes nothing."""
    story = nib().dossier("return", deficiencies=["foto KTP buram"])
    last_day = story.shown()["waiting_for"][0]["silent_on"]
    story.on(last_day, 23)
    story.on("2026-03-31")
    with pytest.raises(NotWaiting, match="no longer waiting: the time has passed for 'correction#1'") as refused:
        story.corrects(note="foto baru")
    assert "tenggat telah lewat" in refused.value.for_people
    entry = story.entries[-1]
    assert (entry.key, entry.outcome, entry.actor) == ("correction#1", "silent", "jalur")
    assert last_day in (entry.reason or "")
    story.nothing_happens()
    assert story.outcome == "not_corrected"
    assert [entry.key for entry in story.entries].count("correction#1") == 1


def test_the_last_second_of_the_last_day_still_counts(nib: Nib) -> None:
    """An answer at 23 o'clock of the last day is taken, although the sweep comes by first."""
    story = nib().dossier("return", deficiencies=["foto KTP buram"])
    story.on(story.shown()["waiting_for"][0]["silent_on"], 23).nothing_happens()
    assert story.corrects(note="foto baru").waits_for == ["dossier_check#2"]


def test_an_answer_after_its_due_date_is_late_and_valid(nib: Nib) -> None:
    """`due` drives reminders and reports; it takes nothing from the owner."""
    story = nib().dossier("return", deficiencies=["alamat"])
    assert story.shown()["waiting_for"][0]["due_on"] == "2026-01-20"
    story.on("2026-01-27").nothing_happens().corrects(address="Jl. Melati No. 5, Lumajang")
    assert story.waits_for == ["dossier_check#2"]


BAD_FORMS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {"decision": "wajib diisi"}),
    ({"decision": "maybe"}, {"decision": "pilih salah satu dari 'complete', 'return' atau 'reject'"}),
    ({"decision": "return"}, {"deficiencies": "sebutkan apa yang harus dilengkapi"}),
    ({"decision": "reject"}, {"reason": "sebutkan alasan penolakan"}),
    ({"decision": "complete", "resaon": "x"}, {"resaon": "isian ini tidak dikenal; periksa ejaannya"}),
    (
        {"decision": "return", "deficiencies": ["", "alamat"], "reason": 5},
        {"deficiencies.0": "paling sedikit 3 huruf", "reason": "harus berupa teks"},
    ),
    ({"decision": "complete", "deficiencies": "alamat"}, {"deficiencies": "harus berupa daftar"}),
]


def test_a_bad_form_is_refused_with_each_field_in_words_for_people(nib: Nib) -> None:
    """Every faulty field is named in Indonesian, what was typed in is not repeated, and nothing changes."""
    story = nib()
    before = len(story.entries)
    for data, faults in BAD_FORMS:
        with pytest.raises(BadAnswer) as refused:
            story.answers("budi", "dossier_check#1", **data)
        assert {fault["field"]: fault["reason"] for fault in refused.value.parts["fields"]} == faults  # type: ignore[attr-defined]
        for field, reason in faults.items():
            assert f"{field}: {reason}" in refused.value.for_people
        assert story.number in refused.value.for_people
    for broken in ("a\0b", "a\ud800b"):
        with pytest.raises(BadAnswer, match=r"deficiencies\.0"):
            story.answers("budi", "dossier_check#1", decision="return", deficiencies=[broken])
    with pytest.raises(BadAnswer) as refused:
        story.answers("budi", "dossier_check#1", decision="3508166904956220")
    assert "3508166904956220" not in str(refused.value) + refused.value.for_people
    assert (story.waits_for, len(story.entries)) == (["dossier_check#1"], before)


def test_an_unknown_case_question_or_user_is_refused_by_name(nib: Nib, office: Office) -> None:
    """Each refusal says what is not there, and where to look."""
    story = nib()
    with pytest.raises(UnknownCase, match="There is no case NIB-2026-000999"):
        answered(office, "NIB-2026-000999", "budi", "dossier_check#1", decision="complete")
    with pytest.raises(Refused, match=r"There is no user joko\. Add one: jalur user add joko"):
        answered(office, story.number, "joko", "dossier_check#1", decision="complete")
    with pytest.raises(NotWaiting, match=r"is not waiting for 'verification#1'; it is waiting for: dossier_check#1"):
        answered(office, story.number, "budi", "verification#1", decision="approve")


def test_only_the_role_that_is_asked_may_answer(nib: Nib) -> None:
    """A companion does not check dossiers; an officer does not advise."""
    story = nib()
    with pytest.raises(NotAllowed, match="dossier_check#1 is for the role officer; ani has: companion"):
        story.answers("ani", "dossier_check#1", decision="complete")
    story.dossier()
    with pytest.raises(NotAllowed, match="for the role companion"):
        story.answers("budi", "classification#1", decision="proceed", industry_code="10794", risk_level="R")
    assert story.waits_for == ["classification#1"]


def test_an_officer_of_another_region_may_not_decide(nib: Nib, office: Office) -> None:
    """An officer of Surabaya does not decide in Lumajang; one of the province does."""
    story = nib()
    add_user(office, "dedi", ["officer"], region="35.78")
    add_user(office, "wati", ["officer"], region="35")
    with pytest.raises(NotAllowed, match="dedi works for region 3578; NIB-2026-000001 is in 3508"):
        story.answers("dedi", "dossier_check#1", decision="complete")
    assert story.answers("wati", "dossier_check#1", decision="complete").waits_for == ["classification#1"]


def test_nobody_decides_on_their_own_application(nib: Nib, office: Office) -> None:
    """An officer who is the owner may hand in, and not decide; under whatever account."""
    story = nib()
    add_user(office, "owner-1", ["officer"])
    add_user(office, "sri", ["officer"], person=1)
    with office.db.reading() as session:
        assert session.get(Person, 1) is not None
        assert session.get(User, 1) is not None
    for name in ("owner-1", "sri"):
        with pytest.raises(NotAllowed, match=f"{name} is the applicant of NIB-2026-000001"):
            story.answers(name, "dossier_check#1", decision="complete")
    assert story.waits_for == ["dossier_check#1"]


def test_who_took_part_is_kept_apart(begin: Begin, workshop: Workshop, office: Office) -> None:
    """The process names who may not answer; the others may."""
    workshop.write(FARM_VISIT, "made_up", ("ask(SAMPLE)", "ask(SAMPLE, apart_from=[visit.by])"))
    story = begin()
    add_user(office, "budi", ["companion"])
    story.answers("budi", "visit#1", decision="fine")
    with pytest.raises(NotAllowed, match="budi took part in what sample#1 decides about") as refused:
        story.answers("budi", "sample#1", decision="fine")
    assert "Mintalah rekan lain" in refused.value.for_people
    assert story.answers("ani", "sample#1", decision="fine").outcome == "done"


@pytest.mark.parametrize("order", [("visit#1", "sample#1"), ("sample#1", "visit#1")])
def test_several_people_are_asked_at_once_and_answer_in_any_order(
    begin: Begin, workshop: Workshop, order: tuple[str, str]
) -> None:
    """The case goes on when all have answered; each answer is the one to its own question."""
    both = "visit, sample = ask_all(VISIT, SAMPLE)"
    workshop.write(FARM_VISIT, "made_up", ("visit = ask(VISIT)", both), ("    sample = ask(SAMPLE)\n", ""))
    story = begin()
    assert story.waits_for == ["sample#1", "visit#1"]
    by = {"visit#1": "tuti", "sample#1": "ani"}
    story.answers(by[order[0]], order[0], decision="fine")
    assert story.waits_for == [order[1]]
    story.answers(by[order[1]], order[1], decision="fine")
    assert (story.outcome, story.case.reason) == ("done", "dikunjungi tuti, diambil ani")


def test_keys_are_counted_in_the_order_of_the_calls_not_of_the_answers(begin: Begin, workshop: Workshop) -> None:
    """The same question asked of two people: who answers #2 first is still the second visitor."""
    twice = "visit, sample = ask_all(VISIT, VISIT, apart_from=[])"
    workshop.write(FARM_VISIT, "made_up", ("visit = ask(VISIT)", twice), ("    sample = ask(SAMPLE)\n", ""))
    story = begin()
    story.answers("tuti", "visit#2", decision="fine").answers("budi", "visit#1", decision="bad")
    assert story.case.reason == "dikunjungi budi, diambil tuti"
    assert [entry.key for entry in story.entries if entry.kind == "answer"] == ["visit#2", "visit#1"]
    assert story.is_whole()
