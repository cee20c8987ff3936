"""All that somebody holds is given to others, the least loaded first: a result for each question."""

from __future__ import annotations

from collections import Counter
from time import perf_counter

import pytest
from sqlmodel import col, insert, select, update

from engine.actions.reassign_many import Reassigned
from engine.errors import Refused
from engine.people.accounts import add_user
from engine.people.persons import declare_conflict
from engine.runtime.office import Office
from models import CaseFile, Notice, User, Wait
from tests.engine.actions.test_reassign import TO_ANI, holder, reassigned
from tests.engine.actions.test_reassign import held as held
from tests.engine.conftest import Begin
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop
from tests.stories.story import Story


def test_all_goes_to_the_least_loaded_and_what_is_refused_stays(
    begin: Begin, office: Office, workshop: Workshop
) -> None:
    """wati holds one already and declared a conflict in the second case; the others still go, and each is told once."""
    workshop.write(FARM_VISIT, "made_up", TO_ANI)
    workshop.write(FARM_VISIT.replace("farm-visit", "busy"), "busy", ("ask(SAMPLE)", 'ask(SAMPLE, to="wati")'))
    stories = [begin() for _ in range(3)]
    busy = begin("busy")
    for name in ("wati", "joko"):
        add_user(office, name, ["companion"])
    for story in (*stories, busy):
        story.answers("budi", "visit#1", decision="fine")
    declare_conflict(office, "wati", "family", by="admin", business=stories[1].case.subject_id)
    declare_conflict(office, "joko", "family", by="admin", business=stories[1].case.subject_id)
    done = reassigned(office, "wati", "joko")
    assert [(one["case"], one["question"], one["to"]) for one in done.reassigned] == [
        (stories[0].number, "sample#1", "joko"),
        (stories[2].number, "sample#1", "joko"),
    ]
    [stays] = done.refused
    assert (stays["case"], stays["question"]) == (stories[1].number, "sample#1") and "conflict" in stays["reason"]
    assert [holder(story) for story in stories] == ["joko", "ani", "joko"]
    with office.db.reading() as session:
        told = dict(session.exec(select(User.name, Notice.words).join(User, col(User.id) == Notice.account_id)).all())
    assert told == {
        "ani": "2 pertanyaan Anda dialihkan kepada joko: pindah tugas",
        "joko": "2 pertanyaan dialihkan kepada Anda: pindah tugas",
    }
    assert reassigned(office, "wati").refused[0]["case"] == stories[1].number
    assert reassigned(office, "wati", role="officer") == reassigned(office, "wati", pipeline="busy") == Reassigned()
    for story in (stories[0], stories[2]):
        assert story.answers("joko", "sample#1", decision="fine").outcome == "done"


def test_a_case_whose_code_is_gone_stops_no_other(begin: Begin, office: Office, workshop: Workshop) -> None:
    """It is refused by itself, with why; who may not is refused at each; unknown names are refused before anything."""
    workshop.write(FARM_VISIT, "made_up", TO_ANI)
    workshop.write(FARM_VISIT.replace("farm-visit", "lost"), "lost", TO_ANI)
    stories = [begin("lost"), begin(), begin()]
    add_user(office, "wati", ["companion"])
    for story in stories:
        story.answers("budi", "visit#1", decision="fine")
    workshop.lose("lost", 1)
    assert [one["reason"].split(" ")[0] for one in reassigned(office, "wati", by="tuti").refused][1:] == [
        "tuti",
        "tuti",
    ]
    done = reassigned(office, "wati")
    assert [one["case"] for one in done.reassigned] == [story.number for story in stories[1:]]
    assert [one["case"] for one in done.refused] == [stories[0].number]
    for wrong in ({"role": "farmer"}, {"pipeline": "no-such"}):
        with pytest.raises(Refused):
            reassigned(office, "wati", **wrong)
    with pytest.raises(Refused, match="no user hantu"):
        reassigned(office, "hantu")


@pytest.mark.slow
def test_a_thousand_are_spread_in_a_few_seconds(held: Story, office: Office) -> None:
    """Evenly: nobody gets two more than another."""
    add_user(office, "joko", ["companion"])
    with office.db.writing() as session:
        case = session.exec(select(CaseFile)).one().model_dump()
        wait = session.exec(select(Wait).where(Wait.key == "sample#1")).one().model_dump()
        ids = range(1000, 2000)
        fresh = {**case, "last_seq": 0, "head": ""}
        session.execute(insert(CaseFile), [{**fresh, "id": one, "number": f"FRM-2027-{one:06d}"} for one in ids])
        session.execute(insert(Wait), [{**wait, "case_id": one} for one in ids])
        session.execute(update(Wait).where(col(Wait.case_id) == case["id"]).values(holder="wati"))
    begun = perf_counter()
    done = reassigned(office, "wati", "joko")
    seconds = perf_counter() - begun
    assert len(done.reassigned) == 1000 and done.refused == []
    assert abs(Counter(one["to"] for one in done.reassigned)["wati"] - 499.5) < 1, "wati held one before"
    assert seconds < 10
