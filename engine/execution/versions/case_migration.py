"""Case migration: moves open cases to another version or the rules of another day, and back.

A case finishes under the version and the rules that it began with, unless an administrator moves it. Whether it can be moved
is found out by fit_check.py; a case that went on since then is not moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from sqlmodel import Session, col, select

from engine.cases import case_state
from engine.cases.dossier import fetch_row, lock_rows
from engine.cases.ledger import valid_reason, write_remark
from engine.definition.registry import pipeline_named
from engine.errors import NotAllowed, Refused
from engine.execution.versions.fit_check import Fit, MigrationReport, Target, find_fitting
from engine.people.permissions import user_named
from engine.people.roles import roles_of
from engine.runtime.database import among
from engine.runtime.leases import CHUNK
from engine.runtime.office import Office, RunHandle, Work
from models import CaseFile, CaseStatus, LedgerEntry, Role

MIGRATED, UNDONE = "migrated", "migration_undone"
NOT_MOVED = (
    "it was not moved, or was moved on or back since",
    "permohonan tidak pernah dipindahkan, atau sudah dipindahkan lagi",
)
WENT_ON = (
    "it went on while it was being moved; migrate it again",
    "permohonan berlanjut selagi dipindahkan; ulangi pemindahannya",
)


@dataclass
class MigrationPlan:
    """The targets of cases of one pipeline, by case id; and the numbers of those that have none."""

    pipeline: str
    targets: dict[int, Target] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    act: str = MIGRATED


def plan_case(office: Office, number: str, *, to: int | None = None, rules_on: date | None = None) -> MigrationPlan:
    """Return the plan to move one case to a version (None: the newest).

    Raises:
        UnknownCase: there is no such case.
        Refused: there is no such version.
    """
    with office.db.reading() as session:
        case = fetch_row(session, number)
    target = Target(pipeline_named(case.pipeline, to).version, rules_on)
    return MigrationPlan(case.pipeline, {case.id or 0: target})


def plan_pipeline(office: Office, pipeline: str, *, to: int | None = None) -> MigrationPlan:
    """Return the plan to move every open case of ``pipeline`` that has another version.

    Raises:
        Refused: there is no such pipeline or version.
    """
    newer = pipeline_named(pipeline, to)
    with office.db.reading() as session:
        wanted = select(CaseFile.id).where(
            CaseFile.pipeline == newer.name,
            col(CaseFile.status) != CaseStatus.CLOSED,
            CaseFile.version != newer.version,
        )
        ids = sorted(case_id or 0 for case_id in session.exec(wanted))
    return MigrationPlan(newer.name, dict.fromkeys(ids, Target(newer.version)))


def plan_case_undo(office: Office, number: str) -> MigrationPlan:
    """Return the plan to undo the last move of one case.

    Raises:
        UnknownCase: there is no such case.
    """
    with office.db.reading() as session:
        case = fetch_row(session, number)
        return _undo(session, case.pipeline, {case.id or 0: number}, None)


def plan_run_undo(office: Office, pipeline: str, run_id: str) -> MigrationPlan:
    """Return the plan to undo what one run moved.

    Raises:
        Refused: there is no such pipeline, or that run moved nothing.
    """
    name = pipeline_named(pipeline).name
    with office.db.reading() as session:
        wanted = (
            select(CaseFile.id, CaseFile.number)
            .join(LedgerEntry, col(LedgerEntry.case_id) == col(CaseFile.id))
            .where(CaseFile.pipeline == name, LedgerEntry.run_id == run_id, LedgerEntry.key == MIGRATED)
        )
        cases = {case_id or 0: number for case_id, number in session.exec(wanted)}
        if not cases:
            raise Refused(
                f"Run {run_id} moved no case of {name}. See: jalur runs",
                for_people=f"Proses {run_id} tidak memindahkan permohonan apa pun. Lihat: jalur runs",
            )
        return _undo(session, name, cases, run_id)


def preview_migration(office: Office, plan: MigrationPlan) -> MigrationReport:
    """Return what `migrate_cases` would do; nothing is changed."""
    report = _report_of(plan)
    for chunk in _chunks(plan.targets):
        find_fitting(office, plan.pipeline, chunk, report)
    return report


def migrate_cases(office: Office, run: RunHandle, plan: MigrationPlan, *, by: str, reason: str) -> MigrationReport:
    """Move the cases of ``plan`` that can be moved, each chunk in a transaction.

    Raises:
        NotAllowed: ``by`` is no administrator.
        Refused: ``reason`` is empty, or nobody is called ``by``.
    """
    reason = valid_reason(reason)
    with office.db.reading() as session:
        _must_be_administrator(session, by, office.clock.today())
    report = _report_of(plan)
    for chunk in _chunks(plan.targets):
        fits = find_fitting(office, plan.pipeline, chunk, report)
        migrate_fitting(office, run, fits, report, act=plan.act, by=by, reason=reason)
    run.cases += len(report.moved)
    return report


def migrate_case(office: Office, run: RunHandle, plan: MigrationPlan, *, by: str, reason: str) -> None:
    """Move the one case of ``plan``.

    Raises:
        NotAllowed: ``by`` is no administrator.
        Refused: the case can't be moved, with the reason; ``reason`` is empty, or nobody is called ``by``.
    """
    report = migrate_cases(office, run, plan, by=by, reason=reason)
    for refused in report.refused:
        number, why = refused["case"], refused["reason"]
        raise Refused(
            f"Case {number} stays where it is: {why}. See: jalur case history {number}",
            for_people=f"Permohonan {number} tetap seperti semula: {report.for_people[number]}.",
            case=number,
        )


def migrate_fitting(
    office: Office, run: RunHandle, fits: Iterable[Fit], report: MigrationReport, *, act: str, by: str, reason: str
) -> None:
    """Move cases that fit, in one transaction, with a remark each.

    A case that went on since it was found to fit is refused.

    Locks: the cases.

    Mutates:
        report: each case is added, as moved or refused.
    """
    fits = list(fits)
    with office.work(run) as work:
        rows = lock_rows(work, [fit.row.id or 0 for fit in fits])
        for fit in fits:
            if _migrate(work, rows[fit.row.id or 0], fit, act, by, reason):
                report.moved.append(fit.row.number)
            else:
                report.refuse(fit.row.number, *WENT_ON)


def _migrate(work: Work, row: CaseFile, fit: Fit, act: str, by: str, reason: str) -> bool:
    """Move one case, with a remark; return False where it went on since it was found to fit."""
    before = fit.row
    if not case_state.change_version(row, before, fit.version, fit.rules_on):
        return False
    work.rows.note(CaseFile, row.model_dump())
    moved = {
        "from": before.version,
        "to": fit.version,
        "rules_from": before.rule_date.isoformat(),
        "rules_to": fit.rules_on.isoformat(),
    }
    write_remark(work, row, act, by, reason, role=Role.ADMINISTRATOR, result=moved)
    work.session.add(row)
    return True


def _report_of(plan: MigrationPlan) -> MigrationReport:
    """Return the report with which a plan begins: the cases without a target are refused."""
    report = MigrationReport()
    for number in plan.refused:
        report.refuse(number, *NOT_MOVED)
    return report


def _undo(session: Session, pipeline: str, cases: Mapping[int, str], run_id: str | None) -> MigrationPlan:
    """Return the plan to undo each case's last move, if run ``run_id`` made it (None: any run)."""
    plan = MigrationPlan(pipeline, act=UNDONE)
    wanted = (
        select(LedgerEntry)
        .where(among(session, col(LedgerEntry.case_id), list(cases)), col(LedgerEntry.key).in_((MIGRATED, UNDONE)))
        .order_by(col(LedgerEntry.case_id), col(LedgerEntry.seq))
    )
    last = {entry.case_id: entry for entry in session.exec(wanted)}
    for case_id, number in cases.items():
        entry = last.get(case_id)
        if entry is None or entry.key != MIGRATED or run_id not in (None, entry.run_id):
            plan.refused.append(number)
        else:
            plan.targets[case_id] = Target(entry.result["from"], date.fromisoformat(entry.result["rules_from"]))
    return plan


def _chunks(targets: Mapping[int, Target]) -> Iterator[dict[int, Target]]:
    waiting = iter(sorted(targets.items()))
    while chunk := dict(islice(waiting, CHUNK)):
        yield chunk


def _must_be_administrator(session: Session, name: str, on: date) -> None:
    if Role.ADMINISTRATOR not in roles_of(session, user_named(session, name), on):
        raise NotAllowed(
            f"{name} is no administrator, and only they move cases",
            for_people="Hanya administrator yang boleh memindahkan permohonan ke versi lain.",
            user=name,
        )
