"""A case goes on after its recorded end: what the engine sees to, whatever the appeal's process says."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from engine.actions.lodge_appeal import lodge_appeal
from engine.deadlines.calendar import Calendar
from engine.deadlines.clock import JAKARTA
from engine.deadlines.legal_clock import StopLimit, legal_clock
from engine.definition import registry
from engine.errors import Refused
from engine.execution.clock_segments import NewSegment
from engine.execution.parking import retry
from engine.execution.versions.fingerprints import must_have_code
from engine.runtime.encryption import Erased
from engine.runtime.office import Office
from models import Person, PersonKey, Wait
from rules import Rule
from tests.engine.conftest import Begin
from tests.engine.together import at_once
from tests.pipelines_for_tests.workshop import CERTIFICATES, FARM_VISIT, Workshop
from tests.stories.story import Story

pytestmark = pytest.mark.usefixtures("blank_papers")

CONTESTED = (
    FARM_VISIT
    + """
from flows.objection import objection
declare_appeals("farm-visit", {Outcome.DONE: objection, Outcome.WITHDRAWN: NoAppeal("it is theirs", "Ini milik Anda.")})
"""
)


@pytest.fixture
def visited(begin: Begin, workshop: Workshop) -> Story:
    """A farm visit that came to an end which can be contested."""
    workshop.write(CONTESTED)
    return begin().answers("budi", "visit#1", decision="fine").answers("ani", "sample#1", decision="bad")


def contest(office: Office, story: Story) -> None:
    with office.run("cli", by="owner-1") as run:
        lodge_appeal(office, run, story.number, by="owner-1", reason="contohnya tertukar")


def test_code_that_ends_otherwise_stops_the_appeal(visited: Story, office: Office, workshop: Workshop) -> None:
    """The recorded end must be the one that the code comes to; what is missing before it is named, too. Mended, it goes on."""
    otherwise = ("close(case, Outcome.DONE,", "close(case, Outcome.WITHDRAWN,")
    workshop.write(CONTESTED, "made_up", otherwise)
    contest(office, visited)
    visited.advance()
    assert "entry 7 ('closed#1'): it ended in done, and the code ends in withdrawn" in visited.shown()["error"]
    with pytest.raises(Refused, match="is parked"):
        contest(office, visited)
    workshop.write(CONTESTED, "made_up", ("    thank(case)\n", ""))
    again(office, visited)
    assert "entry 6 ('thank#1'): the code came to its end without it" in visited.shown()["error"]
    workshop.write(CONTESTED)
    again(office, visited)
    assert visited.waits_for == ["objection_ruling#1"]
    assert [entry.kind for entry in visited.entries if entry.key == "parked"] == ["remark", "remark"]


def test_a_name_put_right_elsewhere_meanwhile_does_not_stop_an_appeal(
    begin: Begin, office: Office, workshop: Workshop
) -> None:
    """The closed case recorded a step with the old name; its replay meets the new one, and knows that it was corrected."""
    workshop.write(CONTESTED, "made_up", ("greet(case)\n    visit", "weigh(case, len(case.applicant.name))\n    visit"))
    workshop.write(CERTIFICATES, "made_up_2", ("    certificate = issue", "    ask(VISIT)\n    certificate = issue"))
    closed = begin().answers("budi", "visit#1", decision="fine").answers("ani", "sample#1", decision="bad")
    assert closed.outcome == "done"
    Story(office, closed.clock, "certificates", closed.case.subject_id).corrected(owner__name="Sri Purnomowati")
    assert closed.entries[-1].key == "corrected#1"
    contest(office, closed)
    closed.advance()
    assert closed.waits_for == ["objection_ruling#1"]
    assert closed.is_whole()


def again(office: Office, story: Story) -> None:
    with office.run("cli", by="admin") as run:
        retry(office, run, story.number, by="admin")
    story.advance()


@pytest.mark.both_databases
def test_of_two_objections_at_once_one_is_taken(visited: Story, office: Office) -> None:
    """The other one is told that the ending was contested."""
    ends = at_once(*[lambda: contest(office, visited)] * 2)
    [refused] = [end for end in ends if end is not None]
    assert isinstance(refused, Refused) and "can be only once" in str(refused)
    assert [entry.key for entry in visited.entries].count("appeal_lodged#1") == 1


def test_the_case_of_an_erased_applicant_is_neither_contested_nor_corrected(visited: Story, office: Office) -> None:
    """The key is gone: both are refused in words, and not with a fault of ours."""
    with office.db.writing() as session:
        person = session.get_one(Person, visited.case.person_id)
        session.delete(session.get_one(PersonKey, person.key_id))
    for act in (lambda: contest(office, visited), lambda: visited.corrected(owner__name="Sri")):
        with pytest.raises(Erased, match="This person was erased"):
            act()


def test_who_answered_for_the_office_is_kept_apart(visited: Story, office: Office) -> None:
    """Both questions of officials count, each under its name; the owner's own word does not."""
    contest(office, visited)
    visited.advance()
    with office.db.reading() as session:
        wait = session.get_one(Wait, (visited.case.id, "objection_ruling#1"))
        assert wait.apart_from == ["ani", "budi"]


def test_an_open_appeal_whose_code_is_gone_stops_the_start_of_the_house(
    visited: Story, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version that the objection began with is named; an ending that nobody contests needs no code of an appeal."""
    monkeypatch.setattr(registry, "_appeals", {})
    with office.db.reading() as session:
        must_have_code(session)
    contest(office, visited)
    with office.db.reading() as session, pytest.raises(Refused, match=r"objection version 1 \(1 open\)"):
        must_have_code(session)


def test_an_appeal_uses_nothing_of_the_budget_that_ended_with_the_case() -> None:
    """Stretches after the end are neither used nor stopped days."""
    monday = datetime(2026, 6, 8, 9, tzinfo=JAKARTA)
    turns = [
        NewSegment(monday, "office", True, "law"),
        NewSegment(monday + timedelta(days=2), None, False, "closed"),
        NewSegment(monday + timedelta(days=7), "office", False, "appeal"),
    ]
    budget = Rule("service_time", 10, "working_days", date(2021, 1, 1), None, "", "policy")
    later = monday + timedelta(days=30)
    clock = legal_clock(Calendar(), budget, StopLimit(0, 0), monday, turns, later)
    assert (clock.used, clock.stopped, clock.running) == (1, 0, False)
