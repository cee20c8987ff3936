"""Shadow run: plays closed cases through another version or other rules, and writes nothing.

What people, machines and silence said is on record, and is said again where the same is asked. Which steps keep their
recorded result, and which are done anew in a transaction that is rolled back: see shadow_replay.py.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from engine.cases.dossier import Dossier, fetch_readable
from engine.definition.registry import Pipeline, pipeline_named
from engine.errors import Refused
from engine.execution.versions.fit_check import what_failed
from engine.execution.versions.shadow_replay import (
    Alternative,
    Course,
    DoesStepsAnew,
    LookedAt,
    RefusesSteps,
    StepMustBeDone,
    course_of,
)
from engine.runtime.database import among
from engine.runtime.leases import CHUNK
from engine.runtime.office import NO_RUN, Office, Work
from models import CaseFile, CaseStatus, EntryKind, LedgerEntry
from rules import HERE, RuleBook, book

RULE_FILES = ("common", "office")


def run_shadow(
    office: Office,
    pipeline: str,
    *,
    to: int | None = None,
    rules: Path | None = None,
    rules_on: date | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """Play the newest ``limit`` closed cases; return how many went as recorded, and the others.

    ``rules`` is a folder in place of ``rules/``; registers that steps read as they stand today are read from ``rules/`` all the
    same. No case is locked, nobody is told, nothing outside is called.

    Raises:
        Refused: there is no such version, or the folder is not one of rules.
    """
    under = pipeline_named(pipeline, to)
    known = {(rule.name, rule.since.isoformat()): rule for rule in under.rules.rows()}
    other = Alternative(under, _book_in(rules, under) if rules else under.rules, rules_on, known)
    with office.db.reading() as session:
        closed = select(CaseFile.id).where(CaseFile.pipeline == under.name, CaseFile.status == CaseStatus.CLOSED)
        ids = [case_id or 0 for case_id in session.exec(closed.order_by(col(CaseFile.id).desc()).limit(limit))]
    different = []
    for start in range(0, len(ids), CHUNK):
        different += _shadow_chunk(office, ids[start : start + CHUNK], other)
    return {"cases": len(ids), "same": len(ids) - len(different), "different": different}


def _shadow_chunk(office: Office, ids: list[int], other: Alternative) -> list[dict[str, str | None]]:
    """Return the cases that went otherwise.

    A case is played with what is on record alone. Where one of its steps has to be done anew it is played again, in a
    transaction of its own.
    """
    courses: dict[int, Course] = {}
    with_new_steps: list[Dossier] = []
    with office.db.reading() as session:
        wanted = select(CaseFile.id, CaseFile.number, CaseFile.outcome).where(among(session, col(CaseFile.id), ids))
        ended = {case_id or 0: (number, was) for case_id, number, was in session.exec(wanted)}
        looked_at = _looked_at(session, ids)
        dossiers, unreadable = fetch_readable(office, session, ids, under=other.pipeline)
        session.expunge_all()
        for case_id, error in unreadable.items():
            courses[case_id] = Course(f"fails: {what_failed(error)}")
        for case_id, dossier in dossiers.items():
            try:
                courses[case_id] = course_of(Work(office, NO_RUN, session), dossier, other, looked_at, RefusesSteps())
            except StepMustBeDone:
                with_new_steps.append(dossier)
    for dossier in with_new_steps:
        with office.db.writing() as session:
            stage = DoesStepsAnew(session, dossier)
            work = Work(office, NO_RUN, session)
            courses[dossier.row.id or 0] = course_of(work, dossier, other, looked_at, stage)
            session.rollback()
    return [
        {"case": number, "was": was, "would": course.would, "first_difference": course.differs_at}
        for case_id, (number, was) in sorted(ended.items(), reverse=True)
        if (course := courses[case_id]).would != was or course.differs_at
    ]


def _looked_at(session: Session, ids: list[int]) -> LookedAt:
    """Return the rows of the rules that each step looked at, by case and key."""
    steps = select(LedgerEntry.case_id, LedgerEntry.key, LedgerEntry.rule_versions).where(
        among(session, col(LedgerEntry.case_id), ids), LedgerEntry.kind == EntryKind.STEP
    )
    return {(case_id, key): dict(versions) for case_id, key, versions in session.exec(steps)}


def _book_in(folder: Path, pipeline: Pipeline) -> RuleBook:
    """Return the rule book of that folder.

    Raises:
        Refused: a file that ``rules/`` has is missing there, or can't be read.
    """
    for name in (f"{file}.toml" for file in (*RULE_FILES, pipeline.slug)):
        if (HERE / name).exists() and not (folder / name).exists():
            raise Refused(
                f"There is no {name} in {folder}. Copy rules/*.toml there and change what is to be tried",
                for_people=f"Berkas {name} tidak ada di {folder}. Salin rules/*.toml ke sana, lalu ubah yang ingin dicoba.",
            )
    try:
        return book(pipeline.slug, folder)
    except (ValueError, OSError) as error:
        raise Refused(
            f"The rules in {folder} can't be read: {type(error).__name__}: {error}",
            for_people=f"Aturan di {folder} tidak dapat dibaca: {error}",
        ) from None
