"""Another holder for an open question: who may give it to whom, what the ledger says, and an answer at the same moment."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from sqlmodel import col, select

from engine.actions.answer import Answered, answer
from engine.actions.reassign import reassign
from engine.actions.reassign_many import Reassigned, reassign_many
from engine.errors import NotAllowed, NotWaiting, Refused
from engine.people.accounts import add_user
from engine.people.persons import declare_conflict
from engine.runtime.office import Office
from models import Notice, User, Wait
from tests.engine.conftest import Begin
from tests.engine.together import at_once
from tests.people import register_person
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop
from tests.stories.story import Story

TO_ANI = ("ask(SAMPLE)", 'ask(SAMPLE, to="ani")')
TO_BOTH = ("    sample = ask(SAMPLE)\n", '    sample, other = ask_each(SAMPLE, to=["ani", "wati"])\n')


@pytest.fixture
def held(begin: Begin, office: Office, workshop: Workshop) -> Story:
    """A case whose sample ani holds; wati and dedi are companions too, dedi of Surabaya; sari supervises ani."""
    workshop.write(FARM_VISIT, "made_up", TO_ANI)
    story = begin()
    add_user(office, "sari", ["supervisor"])
    add_user(office, "ani", ["companion"], reports_to="sari")
    add_user(office, "wati", ["companion"])
    add_user(office, "dedi", ["companion"], region="3578")
    return story.answers("budi", "visit#1", decision="fine")


def give(
    story: Story, to: str | None, by: str = "ani", key: str | None = None, reason: str = "cuti melahirkan"
) -> Story:
    """Reassign in a run of its own."""
    with story.office.run("cli", by=by) as run:
        reassign(story.office, run, story.number, key, to=to, by=by, reason=reason)
    return story


def reassigned(office: Office, *to: str, by: str = "rini", **more: Any) -> Reassigned:
    """Reassign what ani holds."""
    with office.run("cli", by=by) as run:
        return reassign_many(office, run, holder="ani", to=to, by=by, reason="pindah tugas", **more)


def holder(story: Story, place: int = 0) -> str | None:
    """Return who holds what the case waits for."""
    found: str | None = story.shown()["waiting_for"][place]["holder"]
    return found


def refusal(story: Story, *words: Any, **more: Any) -> Refused:
    """Return why it is refused; nothing was changed by it."""
    before = (len(story.entries), [holder(story, place) for place in range(len(story.waits_for))])
    with pytest.raises(Refused) as refused:
        give(story, *words, **more)
    assert (len(story.entries), [holder(story, place) for place in range(len(story.waits_for))]) == before
    assert refused.value.for_people
    return refused.value


def test_another_answers_and_the_replay_still_fits(held: Story, office: Office) -> None:
    """The ledger names both with the reason; the clock is not touched; the case goes on with who answered in the end."""
    with office.db.reading() as session:
        asked = session.exec(select(Wait).where(Wait.key == "sample#1")).one()
    assert holder(give(held, "wati", reason="cuti, NIK 3508166904956220")) == "wati"
    entry = held.entries[-1]
    assert (entry.kind, entry.key, entry.actor, entry.role, entry.outcome) == (
        "remark",
        "reassigned",
        "ani",
        "companion",
        "reassigned",
    )
    assert entry.result == {"question": "sample#1", "from": "ani", "to": "wati"}
    assert entry.reason is not None and entry.reason.startswith("sample#1: dari ani kepada wati; cuti, NIK ")
    assert "3508166904956220" not in entry.reason
    with office.db.reading() as session:
        now = session.exec(select(Wait).where(Wait.key == "sample#1")).one()
        assert (now.asked_at, now.due_at, now.arguments_hash) == (asked.asked_at, asked.due_at, asked.arguments_hash)
        told = session.exec(select(User.name, Notice.words).join(User, col(User.id) == Notice.account_id)).all()
    assert [name for name, _ in told] == ["wati"] and "dari ani kepada wati" in told[0][1]
    with pytest.raises(NotAllowed, match="is assigned to wati, not to ani"):
        held.answers("ani", "sample#1", decision="fine")
    assert held.answers("wati", "sample", decision="fine").case.reason == "dikunjungi budi, diambil wati"
    assert held.is_whole()


def test_it_goes_back_to_the_whole_role(held: Story, office: Office) -> None:
    """Then any companion of the region may answer; a second time there is nothing to free."""
    assert holder(give(held, None, by="sari", key="sample")) is None
    assert "with the whole role companion already" in str(refusal(held, None, by="admin"))
    assert held.answers("wati", "sample#1", decision="fine").outcome == "done"


@pytest.mark.parametrize("by", ["ani", "sari", "rini", "admin", "kepala"])
def test_holder_superior_and_officials_may(held: Story, office: Office, by: str) -> None:
    """Also a superior of the superior, whatever their role is called."""
    add_user(office, "kepala", ["lsp_head"])
    add_user(office, "sari", ["supervisor"], reports_to="kepala")
    assert holder(give(held, "wati", by=by)) == "wati"
    assert held.entries[-1].actor == by


def test_others_may_not(held: Story, office: Office) -> None:
    """A colleague, an officer, an official of another region, the applicant, and an official in their own case."""
    add_user(office, "tono", ["division_head"], region="3578")
    add_user(office, "pemilik", ["administrator"], person=held.case.person_id)
    for name in ("wati", "budi", "tono"):
        assert f"{name} may not arrange this; that is for: ani, sari" in str(refusal(held, "wati", by=name))
    for name in ("pemilik", f"owner-{held.case.person_id}"):
        assert f"{name} is the applicant of" in str(refusal(held, "wati", by=name))


def test_who_declared_a_conflict_chooses_nobody_but_gives_away_their_own(held: Story, office: Office) -> None:
    """rini is of the owner's family and names nobody who decides, in bulk neither; ani is too, and passes hers on."""
    add_user(office, "wati", ["companion"])
    for name in ("rini", "ani"):
        declare_conflict(office, name, "family", by="admin", business=held.case.subject_id)
    with pytest.raises(NotAllowed, match="rini declared a conflict of interest"):
        give(held, "wati", by="rini")
    assert "rini declared a conflict" in reassigned(office, "wati", by="rini").refused[0]["reason"]
    give(held, "wati", by="ani")
    assert holder(held) == "wati"


def test_the_new_holder_must_be_able_to_answer_now(held: Story, office: Office, workshop: Workshop) -> None:
    """In role, region and impartiality, as when somebody is asked; each is refused by name."""
    owner = register_person(office, "3578016904500101", name="Pemilik")
    add_user(office, "joko", ["companion"], person=held.case.person_id)
    declare_conflict(office, "wati", "family", by="admin", business=held.case.subject_id, until=date(2026, 1, 12))
    for to, why in (
        ("ani", "is with ani already"),
        ("budi", "which budi does not hold"),
        ("dedi", "dedi works for region 3578"),
        ("joko", "joko is the applicant of"),
        ("wati", "wati declared a conflict of interest (family)"),
        ("hantu", "There is no user hantu"),
        (f"owner-{owner}", "does not hold"),
    ):
        assert why in str(refusal(held, to))
    assert "Say why" in str(refusal(held, "wati", reason=" "))
    assert holder(give(held.on("2026-01-13"), "wati")) == "wati"


def test_who_took_part_is_kept_apart_as_at_asking(begin: Begin, office: Office, workshop: Workshop) -> None:
    """Declared apart with the question, and found in the ledger; a reassignment is no answer and bars nobody."""
    sample = 'SAMPLE = Question(Sample, of=Role.COMPANION, title="Ambil contoh")'
    apart = sample.replace("title=", 'apart_from=("visit",), title=')
    workshop.write(FARM_VISIT, "made_up", TO_ANI, (sample, apart), ("ask(VISIT)", 'ask(VISIT, to="budi")'))
    story = begin()
    for name in ("budi", "tuti", "rini"):
        add_user(office, name, ["companion"])
    give(story, "tuti", by="rini").answers("tuti", "visit#1", decision="fine")
    assert "tuti took part in what sample#1 decides about" in str(refusal(story, "tuti"))
    assert give(story, "rini").answers("rini", "sample#1", decision="fine").outcome == "done"


def test_an_applicants_question_is_theirs(begin: Begin, office: Office, workshop: Workshop) -> None:
    """Nobody else is asked for it, whoever wants to."""
    workshop.write(
        FARM_VISIT, "made_up", ("VISIT = Question(Visit, of=Role.OFFICER", "VISIT = Question(Visit, of=Role.APPLICANT")
    )
    assert "is the applicant's own" in str(refusal(begin(), "tuti", by="admin"))


def test_of_several_who_are_asked_nobody_is_asked_twice(begin: Begin, office: Office, workshop: Workshop) -> None:
    """Which one must be named; it can't be freed, and goes to nobody who is asked beside it or has answered."""
    workshop.write(FARM_VISIT, "made_up", TO_BOTH)
    story = begin()
    for name in ("wati", "joko"):
        add_user(office, name, ["companion"])
    story.answers("budi", "visit#1", decision="fine")
    assert "waits for several: sample#1, sample#2" in str(refusal(story, "joko"))
    assert "name who answers instead" in str(refusal(story, None, key="sample#1"))
    assert "wati is asked the same question" in str(refusal(story, "wati", key="sample#1"))
    story.answers("wati", "sample#2", decision="fine")
    assert "wati is asked the same question" in str(refusal(story, "wati", key="sample#1"))
    assert give(story, "joko").answers("joko", "sample#1", decision="fine").outcome == "done"


def test_what_is_settled_or_was_never_asked_is_refused(held: Story) -> None:
    """With what the case waits for instead."""
    for key in ("visit#1", "harvest"):
        with pytest.raises(NotWaiting, match=re.escape("it is waiting for: sample#1")):
            give(held, "wati", key=key)
    held.answers("ani", "sample#1", decision="fine")
    with pytest.raises(NotWaiting, match="waiting for: nothing"):
        give(held, "wati")


def test_a_question_whose_time_is_up_is_given_to_nobody(begin: Begin, office: Office, workshop: Workshop) -> None:
    """Neither by itself nor in bulk, before a sweep has come by: it ended with its last second."""
    workshop.write(
        FARM_VISIT, "made_up", TO_ANI, ("of=Role.COMPANION,", 'of=Role.COMPANION, silent_after="answer_limit",')
    )
    story = begin().answers("budi", "visit#1", decision="fine")
    add_user(office, "wati", ["companion"])
    story.on(story.shown()["waiting_for"][0]["silent_on"], hour=23)
    story.clock.turn(hours=1)
    with pytest.raises(NotWaiting, match="the time has passed for 'sample#1'"):
        give(story, "wati")
    done = reassigned(office, "wati")
    assert (done.reassigned, [one["question"] for one in done.refused]) == ([], ["sample#1"])
    assert "the time has passed" in done.refused[0]["reason"]


@pytest.mark.both_databases
def test_an_answer_that_races_a_reassignment(held: Story, office: Office) -> None:
    """Either the answer was first, and nothing can be given away, or it comes from who holds it no more: never both."""

    def answers() -> Answered:
        with office.run("cli", by="ani") as run:
            return answer(office, run, held.number, "sample#1", by="ani", data={"decision": "fine"})

    ends = at_once(answers, lambda: give(held, "wati", by="sari"))
    if isinstance(ends[0], Answered):
        assert isinstance(ends[1], NotWaiting)
    else:
        assert isinstance(ends[0], NotAllowed) and not isinstance(ends[1], Exception)
        held.answers("wati", "sample#1", decision="fine")
    held.advance()
    said = [entry.outcome for entry in held.entries if entry.key in ("reassigned", "sample#1")]
    assert said in (["fine"], ["reassigned", "fine"])
    assert held.outcome == "done" and held.is_whole()


@pytest.mark.both_databases
def test_two_who_reassign_at_once_are_one_after_the_other(held: Story, office: Office) -> None:
    """The second sees what the first did: the ledger tells one chain of holders."""
    add_user(office, "joko", ["companion"])
    ends = at_once(lambda: give(held, "wati", by="rini"), lambda: give(held, "joko", by="admin"))
    assert not any(isinstance(one, Exception) for one in ends)
    first, second = [entry.result for entry in held.entries if entry.key == "reassigned"]
    assert (first["from"], first["to"]) == ("ani", second["from"])
    assert holder(held) == second["to"]
