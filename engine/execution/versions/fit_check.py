"""Fit: whether an open case can go on under another version, or the rules of another day.

The case is played there. It fits when the code meets all that is on record and comes to exactly the waits that are open; a case
that waits for nothing goes on from there. The play does no step, asks nobody and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NoReturn

from pydantic import ValidationError
from sqlmodel import Session, col, select

from engine.cases.dossier import Dossier, fetch_readable
from engine.cases.waits import open_waits
from engine.definition.case import Case
from engine.definition.registry import Pipeline, pipeline_named
from engine.errors import LedgerMisfit
from engine.execution.recorder import Call, LedgerRecorder
from engine.execution.replay import PlainStage, Replay
from engine.runtime.database import among
from engine.runtime.office import NO_RUN, Office, Work
from models import AnyWait, CaseFile, CaseStatus, EntryKind, WaitKind
from models.privacy import without_personal_numbers
from rules import RuleBook, RulesAt


@dataclass(frozen=True)
class Target:
    """The version a case goes on under, and the day whose rules hold (None: the day it has)."""

    version: int
    rules_on: date | None = None


@dataclass(frozen=True)
class Fit:
    """A case that can be moved, and its row as it was when that was found out."""

    row: CaseFile
    version: int
    rules_on: date


@dataclass
class MigrationReport:
    """The result of a plan by case number; each refused case has its reason in two languages."""

    movable: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)
    for_people: dict[str, str] = field(default_factory=dict)

    def refuse(self, number: str, reason: str, for_people: str) -> None:
        """Add a case that can't be moved, with the reason in English and in Indonesian."""
        self.refused.append({"case": number, "reason": reason})
        self.for_people[number] = for_people

    def as_json(self) -> dict[str, Any]:
        """Return the report as ``jalur migrate-cases`` prints it."""
        return {"movable": self.movable, "moved": self.moved, "refused": self.refused}


def find_fitting(office: Office, pipeline: str, targets: Mapping[int, Target], report: MigrationReport) -> list[Fit]:
    """Play the cases where they are to go on; return those that fit.

    Mutates:
        report: each case is added, as movable or refused.
    """
    fits: list[Fit] = []
    with office.db.reading() as session:
        numbers = _numbers_of(session, targets)
        for version in sorted({target.version for target in targets.values()}):
            under = pipeline_named(pipeline, version)
            ids = [case_id for case_id, target in targets.items() if target.version == version]
            dossiers, unreadable = fetch_readable(office, session, ids, under=under)
            for case_id, error in unreadable.items():
                report.refuse(numbers[case_id], what_failed(error), "catatannya tidak terbaca")
            for case_id, dossier in dossiers.items():
                row = dossier.row
                session.expunge(row)
                fit = Fit(CaseFile(**row.model_dump()), version, targets[case_id].rules_on or row.rule_date)
                if why_not := _why_not(office, session, dossier, fit):
                    report.refuse(row.number, *why_not)
                else:
                    report.movable.append(row.number)
                    fits.append(fit)
    return fits


class WentBeyond(BaseException):
    """The code met all that is on record, and goes on. Not an Exception: no pipeline catches it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class FitRecorder(LedgerRecorder):
    """Fits recorded calls to the ledger; raises `WentBeyond` in place of recording a new one."""

    def _open_wait(self, call: Call, **fields: Any) -> NoReturn:
        raise WentBeyond(f"ask {call.key}")

    def _write(self, kind: EntryKind, key: str, **fields: Any) -> NoReturn:
        raise WentBeyond(f"record {key}")


class NewStepEndsPlay(PlainStage):
    """Does no step."""

    def step(self, case: str, key: str, work: Callable[[], None]) -> NoReturn:
        """Raise `WentBeyond`: a step that is on record is not done again, so this one is new."""
        raise WentBeyond(f"do {key}")


def _why_not(office: Office, session: Session, dossier: Dossier, fit: Fit) -> tuple[str, str] | None:
    """Return why a case can't go on there, in English and in Indonesian; None when it can.

    Mutates:
        dossier.row: it is not to be used afterwards.
    """
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
    if obstacle := what_stops(office, session, replace(dossier, case=case)):
        return obstacle, f"di sana permohonan akan berjalan lain daripada yang tercatat (versi {fit.version})"
    if obstacle := next(filter(None, (_unserved(office, dossier, under, wait) for wait in open_waits(dossier))), ""):
        return obstacle, f"versi {fit.version} tidak mengenal yang sedang ditunggu permohonan ini"
    return None


def met_by(case: Case, version: int, rules: RuleBook, day: date) -> Case:
    """Return the case as the code of another version meets it, by the rules of that day."""
    return replace(case, version=version, opened_on=day, rules=RulesAt(rules, day))


def what_stops(office: Office, session: Session, dossier: Dossier) -> str:
    """Return in words what stops the case when it is played; an empty text when nothing does.

    Mutates:
        dossier.row: it is not to be used afterwards.
    """
    row, work = dossier.row, Work(office, NO_RUN, session)
    try:
        Replay(work, dossier, NewStepEndsPlay(), FitRecorder(work, dossier)).play()
    except WentBeyond as beyond:
        if open_waits(dossier):
            return f"version {row.version} would {beyond.what}, besides what the case waits for"
    except Exception as error:
        return what_failed(error)
    return ""


def _unserved(office: Office, dossier: Dossier, under: Pipeline, wait: AnyWait) -> str:
    """Return why an open wait can't be settled under that version; an empty text when it can."""
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
    """Return in words why a play failed. What people typed is not repeated."""
    if isinstance(error, LedgerMisfit):
        where = f"entry {error.seq} ('{error.step}')" if error.seq else f"step '{error.step}'"
        return f"{where}: {error.what}"
    if isinstance(error, ValidationError):
        faults = (f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors())
        return without_personal_numbers(f"{error.title} does not take what is on record ({'; '.join(faults)})")
    return without_personal_numbers(f"{type(error).__name__}: {error}")[:500]


def _numbers_of(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Return the numbers of cases by their ids."""
    wanted = select(CaseFile.id, CaseFile.number).where(among(session, col(CaseFile.id), ids))
    return {case_id or 0: number for case_id, number in session.exec(wanted)}
