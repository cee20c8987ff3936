"""External calls: made outside any transaction, and recorded like an answer.

An attempt is leased and counted before the call. A worker that dies in the middle leaves that trace: the next attempt knows
that the end is unknown, and looks up before it files again. An attempt that must wait sets ``next_attempt_at`` and lets go.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import col, select

from engine.cases.dossier import Dossier, fetch_dossiers, lock_dossiers, lock_rows
from engine.cases.evidence import given_in, record_uploads
from engine.cases.ledger import jsonable
from engine.cases.subject_facts import PersonFacts, load_persons
from engine.cases.waits import overwrite, put_off, settle
from engine.deadlines.due_dates import times_of
from engine.definition.forms import Form
from engine.errors import PipelineMistake
from engine.execution.claims import claim_waits
from engine.execution.clock_segments import ClockSegments
from engine.runtime.file_store import attach
from engine.runtime.leases import backoff, lease, renew_lease
from engine.runtime.office import Office, RunHandle
from models import CaseFile, EntryKind, Role, Wait, WaitKind
from models.privacy import without_personal_numbers
from outside.errors import EndUnknown, OutsideError, TryLater
from outside.submission import ByHand

log = logging.getLogger(__name__)

BATCH = 20
# After so many attempts an officer is asked to do it by hand: no case is lost in an outage that does not end.
ATTEMPTS_BEFORE_BY_HAND = 12
FAILED_HERE = "Sistem kami gagal menghubungi sistem luar. Periksa dahulu di sistem tersebut sebelum mengajukan lagi."


@dataclass(frozen=True)
class Calling:
    """The things that an external step may use.

    ``reference`` names the call to the body outside; ``end_unknown`` says that an earlier attempt may have reached it.
    """

    office: Office
    reference: str
    end_unknown: bool

    def keep(self, content: bytes) -> str:
        """Keep a file as evidence; return the name by which a form refers to it: ``sha256:…``."""
        return attach(self.office.store, content)

    def persons(self, ids: list[int]) -> list[PersonFacts]:
        """Return the persons with these ids, whom the call has to name to the body outside."""
        with self.office.db.reading() as session:
            return [
                facts
                for facts, *_ in load_persons(self.office, session, ids).values()
                if isinstance(facts, PersonFacts)
            ]


_calling: ContextVar[Calling | None] = ContextVar("calling", default=None)


def calling() -> Calling:
    """Return the call under way.

    Raises:
        PipelineMistake: no external step is under way.
    """
    current = _calling.get()
    if current is None:
        raise PipelineMistake("calling() is for external steps only")
    return current


def call_waiting(office: Office, run: RunHandle, pipeline: str, only: Iterable[int] | None) -> int:
    """Make the calls that wait, up to a batch; return how many were made."""
    claimed = _claim(office, pipeline, only)
    for wait in claimed:
        if renew_lease(office, wait):
            _attempt(office, run, wait)
    return len(claimed)


def _attempt(office: Office, run: RunHandle, wait: Wait) -> None:
    """Make one call, and settle its wait, put it off, or hand it to an officer."""
    try:
        with office.db.reading() as session:
            dossier = fetch_dossiers(office, session, [wait.case_id], history=False)[0]
    except Exception as error:  # the code of its version is gone: nothing was called, and nothing can be
        _put_off(office, wait, f"{type(error).__name__}: {error}", end_unknown=wait.end_unknown)
        return
    try:
        answer = _call(office, dossier, wait)
        if isinstance(answer, ByHand):
            _ask_officer(office, run, wait, answer.reason, end_unknown=wait.end_unknown)
        else:
            _settle(office, run, dossier, wait, answer)
    except (TryLater, EndUnknown) as later:
        unknown = wait.end_unknown or later.look_up_first
        if wait.attempt >= ATTEMPTS_BEFORE_BY_HAND:
            _ask_officer(office, run, wait, later.for_people, end_unknown=unknown)
        else:
            _put_off(office, wait, str(later), end_unknown=unknown, after=later.after)
    except OutsideError as doubt:  # a wrong person, or nobody can tell: an officer looks
        _ask_officer(office, run, wait, doubt.for_people, end_unknown=True)
    except Exception as error:
        trace = without_personal_numbers(traceback.format_exc())
        log.error("The call %s of %s failed: %s", wait.key, dossier.case.number, trace)
        if wait.attempt >= ATTEMPTS_BEFORE_BY_HAND:
            _ask_officer(office, run, wait, FAILED_HERE, end_unknown=True)
        else:
            _put_off(office, wait, f"{type(error).__name__}: {error}", end_unknown=True)


def _claim(office: Office, pipeline: str, only: Iterable[int] | None) -> list[Wait]:
    """Lease waits, up to a batch.

    An attempt that was under way when its lease ran out has an unknown end.
    """
    now = office.clock.now()
    with office.db.writing() as session:
        waits = claim_waits(office, session, pipeline, WaitKind.EXTERNAL, only, BATCH)
        for wait in waits:
            wait.end_unknown = wait.end_unknown or wait.leased_until is not None
            lease(session, wait, now)
        return waits


def _call(office: Office, dossier: Dossier, wait: Wait) -> Form | ByHand:
    request = office.vault.decrypt(dossier.key, wait.request or b"")
    work = dossier.pipeline.steps[request["step"]].calls_out  # type: ignore[attr-defined]
    token = _calling.set(Calling(office, f"{dossier.case.number}/{wait.key}", wait.end_unknown))
    try:
        answer: Form | ByHand = work(dossier.case, **request["arguments"])
        return answer
    finally:
        _calling.reset(token)


def _settle(office: Office, run: RunHandle, dossier: Dossier, wait: Wait, answer: Form) -> None:
    with office.work(run) as work:
        row = lock_rows(work, [wait.case_id])[wait.case_id]
        actor = answer.by or "machine"
        entry = settle(
            work,
            row,
            wait,
            settled_as="answered",
            kind=EntryKind.MACHINE,
            actor=actor,
            answer=(dossier.key, jsonable(answer)),
            outcome=answer.decided(),
        )
        if entry is not None:
            files = given_in(answer, {}, {}, case_id=row.id, key=wait.key, by=actor)
            record_uploads(work.session, files, at=work.now, run_id=run.id, used_by=entry)


def _put_off(office: Office, wait: Wait, reason: str, *, end_unknown: bool, after: timedelta | None = None) -> None:
    """Try again after a pause that the body outside named, or one that grows with the attempts.

    Locks: the case's row.
    """
    later = office.clock.now() + (after or backoff(wait.attempt))
    with office.db.writing() as session:
        session.exec(select(CaseFile.id).where(col(CaseFile.id) == wait.case_id).with_for_update()).one()
        said = without_personal_numbers(reason)[:500]
        put_off(session, wait, until=later, note=said, end_unknown=end_unknown)


def _ask_officer(office: Office, run: RunHandle, wait: Wait, reason: str, *, end_unknown: bool) -> None:
    """Turn the machine's wait into a person's, under the same key: the process goes on the same.

    Nobody is asked where the applicant took the case back meanwhile, and surely nothing was filed.

    Locks: the case's row.
    """
    if not end_unknown and _withdrawn_meanwhile(office, run, wait):
        return
    with office.work(run) as work:
        dossier = lock_dossiers(work, [wait.case_id])[0]
        question, row, now = dossier.pipeline.questions[wait.question or ""], dossier.row, work.now
        note = office.vault.decrypt(dossier.key, wait.request or b"").get("note")
        rules = dossier.case.rules
        segments = ClockSegments(work, dossier, now)
        times = times_of(work.calendar, rules, question, now, legal_due=segments.legal_due(question, None))
        turned = overwrite(
            work,
            wait,
            kind=WaitKind.PERSON,
            role=str(question.of),
            holder=dossier.case.applicant.handle if question.of is Role.APPLICANT else None,
            asked_at=now,
            **times.values(),
            note=without_personal_numbers(f"{note}. {reason}" if note else reason)[:500],
            leased_until=None,
            next_attempt_at=None,
            end_unknown=end_unknown,
        )
        if turned:
            segments.write_handed_over(question, wait.key)
            work.session.add(row)


def _withdrawn_meanwhile(office: Office, run: RunHandle, wait: Wait) -> bool:
    """Settle the wait by a withdrawal that was noted meanwhile; return whether one was.

    Locks: the case's row.
    """
    with office.work(run) as work:
        dossier = lock_dossiers(work, [wait.case_id])[0]
        noted = dossier.row.withdrawal
        if not noted:
            return False
        dossier.row.withdrawal = None
        settle(
            work,
            dossier.row,
            wait,
            settled_as="withdrawn",
            kind=EntryKind.ANSWER,
            actor=noted["by"],
            role=noted.get("role"),
            on_behalf_of=noted.get("on_behalf_of"),
            outcome="withdrawn",
            reason=noted.get("reason"),
        )
        work.session.add(dossier.row)
        return True
