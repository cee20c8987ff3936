"""One case as people and programs see it, in the shapes of the command line's JSON.

Names stand there in clear; personal numbers are masked, contact data are absent.
"""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, col, select

from engine.cases.dossier import fetch_row
from engine.cases.waits import PEOPLE_KINDS
from engine.deadlines.clock import JAKARTA, local_date
from engine.deadlines.legal_clock import DAY, legal_clock, stop_limit, stretches
from engine.definition.registry import pipeline_named
from engine.errors import Refused
from engine.reports.audit.case_audit import audit_document
from engine.reports.audit.case_records import read_cases
from engine.reports.audit.findings import Finding
from engine.reports.inbox import inbox
from engine.runtime.office import Office
from models import CaseFile, CaseStatus, ClockSegment, Document, Holder, LedgerEntry, Letter, Run, Wait
from rules import RulesAt


def case_view(office: Office, session: Session, number: str) -> dict[str, Any]:
    """Return a case as ``jalur case show`` prints it.

    Raises:
        UnknownCase: there is no case of this number.
    """
    case = fetch_row(session, number)
    letters = session.exec(select(Letter).where(Letter.case_id == case.id).order_by(col(Letter.seq), col(Letter.key)))
    return {
        "number": case.number,
        "pipeline": case.pipeline,
        "pipeline_version": case.version,
        "status": _status(case),
        "outcome": case.outcome,
        "reason": case.reason,
        "error": case.error or _failed_attempt(session, case),
        "waiting_for": inbox(office, session, number=number),
        "documents": _documents(office, session, case),
        "letters": [
            {"to": letter.to_name, "letter": letter.letter, "status": letter.status, "subject": letter.subject}
            for letter in letters
        ],
        "clock": _clock(office, session, case),
    }


def _documents(office: Office, session: Session, case: CaseFile) -> list[dict[str, Any]]:
    wanted = select(Document).where(Document.case_id == case.id).order_by(col(Document.seq), col(Document.key))
    documents = session.exec(wanted).all()
    if not documents:
        return []
    [records] = read_cases(session, [case.number])
    return [_document(office, document, audit_document(records, document.key)) for document in documents]


def _document(office: Office, document: Document, faults: list[Finding]) -> dict[str, Any]:
    """Return a document as its row has it; one with faults has neither number nor file."""
    shown: dict[str, Any] = {
        "kind": document.kind,
        "number": document.number,
        "path": office.store.location(document.path) if document.path else None,
        "sha256": document.sha256,
        "status": document.status,
        "error": document.error,
    }
    if not faults:
        return shown
    error = f"{faults[0].detail}. See: jalur audit verify"
    return {**shown, "number": None, "path": None, "sha256": None, "status": "unknown", "error": error}


def case_history(session: Session, number: str) -> list[dict[str, Any]]:
    """Return the ledger of a case as ``jalur case history`` prints it.

    Raises:
        UnknownCase: there is no case of this number.
    """
    case = fetch_row(session, number)
    rows = session.exec(
        select(LedgerEntry, Run.flow_run_id)
        .join(Run, col(Run.id) == col(LedgerEntry.run_id), isouter=True)
        .where(LedgerEntry.case_id == case.id)
        .order_by(col(LedgerEntry.seq))
    )
    return [
        {
            "seq": entry.seq,
            "at": entry.at.astimezone(JAKARTA).isoformat(),
            "key": entry.key,
            "actor": entry.actor,
            "role": entry.role,
            "on_behalf_of": entry.on_behalf_of,
            "outcome": entry.outcome,
            "reason": entry.reason,
            "rule_versions": entry.rule_versions,
            "pipeline_version": entry.pipeline_version,
            "run": entry.run_id,
            "flow_run_id": flow_run_id,
            "hash": entry.hash,
            "previous_hash": entry.previous_hash,
        }
        for entry, flow_run_id in rows
    ]


def _failed_attempt(session: Session, case: CaseFile) -> str | None:
    """Return why the last attempt of an external call failed, while its retry is pending."""
    wanted = select(Wait.note).where(
        Wait.case_id == case.id, col(Wait.settled_at).is_(None), col(Wait.kind).not_in(PEOPLE_KINDS)
    )
    return session.exec(wanted).first()


def _status(case: CaseFile) -> str:
    if case.status == CaseStatus.OPEN:
        return "ready" if case.ready else "waiting"
    return case.status


def _clock(office: Office, session: Session, case: CaseFile) -> dict[str, Any]:
    """Return the case's legal clock: its budget and used days, whether it runs, and the holder.

    Where the pipeline gives the case no budget, ``used_days`` are the working days on which the office or an outside body
    held the case.
    """
    segments = session.exec(
        select(ClockSegment).where(ClockSegment.case_id == case.id).order_by(col(ClockSegment.seq))
    ).all()
    shown: dict[str, Any] = {"budget_days": None, "used_days": 0, "running": False, "holder": case.holder}
    try:
        pipeline = pipeline_named(case.pipeline, case.version)
    except Refused:
        return shown
    rules, now = RulesAt(pipeline.rules, case.rule_date), office.clock.now()
    budget = rules.peek(pipeline.clock) if pipeline.clock else None
    if budget is None:
        held = [one for one in stretches(segments, now) if one.holder not in (None, Holder.APPLICANT)]
        opened_on = local_date(case.opened_at)
        used = sum(office.calendar.working_days_between(max(one.first - DAY, opened_on), one.last) for one in held)
        return {**shown, "used_days": used, "running": case.holder in (Holder.OFFICE, Holder.OUTSIDE)}
    if case.complete_at is None:
        return {**shown, "budget_days": budget.value}
    clock = legal_clock(office.calendar, budget, stop_limit(rules), case.complete_at, segments, now)
    return {**shown, "budget_days": budget.value, "used_days": clock.used, "running": clock.running}
