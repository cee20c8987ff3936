"""Recorders: what is on record of a case, and what becomes of what its replay adds.

`LedgerRecorder` keeps the rules 2, 3 and 5 of replay.py. Two more stand in versions/: one finds out whether a case fits
other code (fit_check.py), one what would have become of a closed case (shadow_replay.py).
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
from engine.cases.ledger import CORRECTED, LODGED, REPLAYED, SYSTEM
from engine.cases.replaced_documents import Replacements, replacements_in
from engine.cases.subject_facts import own_numbers
from engine.cases.waits import open_waits
from engine.deadlines.clock import local_date
from engine.deadlines.due_dates import times_of
from engine.definition.declarations import Ending
from engine.definition.forms import Question
from engine.errors import LedgerMisfit
from engine.execution.clock_segments import ClockSegments, Return, last_return
from engine.people.impartiality import must_be_impartial, named_in
from engine.people.permissions import has_ended
from engine.runtime.office import Work
from models import AnyWait, EntryKind, Role, Wait, WaitKind
from models.privacy import without_numbers


class Suspended(BaseException):
    """The case waits: rule 5. Not an Exception, so that no pipeline catches it by accident."""


class Withdrawn(Exception):
    """The applicant took the application back; raised at the question that was open."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Call(NamedTuple):
    """One call of a pipeline: its name, its key, its arguments, and their salted hash."""

    name: str
    key: str
    arguments: Any
    arguments_hash: str


@dataclass(frozen=True)
class Asked:
    """A question, and of whom it is asked.

    ``assignee`` is the one account that has to answer (None: whoever has the question's role), ``apart_from`` are accounts that
    may not; ``known`` fills in the form, ``note`` is shown.
    """

    question: Question[Any]
    assignee: str | None
    apart_from: Collection[str]
    known: dict[str, Any] | None
    note: str | None


class Recorder(ABC):
    """The record of one case during one play."""

    def __init__(self, work: Work, dossier: Dossier) -> None:
        self.work, self.dossier = work, dossier
        self.row, self.case, self.past, self.pipeline = dossier.row, dossier.case, dossier.past, dossier.pipeline
        self.now: datetime = work.now
        self.segments = ClockSegments(work, dossier, self.now)
        self.unmet = {key for key, entry in self.past.entries.items() if entry.kind in REPLAYED}

    @abstractmethod
    def on_record(
        self, call: Call, kinds: Collection[EntryKind], question: Question[Any] | None = None
    ) -> Row[Any] | None:
        """Return the entry of a call, if it is one of ``kinds``; None where the call is new."""

    @abstractmethod
    def must_have_met_all(self, before: str) -> None:
        """Refuse to go on to ``before`` while entries are left that the code has not met."""

    @abstractmethod
    def record_step(self, call: Call, result: Any, outcome: str | None, reason: str | None) -> None:
        """Record the result of a step that was done now."""

    @abstractmethod
    def await_answer(self, call: Call, asked: Asked) -> None:
        """Record that a question waits for its answer: since before, or from now on."""

    @abstractmethod
    def await_machine(self, call: Call, kind: WaitKind, request: Any, question: str | None) -> dict[str, Any]:
        """Record that the case waits for the machine; or return what the machine would bring.

        Raises:
            Suspended: the case waits.
        """

    @abstractmethod
    def suspend(self) -> None:
        """Record that the play ends at its waits."""

    @abstractmethod
    def is_contested(self, outcome: Ending) -> bool:
        """Return whether an appeal was lodged against the recorded end, which must be ``outcome``."""

    @abstractmethod
    def record_end(self, outcome: Ending, key: str, reason: str | None) -> None:
        """Record the end of the case."""

    def up_to_date(self, facts: Any) -> Any:
        """Return facts in which documents that were reissued stand with their new number and file.

        Recorded facts tell what was so on their day, and are replayed as they are; what goes out now tells what is so now.
        """
        return self._replacements.rewriting(facts) if self.row.corrected_seq else facts

    def newest(self, keys: Iterable[str]) -> list[str]:
        """Return the keys of documents; for one that was reissued, the key of the reissue."""
        return [self._replacements.keys.get(key, key) if self.row.corrected_seq else key for key in keys]

    @cached_property
    def _replacements(self) -> Replacements:
        return replacements_in(self.work.session, self.row.id)

    def who_answered(self, questions: Iterable[str]) -> set[str]:
        """Return the accounts that answered these questions here, and those they stood in for."""
        wanted = set(questions)
        answers = [entry for entry in self.past.entries.values() if entry.kind == EntryKind.ANSWER]
        return named_in(entry for entry in answers if entry.key.split("#")[0] in wanted)


class LedgerRecorder(Recorder):
    """Fits recorded calls to the ledger, and writes new ones into it."""

    def __init__(self, work: Work, dossier: Dossier) -> None:
        super().__init__(work, dossier)
        # Facts that were corrected made other arguments of what was called before: see _with_other_facts.
        self._corrected_at = max(
            (entry.at for entry in self.past.entries.values() if self.row.corrected_seq and entry.outcome == CORRECTED),
            default=None,
        )
        # The waits that the code has not come to yet. A case that waits stops there; code that goes on past it has changed.
        self._open = {wait.key for wait in open_waits(dossier)}

    # -- what is on record ----------------------------------------------------------------------------------------------

    def on_record(
        self, call: Call, kinds: Collection[EntryKind], question: Question[Any] | None = None
    ) -> Row[Any] | None:
        """Return the entry of a call, whose kind and arguments must agree: rule 2.

        Return None where the call is new. A call of before the facts of the case were corrected (`Case.corrected_seq`) had other
        arguments: it is fitted by key and kind alone.

        Raises:
            LedgerMisfit: kind or arguments differ.
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

    def must_have_met_all(self, before: str) -> None:
        """Refuse to go on while entries or open waits are left that the code has not met: rule 3.

        Raises:
            LedgerMisfit: the first of them, and what the code came to without it.
        """
        self._met_up_to(self.row.last_seq, before)
        if self._open:
            raise self._misfit(None, min(self._open), f"the case waits there, and the code came to {before} without it")

    def is_contested(self, outcome: Ending) -> bool:
        """Return whether an appeal was lodged against the recorded end.

        Raises:
            LedgerMisfit: the code came to another end, or left entries of before it unmet.
        """
        if LODGED not in self.past.entries:
            return False
        closed = self.past.entries["closed#1"]
        self._met_up_to(closed.seq, "its end")
        if closed.outcome != str(outcome):
            what = f"it ended in {closed.outcome}, and the code ends in {outcome}"
            raise self._misfit(closed.seq, closed.key, what)
        self.unmet.discard(LODGED)
        self.segments.contest()
        return True

    def _met_up_to(self, seq: int, before: str) -> None:
        """Refuse to go on to ``before`` while an entry up to ``seq`` is left unmet."""
        unmet = [entry for key in self.unmet if (entry := self.past.entries[key]).seq <= seq]
        if unmet:
            first = min(unmet, key=lambda entry: entry.seq)
            raise self._misfit(first.seq, first.key, f"the code came to {before} without it")

    def _fit_wait(self, wait: AnyWait, call: Call) -> None:
        if wait.arguments_hash != call.arguments_hash and not self._with_other_facts(wait.key, None):
            raise self._misfit(None, wait.key, "it was asked with other arguments")
        self._open.discard(wait.key)

    def _with_other_facts(self, key: str, seq: int | None) -> bool:
        """Return whether the entry ``seq``, or the wait ``key``, is older than the last correction."""
        if self._corrected_at is None:
            return False
        wait = self.past.waits.get(key)
        before = seq is not None and seq <= self.row.corrected_seq
        return before or (wait is not None and wait.asked_at <= self._corrected_at)

    def _misfit(self, seq: int | None, key: str, what: str) -> LedgerMisfit:
        return LedgerMisfit(self.case.number, self.pipeline.name, self.pipeline.version, seq, key, what)

    # -- what is new ----------------------------------------------------------------------------------------------------

    def append(self, kind: EntryKind, key: str, **fields: Any) -> None:
        """Write a ledger entry whose actor is the system."""
        self._write(kind, key, actor=SYSTEM, rule_versions=self.case.rules.take_used(), **fields)

    def record_step(self, call: Call, result: Any, outcome: str | None, reason: str | None) -> None:
        """Write the entry of a step that was done now."""
        hashed = call.arguments_hash
        self.append(EntryKind.STEP, call.key, arguments_hash=hashed, result=result, outcome=outcome, reason=reason)

    def await_answer(self, call: Call, asked: Asked) -> None:
        """Fit the wait for a person, or open it: rule 5, once all questions of the call wait.

        Raises:
            LedgerMisfit: the wait was opened with other arguments, or before it something on record was not met.
            NotAllowed: the assignee may not answer.
            Withdrawn: the applicant took the application back while the machine had it.
        """
        wait = self.past.waits.get(call.key)
        self.segments.await_answer(asked.question, call.key, wait)
        if wait:
            self._fit_wait(wait, call)
            return
        if self.row.withdrawal:
            self._withdraw_at(call)
        self.must_have_met_all(call.key)
        self._ask(call, asked)

    def _ask(self, call: Call, asked: Asked) -> None:
        question, known, note = asked.question, asked.known, asked.note
        took_part = self.who_answered(question.apart_from) | set(asked.apart_from)
        assignee = asked.assignee
        if assignee and has_ended(self.work.session, assignee):
            took_part.add(assignee)  # the pipeline's choice of before; its whole role is asked instead
            self._give_back(call, assignee)
            assignee = None
        if assignee:
            today = local_date(self.now)
            must_be_impartial(self.work.session, assignee, self.case, question, today, took_part)
        legal_due = self.segments.legal_due(question, self._returned)
        times = times_of(self.work.calendar, self.case.rules, question, self.now, legal_due=legal_due)
        self._open_wait(
            call,
            kind=WaitKind.PERSON,
            question=question.name,
            role=question.of,
            holder=self.case.applicant.handle if question.of is Role.APPLICANT else assignee,
            apart_from=sorted(took_part),
            request=self._encrypted({"known": self.up_to_date(known)}) if known else None,
            note=without_numbers(self.up_to_date(note), own_numbers(self.case.facts)) if note else None,
            **times.values(),
        )

    def _give_back(self, call: Call, assignee: str) -> None:
        """Write that the question goes to its whole role: the chosen account has ended since."""
        self._write(
            EntryKind.REMARK,
            "reassigned",
            actor=SYSTEM,
            outcome="reassigned",
            reason=f"{call.key}: dari {assignee} kepada semua; akun {assignee} sudah diakhiri",
            result={"question": call.key, "from": assignee, "to": None},
        )

    def await_machine(self, call: Call, kind: WaitKind, request: Any, question: str | None) -> NoReturn:
        """Fit the wait that the machine settles, or open it: rule 5.

        Raises:
            LedgerMisfit: the wait was opened with other arguments, or before it something on record was not met.
            Suspended: the case waits.
            Withdrawn: the applicant took the application back before a call outside.
        """
        wait = self.past.waits.get(call.key)
        if kind is WaitKind.EXTERNAL and self.row.withdrawal and wait is None:
            self._withdraw_at(call)
        if wait and question and wait.kind == WaitKind.PERSON:  # it is done by hand
            self.segments.await_answer(self.pipeline.questions[question], call.key, wait)
        else:
            self.segments.await_machine(outside=kind is WaitKind.EXTERNAL, key=call.key, wait=wait)
        if wait:
            self._fit_wait(wait, call)
        else:
            self.must_have_met_all(call.key)
            encrypted = self._encrypted(self.up_to_date(to_jsonable_python(request)))
            self._open_wait(call, kind=kind, question=question, request=encrypted)
        raise Suspended

    def suspend(self) -> None:
        """Write who holds the case, now that the play ends at its waits."""
        self.must_have_met_all("a wait")
        self.segments.write_waiting(self._returned)

    def record_end(self, outcome: Ending, key: str, reason: str | None) -> None:
        """Write the end, and close the case."""
        self.append(EntryKind.CLOSED, key, outcome=str(outcome), reason=reason)
        case_state.close(self.row, str(outcome), reason, self.now)
        self.segments.write_end(self._returned, key)

    def _open_wait(self, call: Call, **fields: Any) -> None:
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
        ledger.write_entry(self.work, self.row, at=self.now, kind=kind, key=key, **fields)

    def _encrypted(self, plain: Any) -> bytes:
        return self.work.vault.encrypt(self.dossier.key, plain)

    def _withdraw_at(self, call: Call) -> NoReturn:
        """Record, at a call that would wait, the withdrawal that was noted while the machine worked.

        Raises:
            Withdrawn: always.
        """
        noted = self.row.withdrawal or {}
        self.must_have_met_all(call.key)
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

    @cached_property
    def _returned(self) -> Return | None:
        return last_return(self.past)
