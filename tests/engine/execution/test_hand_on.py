"""One pipeline opens the next: the case, what is known, and both ledgers; once, whatever happens in between."""

from __future__ import annotations

import json
from functools import partial
from unittest import mock

import pytest
from sqlmodel import select

from engine.actions.answer import answer
from engine.cases.opening import open_cases
from engine.definition.registry import pipeline_named
from engine.errors import Refused
from engine.runtime.office import Office
from models import CaseFile
from tests.engine.conftest import Begin
from tests.engine.together import at_once
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop
from tests.stories.story import Story

HANDS_ON = (
    (
        "    sample = ask(SAMPLE)\n",
        '    other = hand_on("shop-visit", {"reason": "sudah diperiksa 3508166904956220"})\n',
    ),
    ("diambil {sample.by}", "lanjut {other.number} {other.opened}"),
)
SHOP = (
    FARM_VISIT.replace("farm-visit", "shop-visit")
    .replace('prefix="FRM"', 'prefix="SHP"')
    .replace("visit = ask(VISIT)", "visit = ask(VISIT, known=case.carried)")
    .replace("dikunjungi {visit.by}", "{case.handed_on and case.handed_on.number}: {visit.reason}")
)


@pytest.fixture
def farm(workshop: Workshop, begin: Begin) -> Begin:
    """Begin cases that hand on to the shop visit."""
    workshop.write(FARM_VISIT, "farm", *HANDS_ON)
    workshop.write(SHOP, "shop")
    return begin


def numbers(office: Office, pipeline: str) -> list[str]:
    with office.db.reading() as session:
        return sorted(session.exec(select(CaseFile.number).where(CaseFile.pipeline == pipeline)))


def told(office: Office, number: str) -> Story:
    """Return the story of a case that another one opened."""
    story = Story.__new__(Story)
    story.office, story.clock, story.pipeline, story.number = office, office.clock, pipeline_named("shop-visit"), number  # type: ignore[assignment]
    return story


def test_the_next_case_is_opened_with_what_is_known_and_both_ledgers_say_so(farm: Begin, office: Office) -> None:
    """Nobody types twice; what was carried is not shown unmasked, and can be corrected."""
    story = farm().answers("budi", "visit#1", decision="fine")
    assert (story.outcome, story.case.reason) == ("done", "dikunjungi budi, lanjut SHP-2026-000001 True")
    given = {entry.key: (entry.outcome, entry.reason) for entry in story.entries}
    assert given["hand_on#1"] == ("handed_on", "dilanjutkan sebagai SHP-2026-000001")
    shop = told(office, "SHP-2026-000001")
    assert (shop.entries[0].actor, shop.entries[0].reason) == ("jalur", "dilanjutkan dari FRM-2026-000001")
    shop.advance()
    [asked] = shop.shown()["waiting_for"]
    assert asked["form"]["properties"]["reason"]["default"] == "sudah diperiksa 350816********20"
    shop.answers("tuti", "visit#1", decision="fine").answers("ani", "sample#1", decision="fine")
    assert "FRM-2026-000001: sudah diperiksa 350816" in str(shop.case.reason)
    assert story.is_whole() and shop.is_whole()


def test_an_answer_may_say_otherwise_than_what_is_known(farm: Begin, office: Office) -> None:
    """What is typed counts."""
    farm().answers("budi", "visit#1", decision="fine")
    shop = told(office, "SHP-2026-000001")
    shop.advance()
    shop.answers("tuti", "visit#1", decision="fine", reason="lain").answers("ani", "sample#1", decision="fine")
    assert shop.case.reason == "FRM-2026-000001: lain, diambil ani"


def test_where_a_case_is_open_there_already_nothing_is_opened(farm: Begin, office: Office) -> None:
    """It is named instead; so is one that was opened by hand a moment before."""
    story = farm()
    with office.run("cli", by="budi") as run:
        open_cases(office, run, pipeline_named("shop-visit"), [story.case.subject_id], by="budi")
    story.answers("budi", "visit#1", decision="fine")
    assert story.case.reason == "dikunjungi budi, lanjut SHP-2026-000001 False"
    assert numbers(office, "shop-visit") == ["SHP-2026-000001"]


@pytest.mark.both_databases
def test_two_workers_open_one_case_each_for_many_givers(farm: Begin, office: Office) -> None:
    """Numbers without gaps and without doubles, and no worker waits for ever for the other."""
    stories = [farm() for _ in range(6)]
    for story in stories:
        with office.run("cli", by="budi") as run:
            answer(office, run, story.number, "visit#1", by="budi", data={"decision": "fine"})
    ends = at_once(partial(stories[0].advance), partial(stories[1].advance))
    assert not [end for end in ends if isinstance(end, Exception)], ends
    stories[0].advance()
    assert [story.outcome for story in stories] == ["done"] * 6
    assert numbers(office, "shop-visit") == [f"SHP-2026-{place:06d}" for place in range(1, 7)]


def test_a_withdrawal_in_between_is_noted_and_the_next_case_stands_on_its_own(
    farm: Begin, workshop: Workshop, office: Office
) -> None:
    """The hand-over is recorded first, then the withdrawal takes effect at the next ask."""
    ask_after = ("    thank(case)\n", "    thank(case)\n    ask(SAMPLE)\n")
    workshop.write(FARM_VISIT.replace("farm-visit", "orchard").replace("FRM", "ORC"), "orchard", *HANDS_ON, ask_after)
    story = farm("orchard")
    with office.run("cli", by="budi") as run:
        answer(office, run, story.number, "visit#1", by="budi", data={"decision": "fine"})
    with mock.patch("engine.execution.drain.hand_on_waiting", lambda *_: 0):
        story.advance()
    assert story.waits_for == ["hand_on#1"]
    story.withdraws(f"owner-{story.case.person_id}")
    assert story.outcome == "withdrawn"
    assert numbers(office, "shop-visit") == ["SHP-2026-000001"]


def test_nobody_can_pretend_that_a_case_was_handed_on(farm: Begin, office: Office) -> None:
    """More facts may be given at opening, not where it comes from."""
    story = farm()
    facts = json.loads('{"handed_on": {"number": "NIB-2026-000001", "known": {}}}')
    with office.run("cli", by="budi") as run, pytest.raises(Refused, match="leave out handed_on"):
        open_cases(office, run, pipeline_named("shop-visit"), [story.case.subject_id], by="budi", facts=facts)
    assert numbers(office, "shop-visit") == []
