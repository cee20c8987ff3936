"""An open case goes on under another version only when somebody moves it there, and only where that version fits its record."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.actions.answer import answer_many
from engine.definition import registry
from engine.errors import NotAllowed, Refused, UnknownCase
from engine.execution.parking import retry
from engine.execution.versions.case_migration import (
    MigrationPlan,
    migrate_case,
    migrate_cases,
    plan_case,
    plan_case_undo,
    plan_pipeline,
    preview_migration,
)
from engine.execution.versions.fit_check import MigrationReport
from engine.runtime.office import Office
from rules import HERE, book
from tests.engine.conftest import Begin
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop
from tests.stories.nib_legalization.conftest import NibStory
from tests.stories.story import Story

pytestmark = pytest.mark.usefixtures("blank_papers")

FINE = {"decision": "fine"}
V2 = ("version=1", "version=2")
PHOTO = (
    "SAMPLE = Question",
    'class Photo(Form):\n    decision: Found\n\nPHOTO = Question(Photo, of=Role.OFFICER, title="Foto")\nSAMPLE = Question',
)
# The second version thanks before it asks for a photo, where the first one thanked and closed.
WITH_PHOTO = [V2, PHOTO, ("    thank(case)\n    return", "    thank(case)\n    ask(PHOTO)\n    return")]


def moved(office: Office, plan: MigrationPlan, by: str = "admin") -> MigrationReport:
    """Move what a plan says."""
    with office.run("cli", by=by) as run:
        return migrate_cases(office, run, plan, by=by, reason="versi 2 menambah foto")


def on_record(story: Story) -> tuple[Any, ...]:
    """What a move that was refused leaves as it was."""
    case = story.case
    return case.version, case.rule_date, case.head, [entry.hash for entry in story.entries], story.waits_for


def test_a_moved_case_goes_on_under_the_other_version_and_its_ledger_tells_both(
    begin: Begin, workshop: Workshop, office: Office
) -> None:
    """The remark says from where to where, by whom and why; the entries after it bear the new version; the chain is whole."""
    workshop.write()
    story, stays = begin(), begin()
    workshop.write(FARM_VISIT, "made_up_anew", *WITH_PHOTO)
    before = on_record(story)
    plan = plan_case(office, story.number)
    assert preview_migration(office, plan) == MigrationReport(movable=[story.number])
    assert on_record(story) == before
    assert moved(office, plan) == MigrationReport(movable=[story.number], moved=[story.number])
    remark = story.entries[-1]
    assert (remark.key, remark.actor, remark.role, remark.reason) == (
        "migrated",
        "admin",
        "administrator",
        "versi 2 menambah foto",
    )
    assert remark.result == {"from": 1, "to": 2, "rules_from": "2026-01-12", "rules_to": "2026-01-12"}
    for one in (story, stays):
        one.answers("budi", "visit#1", **FINE).answers("ani", "sample#1", **FINE)
    assert (story.waits_for, stays.outcome) == (["photo#1"], "done")
    story.answers("tuti", "photo#1", **FINE)
    assert (story.outcome, story.shown()["pipeline_version"], story.is_whole()) == ("done", 2, True)
    assert [entry.pipeline_version for entry in story.entries] == [1, 1, 2, 2, 2, 2, 2, 2, 2]
    assert moved(office, plan).refused == [{"case": story.number, "reason": "it is closed (done)"}]


TOOK = "    sample = ask(SAMPLE)\n"
DOES_NOT_FIT: dict[str, tuple[list[tuple[str, str]], str]] = {
    "a step on record has another name": (
        [("def greet", "def welcome"), ("    greet(case)", "    welcome(case)")],
        "entry 2 ('greet#1'): the code came to welcome#1 without it",
    ),
    "a step on record is called with other arguments": (
        [("weigh(case, 100)", "weigh(case, 200)")],
        "entry 4 ('weigh#1'): it was recorded with other arguments",
    ),
    "an answer is not asked for any more": (
        [("    visit = ask(VISIT)\n", ""), ("visit.by", "case.number")],
        "entry 3 ('visit#1'): the code came to a wait without it",
    ),
    "an answer lacks what the form asks for now": (
        [("    decision: Found\n    reason", "    decision: Found\n    hectares: int\n    reason")],
        "Visit does not take what is on record (hectares: Field required)",
    ),
    "what is open is asked with other arguments": (
        [("ask(SAMPLE)", 'ask(SAMPLE, apart_from=["tuti"])')],
        "step 'sample#1': it was asked with other arguments",
    ),
    "what is open is not asked any more": (
        [(TOOK, ""), ("sample.by", "visit.by")],
        "step 'sample#1': the case waits there, and the code came to thank#1 without it",
    ),
    "a step comes before what is open": (
        [(TOOK, f"    thank(case)\n{TOOK}")],
        "step 'sample#1': the case waits there, and the code came to thank#1 without it",
    ),
    "something is asked beside what is open": (
        [PHOTO, (TOOK, "    sample, _ = ask_all(SAMPLE, PHOTO)\n")],
        "version 2 would ask photo#1, besides what the case waits for",
    ),
    "what is open is for others": (
        [("Question(Sample, of=Role.COMPANION", "Question(Sample, of=Role.OFFICER")],
        "step 'sample#1': it was asked of companion, and version 2 asks officer",
    ),
    "the code itself fails": (
        [(TOOK, '    raise RuntimeError("0812 3456 7890 hilang")\n')],
        "RuntimeError: ",
    ),
}


@pytest.mark.parametrize("change", DOES_NOT_FIT)
def test_a_case_that_does_not_fit_stays_where_it_is(
    begin: Begin, workshop: Workshop, office: Office, change: str
) -> None:
    """The reason names entry or wait and what is wrong with it; nothing is changed, and the case goes on as it began."""
    workshop.write()
    story = begin().answers("budi", "visit#1", **FINE)
    changes, reason = DOES_NOT_FIT[change]
    workshop.write(FARM_VISIT, "made_up_anew", V2, *changes)
    before = on_record(story)
    plan = plan_case(office, story.number, to=2)
    [refused] = preview_migration(office, plan).refused
    assert refused["case"] == story.number
    assert refused["reason"].startswith(reason)
    assert "0812 3456 7890" not in refused["reason"]
    with office.run("cli", by="admin") as run, pytest.raises(Refused, match="stays where it is") as told:
        migrate_case(office, run, plan, by="admin", reason="coba")
    assert refused["reason"] in str(told.value)
    assert told.value.for_people.startswith(f"Permohonan {story.number} tetap seperti semula: ")
    assert refused["reason"] not in told.value.for_people
    assert on_record(story) == before
    assert story.answers("ani", "sample#1", **FINE).outcome == "done"


LABORATORY = """@external_step(SAMPLE)
def laboratory(case: Case):
    from datetime import timedelta
    from outside.errors import TryLater
    raise TryLater("the laboratory is closed", timedelta(minutes=5))

def withdrawn"""


def test_a_call_under_another_name_can_not_be_made(begin: Begin, workshop: Workshop, office: Office) -> None:
    """A machine wait names the step that calls: a version without it could never settle the wait."""
    by_machine = [(TOOK, "    sample = laboratory(case)\n"), ("def withdrawn", LABORATORY)]
    workshop.write(FARM_VISIT, "made_up", *by_machine)
    story = begin().answers("budi", "visit#1", **FINE)
    workshop.write(FARM_VISIT, "made_up_anew", V2, *by_machine, ("laboratory", "new_laboratory"))
    [refused] = preview_migration(office, plan_case(office, story.number)).refused
    assert refused["reason"] == "step 'sample#1': laboratory was to be called, which version 2 does not have"
    workshop.write(FARM_VISIT, "made_up_anew", V2, *by_machine)
    assert moved(office, plan_case(office, story.number)).moved == [story.number]


def test_a_parked_case_moves_to_the_version_that_mends_it(begin: Begin, workshop: Workshop, office: Office) -> None:
    """Its code failed, or is gone; the other version fits what is on record, and goes on from there once it is freed."""
    broken = ("return grams", "return 1 / 0")
    workshop.write(FARM_VISIT, "made_up", broken)
    story = begin().answers("budi", "visit#1", **FINE)
    assert story.shown()["status"] == "parked"
    workshop.write(FARM_VISIT, "made_up_anew", V2)
    workshop.lose("farm-visit", 1)
    assert moved(office, plan_pipeline(office, "farm-visit")).moved == [story.number]
    assert story.shown()["status"] == "parked"
    with office.run("cli", by="admin") as run:
        retry(office, run, story.number, by="admin")
    story.advance()
    assert (story.waits_for, story.shown()["pipeline_version"]) == (["sample#1"], 2)
    with pytest.raises(Refused, match="farm-visit version 1"):
        preview_migration(office, plan_case_undo(office, story.number))


def test_a_case_that_is_about_to_go_on_goes_on_under_the_other_version(
    begin: Begin, workshop: Workshop, office: Office
) -> None:
    """It was answered and no worker has come by: what is on record fits, and what follows is the new version's."""
    workshop.write()
    story = begin()
    with office.run("cli", by="budi") as run:
        answer_many(office, run, [(story.number, "visit#1", FINE)], by="budi")
    workshop.write(FARM_VISIT, "made_up_anew", V2, ("weigh(case, 100)", "weigh(case, 200)"))
    assert moved(office, plan_case(office, story.number)).moved == [story.number]
    story.advance()
    assert [(entry.key, entry.result) for entry in story.entries if entry.kind == "step"][-1] == ("weigh#1", 200)


def test_the_last_move_of_one_case_is_undone(begin: Begin, workshop: Workshop, office: Office) -> None:
    """Once: a case that was never moved, or is back already, has nothing to undo."""
    workshop.write()
    story = begin()
    workshop.write(FARM_VISIT, "made_up_anew", *WITH_PHOTO)
    assert preview_migration(office, plan_case_undo(office, story.number)).refused
    moved(office, plan_case(office, story.number))
    story.answers("budi", "visit#1", **FINE)
    assert moved(office, plan_case_undo(office, story.number)).moved == [story.number]
    assert (story.case.version, story.entries[-1].key) == (1, "migration_undone")
    assert preview_migration(office, plan_case_undo(office, story.number)).refused
    assert moved(office, plan_case(office, story.number)).moved == [story.number]
    assert story.is_whole()


def test_only_an_administrator_moves_cases(begin: Begin, workshop: Workshop, office: Office) -> None:
    """Somebody else, a case that does not exist, a version that does not exist, and where it is already: all refused."""
    workshop.write()
    story = begin()
    workshop.write(FARM_VISIT, "made_up_anew", *WITH_PHOTO)
    with pytest.raises(NotAllowed, match="budi is no administrator"):
        moved(office, plan_case(office, story.number), by="budi")
    with pytest.raises(UnknownCase):
        plan_case(office, "FRM-2026-999999")
    with pytest.raises(Refused, match="There is no pipeline farm-visit version 3"):
        plan_case(office, story.number, to=3)
    [refused] = preview_migration(office, plan_case(office, story.number, to=1)).refused
    assert refused["reason"] == "it is under version 1 and the rules of 2026-01-12 already"


SEVEN_DAYS = """
[[rule]]
name = "correction_time"
value = 7
unit = "working_days"
since = 2026-02-03
citation = "Usulan kantor: tujuh hari sejak Februari 2026"
standing = "policy"
"""


def test_a_case_is_moved_to_the_rules_of_another_day(
    nib: Callable[..., NibStory], office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened before the seven days and moved to the day of their row, the owner gets them; undone, the old days count again."""
    folder = tmp_path / "rules"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    with (folder / "nib_legalization.toml").open("a") as file:
        file.write(SEVEN_DAYS)
    monkeypatch.setattr(registry, "book", partial(book, folder=folder))
    due = []
    for national_id, times in (("3508166904956220", 0), ("3508166904956221", 1), ("3508166904956222", 2)):
        story = nib(national_id=national_id).on("2026-02-05")
        if times:
            moved(office, plan_case(office, story.number, rules_on=date(2026, 2, 4)))
            assert story.case.rule_date == date(2026, 2, 4)
        if times == 2:
            moved(office, plan_case_undo(office, story.number))
        story.dossier("return", deficiencies=["foto tempat usaha"])
        due.append(story.shown()["waiting_for"][0]["due_on"])
        story.on("2026-01-12")
    assert due == ["2026-02-12", "2026-02-18", "2026-02-12"]
