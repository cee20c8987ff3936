"""The last answer is taken back: asked again, done anew, kept as history; refused where something was built on it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlmodel import select

from engine.actions.answer import Answered, answer
from engine.actions.recall import recall
from engine.cases.dossier import fetch_by_number
from engine.errors import NotAllowed, NotWaiting, Refused
from engine.execution.replay import PlainStage, Replay
from engine.people.accounts import add_user
from engine.runtime.office import Office, RunHandle, Work
from models import ClockSegment, Letter, Wait
from tests.engine.conftest import Begin
from tests.engine.together import at_once
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop
from tests.stories.story import Story

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]


@pytest.fixture(autouse=True)
def farm(workshop: Workshop) -> None:
    """A small pipeline that most of these stories tell."""
    workshop.write()


class Undone(Exception):
    """Ends a transaction that was only to be looked at."""


def played_again(office: Office, story: Story) -> None:
    """Play the case from the database in another office, as a process that knows nothing; it writes nothing new."""
    fresh = Office.open(office.settings, office.clock)
    try:
        with fresh.db.writing() as session:
            work = Work(fresh, RunHandle("again", "cli", "test"), session)
            Replay(work, fetch_by_number(fresh, session, story.number), PlainStage()).play()
            written = [
                row["key"] for table, rows in work.rows._rows.items() for row in rows if table is not ClockSegment
            ]
            assert written == (["closed#1"] if story.outcome else [])
            raise Undone
    except Undone:
        pass
    finally:
        fresh.close()
    assert story.is_whole()


def keys(story: Story) -> list[str]:
    """Return the keys of the ledger."""
    return [entry.key for entry in story.entries]


def test_the_question_is_asked_again_and_the_steps_are_done_anew(begin: Begin, office: Office) -> None:
    """Who pressed the wrong button takes it back; both answers stay in the ledger, and the second one counts."""
    story = begin().answers("budi", "visit", decision="bad")
    assert story.waits_for == ["sample#1"]
    story.recalls("budi", "salah lahan, NIK 3508166904956220")
    assert story.waits_for == ["visit#2"]
    entry = story.entries[-1]
    assert (entry.key, entry.kind, entry.actor, entry.role, entry.outcome) == (
        "recall#1",
        "remark",
        "budi",
        "officer",
        "recalled",
    )
    assert entry.reason == "salah lahan, NIK 350816********20"
    assert entry.result["superseded"] == ["visit#1", "weigh#1", "sample#1"]
    played_again(office, story)
    story.answers("budi", "visit#2", decision="fine").answers("ani", "sample#2", decision="fine")
    assert story.outcome == "done"
    assert keys(story) == [
        "opened#1", "greet#1", "visit#1", "weigh#1", "recall#1", "visit#2", "weigh#2", "sample#2", "thank#1", "closed#1",
    ]  # fmt: skip
    played_again(office, story)


def test_who_answers_what_is_asked_no_more_is_told(begin: Begin) -> None:
    """The companion's form was open while the officer took the visit back."""
    story = begin().answers("budi", "visit", decision="bad").recalls("budi")
    with pytest.raises(
        NotWaiting, match="no longer asks what an answer that was taken back led to: 'sample#1'"
    ) as told:
        story.answers("ani", "sample#1", decision="fine")
    assert "karena jawaban sebelumnya dicabut" in told.value.for_people
    with pytest.raises(NotWaiting, match="waiting for: visit#2"):
        story.answers("budi", "visit#1", decision="fine")


def test_taken_back_twice_and_then_withdrawn(begin: Begin, office: Office) -> None:
    """Each time under the next number; a withdrawal finds the question that is open now."""
    story = begin()
    for n in (1, 2, 3):
        story.answers("budi", f"visit#{n}", decision="bad").recalls("budi")
    assert story.waits_for == ["visit#4"]
    played_again(office, story)
    story.withdraws("owner-1")
    assert story.outcome == "withdrawn"
    played_again(office, story)


def test_two_answers_in_a_row_are_taken_back_one_by_one(workshop: Workshop, begin: Begin, office: Office) -> None:
    """The last one first: each recall takes one step back."""
    twice = ("    sample = ask(SAMPLE)\n", "    sample = ask(SAMPLE)\n    visit = ask(VISIT)\n")
    workshop.write(FARM_VISIT, "made_up", twice)
    story = begin().answers("budi", "visit", decision="bad").answers("ani", "sample", decision="bad")
    assert story.waits_for == ["visit#2"]
    story.recalls("ani")
    assert story.waits_for == ["sample#2"]
    story.recalls("budi")
    assert story.waits_for == ["visit#3"]
    story.answers("budi", "visit#3", decision="fine")
    assert story.waits_for == ["sample#3"]
    story.answers("ani", "sample#3", decision="fine").answers("budi", "visit#4", decision="fine")
    assert story.outcome == "done"
    played_again(office, story)


@pytest.mark.parametrize("place", range(8))
def test_at_every_wait_a_recall_leads_to_the_same_question(place: int, nib: Nib, office: Office) -> None:
    """The real process: from each wait one answer back, replayed from the database by another office, and on to the end."""
    story = nib()
    acts: list[tuple[str, Callable[[], Any]]] = [
        ("budi", partial(story.dossier, "return", deficiencies=["foto KTP buram"])),
        ("owner-1", partial(story.corrects, note="foto baru")),
        ("budi", story.dossier),
        ("ani", partial(classified, story)),
        ("budi", partial(signs, story)),
    ]
    for _, act in acts[: place + 1]:
        act()
    if place >= len(acts):
        story.filed()
        with pytest.raises(Refused, match="records what was done in somebody else's system"):
            story.recalls("budi")
        return
    by = acts[place][0]
    asked = [entry for entry in story.entries if entry.kind == "answer"][-1].key
    number = int(asked.split("#")[1]) + 1
    story.recalls(by)
    assert story.waits_for == [f"{asked.split('#')[0]}#{number}"]
    played_again(office, story)
    for _, act in acts[place:]:
        act()
    story.filed().recorded()
    assert story.outcome == "legalized"
    played_again(office, story)


def classified(story: NibStory) -> None:
    """A companion settles code and risk, under whatever key."""
    story.answers("ani", story._next("classification"), decision="proceed", industry_code="10794", risk_level="R")


def signs(story: NibStory) -> None:
    """An officer scans the signed statement, under whatever key."""
    from tests.people import EVIDENCE

    words = {"decision": "sign", "k3l": True, "spatial": True, "sppl": True, "paper": EVIDENCE}
    story.answers("budi", story._next("statement"), **words)


def test_a_letter_that_went_out_stays_and_the_next_has_its_own_key(nib: Nib, office: Office) -> None:
    """The owner was asked for a photo and then for the address: both letters are on record, and one between them."""
    story = nib().dossier("return", deficiencies=["foto KTP buram"]).recalls("budi")
    assert story.letters == ["receipt", "return_notice", "answer_taken_back"]
    told = story.letter("answer_taken_back")["text"]
    assert story.letter("return_notice")["subject"] in told
    assert "Hari kerja menurut undang-undang" not in told
    story.dossier("return", deficiencies=["alamat"])
    assert story.letters == ["receipt", "return_notice", "answer_taken_back", "return_notice"]
    with office.db.reading() as session:
        found = [letter.key for letter in session.exec(select(Letter).where(Letter.case_id == story.case.id))]
    assert len(set(found)) == 4


def test_who_was_told_that_the_days_run_is_told_that_they_do_not(nib: Nib, office: Office) -> None:
    """The dossier was complete, and is so no longer; an answer of the owner's own that they take back needs no letter."""
    story = nib().dossier().recalls("budi")
    told = story.letter("answer_taken_back")["text"]
    assert story.letter("completeness")["subject"] in told
    assert "Hari kerja menurut undang-undang berhenti dihitung" in told
    story.dossier("return", deficiencies=["alamat"]).corrects().recalls("owner-1")
    assert story.letters.count("answer_taken_back") == 1


# -- several at once ---------------------------------------------------------------------------------------------------

BOTH = (("visit = ask(VISIT)", "visit, sample = ask_all(VISIT, SAMPLE)"), ("    sample = ask(SAMPLE)\n", ""))
SCORES = (
    ("Visit, of=Role.OFFICER", "Visit, of=Role.COMPANION"),
    ("visit = ask(VISIT)", "visit, *_ = ask_each(VISIT, to=['ani', 'ira', 'uci'])"),
)


def test_of_two_asked_together_the_other_is_asked_anew(workshop: Workshop, begin: Begin, office: Office) -> None:
    """Nothing was built on it yet, and nobody sees half of what was asked."""
    workshop.write(FARM_VISIT, "made_up", *BOTH)
    story = begin().answers("budi", "visit", decision="bad").recalls("budi")
    assert story.waits_for == ["sample#2", "visit#2"]
    with pytest.raises(NotWaiting):
        story.answers("ani", "sample#1", decision="fine")
    story.answers("ani", "sample#2", decision="fine").answers("budi", "visit#2", decision="fine")
    assert story.outcome == "done"
    played_again(office, story)


def test_an_earlier_answer_of_the_same_ask_stays(workshop: Workshop, begin: Begin, office: Office) -> None:
    """The companion's sample is not taken back with the officer's visit."""
    workshop.write(FARM_VISIT, "made_up", *BOTH)
    story = begin().answers("ani", "sample", decision="fine").answers("budi", "visit", decision="bad")
    assert story.outcome == "done"
    with pytest.raises(Refused, match="the case is closed"):
        story.recalls("budi")


@pytest.mark.parametrize(("order", "asked"), [
    (["ani#1"], {"ani": 4, "ira": 5, "uci": 6}),
    (["ira#2", "ani#1"], {"ani": 4, "uci": 5}),
    (["uci#3", "ani#1"], {"ani": 4, "ira": 5}),
    (["ani#1", "ira#2"], {"ira": 4, "uci": 5}),
])  # fmt: skip
def test_each_kept_score_stays_with_who_gave_it(
    order: list[str], asked: dict[str, int], workshop: Workshop, begin: Begin, office: Office
) -> None:
    """Of several who are asked the same, whoever answered before keeps their place, though the keys go by count."""
    workshop.write(FARM_VISIT, "made_up", *SCORES)
    for name in ("ira", "uci"):
        add_user(office, name, ["companion"])
    story = begin()
    for one in order:
        story.answers(one[:3], f"visit{one[3:]}", decision="bad")
    story.recalls(order[-1][:3])
    with office.db.reading() as session:
        open_waits = session.exec(select(Wait).where(Wait.case_id == story.case.id, Wait.settled_at.is_(None))).all()  # type: ignore[union-attr]
    assert {wait.holder: int(wait.key.split("#")[1]) for wait in open_waits} == asked
    played_again(office, story)
    for name, number in asked.items():
        story.answers(name, f"visit#{number}", decision="fine")
    assert story.waits_for == ["sample#1"]
    *_, last = asked
    story.recalls(last)
    assert story.waits_for == [f"visit#{max(asked.values()) + 1}"]
    played_again(office, story)


@pytest.mark.both_databases
def test_of_recall_and_answer_at_the_same_moment_one_wins(nib: Nib, office: Office) -> None:
    """Either the answer stands and is now the last one, or its question is no longer asked; never both."""

    def takes_back() -> Any:
        with office.run("cli", by="budi") as run:
            return recall(office, run, story.number, by="budi", reason="salah")

    def answers() -> Any:
        with office.run("web", by="ani") as run:
            data = {"decision": "proceed", "industry_code": "10794", "risk_level": "R"}
            return answer(office, run, story.number, "classification#1", by="ani", data=data)

    for place in range(3):
        story = nib(national_id=f"350816690495623{place}").dossier()
        taken_back, answered = at_once(takes_back, answers)
        if isinstance(answered, Answered):
            assert isinstance(taken_back, NotAllowed)
        else:
            assert isinstance(answered, NotWaiting) and taken_back is None
        story.advance()
        assert story.waits_for == (["statement#1"] if isinstance(answered, Answered) else ["dossier_check#2"])
        played_again(office, story)
