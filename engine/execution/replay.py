"""Replay: a pipeline is run again from the top, and the ledger says what already happened.

The five rules stand at the class `Replay`. Rules 1 and 4 are kept here; 2, 3 and 5 by the recorder (recorder.py), which a
shadow run exchanges.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import zip_longest
from typing import Any, Protocol

from pydantic_core import to_jsonable_python
from sqlalchemy import Row

from engine.cases import case_state, ledger
from engine.cases.dossier import Dossier
from engine.cases.ledger import CHANGES_REGISTER, OPENS_WAY, STARTS_CLOCK
from engine.cases.subject_facts import own_numbers
from engine.deadlines.clock import local_date
from engine.definition.case import Lodged
from engine.definition.declarations import Ending
from engine.definition.forms import Form, Passed, Question, Silence
from engine.definition.registry import Appeal
from engine.errors import PipelineMistake
from engine.execution.contested_end import lodged_appeal
from engine.execution.recorder import Asked, Call, LedgerRecorder, Recorder, Suspended, Withdrawn
from engine.runtime.office import Office, Work
from models import EntryKind, WaitKind
from models.privacy import without_numbers, without_personal_numbers


class Stage(Protocol):
    """Runs steps: plainly, or as a task run of Prefect's each."""

    def step(self, case: str, key: str, work: Callable[[], None]) -> None:
        """Do ``work``, the step ``key`` of ``case``."""


class PlainStage:
    """Runs steps plainly."""

    def step(self, case: str, key: str, work: Callable[[], None]) -> None:
        """Do ``work``."""
        work()


@dataclass
class StepNotes:
    """Effects of a step beside its result, for its ledger entry."""

    opened_ways: list[str] = field(default_factory=list)
    registered: list[str] = field(default_factory=list)
    relied_on: list[str] = field(default_factory=list)

    def for_entry(self) -> tuple[str | None, str | None]:
        """Return the outcome of the entry, and its reason: names of standings, rows or cases."""
        noted = {OPENS_WAY: self.opened_ways, CHANGES_REGISTER: self.registered, "relies on": self.relied_on}
        outcome = next((what for what, named in noted.items() if named), None)
        return outcome, ", ".join(dict.fromkeys(noted[outcome])) if outcome else None


_playing: ContextVar[Replay | None] = ContextVar("playing", default=None)


def playing() -> Replay:
    """Return the replay under way.

    Raises:
        PipelineMistake: a word is used outside a pipeline.
    """
    replay = _playing.get()
    if replay is None:
        raise PipelineMistake("Words of a pipeline (ask, issue, steps …) work only while a case is being advanced")
    return replay


class Replay:
    """Plays one case once, inside a transaction that holds the lock of the case's row.

    1. Every call (step, question, external step, document, next case) gets the key ``name#n``, numbered in call order:
       `_called`.
    2. A call whose key is in the ledger is fitted: kind and hash of its arguments must agree, and the recorded result is
       returned: `LedgerRecorder.on_record`. What a recall took back is left out, and is called again under the next numbers
       (cases/recalled_keys.py).
    3. Before anything new is written all recorded calls must have been met; else the code has changed (`LedgerMisfit`):
       `LedgerRecorder.must_have_met_all`.
    4. A step that is new is done now; its rows and its entry are written in the same transaction: `perform`.
    5. An open wait ends the play (`Suspended`), until somebody or something settles it: `LedgerRecorder.await_answer`,
       `LedgerRecorder.await_machine`.

    Where the recorded end was contested, the play goes on after it with the process of the appeal, to a second end.
    """

    def __init__(self, work: Work, dossier: Dossier, stage: Stage, recorder: Recorder | None = None) -> None:
        self.work, self.dossier, self.stage = work, dossier, stage
        self.pipeline, self.row, self.case, self.past = dossier.pipeline, dossier.row, dossier.case, dossier.past
        self.recorder = recorder or LedgerRecorder(work, dossier)
        self.reason: str | None = None
        self.step_key: str | None = None
        self.notes = StepNotes()
        self.provisional: set[str] = set()  # years without a decree in which dates lie that the last step promised
        self._counts: Counter[str] = Counter()

    @property
    def office(self) -> Office:
        """Return the office that plays the case."""
        return self.work.office

    @property
    def now(self) -> datetime:
        """Return the moment of this play, in UTC."""
        return self.recorder.now

    @property
    def today(self) -> date:
        """Return the date of this play in Asia/Jakarta."""
        return local_date(self.now)

    def play(self) -> None:
        """Run the pipeline until it waits or ends.

        Raises:
            LedgerMisfit: the code does not fit what is on record.
            Exception: whatever the pipeline's code raises.
        """
        token = _playing.set(self)
        try:
            outcome, end = self._first_end(), "closed#1"
            if self.recorder.is_contested(outcome):
                outcome, end = self._second_end(*lodged_appeal(self.dossier, outcome)), "closed#2"
            self._close(outcome, end)
        except Suspended:
            self.recorder.suspend()
        finally:
            _playing.reset(token)
        case_state.rest(self.row)

    # -- the calls of a pipeline ------------------------------------------------------------------------------------

    def perform(self, name: str, arguments: Any, work: Callable[[], Any]) -> Any:
        """Return the recorded result of a step, or do the step now and record its result (JSON)."""
        if self.step_key is not None:
            raise PipelineMistake(f"{name} is called inside the step {self.step_key}; steps are called by the process")
        call = self._called(name, arguments)
        if entry := self.recorder.on_record(call, (EntryKind.STEP,)):
            return entry.result
        self.recorder.must_have_met_all(call.key)
        was_complete = self.row.complete_at is not None
        results: list[Any] = []  # not what the stage returns: Prefect would keep a copy
        self.stage.step(self.case.number, call.key, lambda: results.append(self._do(call, work)))
        outcome, reason = self.notes.for_entry()
        if self.row.complete_at and not was_complete:
            if outcome:
                raise PipelineMistake(
                    f"{call.key} {outcome} and starts the legal clock; that belongs in a step of its own"
                )
            outcome = STARTS_CLOCK
        self.recorder.record_step(call, results[0], outcome, reason)
        return results[0]

    def _do(self, call: Call, work: Callable[[], Any]) -> Any:
        """Do a step; return its result as JSON, without personal numbers of the case's own people."""
        token = _playing.set(self)  # Prefect may run the step in another context
        self.step_key, self.notes, self.provisional = call.key, StepNotes(), set()
        try:
            # What people write comes into results; their own numbers belong under their key, and not in the ledger.
            result = without_numbers(to_jsonable_python(work()), own_numbers(self.case.facts))
            if self.notes.registered:
                self.work.session.flush()  # the next case of this chunk counts what this one has taken
            return result
        finally:
            self.step_key = None
            _playing.reset(token)

    def ask(
        self,
        questions: tuple[Question[Any], ...],
        apart_from: list[str],
        note: str | None = None,
        to: tuple[str, ...] = (),
        known: dict[str, Any] | None = None,
    ) -> list[Form | Silence | Passed]:
        """Return the answers to ``questions``, or open their waits and suspend.

        ``to`` names for each question the account that has to answer it.

        Raises:
            Suspended: an answer is missing.
            Withdrawn: the applicant took the application back.
        """
        self._only_in_the_process("ask")
        settled: list[Form | Silence | Passed] = []
        unanswered: list[tuple[Call, Asked]] = []
        for question, assignee in zip_longest(questions, to):
            arguments = {"apart_from": apart_from, "to": assignee, "known": known}
            call = self._called(question.name, {k: v for k, v in arguments.items() if v is not None})
            if entry := self.recorder.on_record(call, (EntryKind.ANSWER,), question):
                settled.append(self._settled(question, entry))
            else:
                unanswered.append((call, Asked(question, assignee, apart_from, known, note)))
        for call, asked in unanswered:
            self.recorder.await_answer(call, asked)
        if len(settled) < len(questions):
            raise Suspended
        return settled

    def call_out(self, name: str, question: Question[Any], arguments: Any, note: str | None) -> Form:
        """Return what an external step brought, or open a wait for the machine and suspend."""
        self._only_in_the_process(name)
        call = self._called(question.name, arguments)
        if entry := self.recorder.on_record(call, (EntryKind.MACHINE, EntryKind.ANSWER), question):
            settled = self._settled(question, entry)
            if isinstance(settled, Silence | Passed):
                raise PipelineMistake(f"{call.key} ended by time, which an external step can't")
            return settled
        request = {"step": name, "arguments": arguments, "note": note}
        self.recorder.await_machine(call, WaitKind.EXTERNAL, request, question.name)
        raise Suspended

    def issue(self, kind: str, facts: dict[str, Any]) -> dict[str, Any]:
        """Return number, key and hash of an issued document, or open a wait for it and suspend."""
        self._only_in_the_process(f"issue {kind}")
        request = {"kind": kind, "facts": facts | self.as_provisional()}
        return self._by_machine(self._called(kind, facts), WaitKind.ISSUE, request)

    def hand_on(
        self, pipeline: str, facts: dict[str, Any], decided_by: dict[str, list[str]] | None = None
    ) -> dict[str, Any]:
        """Return the next pipeline's case and whether it is new, or open a wait for it and suspend."""
        self._only_in_the_process(f"hand_on {pipeline}")
        request = {"pipeline": pipeline, "facts": facts} | ({"decided_by": decided_by} if decided_by else {})
        return self._by_machine(self._called("hand_on", request), WaitKind.HAND_ON, request)

    def as_provisional(self) -> dict[str, list[str]]:
        """Return the fact that tells letters and papers that dates of the last step may move.

        Return no fact where none of them may.
        """
        return {"provisional": sorted(self.provisional)} if self.provisional else {}

    # -- the end, and what may come after it -----------------------------------------------------------------------

    def _first_end(self) -> Ending:
        try:
            return self.pipeline.body(self.case)
        except Withdrawn as withdrawn:
            self.reason = withdrawn.reason
            return self.pipeline.withdrawal(self.case, withdrawn.reason)

    def _second_end(self, appeal: Appeal, lodged: Lodged) -> Ending:
        try:
            return appeal.body(self.case, lodged)
        except Withdrawn as withdrawn:
            return appeal.withdrawal(self.case, lodged, withdrawn.reason)

    def _close(self, outcome: Ending, key: str) -> None:
        self.recorder.must_have_met_all("its end")
        if not isinstance(outcome, self.pipeline.outcomes):
            raise PipelineMistake(f"{self.pipeline.name} ended in {outcome!r}, which is not one of its outcomes")
        self.recorder.record_end(outcome, key, without_personal_numbers(self.reason) if self.reason else None)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _called(self, name: str, arguments: Any) -> Call:
        """Return the call with its key: rule 1."""
        self._counts[name] += 1
        key = f"{name}#{self.past.recalled.number(name, self._counts[name])}"
        hashed = ledger.salted_hash(self.row.salt, [name, to_jsonable_python(arguments)])
        return Call(name, key, arguments, hashed)

    def _by_machine(self, call: Call, kind: WaitKind, request: dict[str, Any]) -> dict[str, Any]:
        """Return what the machine brought, or open a wait for it.

        Raises:
            Suspended: the case waits for the machine.
        """
        if entry := self.recorder.on_record(call, (EntryKind.MACHINE,)):
            result: dict[str, Any] = entry.result
            return result
        return self.recorder.await_machine(call, kind, request, None)

    def _settled(self, question: Question[Any], entry: Row[Any]) -> Form | Silence | Passed:
        """Return what settled a question, as its process gets it.

        Raises:
            Withdrawn: the applicant took the application back there.
        """
        if entry.outcome == "withdrawn":
            raise Withdrawn(entry.reason or "")
        if entry.outcome in ("silent", "passed"):
            wait = self.past.waits[entry.key]
            asked, due = local_date(wait.asked_at), local_date(wait.due_at) if wait.due_at else None
            if entry.outcome == "silent":
                return Silence(question.name, entry.at, asked, due)
            return Passed(question.name, entry.at, asked, due or asked, **entry.result)
        words, at = self.past.answers[entry.key]
        return question.form.model_validate(words).recorded(entry.actor, at)

    def _only_in_the_process(self, word: str) -> None:
        if self.step_key is not None:
            raise PipelineMistake(f"{word} is called inside the step {self.step_key}; only the process itself may wait")
