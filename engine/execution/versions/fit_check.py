"""Whether an open case fits another version of its process, or the rules of another day: found out by playing it there.

It fits when the code meets all that is on record and then comes to exactly the waits that are open. A case that waits for nothing
now (it is about to go on, or is parked because its code failed) goes on from there. The play does no step, asks nobody and writes
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session, col, select

from engine.cases.dossier import Dossier, fetch_readable
from engine.cases.waits import open_waits
from engine.definition.case import Case
from engine.definition.registry import Pipeline, pipeline_named
from engine.errors import LedgerMisfit
from engine.execution.replay import Replay
from engine.runtime.batch_writer import BatchWriter
from engine.runtime.database import among
from engine.runtime.office import NO_RUN, Office, Work
from models import AnyWait, CaseStatus, LedgerEntry, Wait, WaitKind
from models import Case as CaseRow
from models.base import Base
from models.privacy import without_personal_numbers
from rules import RuleBook, RulesAt


@dataclass(frozen=True)
class Place:
    """Where a case is to go on: under which version, and by the rules of which day (None: of the day it has)."""

    version: int
    rules_on: date | None = None


@dataclass(frozen=True)
class Fit:
    """A case that can be moved, as it was when that was found out: one that has changed since is not moved."""

    row: CaseRow
    version: int
    rules_on: date


@dataclass
class Moves:
    """What came of a plan: the numbers that could be moved and that were, and those that were refused, each with the reason."""

    movable: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)
    for_people: dict[str, str] = field(default_factory=dict)

    def refuse(self, number: str, reason: str, for_people: str) -> None:
        """Add a case that can't be moved, with the reason in English and in Indonesian."""
        self.refused.append({"case": number, "reason": reason})
        self.for_people[number] = for_people

    def as_json(self) -> dict[str, Any]:
        """Return it as ``jalur migrate-cases`` prints it."""
        return {"movable": self.movable, "moved": self.moved, "refused": self.refused}


def check(office: Office, pipeline: str, places: Mapping[int, Place], moves: Moves) -> list[Fit]:
    """Play the cases where they are to go; return those that fit, and note in ``moves`` which do, and why others don't."""
    fits: list[Fit] = []
    with office.db.reading() as session:
        numbers = numbers_of(session, places)
        for version in sorted({place.version for place in places.values()}):
            under = pipeline_named(pipeline, version)
            ids = [case_id for case_id, place in places.items() if place.version == version]
            dossiers, unreadable = fetch_readable(office, session, ids, under=under)
            for case_id, error in unreadable.items():
                moves.refuse(numbers[case_id], what_failed(error), "catatannya tidak terbaca")
            for case_id, dossier in dossiers.items():
                row = dossier.row
                session.expunge(row)
                fit = Fit(CaseRow(**row.model_dump()), version, places[case_id].rules_on or row.rule_date)
                if why_not := _why_not(office, session, dossier, fit):
                    moves.refuse(row.number, *why_not)
                else:
                    moves.movable.append(row.number)
                    fits.append(fit)
    return fits


class Beyond(BaseException):
    """The code has met all that is on record, and goes on. Not an Exception, so that no pipeline catches it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class _NothingNew(BatchWriter):
    """A book into which nothing is written: what would be asked, called or ended is told instead."""

    def write(self, table: type[Base], **row: Any) -> None:
        if table is Wait:
            raise Beyond(f"ask {row['key']}")
        if table is LedgerEntry:
            raise Beyond(f"record {row['key']}")

    def step(self, case: str, key: str, work: Callable[[], None]) -> None:
        """Do no step."""
        raise Beyond(f"do {key}")


def _why_not(office: Office, session: Session, dossier: Dossier, fit: Fit) -> tuple[str, str] | None:
    """Return why a case can't go on there, in English and in Indonesian; None when it can. Its row is used up."""
    row, under, hari = dossier.row, dossier.pipeline, fit.rules_on.isoformat()
    if row.status == CaseStatus.CLOSED:
        return f"it is closed ({row.outcome})", f"permohonan sudah selesai ({row.outcome})"
    if (row.version, row.rule_date) == (fit.version, fit.rules_on):
        return (
            f"it is under version {fit.version} and the rules of {fit.rules_on} already",
            f"permohonan sudah memakai versi {fit.version} dan aturan tanggal {hari}",
        )
    row.version, row.rule_date = fit.version, fit.rules_on
    case = met_by(dossier.case, fit.version, under.rules, fit.rules_on)
    if fit.rules_on > office.clock.today():
        return f"the rules of {fit.rules_on} are not in force yet", f"aturan tanggal {hari} belum berlaku"
    budgets = (name for question in under.questions.values() for name in (question.due, question.silent_after) if name)
    if missing := next((name for name in budgets if case.rules.peek(name) is None), None):
        return (
            f"no rule '{missing}' is in force on {fit.rules_on}",
            f"pada tanggal {hari} aturan '{missing}' belum atau tidak lagi berlaku",
        )
    if why_not := goes_on(office, session, replace(dossier, case=case)):
        return why_not, f"di sana permohonan akan berjalan lain daripada yang tercatat (versi {fit.version})"
    if why_not := next(filter(None, (_unserved(office, dossier, under, wait) for wait in open_waits(dossier))), ""):
        return why_not, f"versi {fit.version} tidak mengenal yang sedang ditunggu permohonan ini"
    return None


def met_by(case: Case, version: int, rules: RuleBook, day: date) -> Case:
    """Return the case as the code of another version meets it, by the rules of that day."""
    return replace(case, version=version, opened_on=day, rules=RulesAt(rules, day))


def goes_on(office: Office, session: Session, dossier: Dossier) -> str:
    """Return in words why the case, as it is put on the table, can't go on; nothing when it can. Its row is used up."""
    row, nothing = dossier.row, _NothingNew()
    try:
        Replay(Work(office, NO_RUN, session, nothing), dossier, nothing).play()
    except Beyond as beyond:
        if open_waits(dossier):
            return f"version {row.version} would {beyond.what}, besides what the case waits for"
    except Exception as error:
        return what_failed(error)
    return ""


def _unserved(office: Office, dossier: Dossier, under: Pipeline, wait: AnyWait) -> str:
    """Return why an open wait that the code comes to can't be settled there; nothing when it can."""
    if wait.kind == WaitKind.PERSON:
        question = under.questions.get(wait.question or "")
        if question is None:
            return f"step '{wait.key}': version {under.version} declares no question {wait.question}"
        if question.of != wait.role:
            return f"step '{wait.key}': it was asked of {wait.role}, and version {under.version} asks {question.of}"
    if wait.kind == WaitKind.EXTERNAL:
        call = office.vault.decrypt(dossier.key, wait.request or b"")["step"]
        if call not in under.steps:
            return f"step '{wait.key}': {call} was to be called, which version {under.version} does not have"
    return ""


def what_failed(error: Exception) -> str:
    """Return in words what a play failed of. What people typed is not repeated."""
    if isinstance(error, LedgerMisfit):
        where = f"entry {error.seq} ('{error.step}')" if error.seq else f"step '{error.step}'"
        return f"{where}: {error.what}"
    if isinstance(error, ValidationError):
        faults = (f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors())
        return without_personal_numbers(f"{error.title} does not take what is on record ({'; '.join(faults)})")
    return without_personal_numbers(f"{type(error).__name__}: {error}")[:500]


def numbers_of(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Return the numbers of cases by their ids."""
    wanted = select(CaseRow.id, CaseRow.number).where(among(session, col(CaseRow.id), ids))
    return {case_id or 0: number for case_id, number in session.exec(wanted)}
