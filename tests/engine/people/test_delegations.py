"""Two names under one answer: neither of them may be barred, either takes it back, and nobody answers twice."""

from __future__ import annotations

from datetime import date

import pytest
from sqlmodel import select

from engine.actions.reassign import reassign
from engine.errors import NotAllowed
from engine.people.accounts import add_user
from engine.people.persons import declare_conflict
from engine.runtime.office import Office
from models import Wait
from tests.engine.actions.test_delegate import SAMPLE, TO_ANI, lets, waiting_for
from tests.engine.conftest import Begin
from tests.people import EVIDENCE
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop

OWNERS = ("of=Role.OFFICER", "of=Role.APPLICANT")
APART = (SAMPLE, SAMPLE.replace("COMPANION", "OFFICER").replace("title=", 'apart_from=("visit",), title='))


def test_what_somebody_may_not_do_nobody_does_for_them(begin: Begin, office: Office, workshop: Workshop) -> None:
    """budi visited, so ani takes no sample in his name; she does in tuti's, who is away as well, until tuti declares a conflict."""
    workshop.write(FARM_VISIT, "made_up", APART)
    story = begin().answers("budi", "visit#1", decision="fine")
    lets(office, "budi", "ani")
    assert waiting_for(office, "ani") == []
    with pytest.raises(NotAllowed, match="budi took part in what sample#1 decides about"):
        story.answers("ani", "sample#1", decision="fine")
    with pytest.raises(NotAllowed, match="budi took part"):
        lets(office, "budi", "ani", number=story.number)
    lets(office, "tuti", "ani")
    assert waiting_for(office, "ani") == [("sample#1", "tuti")]
    declare_conflict(office, "tuti", "family", by="admin", business=story.case.subject_id, until=date(2026, 1, 12))
    with pytest.raises(NotAllowed, match="budi took part"):
        story.answers("ani", "sample#1", decision="fine")
    story.on("2026-01-13").answers("ani", "sample#1", decision="fine")
    assert next(one for one in story.entries if one.key == "sample#1").on_behalf_of == "tuti"


def test_who_was_answered_for_has_taken_part(begin: Begin, office: Office, workshop: Workshop) -> None:
    """ani visited in budi's name: back again, he does not decide on it; nor does she."""
    workshop.write(FARM_VISIT, "made_up", APART, ("ask(VISIT)", 'ask(VISIT, to="budi")'))
    story = begin()
    lets(office, "budi", "ani", "2026-01-12")
    story.answers("ani", "visit#1", decision="fine").on("2026-01-13")
    for by in ("budi", "ani"):
        with pytest.raises(NotAllowed):
            story.answers(by, "sample#1", decision="fine")
    with office.db.reading() as session:
        wait = session.exec(select(Wait).where(Wait.key == "sample#1")).one()
    assert wait.apart_from == ["ani", "budi"]
    assert story.answers("tuti", "sample#1", decision="fine").outcome == "done" and story.is_whole()


@pytest.mark.parametrize(("by", "on_behalf_of"), [("tuti", "ani"), ("ani", None)])
def test_either_takes_back_what_was_answered(
    begin: Begin, office: Office, workshop: Workshop, by: str, on_behalf_of: str | None
) -> None:
    """tuti, an officer of another region, answered for the companion ani: she may take it back, and ani may; dedi may not."""
    workshop.write(FARM_VISIT, "made_up", TO_ANI, ("    thank(case)\n", "    thank(case)\n    ask(VISIT)\n"))
    story = begin().answers("budi", "visit#1", decision="fine")
    add_user(office, "dedi", ["companion"])
    add_user(office, "tuti", ["officer"], region="3578")
    lets(office, "ani", "tuti")
    story.answers("tuti", "sample#1", decision="bad")
    with pytest.raises(NotAllowed, match="dedi did not give sample#1"):
        story.recalls("dedi")
    assert story.recalls(by).waits_for == ["sample#2"]
    entry = story.entries[-1]
    assert (entry.actor, entry.role, entry.on_behalf_of) == (by, "companion", on_behalf_of)
    assert story.answers("tuti", "sample#2", decision="fine").is_whole()


def test_an_owner_takes_back_what_was_recorded_for_them(begin: Begin, office: Office, workshop: Workshop) -> None:
    """budi typed in the owner's paper: the words are the owner's."""
    workshop.write(FARM_VISIT, "made_up", ("class Visit(Form)", "class Visit(ApplicantForm)"), OWNERS)
    story = begin().answers("budi", "visit#1", decision="bad", paper=EVIDENCE)
    story.recalls(f"owner-{story.case.person_id}")
    assert (story.waits_for, story.entries[-1].role) == (["visit#2"], "applicant")


def test_who_kept_their_answer_gives_no_second_one_after_a_recall(
    begin: Begin, office: Office, workshop: Workshop
) -> None:
    """dedi answered on Monday; what ani took back is asked anew a day later, and is neither given to dedi nor done by him."""
    both = ("    sample = ask(SAMPLE)\n", '    sample, other = ask_each(SAMPLE, to=["ani", "dedi"])\n')
    workshop.write(FARM_VISIT, "made_up", both, ("    thank(case)\n", "    thank(case)\n    ask(VISIT)\n"))
    story = begin()
    add_user(office, "dedi", ["companion"])
    story.answers("budi", "visit#1", decision="fine").answers("dedi", "sample#2", decision="fine")
    story.answers("ani", "sample#1", decision="fine").on("2026-01-13").recalls("ani")
    assert story.waits_for == ["sample#3"]
    with office.run("cli", by="rini") as run, pytest.raises(NotAllowed, match="dedi is asked the same"):
        reassign(office, run, story.number, None, to="dedi", by="rini", reason="cuti")
    lets(office, "ani", "dedi", since=date(2026, 1, 13))
    with pytest.raises(NotAllowed, match="dedi took part"):
        story.answers("dedi", "sample#3", decision="fine")
    assert story.answers("ani", "sample#3", decision="fine").waits_for == ["visit#3"]
