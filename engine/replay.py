"""Replay: a pipeline is run again from the top, and the ledger says what has already happened.

Longer than 300 lines because the five rules below are one mechanism, and are checked by reading them together.

One `Replay` plays one case once, inside a transaction that holds the case's row lock:
1. every call (step, ask, external step, issue) gets the key ``name#n``, numbered in call order;
2. a key that the ledger has is *fitted*: kind and hash of the arguments must agree, and its result is returned;
   (what a recall took back is not seen, and is asked and done again under the next numbers: engine/superseding.py);
3. before anything new is written, all replayed entries must have been met, or the code has changed: `LedgerMisfit`;
4. a step that is new is performed now, its rows and its entry go into the chunk's book;
5. a wait that is open ends the play (`Suspended`), until somebody or something settles it.

Where the recorded end was contested, the play goes on after it with the process of the appeal, to a second end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import zip_longest
from typing import Any, NoReturn, Protocol

from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from sqlalchemy import Row
from sqlmodel import Session

from engine import ledger
from engine.book import Book
from engine.case import Case, Lodged
from engine.clock import local_date
from engine.deadlines import times_of
from engine.declared import Ending
from engine.errors import LedgerMisfit, PipelineMistake
from engine.forms import ApplicantForm, Form, Passed, Question, Silence
from engine.impartiality import must_be_impartial, named_in
from engine.legal_clock import Segment
from engine.office import Office, RunHandle
from engine.registry import Appeal, Pipeline, appeal_named, carried_question
from engine.subjects import own_numbers
from engine.successors import Successors, successors_in
from engine.superseding import NOTHING, RECALLED, Superseded
from engine.turns import Turns
from engine.vault import Key
from models import AnyWait, CaseStatus, EntryKind, LedgerEntry, Role, Wait, WaitKind
from models import Case as CaseRow
from models.privacy import without_numbers, without_personal_numbers

REPLAYED = frozenset({EntryKind.STEP, EntryKind.ANSWER, EntryKind.MACHINE})
SYSTEM = "jalur"
CORRECTED = "corrected"
STARTS_CLOCK = "starts the clock"
OPENS_WAY = "opens the way"
CHANGES_REGISTER = "changes a register"
LODGED = "appeal_lodged#1"


class Suspended(BaseException):
    """The case waits. Not an Exception, so that no pipeline catches it by accident."""


class Withdrawn(Exception):
    """The applicant took the application back; raised at the ask that was open."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Stage(Protocol):
    """Who watches the steps: nobody, or Prefect, which makes of each a task run."""

    def step(self, case: str, key: str, work: Callable[[], None]) -> None:
        """Do ``work``, the step ``key`` of ``case``."""


class PlainStage:
    """Does the work and nothing else."""

    def step(self, case: str, key: str, work: Callable[[], None]) -> None:
        """Do ``work``."""
        work()


@dataclass(frozen=True)
class Past:
    """What is on record of one case: entries and waits by key, the unsealed words of its answers, whose turn it was when.

    Of what recalls took back the entries are left out, and the waits stay: they tell what became of a question.
    """

    entries: Mapping[str, Row[Any]]
    waits: Mapping[str, AnyWait]
    answers: Mapping[str, tuple[dict[str, Any], datetime]]
    segments: Sequence[Segment] = ()
    superseded: Superseded = NOTHING


_playing: ContextVar[Replay | None] = ContextVar("playing", default=None)


def playing() -> Replay:
    """Return the replay under way. Raises `PipelineMistake` when a word is used outside a pipeline."""
    replay = _playing.get()
    if replay is None:
        raise PipelineMistake("Words of a pipeline (ask, issue, steps …) work only while a case is being advanced")
    return replay


class Replay:
    """One play of one case."""

    def __init__(
        self,
        office: Office,
        run: RunHandle,
        session: Session,
        book: Book,
        pipeline: Pipeline,
        row: CaseRow,
        case: Case,
        key: Key,
        past: Past,
        stage: Stage,
    ) -> None:
        self.office, self.run, self.session, self.book = office, run, session, book
        self.pipeline, self.row, self.case, self.sealing_key, self.past, self.stage = (
            pipeline,
            row,
            case,
            key,
            past,
            stage,
        )
        self.now = office.clock.now()
        self.step_key: str | None = None
        self.reason: str | None = None
        self.opened_ways: list[
            str
        ] = []  # what the step under way gives, and the cases on which it relies: for its entry
        self.relied_on: list[str] = []
        self.registered: list[str] = []  # the rows of registers that it changes
        self.provisional: set[str] = set()  # years without a decree in which dates lie that the last step promised
        self.turns = Turns(office.calendar, pipeline, case, row, past.segments, book, self.now)
        self._counts: Counter[str] = Counter()
        self._unmet = {key for key, entry in past.entries.items() if entry.kind in REPLAYED}
        # Facts that were corrected made other arguments of what was called before: see _with_other_facts.
        self._corrected_at = max(
            (entry.at for entry in past.entries.values() if row.corrected_seq and entry.outcome == CORRECTED),
            default=None,
        )
        # A case that waits comes to a stop at what it waits for; code that goes on past it has changed.
        self._open = {
            key for key, wait in past.waits.items() if wait.settled_at is None and wait.kind != WaitKind.HAND_DELIVERY
        }

    @property
    def today(self) -> date:
        """Return the date of this play in Asia/Jakarta."""
        return local_date(self.now)

    def play(self) -> None:
        """Run the pipeline until it waits or ends. Raises `LedgerMisfit` and whatever the pipeline's code raises."""
        token = _playing.set(self)
        try:
            outcome, end = self._first_end(), "closed#1"
            if contested := self._contested(outcome):
                outcome, end = self._second_end(*contested), "closed#2"
            self._close(outcome, end)
        except Suspended:
            self.all_must_be_met("a wait")
            self.turns.wait(self._ball_came_back())
        finally:
            _playing.reset(token)
        self.row.ready = False
        self.row.leased_until = None
        self.row.attempts = 0

    # -- the calls of a pipeline ------------------------------------------------------------------------------------

    def perform(self, name: str, arguments: Any, work: Callable[[], Any]) -> Any:
        """Return the recorded result of a step, or do it now and record it. The result is JSON."""
        if self.step_key is not None:
            raise PipelineMistake(f"{name} is called inside the step {self.step_key}; steps are called by the process")
        key, arguments_hash = self._called(name, arguments)
        if entry := self.past.entries.get(key):
            self._fit(entry, key, arguments_hash, {EntryKind.STEP})
            return entry.result
        self.all_must_be_met(key)
        complete = self.row.complete_at is not None
        done: list[Any] = []

        def do() -> None:
            token = _playing.set(self)  # Prefect may run the step in another context
            self.step_key, self.provisional = key, set()
            self.opened_ways, self.relied_on, self.registered = [], [], []
            try:
                # What people write comes into results; their own numbers belong under their key, and not in the ledger.
                done.append(without_numbers(to_jsonable_python(work()), own_numbers(self.case.facts)))
                if self.registered:
                    self.session.flush()  # the next case of this chunk counts what this one has taken
            finally:
                self.step_key = None
                _playing.reset(token)

        self.stage.step(self.case.number, key, do)
        said = {OPENS_WAY: self.opened_ways, CHANGES_REGISTER: self.registered, "relies on": self.relied_on}
        outcome = next((what for what, named in said.items() if named), None)
        if self.row.complete_at and not complete:
            if outcome:
                raise PipelineMistake(f"{key} {outcome} and starts the legal clock; that belongs in a step of its own")
            outcome = STARTS_CLOCK
        self.append(
            EntryKind.STEP,
            key,
            arguments_hash=arguments_hash,
            result=done[0],
            outcome=outcome,
            reason=", ".join(dict.fromkeys(said.get(outcome or "", ()))) or None,
        )
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
        unanswered: list[tuple[Question[Any], str, str, str | None]] = []
        for question, holder in zip_longest(questions, to):
            arguments = {"apart_from": apart_from, "to": holder, "known": known}
            key, arguments_hash = self._called(question.name, {k: v for k, v in arguments.items() if v is not None})
            if entry := self.past.entries.get(key):
                self._fit(entry, key, arguments_hash, {EntryKind.ANSWER})
                settled.append(self._settled(question, key, entry))
            else:
                unanswered.append((question, key, arguments_hash, holder))
        for question, key, arguments_hash, holder in unanswered:
            self._wait_for(question, key, arguments_hash, apart_from, note, holder, known)
        if len(settled) < len(questions):
            raise Suspended
        return settled

    def call_out(self, name: str, question: Question[Any], arguments: Any, note: str | None) -> Form:
        """Return what an external step brought, or make a wait that the machine answers, and suspend."""
        self._only_in_the_process(name)
        key, arguments_hash = self._called(question.name, arguments)
        if entry := self.past.entries.get(key):
            self._fit(entry, key, arguments_hash, {EntryKind.MACHINE, EntryKind.ANSWER})
            settled = self._settled(question, key, entry)
            if isinstance(settled, Silence | Passed):
                raise PipelineMistake(f"{key} ended by time, which an external step can't")
            return settled
        if self.row.withdrawal and key not in self.past.waits:
            self._withdraw_at(key, arguments_hash)
        request = {"step": name, "arguments": arguments, "note": note}
        self._machine_wait(WaitKind.EXTERNAL, key, arguments_hash, request, question.name)
        raise Suspended

    def issue(self, kind: str, facts: dict[str, Any]) -> dict[str, Any]:
        """Return number, key and hash of an issued document, or make a wait for it, and suspend."""
        self._only_in_the_process(f"issue {kind}")
        key, arguments_hash = self._called(kind, facts)
        if entry := self.past.entries.get(key):
            self._fit(entry, key, arguments_hash, {EntryKind.MACHINE})
            result: dict[str, Any] = entry.result
            return result
        request = {"kind": kind, "facts": facts | self.as_provisional()}
        self._machine_wait(WaitKind.ISSUE, key, arguments_hash, request, None)
        raise Suspended

    def hand_on(
        self, pipeline: str, facts: dict[str, Any], decided_by: dict[str, list[str]] | None = None
    ) -> dict[str, Any]:
        """Return number and novelty of the next pipeline's case, or make a wait for it, and suspend."""
        self._only_in_the_process(f"hand_on {pipeline}")
        request = {"pipeline": pipeline, "facts": facts} | ({"decided_by": decided_by} if decided_by else {})
        key, arguments_hash = self._called("hand_on", request)
        if entry := self.past.entries.get(key):
            self._fit(entry, key, arguments_hash, {EntryKind.MACHINE})
            result: dict[str, Any] = entry.result
            return result
        self._machine_wait(WaitKind.HAND_ON, key, arguments_hash, request, None)
        raise Suspended

    def as_provisional(self) -> dict[str, list[str]]:
        """Return the fact by which letters and papers say that dates of the step before them may move; none where none do."""
        return {"provisional": sorted(self.provisional)} if self.provisional else {}

    # -- writing ----------------------------------------------------------------------------------------------------

    def append(self, kind: EntryKind, key: str, **fields: Any) -> None:
        """Write a ledger entry of the system's."""
        row = ledger.append(
            self.row,
            at=self.now,
            run_id=self.run.id,
            kind=kind,
            key=key,
            actor=SYSTEM,
            rule_versions=self.case.rules.take_used(),
            **fields,
        )
        self.book.write(LedgerEntry, **row)

    def up_to_date(self, facts: Any) -> Any:
        """Return facts with the numbers and files of what took the place of documents that were corrected.

        What is recorded says what was so on its day, and is replayed as it is; what goes out now says what is so now.
        """
        return self._successors.rewriting(facts) if self.row.corrected_seq else facts

    def newest(self, keys: Iterable[str]) -> list[str]:
        """Return the keys of documents, of each the one that took its place."""
        return [self._successors.keys.get(key, key) if self.row.corrected_seq else key for key in keys]

    @cached_property
    def _successors(self) -> Successors:
        return successors_in(self.session, self.row.id)

    def seal(self, plain: Any) -> bytes:
        """Seal JSON under the key of the person whose case it is."""
        return self.office.vault.seal(self.sealing_key, plain)

    def all_must_be_met(self, before: str) -> None:
        """Refuse to go on when the ledger holds entries that this code no longer reaches."""
        self._met_up_to(self.row.last_seq, before)
        if self._open:
            self._refuse_wait(min(self._open), f"the case waits there, and the code came to {before} without it")

    def _met_up_to(self, seq: int, before: str) -> None:
        unmet = [entry for key in self._unmet if (entry := self.past.entries[key]).seq <= seq]
        if unmet:
            first = min(unmet, key=lambda entry: entry.seq)
            raise LedgerMisfit(
                self.case.number,
                self.pipeline.name,
                self.pipeline.version,
                first.seq,
                first.key,
                f"the code came to {before} without it",
            )

    def who_answered(self, questions: Iterable[str]) -> set[str]:
        """Return the accounts that have answered one of these questions of this case so far, and those they stood in for."""
        wanted = set(questions)
        answers = [entry for entry in self.past.entries.values() if entry.kind == EntryKind.ANSWER]
        return named_in(entry for entry in answers if entry.key.split("#")[0] in wanted)

    # -- the end, and what may come after it -----------------------------------------------------------------------

    def _first_end(self) -> Ending:
        try:
            return self.pipeline.body(self.case)
        except Withdrawn as withdrawn:
            self.reason = withdrawn.reason
            return self.pipeline.withdrawal(self.case, withdrawn.reason)

    def _contested(self, outcome: Ending) -> tuple[Appeal, Lodged] | None:
        """Return the appeal that was lodged against the recorded end, which must be the one that the code came to."""
        entry = self.past.entries.get(LODGED)
        if entry is None:
            return None
        closed = self.past.entries["closed#1"]
        self._met_up_to(closed.seq, "its end")
        if closed.outcome != str(outcome):
            raise LedgerMisfit(
                self.case.number,
                self.pipeline.name,
                self.pipeline.version,
                closed.seq,
                closed.key,
                f"it ended in {closed.outcome}, and the code ends in {outcome}",
            )
        self._unmet.discard(LODGED)
        self.turns.contest()
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

    # -- inside -----------------------------------------------------------------------------------------------------

    def _called(self, name: str, arguments: Any) -> tuple[str, str]:
        self._counts[name] += 1
        key = f"{name}#{self.past.superseded.number(name, self._counts[name])}"
        return key, ledger.salted_hash(self.row.salt, [name, to_jsonable_python(arguments)])

    def _fit(self, entry: Row[Any], key: str, arguments_hash: str, kinds: set[EntryKind]) -> None:
        """Meet an entry: its kind and the hash of its arguments agree.

        What was recorded, or asked, before the facts of the case were corrected (`CaseRow.corrected_seq`) was called with
        other arguments: it is fitted by key and kind alone.
        """

        def misfit(what: str) -> LedgerMisfit:
            return LedgerMisfit(self.case.number, self.pipeline.name, self.pipeline.version, entry.seq, key, what)

        if entry.kind not in kinds:
            raise misfit(f"the ledger recorded a {entry.kind} there")
        if entry.arguments_hash != arguments_hash and not self._with_other_facts(key, entry.seq):
            raise misfit("it was recorded with other arguments")
        self._unmet.discard(key)

    def _settled(self, question: Question[Any], key: str, entry: Row[Any]) -> Form | Silence | Passed:
        if entry.outcome == "withdrawn":
            raise Withdrawn(entry.reason or "")
        if entry.outcome in ("silent", "passed"):
            wait = self.past.waits[key]
            asked, due = local_date(wait.asked_at), local_date(wait.due_at) if wait.due_at else None
            if entry.outcome == "silent":
                return Silence(question.name, entry.at, asked, due)
            return Passed(question.name, entry.at, asked, due or asked, **entry.result)
        words, at = self.past.answers[key]
        return question.form.model_validate(words).recorded(entry.actor, at)

    def _wait_for(
        self,
        question: Question[Any],
        key: str,
        arguments_hash: str,
        apart_from: list[str],
        note: str | None,
        holder: str | None,
        known: dict[str, Any] | None,
    ) -> None:
        self.turns.asked(question, key, self.past.waits.get(key))
        if wait := self.past.waits.get(key):
            self._fit_wait(wait, arguments_hash)
            return
        if self.row.withdrawal:
            self._withdraw_at(key, arguments_hash)
        self.all_must_be_met(key)
        took_part = self.who_answered(question.apart_from) | set(apart_from)
        if holder:
            must_be_impartial(self.session, holder, self.case, question, self.today, took_part)
        legal_due = self.turns.legal_due(question, self._ball_came_back())
        times = times_of(self.office.calendar, self.case.rules, question, self.now, legal_due=legal_due)
        self.book.write(
            Wait,
            case_id=self.row.id,
            key=key,
            pipeline=self.pipeline.name,
            kind=WaitKind.PERSON,
            question=question.name,
            role=question.of,
            holder=self.case.applicant.handle if question.of is Role.APPLICANT else holder,
            apart_from=sorted(took_part),
            arguments_hash=arguments_hash,
            request=self.seal({"known": self.up_to_date(known)}) if known else None,
            note=without_numbers(self.up_to_date(note), own_numbers(self.case.facts)) if note else None,
            asked_at=self.now,
            **times.values(),
        )

    def _machine_wait(self, kind: WaitKind, key: str, arguments_hash: str, request: Any, question: str | None) -> None:
        wait = self.past.waits.get(key)
        if wait and question and wait.kind == WaitKind.PERSON:  # it is done by hand
            self.turns.asked(self.pipeline.questions[question], key, wait)
        else:
            self.turns.called(outside=kind is WaitKind.EXTERNAL, key=key, wait=wait)
        if wait:
            self._fit_wait(wait, arguments_hash)
            return
        self.all_must_be_met(key)
        self.book.write(
            Wait,
            case_id=self.row.id,
            key=key,
            pipeline=self.pipeline.name,
            kind=kind,
            question=question,
            arguments_hash=arguments_hash,
            request=self.seal(self.up_to_date(to_jsonable_python(request))),
            asked_at=self.now,
        )

    def _fit_wait(self, wait: AnyWait, arguments_hash: str) -> None:
        if wait.arguments_hash != arguments_hash and not self._with_other_facts(wait.key, None):
            self._refuse_wait(wait.key, "it was asked with other arguments")
        self._open.discard(wait.key)

    def _with_other_facts(self, key: str, seq: int | None) -> bool:
        """Return whether an entry, or the wait under ``key``, is of before the last correction."""
        if self._corrected_at is None:
            return False
        wait = self.past.waits.get(key)
        before = seq is not None and seq <= self.row.corrected_seq
        return before or (wait is not None and wait.asked_at <= self._corrected_at)

    def _refuse_wait(self, key: str, what: str) -> NoReturn:
        raise LedgerMisfit(self.case.number, self.pipeline.name, self.pipeline.version, None, key, what)

    def _withdraw_at(self, key: str, arguments_hash: str) -> None:
        """A withdrawal noted during a machine wait takes effect here, at the next thing that would be asked."""
        noted = self.row.withdrawal or {}
        self.all_must_be_met(key)
        row = ledger.append(
            self.row,
            at=self.now,
            run_id=self.run.id,
            kind=EntryKind.ANSWER,
            key=key,
            actor=noted["by"],
            on_behalf_of=noted.get("on_behalf_of"),
            role=noted.get("role"),
            outcome="withdrawn",
            reason=noted.get("reason"),
            arguments_hash=arguments_hash,
        )
        self.book.write(LedgerEntry, **row)
        self.row.withdrawal = None
        raise Withdrawn(noted.get("reason") or "")

    def _only_in_the_process(self, word: str) -> None:
        if self.step_key is not None:
            raise PipelineMistake(f"{word} is called inside the step {self.step_key}; only the process itself may wait")

    def _close(self, outcome: Ending, key: str) -> None:
        self.all_must_be_met("its end")
        if not isinstance(outcome, self.pipeline.outcomes):
            raise PipelineMistake(f"{self.pipeline.name} ended in {outcome!r}, which is not one of its outcomes")
        reason = without_personal_numbers(self.reason) if self.reason else None
        self.append(EntryKind.CLOSED, key, outcome=str(outcome), reason=reason)
        self.row.status, self.row.outcome, self.row.reason = CaseStatus.CLOSED, str(outcome), reason
        self.row.closed_at = self.now
        self.turns.end(self._ball_came_back(), key)

    def _ball_came_back(self) -> tuple[datetime, str] | None:
        """Return when somebody else's turn last ended, by the ledger, and with which entry."""
        ended = [
            entry
            for entry in self.past.entries.values()
            if entry.kind in (EntryKind.ANSWER, EntryKind.MACHINE) or entry.outcome == RECALLED
        ]
        last = max(ended, key=lambda entry: entry.seq, default=None)
        return (last.at, last.key) if last else None


def jsonable(value: BaseModel | Any) -> Any:
    """Return ``value`` as JSON would hold it."""
    return to_jsonable_python(value)
