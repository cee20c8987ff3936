"""Replay: a pipeline is run again from the top, and the ledger says what has already happened.

One `Replay` plays one case once, inside a transaction that holds the case's row lock:
1. every call (step, ask, external step, issue) gets the key ``name#n``, numbered in call order;
2. a key that the ledger has is *fitted*: kind and hash of the arguments must agree, and its result is returned;
   (what a recall took back is not seen, and is asked and done again under the next numbers: engine/cases/recalled_keys.py);
3. before anything new is written, all replayed entries must have been met, or the code has changed: `LedgerMisfit`;
4. a step that is new is performed now, its rows and its entry go into the book of the unit of work;
5. a wait that is open ends the play (`Suspended`), until somebody or something settles it.

Rules 1 and 4 stand here, 2, 3 and 5 in engine/execution/recorder.py: the recorder is what a shadow run exchanges.
Where the recorded end was contested, the play goes on after it with the process of the appeal, to a second end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from datetime import date, datetime
from itertools import zip_longest
from typing import Any, Protocol

from pydantic_core import to_jsonable_python
from sqlalchemy import Row

from engine.cases import case_state, ledger
from engine.cases.dossier import Dossier
from engine.cases.ledger import CHANGES_REGISTER, LODGED, OPENS_WAY, STARTS_CLOCK, SYSTEM
from engine.cases.subject_facts import own_numbers
from engine.deadlines.clock import local_date
from engine.definition.case import Lodged
from engine.definition.declarations import Ending
from engine.definition.forms import ApplicantForm, Form, Passed, Question, Silence
from engine.definition.registry import Appeal, appeal_named, carried_question
from engine.errors import PipelineMistake
from engine.execution.recorder import Asked, Call, LedgerRecorder, Recorder, Suspended, Withdrawn
from engine.people.impartiality import named_in
from engine.runtime.office import Office, Work
from models import EntryKind, Role, WaitKind
from models.privacy import without_numbers, without_personal_numbers


class Stage(Protocol):
    """Who watches the steps: nobody, or Prefect, which makes of each a task run."""

    def step(self, case: str, key: str, work: Callable[[], None]) -> None:
        """Do ``work``, the step ``key`` of ``case``."""


class PlainStage:
    """Does the work and nothing else."""

    def step(self, case: str, key: str, work: Callable[[], None]) -> None:
        """Do ``work``."""
        work()


_playing: ContextVar[Replay | None] = ContextVar("playing", default=None)


def playing() -> Replay:
    """Return the replay under way. Raises `PipelineMistake` when a word is used outside a pipeline."""
    replay = _playing.get()
    if replay is None:
        raise PipelineMistake("Words of a pipeline (ask, issue, steps …) work only while a case is being advanced")
    return replay


class Replay:
    """One play of one case."""

    def __init__(self, work: Work, dossier: Dossier, stage: Stage, recorder: Recorder | None = None) -> None:
        self.work, self.dossier, self.stage = work, dossier, stage
        self.pipeline, self.row, self.case, self.past = dossier.pipeline, dossier.row, dossier.case, dossier.past
        self.recorder = recorder or LedgerRecorder(work, dossier)
        self.reason: str | None = None
        self.step_key: str | None = None
        # What the step under way gives, and the cases on which it relies: for its entry.
        self.opened_ways: list[str] = []
        self.relied_on: list[str] = []
        self.registered: list[str] = []  # the rows of registers that it changes
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
        """Run the pipeline until it waits or ends. Raises `LedgerMisfit` and whatever the pipeline's code raises."""
        token = _playing.set(self)
        try:
            outcome, end = self._first_end(), "closed#1"
            if self.recorder.contested(outcome):
                outcome, end = self._second_end(*self._appeal(outcome)), "closed#2"
            self._close(outcome, end)
        except Suspended:
            self.recorder.suspend()
        finally:
            _playing.reset(token)
        case_state.rest(self.row)

    # -- the calls of a pipeline ------------------------------------------------------------------------------------

    def perform(self, name: str, arguments: Any, work: Callable[[], Any]) -> Any:
        """Return the recorded result of a step, or do it now and record it. The result is JSON."""
        if self.step_key is not None:
            raise PipelineMistake(f"{name} is called inside the step {self.step_key}; steps are called by the process")
        call = self._called(name, arguments)
        if entry := self.recorder.on_record(call, (EntryKind.STEP,)):
            return entry.result
        self.recorder.all_must_be_met(call.key)
        complete = self.row.complete_at is not None
        done: list[Any] = []

        def do() -> None:
            token = _playing.set(self)  # Prefect may run the step in another context
            self.step_key, self.provisional = call.key, set()
            self.opened_ways, self.relied_on, self.registered = [], [], []
            try:
                # What people write comes into results; their own numbers belong under their key, and not in the ledger.
                done.append(without_numbers(to_jsonable_python(work()), own_numbers(self.case.facts)))
                if self.registered:
                    self.work.session.flush()  # the next case of this chunk counts what this one has taken
            finally:
                self.step_key = None
                _playing.reset(token)

        self.stage.step(self.case.number, call.key, do)
        said = {OPENS_WAY: self.opened_ways, CHANGES_REGISTER: self.registered, "relies on": self.relied_on}
        outcome = next((what for what, named in said.items() if named), None)
        if self.row.complete_at and not complete:
            if outcome:
                raise PipelineMistake(
                    f"{call.key} {outcome} and starts the legal clock; that belongs in a step of its own"
                )
            outcome = STARTS_CLOCK
        named = ", ".join(dict.fromkeys(said.get(outcome or "", ())))
        self.recorder.step(call, done[0], outcome, named or None)
        return done[0]

    def ask(
        self,
        questions: tuple[Question[Any], ...],
        apart_from: list[str],
        note: str | None = None,
        to: tuple[str, ...] = (),
        known: dict[str, Any] | None = None,
    ) -> list[Form | Silence | Passed]:
        """Return the answers to ``questions``, or open their waits and suspend until all are settled.

        ``to`` names for each question the account that has to answer it.
        """
        self._only_in_the_process("ask")
        settled: list[Form | Silence | Passed] = []
        unanswered: list[tuple[Call, Asked]] = []
        for question, holder in zip_longest(questions, to):
            arguments = {"apart_from": apart_from, "to": holder, "known": known}
            call = self._called(question.name, {k: v for k, v in arguments.items() if v is not None})
            if entry := self.recorder.on_record(call, (EntryKind.ANSWER,), question):
                settled.append(self._settled(question, entry))
            else:
                unanswered.append((call, Asked(question, holder, apart_from, known, note)))
        for call, asked in unanswered:
            self.recorder.ask(call, asked)
        if len(settled) < len(questions):
            raise Suspended
        return settled

    def call_out(self, name: str, question: Question[Any], arguments: Any, note: str | None) -> Form:
        """Return what an external step brought, or make a wait that the machine answers, and suspend."""
        self._only_in_the_process(name)
        call = self._called(question.name, arguments)
        if entry := self.recorder.on_record(call, (EntryKind.MACHINE, EntryKind.ANSWER), question):
            settled = self._settled(question, entry)
            if isinstance(settled, Silence | Passed):
                raise PipelineMistake(f"{call.key} ended by time, which an external step can't")
            return settled
        request = {"step": name, "arguments": arguments, "note": note}
        self.recorder.call_machine(call, WaitKind.EXTERNAL, request, question.name)
        raise Suspended

    def issue(self, kind: str, facts: dict[str, Any]) -> dict[str, Any]:
        """Return number, key and hash of an issued document, or make a wait for it, and suspend."""
        self._only_in_the_process(f"issue {kind}")
        request = {"kind": kind, "facts": facts | self.as_provisional()}
        return self._by_machine(self._called(kind, facts), WaitKind.ISSUE, request)

    def hand_on(
        self, pipeline: str, facts: dict[str, Any], decided_by: dict[str, list[str]] | None = None
    ) -> dict[str, Any]:
        """Return number and novelty of the next pipeline's case, or make a wait for it, and suspend."""
        self._only_in_the_process(f"hand_on {pipeline}")
        request = {"pipeline": pipeline, "facts": facts} | ({"decided_by": decided_by} if decided_by else {})
        return self._by_machine(self._called("hand_on", request), WaitKind.HAND_ON, request)

    def as_provisional(self) -> dict[str, list[str]]:
        """Return the fact by which letters and papers say that dates of the step before them may move; none where none do."""
        return {"provisional": sorted(self.provisional)} if self.provisional else {}

    # -- the end, and what may come after it -----------------------------------------------------------------------

    def _first_end(self) -> Ending:
        try:
            return self.pipeline.body(self.case)
        except Withdrawn as withdrawn:
            self.reason = withdrawn.reason
            return self.pipeline.withdrawal(self.case, withdrawn.reason)

    def _appeal(self, outcome: Ending) -> tuple[Appeal, Lodged]:
        """Return the process of the appeal that was lodged, and what it is about."""
        entry, closed = self.past.entries[LODGED], self.past.entries["closed#1"]
        words, at = self.past.answers[LODGED]
        lodged = Lodged(
            outcome=outcome,
            refused_for=closed.reason or "",
            closed_on=local_date(closed.at),
            reason=words["reason"],
            evidence=words["evidence"],
            by=entry.actor,
            on=local_date(at),
            decided_by=self._decided_by(closed.seq),
            known={**self.case.carried, **self._stated(closed.seq)},
        )
        return appeal_named(entry.result["appeal"], entry.result["version"]), lodged

    def _second_end(self, appeal: Appeal, lodged: Lodged) -> Ending:
        try:
            return appeal.body(self.case, lodged)
        except Withdrawn as withdrawn:
            return appeal.withdrawal(self.case, lodged, withdrawn.reason)

    def _decided_by(self, end: int) -> dict[str, list[str]]:
        """Return who answered each question of an official's up to that entry, here and in the case before this one."""
        before = self.case.handed_on.decided_by if self.case.handed_on else {}
        decided = {question: set(names) for question, names in before.items()}
        for key, entry in self.past.entries.items():
            question = self.pipeline.questions.get(key.split("#")[0])
            by_person = entry.kind == EntryKind.ANSWER and entry.actor != SYSTEM and entry.seq < end
            if by_person and question and question.of is not Role.APPLICANT:
                decided.setdefault(question.name, set()).update(named_in([entry]))
        return {question: sorted(names) for question, names in sorted(decided.items())}

    def _stated(self, end: int) -> dict[str, Any]:
        """Return what the applicant said last where a case that is opened anew begins, without how it was signed."""
        wanted = carried_question(self.pipeline.name)
        said = [
            self.past.entries[key]
            for key in self.past.answers
            if key.split("#")[0] == wanted and self.past.entries[key].seq < end
        ]
        if not said:
            return {}
        words, _ = self.past.answers[max(said, key=lambda entry: entry.seq).key]
        return {name: value for name, value in words.items() if name not in ApplicantForm.model_fields}

    def _close(self, outcome: Ending, key: str) -> None:
        self.recorder.all_must_be_met("its end")
        if not isinstance(outcome, self.pipeline.outcomes):
            raise PipelineMistake(f"{self.pipeline.name} ended in {outcome!r}, which is not one of its outcomes")
        self.recorder.close(outcome, key, without_personal_numbers(self.reason) if self.reason else None)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _called(self, name: str, arguments: Any) -> Call:
        self._counts[name] += 1
        key = f"{name}#{self.past.recalled.number(name, self._counts[name])}"
        hashed = ledger.salted_hash(self.row.salt, [name, to_jsonable_python(arguments)])
        return Call(name, key, arguments, hashed)

    def _by_machine(self, call: Call, kind: WaitKind, request: dict[str, Any]) -> dict[str, Any]:
        """Return what the machine brought. Raises `Suspended` where the case waits for it."""
        if entry := self.recorder.on_record(call, (EntryKind.MACHINE,)):
            result: dict[str, Any] = entry.result
            return result
        return self.recorder.call_machine(call, kind, request, None)

    def _settled(self, question: Question[Any], entry: Row[Any]) -> Form | Silence | Passed:
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
