"""An open case finishes under the version it began with; where code and ledger do not fit, that case alone stops."""

from __future__ import annotations

import pytest

from engine.actions.answer import Answered, answer_many
from engine.errors import Refused
from engine.execution.document_files import make_and_store
from engine.execution.drain import drain
from engine.execution.parking import retry
from engine.execution.versions.fingerprints import must_have_code
from engine.reports.case_views import case_history
from engine.reports.inbox import inbox
from engine.runtime.office import Office
from tests.engine.conftest import Begin
from tests.pipelines_for_tests.workshop import CERTIFICATES, FARM_VISIT, Workshop
from tests.stories.story import Story

pytestmark = pytest.mark.usefixtures("blank_papers")
V2 = ("version=1", "version=2")


def versions(story: Story) -> set[int]:
    """Which versions the entries of a case bear."""
    with story.office.db.reading() as session:
        return {entry["pipeline_version"] for entry in case_history(session, story.number)}


def test_an_open_case_goes_on_under_the_version_it_began_with(begin: Begin, workshop: Workshop) -> None:
    """Version 2 skips the sample; who applied under version 1 still gives one, who applies now does not."""
    workshop.write()
    old = begin()
    shorter = ("    sample = ask(SAMPLE)\n    thank(case)\n", "    sample = visit\n")
    workshop.write(FARM_VISIT, "made_up_anew", V2, shorter)
    new = begin()
    old.answers("budi", "visit#1", decision="fine")
    new.answers("budi", "visit#1", decision="fine")
    assert (old.waits_for, new.outcome) == (["sample#1"], "done")
    assert old.answers("ani", "sample#1", decision="fine").outcome == "done"
    assert (versions(old), versions(new)) == ({1}, {2})
    assert (old.shown()["pipeline_version"], new.shown()["pipeline_version"]) == (1, 2)


VISITED = "visit = ask(VISIT)"
CHANGES: dict[str, tuple[list[tuple[str, str]], str]] = {
    "a step was renamed": (
        [("def greet", "def welcome"), ("    greet(case)", "    welcome(case)")],
        "at entry 2 ('greet#1'): the code came to welcome#1 without it",
    ),
    "a step is called with other arguments": (
        [("weigh(case, 100)", "weigh(case, 200)")],
        "at entry 4 ('weigh#1'): it was recorded with other arguments",
    ),
    "a step was removed": (
        [("    greet(case)\n", "")],
        "at entry 2 ('greet#1'): the code came to thank#1 without it",
    ),
    "a question was removed": (
        [(f"    {VISITED}\n", ""), ("visit.by", "case.number")],
        "at entry 3 ('visit#1'): the code came to thank#1 without it",
    ),
    "a step was put before recorded ones": (
        [("    greet(case)\n    visit", "    thank(case)\n    greet(case)\n    visit")],
        "at entry 2 ('greet#1'): the code came to thank#1 without it",
    ),
    "a question is put to others": (
        [("ask(SAMPLE)", 'ask(SAMPLE, apart_from=["ani"])')],
        "at entry 5 ('sample#1'): it was recorded with other arguments",
    ),
    "a step became a question": (
        [
            ("class Sample(Form)", "class Greet(Form)"),
            ("Question(Sample,", "Question(Greet,"),
            ("    greet(case)\n", "    ask(SAMPLE)\n"),
        ],
        "at entry 2 ('greet#1'): the ledger recorded a step there",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_code_that_does_not_fit_the_ledger_stops_that_case_alone(
    begin: Begin, workshop: Workshop, office: Office, change: str
) -> None:
    """The case is parked with entry and step, nothing else is written, and the old code lets it go on."""
    workshop.write()
    story = begin().answers("budi", "visit#1", decision="fine")
    with office.run("cli", by="ani") as run:
        [taken] = answer_many(office, run, [(story.number, "sample#1", {"decision": "fine"})], by="ani")
        assert isinstance(taken, Answered)
    before = [entry.key for entry in story.entries]
    changes, where = CHANGES[change]
    workshop.write(FARM_VISIT, "made_up", *changes)
    other = begin()
    assert other.waits_for, "a case that the new code fits goes on in the same run"
    shown = story.shown()
    assert shown["status"] == "parked"
    assert f"Case {story.number} does not fit farm-visit version 1 {where}" in shown["error"]
    assert f"jalur case migrate {story.number}" in shown["error"]
    assert [entry.key for entry in story.entries] == [*before, "parked"]
    assert (story.waits_for, story.documents) == ([], [])
    workshop.write()
    with office.run("cli", by="admin") as run:
        retry(office, run, story.number, by="admin")
    story.advance()
    assert (story.outcome, story.is_whole()) == ("done", True)


def test_a_question_that_is_still_open_may_not_vanish_from_the_code(begin: Begin, workshop: Workshop) -> None:
    """Two were asked, one answered, and the other's question was taken out: the case does not go on past it."""
    both = [(VISITED, "visit, sample = ask_all(VISIT, SAMPLE)"), ("    sample = ask(SAMPLE)\n", "")]
    workshop.write(FARM_VISIT, "made_up", *both)
    story = begin()
    workshop.write(FARM_VISIT, "made_up", ("    sample = ask(SAMPLE)\n", ""), ("sample.by", "visit.by"))
    story.answers("budi", "visit#1", decision="fine")
    assert "at step 'sample#1': the case waits there, and the code came to weigh#1" in story.shown()["error"]
    assert story.waits_for == ["sample#1"]


def test_a_case_whose_code_is_gone_stops_alone_and_says_which_version(
    begin: Begin, workshop: Workshop, office: Office
) -> None:
    """Answers, inbox and runs of the others go on; the start of the house refuses, and names the version."""
    workshop.write()
    old, ready = begin(), begin()
    workshop.write(FARM_VISIT, "made_up_anew", V2)
    new = begin()
    with office.run("cli", by="budi") as run:
        data = {"decision": "fine"}
        answer_many(office, run, [(ready.number, "visit#1", data)], by="budi")
        workshop.lose("farm-visit", 1)
        ends = answer_many(office, run, [(old.number, "visit#1", data), (new.number, "visit#1", data)], by="budi")
    assert isinstance(ends[0], Refused)
    assert "farm-visit version 1" in str(ends[0])
    assert isinstance(ends[1], Answered)
    with office.db.reading() as session:
        listed = {one["case"]: one["title"] for one in inbox(office, session)}
        with pytest.raises(Refused, match=r"farm-visit version 1 \(2 open\)"):
            must_have_code(session)
    assert listed == {old.number: "Kode farm-visit versi 1 tidak tersedia; hubungi administrator"}
    new.advance()
    assert new.waits_for == ["sample#1"]
    assert old.shown()["status"] == "waiting"
    assert (ready.shown()["status"], "farm-visit version 1" in ready.shown()["error"]) == ("parked", True)
    workshop.write()
    with office.run("cli", by="admin") as run:
        retry(office, run, ready.number, by="admin")
    ready.advance()
    assert ready.waits_for == ["sample#1"]


LABORATORY = [
    ("    sample = ask(SAMPLE)\n", "    sample = laboratory(case)\n"),
    (
        "def withdrawn",
        """@external_step(SAMPLE)
def laboratory(case: Case):
    from datetime import timedelta
    from outside.errors import TryLater
    if CLOSED: raise TryLater("the laboratory is closed", timedelta(minutes=5))
    found = Sample(decision="fine")
    return found.recorded("laboratorium", None)

CLOSED = True

def withdrawn""",
    ),
]


@pytest.mark.parametrize("source", [FARM_VISIT, CERTIFICATES])
def test_a_machine_wait_whose_code_is_gone_holds_up_no_other(
    begin: Begin, workshop: Workshop, office: Office, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """A call, or a document, of a version without code waits with the reason; those of the other version are done."""
    by_machine = source is FARM_VISIT
    changes = LABORATORY if by_machine else []
    name = "farm-visit" if by_machine else "certificates"
    made_by = "engine.execution.issuing.make_and_store"
    if not by_machine:
        monkeypatch.setattr(made_by, lambda *_: 1 / 0)
    old_code = workshop.write(source, "made_up", *changes)
    old = begin(name)
    new_code = workshop.write(source, "made_up_anew", V2, *changes)
    new = begin(name)
    for story in (old, new):
        if by_machine:
            story.answers("budi", "visit#1", decision="fine")
        assert story.waits_for == ["sample#1" if by_machine else "certificate#1"]
    workshop.lose(name, 1)
    new_code.body.__globals__["CLOSED"] = old_code.body.__globals__["CLOSED"] = False
    monkeypatch.setattr(made_by, make_and_store)
    new.clock.turn(minutes=6)
    with office.run("flow", by="test") as run:
        drain(office, run, name)
    assert (old.outcome, new.outcome) == (None, "done")
    assert f"{name} version 1" in old.shown()["error"]
    workshop.write(source, "made_up", *changes).body.__globals__["CLOSED"] = False
    old.clock.turn(minutes=10)
    old.advance()
    assert old.outcome == "done"
