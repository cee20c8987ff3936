"""What is on record of a case, as its replay meets it, and what becomes of what is new.

`LedgerRecorder` keeps the rules 2, 3 and 5 of engine/execution/replay.py; a shadow run has a recorder of its own, in
engine/execution/versions/shadow_replay.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

from pydantic_core import to_jsonable_python
from sqlalchemy import Row

from engine.cases import case_state, ledger
from engine.cases.dossier import Dossier
from engine.cases.ledger import CORRECTED, LODGED, RECALLED, REPLAYED, SYSTEM
from engine.cases.replaced_documents import Replacements, replacements_in
from engine.cases.subject_facts import own_numbers
from engine.cases.waits import open_waits
from engine.deadlines.clock import local_date
from engine.deadlines.due_dates import times_of
from engine.definition.declarations import Ending
from engine.definition.forms import Question
from engine.errors import LedgerMisfit
from engine.execution.clock_segments import Turns
from engine.people.impartiality import must_be_impartial, named_in
from engine.runtime.office import Work
from models import AnyWait, EntryKind, LedgerEntry, Role, Wait, WaitKind
from models.privacy import without_numbers


class Suspended(BaseException):
    """The case waits. Not an Exception, so that no pipeline catches it by accident."""


class Withdrawn(Exception):
    """The applicant took the application back; raised at the ask that was open."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Call(NamedTuple):
    """One call of a pipeline: what is called, under which key, with which arguments, and their salted hash."""

    name: str
    key: str
    arguments: Any
    arguments_hash: str


@dataclass(frozen=True)
class Asked:
    """A question, the one account that has to answer it (None: its role), who may not, what is known already, and a note."""

    question: Question[Any]
    holder: str | None
    apart_from: Collection[str]
    known: dict[str, Any] | None
    note: str | None


class Recorder(ABC):
    """The record of one case during one play."""

    def __init__(self, work: Work, dossier: Dossier) -> None:
        self.work, self.dossier = work, dossier
        self.row, self.case, self.past, self.pipeline = dossier.row, dossier.case, dossier.past, dossier.pipeline
        self.now: datetime = work.now
        self.turns = Turns(work, dossier, self.now)
        self.unmet = {key for key, entry in self.past.entries.items() if entry.kind in REPLAYED}

    @abstractmethod
    def on_record(
        self, call: Call, kinds: Collection[EntryKind], question: Question[Any] | None = None
    ) -> Row[Any] | None:
        """Return the entry that is on record of a call, met as one of ``kinds``; None where the call is new."""

    @abstractmethod
    def all_must_be_met(self, before: str) -> None:
        """Refuse to go on when the ledger holds entries that this code no longer reaches."""

    @abstractmethod
    def step(self, call: Call, result: Any, outcome: str | None, reason: str | None) -> None:
        """Take down what a step came to that was done now."""

    @abstractmethod
    def ask(self, call: Call, asked: Asked) -> None:
        """Take down that a question waits for its answer: since before, or from now on."""

    @abstractmethod
    def call_machine(self, call: Call, kind: WaitKind, request: Any, question: str | None) -> dict[str, Any]:
        """Return what the machine would bring where that is taken for granted. Raises `Suspended` where the case waits for it."""

    @abstractmethod
    def suspend(self) -> None:
        """Take down whose turn it is, now that the play ends at its waits."""

    @abstractmethod
    def contested(self, outcome: Ending) -> bool:
        """Return whether an appeal was lodged against the recorded end, which must be the one that the code came to."""

    @abstractmethod
    def close(self, outcome: Ending, key: str, reason: str | None) -> None:
        """Take down the end."""

    def up_to_date(self, facts: Any) -> Any:
        """Return facts with the numbers and files of what took the place of documents that were corrected.

        What is recorded says what was so on its day, and is replayed as it is; what goes out now says what is so now.
        """
        return self._successors.rewriting(facts) if self.row.corrected_seq else facts

    def newest(self, keys: Iterable[str]) -> list[str]:
        """Return the keys of documents, of each the one that took its place."""
        return [self._successors.keys.get(key, key) if self.row.corrected_seq else key for key in keys]

    @cached_property
    def _successors(self) -> Replacements:
        return replacements_in(self.work.session, self.row.id)

    def who_answered(self, questions: Iterable[str]) -> set[str]:
        """Return the accounts that have answered one of these questions of this case so far, and those they stood in for."""
        wanted = set(questions)
        answers = [entry for entry in self.past.entries.values() if entry.kind == EntryKind.ANSWER]
        return named_in(entry for entry in answers if entry.key.split("#")[0] in wanted)


class LedgerRecorder(Recorder):
    """The ledger: what is recorded is fitted, what is new is written into the book."""

    def __init__(self, work: Work, dossier: Dossier) -> None:
        super().__init__(work, dossier)
        # Facts that were corrected made other arguments of what was called before: see _with_other_facts.
        self._corrected_at = max(
            (entry.at for entry in self.past.entries.values() if self.row.corrected_seq and entry.outcome == CORRECTED),
            default=None,
        )
        # A case that waits comes to a stop at what it waits for; code that goes on past it has changed.
        self._open = {wait.key for wait in open_waits(dossier)}

    # -- what is on record ----------------------------------------------------------------------------------------------

    def on_record(
        self, call: Call, kinds: Collection[EntryKind], question: Question[Any] | None = None
    ) -> Row[Any] | None:
        """Return the entry of a call, whose kind and hash of the arguments must agree; None where there is none.

        What was recorded, or asked, before the facts of the case were corrected (`CaseRow.corrected_seq`) was called with
        other arguments: it is fitted by key and kind alone.
        """
        entry = self.past.entries.get(call.key)
        if entry is None:
            return None
        if entry.kind not in kinds:
            raise self._misfit(entry.seq, call.key, f"the ledger recorded a {entry.kind} there")
        if entry.arguments_hash != call.arguments_hash and not self._with_other_facts(call.key, entry.seq):
            raise self._misfit(entry.seq, call.key, "it was recorded with other arguments")
        self.unmet.discard(call.key)
        return entry

    def all_must_be_met(self, before: str) -> None:
        """Refuse to go on when the ledger holds entries, or waits, that this code no longer reaches."""
        self._met_up_to(self.row.last_seq, before)
        if self._open:
            self._refuse_wait(min(self._open), f"the case waits there, and the code came to {before} without it")

    def contested(self, outcome: Ending) -> bool:
        """Return whether an appeal was lodged against the recorded end, which must be the one that the code came to."""
        if LODGED not in self.past.entries:
            return False
        closed = self.past.entries["closed#1"]
        self._met_up_to(closed.seq, "its end")
        if closed.outcome != str(outcome):
            what = f"it ended in {closed.outcome}, and the code ends in {outcome}"
            raise self._misfit(closed.seq, closed.key, what)
        self.unmet.discard(LODGED)
        self.turns.contest()
        return True

    def _met_up_to(self, seq: int, before: str) -> None:
        unmet = [entry for key in self.unmet if (entry := self.past.entries[key]).seq <= seq]
        if unmet:
            first = min(unmet, key=lambda entry: entry.seq)
            raise self._misfit(first.seq, first.key, f"the code came to {before} without it")

    def _fit_wait(self, wait: AnyWait, call: Call) -> None:
        if wait.arguments_hash != call.arguments_hash and not self._with_other_facts(wait.key, None):
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
        raise self._misfit(None, key, what)

    def _misfit(self, seq: int | None, key: str, what: str) -> LedgerMisfit:
        return LedgerMisfit(self.case.number, self.pipeline.name, self.pipeline.version, seq, key, what)

    # -- what is new ----------------------------------------------------------------------------------------------------

    def append(self, kind: EntryKind, key: str, **fields: Any) -> None:
        """Write a ledger entry of the system's."""
        self._write(kind, key, actor=SYSTEM, rule_versions=self.case.rules.take_used(), **fields)

    def step(self, call: Call, result: Any, outcome: str | None, reason: str | None) -> None:
        """Write the entry of a step that was done now."""
        hashed = call.arguments_hash
        self.append(EntryKind.STEP, call.key, arguments_hash=hashed, result=result, outcome=outcome, reason=reason)

    def ask(self, call: Call, asked: Asked) -> None:
        """Fit the wait for a person, or open it."""
        wait, question = self.past.waits.get(call.key), asked.question
        self.turns.asked(question, call.key, wait)
        if wait:
            self._fit_wait(wait, call)
            return
        if self.row.withdrawal:
            self._withdraw_at(call)
        self.all_must_be_met(call.key)
        took_part = self.who_answered(question.apart_from) | set(asked.apart_from)
        if asked.holder:
            today = local_date(self.now)
            must_be_impartial(self.work.session, asked.holder, self.case, question, today, took_part)
        legal_due = self.turns.legal_due(question, self._ball_came_back())
        times = times_of(self.work.calendar, self.case.rules, question, self.now, legal_due=legal_due)
        known, note = asked.known, asked.note
        self._wait(
            call,
            kind=WaitKind.PERSON,
            question=question.name,
            role=question.of,
            holder=self.case.applicant.handle if question.of is Role.APPLICANT else asked.holder,
            apart_from=sorted(took_part),
            request=self._sealed({"known": self.up_to_date(known)}) if known else None,
            note=without_numbers(self.up_to_date(note), own_numbers(self.case.facts)) if note else None,
            **times.values(),
        )

    def call_machine(self, call: Call, kind: WaitKind, request: Any, question: str | None) -> NoReturn:
        """Fit the wait that the machine answers, or open it. Raises `Suspended`, or `Withdrawn` before a call outside."""
        wait = self.past.waits.get(call.key)
        if kind is WaitKind.EXTERNAL and self.row.withdrawal and wait is None:
            self._withdraw_at(call)
        if wait and question and wait.kind == WaitKind.PERSON:  # it is done by hand
            self.turns.asked(self.pipeline.questions[question], call.key, wait)
        else:
            self.turns.called(outside=kind is WaitKind.EXTERNAL, key=call.key, wait=wait)
        if wait:
            self._fit_wait(wait, call)
        else:
            self.all_must_be_met(call.key)
            sealed = self._sealed(self.up_to_date(to_jsonable_python(request)))
            self._wait(call, kind=kind, question=question, request=sealed)
        raise Suspended

    def suspend(self) -> None:
        """Write whose turn it is, now that the play ends at its waits."""
        self.all_must_be_met("a wait")
        self.turns.wait(self._ball_came_back())

    def close(self, outcome: Ending, key: str, reason: str | None) -> None:
        """Write the end, and close the case."""
        self.append(EntryKind.CLOSED, key, outcome=str(outcome), reason=reason)
        case_state.close(self.row, str(outcome), reason, self.now)
        self.turns.end(self._ball_came_back(), key)

    def _wait(self, call: Call, **fields: Any) -> None:
        self.work.rows.write(
            Wait,
            case_id=self.row.id,
            key=call.key,
            pipeline=self.pipeline.name,
            arguments_hash=call.arguments_hash,
            asked_at=self.now,
            **fields,
        )

    def _write(self, kind: EntryKind, key: str, **fields: Any) -> None:
        row = ledger.append(self.row, at=self.now, run_id=self.work.run.id, kind=kind, key=key, **fields)
        self.work.rows.write(LedgerEntry, **row)

    def _sealed(self, plain: Any) -> bytes:
        return self.work.vault.encrypt(self.dossier.key, plain)

    def _withdraw_at(self, call: Call) -> NoReturn:
        """Let a withdrawal that was noted during a machine wait take effect, at the next thing that would be asked."""
        noted = self.row.withdrawal or {}
        self.all_must_be_met(call.key)
        self._write(
            EntryKind.ANSWER,
            call.key,
            actor=noted["by"],
            on_behalf_of=noted.get("on_behalf_of"),
            role=noted.get("role"),
            outcome="withdrawn",
            reason=noted.get("reason"),
            arguments_hash=call.arguments_hash,
        )
        self.row.withdrawal = None
        raise Withdrawn(noted.get("reason") or "")

    def _ball_came_back(self) -> tuple[datetime, str] | None:
        """Return when somebody else's turn last ended, by the ledger, and with which entry."""
        ended = [
            entry
            for entry in self.past.entries.values()
            if entry.kind in (EntryKind.ANSWER, EntryKind.MACHINE) or entry.outcome == RECALLED
        ]
        last = max(ended, key=lambda entry: entry.seq, default=None)
        return (last.at, last.key) if last else None
