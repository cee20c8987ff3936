"""What people and programs see of a case: the shapes of the command line's JSON, the same for web and API.

Nothing personal is in them but names: numbers and contact data are masked or absent.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlmodel import Session, col, select

from engine.cases.dossier import case_numbered, known_of
from engine.deadlines.clock import JAKARTA, local_date
from engine.deadlines.legal_clock import DAY, legal_clock, stop_limit, stretches
from engine.definition.forms import Question
from engine.definition.registry import Pipeline, current, pipeline_named
from engine.errors import Refused
from engine.letters.hand_delivery import HAND_DELIVERY
from engine.people.permissions import role_named
from engine.reports.answerable import answerable
from engine.runtime.office import Office
from models import (
    Case,
    CaseStatus,
    ClockSegment,
    Document,
    Holder,
    LedgerEntry,
    Letter,
    Person,
    PersonKey,
    Run,
    Wait,
    WaitKind,
)
from models.privacy import masked_in
from rules import RulesAt

PEOPLE = (WaitKind.PERSON, WaitKind.HAND_DELIVERY)


def pipelines(on: date) -> list[dict[str, Any]]:
    """Return every pipeline as ``jalur pipelines`` shows it, with the budgets in force on ``on``."""
    return [
        {
            "name": pipeline.name,
            "title": pipeline.title,
            "version": pipeline.version,
            "steps": list(pipeline.steps),
            "questions": [
                {"name": question.name, "role": str(question.of), "budget": _budget(pipeline, question, on)}
                for question in pipeline.questions.values()
            ],
            "documents": [*pipeline.papers, *(kind for appeal in pipeline.appeals for kind in appeal.papers)],
            "outcomes": [{"code": str(outcome), "title": outcome.title_id} for outcome in pipeline.outcomes],
        }
        for pipeline in current()
    ]


def rules(pipeline: str | None, on: date | None) -> list[dict[str, Any]]:
    """Return every row of the rule books as ``jalur rules`` does, or only the rows in force on ``on``. Raises `Refused`.

    What is not sure about a row, its date above all, follows its citation: people who apply are shown the citation alone.
    """
    return [
        {
            "pipeline": one.name,
            "name": rule.name,
            "value": rule.value,
            "unit": rule.unit,
            "since": rule.since.isoformat(),
            "until": rule.until.isoformat() if rule.until else None,
            "citation": f"{rule.citation}. {rule.remark}" if rule.remark else rule.citation,
            "standing": rule.standing,
        }
        for one in ([pipeline_named(pipeline)] if pipeline else current())
        for rule in (one.rules.in_force(on) if on else one.rules.rows())
    ]


def show(office: Office, session: Session, number: str) -> dict[str, Any]:
    """Return a case as ``jalur case show`` does. Raises `UnknownCase`."""
    case = case_numbered(session, number)
    documents = session.exec(
        select(Document).where(Document.case_id == case.id).order_by(col(Document.seq), col(Document.key))
    )
    letters = session.exec(select(Letter).where(Letter.case_id == case.id).order_by(col(Letter.seq), col(Letter.key)))
    return {
        "number": case.number,
        "pipeline": case.pipeline,
        "pipeline_version": case.version,
        "status": _status(case),
        "outcome": case.outcome,
        "reason": case.reason,
        "error": case.error or _put_off(session, case),
        "waiting_for": inbox(office, session, number=number),
        "documents": [
            {
                "kind": document.kind,
                "number": document.number,
                "path": office.store.location(document.path) if document.path else None,
                "sha256": document.sha256,
                "status": document.status,
                "error": document.error,
            }
            for document in documents
        ],
        "letters": [
            {"to": letter.to_name, "letter": letter.letter, "status": letter.status, "subject": letter.subject}
            for letter in letters
        ],
        "clock": _clock(office, session, case),
    }


def history(session: Session, number: str) -> list[dict[str, Any]]:
    """Return the ledger of a case as ``jalur case history`` does. Raises `UnknownCase`."""
    case = case_numbered(session, number)
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


def inbox(
    office: Office,
    session: Session,
    *,
    role: str | None = None,
    number: str | None = None,
    limit: int | None = None,
    whom: str | None = None,
) -> list[dict[str, Any]]:
    """Return what waits for people, or for ``whom`` (and who is away), urgent first, as ``jalur inbox``. Raises `Refused`."""
    wanted = (
        select(Wait, Case, PersonKey)
        .join(Case, col(Case.id) == col(Wait.case_id))
        .join(Person, col(Person.id) == col(Case.person_id))
        .join(PersonKey, col(PersonKey.id) == col(Person.key_id), isouter=True)
        .where(col(Wait.settled_at).is_(None), col(Wait.kind).in_(PEOPLE))
        .order_by(col(Wait.due_at).is_(None), col(Wait.due_at), col(Wait.case_id), col(Wait.key))
    )
    if role is not None:
        wanted = wanted.where(Wait.role == role_named(role))
    if number:
        wanted = wanted.where(Wait.case_id == case_numbered(session, number).id)
    if limit and not whom:
        wanted = wanted.limit(limit)
    rows = session.exec(wanted).all()
    theirs = answerable(office, session, whom, [(case.number, wait) for wait, case, _ in rows]) if whom else None
    return [
        _waiting(office, wait, case, known_of(office, key, wait) if key else {})
        | ({} if theirs is None else {"on_behalf_of": theirs[case.number, wait.key]})
        for wait, case, key in rows
        if theirs is None or (case.number, wait.key) in theirs
    ][:limit]


def runs(
    session: Session, *, pipeline: str | None = None, failed: bool = False, limit: int = 200
) -> list[dict[str, Any]]:
    """Return our own record of runs, the newest first, as ``jalur runs`` does. Raises `Refused` where there is no such pipeline."""
    wanted = select(Run).order_by(col(Run.started_at).desc()).limit(limit)
    if pipeline is not None:
        wanted = wanted.where(Run.pipeline == pipeline_named(pipeline).name)
    if failed:
        wanted = wanted.where(Run.state == "failed")
    return [
        {
            "run": run.id,
            "kind": run.kind,
            "flow_run_id": run.flow_run_id,
            "started_at": run.started_at.astimezone(JAKARTA).isoformat(),
            "seconds": run.seconds,
            "state": run.state,
            "by": run.by,
            "cases": run.cases,
            "error": run.error,
        }
        for run in session.exec(wanted)
    ]


def question_of(wait: Wait, case: Case) -> Question[Any]:
    """Return the question that ``wait`` asks."""
    if wait.kind == WaitKind.HAND_DELIVERY:
        return HAND_DELIVERY
    return pipeline_named(case.pipeline, case.version).questions[wait.question or ""]


def _waiting(office: Office, wait: Wait, case: Case, known: dict[str, Any]) -> dict[str, Any]:
    try:
        question: Question[Any] | None = question_of(wait, case)
    except (Refused, KeyError):  # the code of its version is gone: it is listed all the same, and so are the others
        question = None
    gone = f"Kode {case.pipeline} versi {case.version} tidak tersedia; hubungi administrator"
    due, silent = (local_date(moment) if moment else None for moment in (wait.due_at, wait.silent_at))
    return {
        "case": case.number,
        "question": wait.key,
        "title": question.title if question else gone,
        "role": wait.role,
        "holder": wait.holder,
        "due_on": due.isoformat() if due else None,
        "provisional": due is not None and office.calendar.is_provisional(due),
        "silent_on": silent.isoformat() if silent else None,
        "silent_provisional": silent is not None and office.calendar.is_provisional(silent),
        "recorded_for": question.recorded_for if question else None,
        "note": wait.note,
        "form": _with_known(question.form.model_json_schema(), known) if question else {},
    }


def _with_known(schema: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Return the form with what is known as defaults, personal numbers masked: those fields need not be sent again."""
    if known:
        for name, value in known.items():
            if name in schema["properties"]:
                schema["properties"][name] = {**schema["properties"][name], "default": masked_in(value)}
        schema["required"] = [name for name in schema.get("required", []) if name not in known]
    return schema


def _put_off(session: Session, case: Case) -> str | None:
    """Return why the machine's last attempt failed, while a case waits for its next one."""
    wanted = select(Wait.note).where(
        Wait.case_id == case.id, col(Wait.settled_at).is_(None), col(Wait.kind).not_in(PEOPLE)
    )
    return session.exec(wanted).first()


def _status(case: Case) -> str:
    if case.status == CaseStatus.OPEN:
        return "ready" if case.ready else "waiting"
    return case.status


def _clock(office: Office, session: Session, case: Case) -> dict[str, Any]:
    """Return the case's legal clock: its budget, what is used, whether it runs, and who has the ball.

    Where the pipeline gives the case no budget, ``used_days`` are the working days that it lay with others than its applicant.
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
    budget = rules.quietly(pipeline.clock) if pipeline.clock else None
    if budget is None:
        held = [one for one in stretches(segments, now) if one.holder not in (None, Holder.APPLICANT)]
        opened_on = local_date(case.opened_at)
        used = sum(office.calendar.working_days_between(max(one.first - DAY, opened_on), one.last) for one in held)
        return {**shown, "used_days": used, "running": case.holder in (Holder.OFFICE, Holder.OUTSIDE)}
    if case.complete_at is None:
        return {**shown, "budget_days": budget.value}
    clock = legal_clock(office.calendar, budget, stop_limit(rules), case.complete_at, segments, now)
    return {**shown, "budget_days": budget.value, "used_days": clock.used, "running": clock.running}


def _budget(pipeline: Pipeline, question: Question[Any], on: date) -> dict[str, Any] | None:
    rule = RulesAt(pipeline.rules, on).quietly(question.due) if question.due else None
    return {"days": rule.value, "unit": rule.unit} if rule else None
