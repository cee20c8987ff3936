"""Open cases are moved in bulk, and back: what went on meanwhile is not, and what does not fit is named."""

from __future__ import annotations

import time

import pytest

from engine.actions.answer import answer_many
from engine.cases.dossier import fetch_row
from engine.cases.opening import open_cases
from engine.definition.registry import pipeline_named
from engine.errors import Refused
from engine.execution.versions.case_migration import (
    migrate_cases,
    migrate_fitting,
    plan_case,
    plan_pipeline,
    plan_run_undo,
)
from engine.execution.versions.fit_check import MigrationReport, find_fitting
from engine.reports.audit.whole_audit import audit_records
from engine.runtime.office import Office
from models import Business
from tests.engine.conftest import Begin
from tests.engine.execution.versions.test_case_migration import FINE, TOOK, V2, WITH_PHOTO, moved
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop

pytestmark = pytest.mark.usefixtures("blank_papers")


def test_what_went_on_since_it_was_checked_is_not_moved(begin: Begin, workshop: Workshop, office: Office) -> None:
    """In bulk, one case is answered between the check and the move: it alone is refused, and can be moved the next time."""
    workshop.write()
    stories = [begin() for _ in range(3)]
    workshop.write(FARM_VISIT, "made_up_anew", *WITH_PHOTO)
    plan = plan_pipeline(office, "farm-visit")
    moves = MigrationReport()
    fits = find_fitting(office, plan.pipeline, plan.targets, moves)
    assert moves.movable == [story.number for story in stories]
    stories[1].answers("budi", "visit#1", **FINE)
    with office.run("cli", by="admin") as run:
        migrate_fitting(office, run, fits, moves, act="migrated", by="admin", reason="")
    assert moves.moved == [stories[0].number, stories[2].number]
    assert moves.refused == [
        {"case": stories[1].number, "reason": "it went on while it was being moved; migrate it again"}
    ]
    assert [story.case.version for story in stories] == [2, 1, 2]
    assert moved(office, plan_pipeline(office, "farm-visit")).moved == [stories[1].number]
    assert moved(office, plan_pipeline(office, "farm-visit")) == MigrationReport()
    assert all(story.is_whole() for story in stories)


def test_a_case_of_which_only_a_wait_was_opened_since_is_not_moved(
    begin: Begin, workshop: Workshop, office: Office
) -> None:
    """A worker that opens a wait writes no entry: the case that was about to go on has gone on all the same."""
    silent = ("    weigh(case, 100)\n", "")
    workshop.write(FARM_VISIT, "made_up", silent)
    story = begin()
    with office.run("cli", by="budi") as run:
        answer_many(office, run, [(story.number, "visit#1", FINE)], by="budi")
    workshop.write(FARM_VISIT, "made_up_anew", V2, silent, (TOOK, ""), ("sample.by", "visit.by"))
    moves = MigrationReport()
    fits = find_fitting(office, "farm-visit", plan_case(office, story.number).targets, moves)
    story.advance()
    with office.run("cli", by="admin") as run:
        migrate_fitting(office, run, fits, moves, act="migrated", by="admin", reason="")
    assert (moves.moved, story.case.version, story.waits_for) == ([], 1, ["sample#1"])


def test_what_a_run_moved_is_moved_back_together(begin: Begin, workshop: Workshop, office: Office) -> None:
    """Undo takes what one run moved back to where each was; one that has recorded what the old version lacks stays."""
    workshop.write()
    stories = [begin() for _ in range(3)]
    workshop.write(FARM_VISIT, "made_up_anew", *WITH_PHOTO)
    with office.run("cli", by="admin") as run:
        migrate_cases(office, run, plan_pipeline(office, "farm-visit"), by="admin", reason="coba")
    for story in stories[:2]:
        story.answers("budi", "visit#1", **FINE)
    stories[0].answers("ani", "sample#1", **FINE).answers("tuti", "photo#1", **FINE)
    late = begin()
    stories[1].answers("ani", "sample#1", **FINE)
    plan = plan_run_undo(office, "farm-visit", run.id)
    done = moved(office, plan)
    assert done.moved == [stories[2].number]
    gone_past = "step 'photo#1': the case waits there, and the code came to its end without it"
    assert done.refused == [
        {"case": stories[0].number, "reason": "it is closed (done)"},
        {"case": stories[1].number, "reason": gone_past},
    ]
    assert [story.case.version for story in (*stories, late)] == [2, 2, 1, 2]
    again = moved(office, plan_run_undo(office, "farm-visit", run.id))
    assert (again.moved, again.refused[0]["reason"]) == ([], "it was not moved, or was moved on or back since")
    stories[2].answers("budi", "visit#1", **FINE).answers("ani", "sample#1", **FINE)
    assert (stories[2].outcome, [entry.pipeline_version for entry in stories[2].entries][:4]) == ("done", [1, 1, 2, 1])
    assert all(story.is_whole() for story in stories)
    with pytest.raises(Refused, match="moved no case of farm-visit"):
        plan_run_undo(office, "farm-visit", "no-such-run")


@pytest.mark.slow
def test_five_hundred_cases_are_moved_and_moved_back_in_seconds(
    begin: Begin, workshop: Workshop, office: Office
) -> None:
    """Chunk by chunk, each case with its remark; every chain is whole."""
    workshop.write()
    first = begin()
    with office.db.writing() as session:
        owner = session.get_one(Business, first.case.subject_id)
        known = owner.model_dump(exclude={"id"})
        many = [Business(**{**known, "name": f"Usaha {n}"}) for n in range(499)]
        session.add_all(many)
        session.flush()
        ids = [business.id or 0 for business in many]
    with office.run("cli", by="budi") as run:
        open_cases(office, run, pipeline_named("farm-visit"), ids, by="budi")
    first.advance()
    workshop.write(FARM_VISIT, "made_up_anew", *WITH_PHOTO)
    begun = time.monotonic()
    with office.run("cli", by="admin") as run:
        done = migrate_cases(office, run, plan_pipeline(office, "farm-visit"), by="admin", reason="versi 2")
    back = moved(office, plan_run_undo(office, "farm-visit", run.id))
    seconds = time.monotonic() - begun
    assert (len(done.moved), len(back.moved), done.refused, back.refused) == (500, 500, [], [])
    assert seconds < 6, f"{seconds:.1f} s"
    with office.db.reading() as session:
        audit = audit_records(office, session)
        assert (audit.findings, fetch_row(session, done.moved[-1]).version) == ([], 1)
    assert first.waits_for == ["visit#1"]
