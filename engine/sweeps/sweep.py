"""Sweep over all that is due: record silences, send reminders, escalate, each once.

One indexed query finds the due waits, so the cost grows with them and not with what is open. Each rung is won by a conditional
update of the wait's ``rung`` in the transaction that writes its entry and tells people: two workers, a crash or a missed schedule
change nothing. A failing case is passed over and reported to the administrators.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Integer, String, literal, tuple_
from sqlmodel import col, insert, select, update

from documents.formats import day_in_words
from engine.actions.reassign import from_to
from engine.actions.time_up import end_by_time
from engine.cases.dossier import Dossier, lock_dossiers
from engine.cases.ledger import SYSTEM, write_remark
from engine.cases.waits import compare_and_set
from engine.deadlines.clock import Clock, is_over, local_date
from engine.deadlines.due_dates import Rung, effect_of, ladder_key, ladder_of, next_due, rungs_due
from engine.letters.deadline_page import queue_deadline_page
from engine.letters.notices import administrators, notify
from engine.letters.queue import write_to_applicant
from engine.people.hierarchy import HIGHER
from engine.runtime.batches import process_batch
from engine.runtime.office import Office, RunHandle, Work
from engine.sweeps.escalation import reassign_to_next, told_of
from models import AnyWait, CaseFile, Role, Sweep, Wait
from models.base import Moment
from models.privacy import without_personal_numbers

log = logging.getLogger(__name__)
CHUNK = 100


class DueWait(NamedTuple):
    """A due wait: since when, the case's id, and its key."""

    at: datetime
    case_id: int
    key: str


@dataclass
class Swept:
    """The result of a sweep: how many waits were due, and how each was handled."""

    due: int = 0
    reminded: int = 0
    escalated: int = 0
    silent: list[str] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)

    def add(self, other: Swept) -> None:
        """Add the counts of another group."""
        self.due += other.due
        self.reminded += other.reminded
        self.escalated += other.escalated
        self.silent += other.silent
        self.failed += other.failed

    def as_json(self) -> dict[str, Any]:
        """Return the counts as ``jalur escalate`` prints them."""
        counts = {"due": self.due, "reminded": self.reminded, "escalated": self.escalated}
        return {**counts, "silent": len(self.silent), "failed": self.failed}


def sweep(office: Office, run: RunHandle) -> Swept:
    """Handle all that is due now. Running it again at the same moment changes nothing."""
    now, swept = office.clock.now(), Swept()
    with office.db.writing() as session:
        begun = session.scalars(insert(Sweep).values(run_id=run.id, started_at=now).returning(col(Sweep.id))).one()
    last: DueWait | None = None
    while due := due_waits(office, now, CHUNK, last):
        _sweep_group(office, run, due, now, swept)
        last = due[-1]
    run.cases += swept.due - len(swept.failed)
    with office.db.writing() as session:
        counts = {**swept.as_json(), "failed": len(swept.failed)}
        ends = {"finished_at": office.clock.now(), "really_finished_at": Clock().now()}
        session.execute(update(Sweep).where(col(Sweep.id) == begun).values(**ends, **counts))
    return swept


def due_waits(office: Office, now: datetime, limit: int, after: DueWait | None = None) -> list[DueWait]:
    """Return the next due waits, the longest overdue first, behind ``after``.

    The key pages through them, so that a failing case is tried once in each run.
    """
    place = (col(Wait.next_due_at), col(Wait.case_id), col(Wait.key))
    wanted = select(*place).where(
        col(Wait.settled_at).is_(None), col(Wait.next_due_at).is_not(None), col(Wait.next_due_at) <= now
    )
    if after:
        wanted = wanted.where(tuple_(*place) > tuple_(*map(literal, after, (Moment, Integer, String))))
    with office.db.reading() as session:
        return [DueWait(*row) for row in session.execute(wanted.order_by(*place).limit(limit))]


def _sweep_group(office: Office, run: RunHandle, due: list[DueWait], now: datetime, swept: Swept) -> None:
    """Handle some waits in one transaction; if it fails, each alone, passing over failures.

    Mutates: ``swept``.
    """

    def worked_off(group: Sequence[DueWait]) -> Swept:
        did = Swept()
        with office.work(run) as work:
            dossiers = {one.row.id: one for one in lock_dossiers(work, {one.case_id for one in group}, history=False)}
            for one in group:
                _sweep_one(work, dossiers[one.case_id], one.key, now, did)
        return did

    def passed_over(one: DueWait, error: Exception) -> Swept:
        log.error("What was due in case %d could not be done: %s", one.case_id, one.key, exc_info=error)
        return Swept(due=1, failed=[_passed_over(office, one.case_id, one.key, error)])

    for did in process_batch(due, worked_off, passed_over):
        swept.add(did)


def _sweep_one(work: Work, dossier: Dossier, key: str, now: datetime, swept: Swept) -> None:
    wait = dossier.past.waits[key]
    if wait.settled_at is not None or wait.next_due_at is None or wait.next_due_at > now:
        return  # another worker was here between our look and our lock
    if is_over(wait.silent_at, now):
        if end_by_time(work, dossier, wait):
            swept.due += 1
            swept.silent.append(dossier.case.number)
        return
    question = dossier.pipeline.questions[wait.question or ""]
    ladder, asked_on = ladder_of(dossier.case.rules, question), local_date(wait.asked_at)
    due_on = local_date(wait.due_at) if wait.due_at else None
    fired = rungs_due(work.calendar, ladder, wait.asked_at, wait.due_at, now)
    coming = next_due(work.calendar, ladder, asked_on, due_on, wait.silent_at, fired)
    if not compare_and_set(work, wait, rung=fired, next_due_at=coming):
        return
    swept.due += 1
    rungs = ladder[wait.rung : fired]
    last_reminder = next((rung for rung in reversed(rungs) if rung.tell == "holder"), None)
    for rung in rungs:
        _fire(work, dossier, wait, rung, said=rung is last_reminder)
    swept.reminded += sum(1 for rung in rungs if rung.tell == "holder")
    swept.escalated += sum(1 for rung in rungs if rung.tell != "holder")
    work.session.add(dossier.row)


def _fire(
    work: Work,
    dossier: Dossier,
    wait: AnyWait,
    rung: Rung,
    *,
    said: bool,
) -> None:
    """Fire a rung: tell or reassign, and write the ledger entry.

    Of several reminders that are due at once only the last is ``said``.
    """
    number, question = dossier.case.number, dossier.pipeline.questions[wait.question or ""]
    today, due_on = work.today, local_date(wait.due_at or wait.asked_at)
    told: list[str] = []
    effect, happened = effect_of(dossier.case.rules, question), ""
    outcome = OUTCOMES.get(rung.act or rung.tell or "", "escalated")
    if rung.act == "reassign":
        told = reassign_to_next(work, dossier, wait)
        if wait.holder in (None, *told[:1]):
            outcome = "stays"
        else:
            happened = from_to(wait.holder, told[0])
    elif rung.act == "say_passed" and effect:
        queue_deadline_page(work, dossier, wait, effect)
        asked = told_of(work.session, dossier, wait, "holder", today) if question.of in HIGHER else []
        told = list(dict.fromkeys((*asked, *told_of(work.session, dossier, wait, Role.DIVISION_HEAD, today))))
        happened = f"waktu {effect.authority} lewat, akibat hukumnya belum dipastikan, pejabat yang memutuskan"
    elif rung.tell == "holder" and question.of is Role.APPLICANT:
        told = [dossier.case.applicant.handle]
        if said:
            _remind_applicant(work, dossier, wait, due_on)
    elif rung.tell:
        told = told_of(work.session, dossier, wait, rung.tell, today)
    name = rung.act or rung.tell or ""
    if said or rung.tell != "holder":
        notify(
            work.session,
            work.office,
            told,
            what=f"{number}/{ladder_key(wait)}/{name}-{rung.days if rung.share is None else rung.share}",
            kind="reassigned" if outcome == "reassigned" else "reminder" if rung.tell == "holder" else "escalation",
            case_number=number,
            words=f"{question.title}: {'; '.join(filter(None, (happened, _how_late(work.office, due_on))))}",
        )
    words = (f"tenggat {due_on.isoformat()}", ", ".join(told) or "tidak ada penerima", happened)
    reason = "; ".join(filter(None, words))
    result = {"question": wait.key, "from": wait.holder, "to": told[0]} if outcome == "reassigned" else None
    write_remark(work, dossier.row, f"{wait.key}/{name}", SYSTEM, reason, outcome=outcome, result=result)


# The ledger's outcome of a rung; every other rung escalated the case. A question that nobody else may answer "stays".
OUTCOMES = {"holder": "reminded", "reassign": "reassigned", "say_passed": "deadline_passed"}


def _how_late(office: Office, due_on: date) -> str:
    days = office.calendar.working_days_between(due_on, office.clock.today())
    late = f"lewat {days} hari kerja, " if days > 0 else ""
    provisional = " (sementara)" if office.calendar.is_provisional(due_on) else ""
    return f"{late}tenggat {day_in_words(due_on, 'id')}{provisional}"


def _remind_applicant(work: Work, dossier: Dossier, wait: AnyWait, due_on: date) -> None:
    """Queue the applicant's reminder in the words of the day: before the date, on it, after it."""
    today, question = work.today, dossier.pipeline.questions[wait.question or ""]
    day = due_on.isoformat()
    facts = {
        "question": question.title,
        "due_on": day,
        "ahead": [day] if today < due_on else [],
        "today": [day] if today == due_on else [],
        "late": [day] if today > due_on else [],
        "closes": [local_date(wait.silent_at).isoformat()] if wait.silent_at else [],
        "provisional": work.calendar.provisional_years(due_on, local_date(wait.silent_at) if wait.silent_at else None),
    }
    key = f"{ladder_key(wait)}/reminder-{wait.rung + 1}"
    write_to_applicant(work, dossier, key=key, letter="reminder", facts=facts)


def _passed_over(office: Office, case_id: int, key: str, error: Exception) -> dict[str, str]:
    """Tell the administrators, once for each due date and error; return case and reason.

    A scheduled sweep has nobody who reads its result.
    """
    reason, kind = without_personal_numbers(f"{type(error).__name__}: {error}"), type(error).__name__
    with office.db.writing() as session:
        wanted = select(CaseFile.number, Wait.next_due_at).join(Wait).where(Wait.case_id == case_id, Wait.key == key)
        number, due_at = session.exec(wanted).one()
        notify(
            session,
            office,
            administrators(session, office.clock.today()),
            what=f"skipped/{number}/{key}/{due_at:%Y-%m-%d}/{kind}"[:200],
            kind="skipped",
            case_number=number,
            words=f"{key} jatuh tempo, tetapi tidak dapat dikerjakan: {reason[:500]}",
        )
    return {"case": number, "reason": reason}
