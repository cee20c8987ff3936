"""Draining: every ready case is advanced from wait to wait, until nothing is left to do now.

Each flow run does this. A chunk of cases commits together; if it fails, each of its cases is run again in a transaction of its
own. What fails by itself is parked, unless the database failed: then the run ends, and the next one takes the case up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from sqlmodel import col, select

from engine.cases import case_state
from engine.cases.dossier import Dossier, lock_dossiers
from engine.cases.waits import open_keys
from engine.execution.claims import FATAL_ATTEMPTS, Claimed, begin_alone, claim_cases, give_back
from engine.execution.document_files import make_pending_files
from engine.execution.external_calls import call_waiting
from engine.execution.hand_on import hand_on_waiting
from engine.execution.issuing import issue_waiting
from engine.execution.parking import park
from engine.execution.replay import PlainStage, Replay, Stage
from engine.runtime.batches import process_batch
from engine.runtime.office import Office, RunHandle, Work
from engine.runtime.outages import is_outage
from models import CaseFile, CaseStatus

log = logging.getLogger(__name__)
R = TypeVar("R")

# Up to here each case is its own transaction and each step a Prefect task run; above, a chunk commits together.
FINE_UP_TO = 20


class Worker(Stage, Protocol):
    """Does the pieces of a drain: plainly in this process, or as task runs of Prefect."""

    def piece(self, name: str, work: Callable[[], R]) -> R:
        """Do a piece (a chunk of cases, a batch of calls or of papers); return what it returns."""
        ...


class PlainWorker(PlainStage):
    """Does each piece here and now."""

    def piece(self, name: str, work: Callable[[], R]) -> R:
        """Do ``work``."""
        return work()


@dataclass
class DrainResult:
    """The result of a drain, by case number: where each case is now, its error, its way."""

    waiting: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    moves: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def advanced(self) -> set[str]:
        """Return the numbers of all cases that were advanced."""
        return self.waiting | self.closed | set(self.failed)

    def note(self, number: str, before: str, after: str, status: str) -> None:
        """Record that a case came from ``before`` to ``after``."""
        for numbers in (self.waiting, self.closed):
            numbers.discard(number)
        self.failed.pop(number, None)
        if status == CaseStatus.CLOSED:
            self.closed.add(number)
        elif status == CaseStatus.PARKED:
            self.failed[number] = after
        else:
            self.waiting.add(number)
        first = self.moves.get(number, (before, after))[0]
        self.moves[number] = (first, after)


def drain(
    office: Office,
    run: RunHandle,
    pipeline: str,
    *,
    numbers: Iterable[str] | None = None,
    worker: Worker | None = None,
) -> DrainResult:
    """Advance the ready cases of ``pipeline``, or of ``numbers``, until nothing is left to do.

    Ready cases come first. When there are none, the machine's waits are served: next cases, calls outside, documents, files of
    papers; what they bring makes cases ready again.
    """
    worker = worker or PlainWorker()
    result = DrainResult()
    only = _ids(office, numbers) if numbers is not None else None
    fine = True
    while True:
        apart = max(FINE_UP_TO - len(result.advanced), 0) if fine else 0
        if chunk := claim_cases(office, pipeline, only, apart_up_to=apart):
            fine = fine and len(result.advanced | {case.number for case in chunk}) <= FINE_UP_TO
            _advance_claimed(office, run, chunk, worker, result, fine)
        elif not (
            hand_on_waiting(office, run, pipeline, only)
            or worker.piece("call outside", lambda: call_waiting(office, run, pipeline, only))
            or worker.piece("issue documents", lambda: issue_waiting(office, run, pipeline, only))
            or worker.piece("make papers", lambda: make_pending_files(office, run, pipeline, only))
        ):
            break
    run.cases += len(result.advanced)
    return result


def _advance_claimed(
    office: Office, run: RunHandle, chunk: list[Claimed], worker: Worker, result: DrainResult, fine: bool
) -> None:
    """Advance a chunk together, or case by case if ``fine``.

    A case that has killed the process too often is parked.
    """
    fatal = [case for case in chunk if case.attempts >= FATAL_ATTEMPTS]
    others = [case for case in chunk if case not in fatal]
    for case in fatal:
        error = f"The process died {case.deaths} times while it advanced this case"
        park(office, run, case.id, error)
        result.note(case.number, "", error, CaseStatus.PARKED)
    if fine:
        for case in others:
            if len(chunk) > 1:
                begin_alone(office, case)
            _advance_group(office, run, [case], worker, result)
    elif others:
        name = f"advance {len(others)} cases"
        worker.piece(name, partial(_advance_group, office, run, others, PlainWorker(), result))


def _advance_group(office: Office, run: RunHandle, cases: list[Claimed], stage: Stage, result: DrainResult) -> None:
    """Advance cases in one transaction; where it fails, each in its own, and park what fails.

    Raises:
        DBAPIError: the database failed; the case is given back, if it can be.
    """

    def advanced(group: Sequence[Claimed]) -> list[Move]:
        with office.work(run) as work:
            office.refresh_calendar(work.session)  # before any case is locked: see sweeps/recalculate.py
            return [_play(work, dossier, stage) for dossier in lock_dossiers(work, [case.id for case in group])]

    def parked(case: Claimed, error: Exception) -> list[Move]:
        if is_outage(error):
            with suppress(Exception):  # its lease runs out by itself
                give_back(office, case)
            raise error
        number, message = park(office, run, case.id, f"{type(error).__name__}: {error}")
        log.error("Case %s is parked: %s", number, message)
        return [(number, "", message, CaseStatus.PARKED)]

    for moves in process_batch(cases, advanced, parked):
        for number, before, after, status in moves:
            result.note(number, before, after, status)


Move = tuple[str, str, str, str]


def _play(work: Work, dossier: Dossier, stage: Stage) -> Move:
    """Play a case; return its number, from where it went to where, and its status."""
    row = dossier.row
    if row.status != CaseStatus.OPEN:
        case_state.rest(row)
        return row.number, row.status, row.status, row.status
    before = _last_met(dossier)
    Replay(work, dossier, stage).play()
    work.session.add(row)
    after = row.outcome or work.rows.last_wait(row.id) or before
    return row.number, before, after, row.status


def _last_met(dossier: Dossier) -> str:
    """Return what the case waits for, or the key of its last entry."""
    if waiting := open_keys(dossier):
        return ", ".join(waiting)
    entries = dossier.past.entries.values()
    return max(entries, key=lambda entry: entry.seq).key if entries else "opened"


def _ids(office: Office, numbers: Iterable[str]) -> list[int]:
    with office.db.reading() as session:
        return [
            found for found in session.exec(select(CaseFile.id).where(col(CaseFile.number).in_(list(numbers)))) if found
        ]
