"""Shadow replay: the course that a closed case would have taken under other code or rules.

A step keeps its recorded result where its arguments, its code and the rules that it looked at are the same. Else it is done
anew, as of the day on which it was done. A document or a next case that is not on record is taken for granted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NoReturn

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete

from engine.cases.dossier import Dossier
from engine.deadlines.clock import local_date
from engine.deadlines.due_dates import effect_of
from engine.definition.declarations import Ending
from engine.definition.forms import Question
from engine.definition.registry import Pipeline
from engine.execution.recorder import Asked, Call, Recorder, Withdrawn
from engine.execution.replay import PlainStage, Replay, Stage
from engine.execution.versions.fingerprints import is_same_step
from engine.execution.versions.fit_check import met_by, what_failed
from engine.runtime.office import Work
from models import AnyWait, EntryKind, Standing, WaitKind
from rules import Rule, RuleBook, UnknownRule

# What makes the route of a case: who was asked, what was called, issued and handed on. A step more or less is no other route.
ROUTE = frozenset({EntryKind.ANSWER, EntryKind.MACHINE})
# The rows of the rules that each step looked at, by case and key.
LookedAt = dict[tuple[int, str], dict[str, str]]


@dataclass(frozen=True)
class Course:
    """The end a case would have had, and the first key at which it differs from the record.

    ``would`` is an outcome, a wait or a failure.
    """

    would: str
    differs_at: str | None = None


@dataclass(frozen=True)
class Alternative:
    """The version, rules and day that cases are played through (None: each case's own day)."""

    pipeline: Pipeline
    rules: RuleBook
    rules_on: date | None
    known: dict[tuple[str, str], Rule]
    verdicts: dict[tuple[Any, ...], bool] = field(default_factory=dict)

    def is_same_rule(self, name: str, since: str, day: date) -> bool:
        """Return whether the rule whose row ``since`` was looked at says the same here on ``day``."""
        asked = (name, since, day)
        if asked not in self.verdicts:
            try:
                self.verdicts[asked] = self.rules.at(name, day) == self.known.get((name, since))
            except UnknownRule:
                self.verdicts[asked] = False
        return self.verdicts[asked]

    def is_same_code(self, version: int, step: str) -> bool:
        """Return whether a step of that version is the same here; False where its code is gone."""
        asked = (version, step)
        if asked not in self.verdicts:
            self.verdicts[asked] = version == self.pipeline.version or is_same_step(self.pipeline, version, step)
        return self.verdicts[asked]


class StepMustBeDone(BaseException):
    """A step has to be done anew. Not an Exception, so that no pipeline catches it."""


class _RecordEnds(BaseException):
    """The record does not go on from call ``key``. Not an Exception: no pipeline catches it."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class RefusesSteps(PlainStage):
    """Does no step."""

    def step(self, case: str, key: str, work: Callable[[], None]) -> None:
        """Raise `StepMustBeDone`."""
        raise StepMustBeDone


@dataclass
class DoesStepsAnew(PlainStage):
    """Does steps in a transaction that will be rolled back."""

    session: Session
    dossier: Dossier

    def step(self, case: str, key: str, work: Callable[[], None]) -> None:
        """Do ``work``; where the rows that it wrote the first time are in its way, without them."""
        try:
            with self.session.begin_nested():
                work()
        except IntegrityError:
            self.session.execute(delete(Standing).where(col(Standing.case_id) == self.dossier.row.id))
            work()


def course_of(work: Work, dossier: Dossier, other: Alternative, looked_at: LookedAt, stage: Stage) -> Course:
    """Play a closed case, and return what it came to.

    Mutates:
        dossier.row: it is not to be used afterwards.
    """
    day = other.rules_on or dossier.row.rule_date
    dossier.row.withdrawal = None
    under = replace(
        dossier,
        case=met_by(dossier.case, other.pipeline.version, other.rules, day),
        pipeline=other.pipeline,
        past=replace(dossier.past, entries=_up_to_first_end(dossier.past.entries)),
    )
    recorder = ShadowRecorder(work, under, other, day, looked_at)
    try:
        Replay(work, under, stage, recorder).play()
    except _RecordEnds as here:
        return recorder.course(f"waits at {here.key}", here.key)
    except Exception as error:
        return recorder.course(f"fails: {what_failed(error)}", recorder.key)
    return recorder.course(recorder.ended)


class ShadowRecorder(Recorder):
    """Reads the record by call order, writes nothing into it, and notes differences."""

    def __init__(self, work: Work, dossier: Dossier, other: Alternative, day: date, looked_at: LookedAt) -> None:
        super().__init__(work, dossier)
        self.now = self.row.opened_at
        self.key, self.ended = "", ""
        self._entries = dict(self.past.entries)
        self._other, self._day, self._looked_at = other, day, looked_at
        self._again: dict[str, Row[Any]] = {}
        self._seq = 0
        self._first: str | None = None
        self._other_route = False

    def course(self, would: str, differs_at: str | None = None) -> Course:
        """Return what the case came to, and its first difference, at ``differs_at`` at the latest."""
        if differs_at is not None:
            self._differs(differs_at)
        left_out = [self._entries[key] for key in self.unmet if self._entries[key].kind in ROUTE]
        if would == self.row.outcome and not self._other_route and not left_out:
            return Course(would)
        first = self._first or (min(left_out, key=lambda entry: entry.seq).key if left_out else "closed#1")
        return Course(would, first)

    def on_record(
        self, call: Call, kinds: Collection[EntryKind], question: Question[Any] | None = None
    ) -> Row[Any] | None:
        """Return the entry of a call; None for a step to be done anew, and for a call not on record.

        The play's present moment becomes that of the entry.
        """
        self.key = call.key
        entry = self._entries.get(call.key)
        if entry is None:
            return None
        self.now = max(self.now, entry.at)
        if entry.kind == EntryKind.STEP and not self._as_recorded(call, entry):
            self._again[call.key] = self._entries.pop(call.key)
            self._met(entry)
            return None
        if entry.kind not in kinds:
            self._nothing_on_record(call.key)
        self._met(entry)
        if question and not self._may_end_so(question, entry):
            self._nothing_on_record(call.key)
        wait = self.past.waits.get(call.key)
        if wait and wait.kind == WaitKind.HAND_ON and self._handed_on(wait) != call.arguments["pipeline"]:
            self._take_other_route(call.key)
        return entry

    def must_have_met_all(self, before: str) -> None:
        """Do nothing: entries that are left out are a difference, which `course` tells."""

    def record_step(self, call: Call, result: Any, outcome: str | None, reason: str | None) -> None:
        """Note a step that has another result than on record."""
        again = self._again.get(call.key)
        if again is None or again.result != result:
            self._differs(call.key)

    def await_answer(self, call: Call, asked: Asked) -> NoReturn:
        """End the play: nobody answered this question."""
        self._nothing_on_record(call.key)

    def await_machine(self, call: Call, kind: WaitKind, request: Any, question: str | None) -> dict[str, Any]:
        """Return the document that would be made, or the next case that would be opened.

        A call outside ends the play.
        """
        if kind is WaitKind.EXTERNAL:
            self._nothing_on_record(call.key)
        self._take_other_route(call.key)
        if kind is WaitKind.HAND_ON:
            return {"number": "-", "opened": True}
        return {"key": call.key, "number": "-", "sha256": "", "issued_on": local_date(self.now).isoformat()}

    def suspend(self) -> None:
        """Do nothing: a play that would wait has ended before."""

    def is_contested(self, outcome: Ending) -> bool:
        """Return False: an appeal against the recorded end says nothing of another version."""
        return False

    def record_end(self, outcome: Ending, key: str, reason: str | None) -> None:
        """Note the end."""
        self.ended = str(outcome)

    def _as_recorded(self, call: Call, entry: Row[Any]) -> bool:
        looked_at = self._looked_at.get((self.row.id or 0, entry.key), {})
        return (
            entry.arguments_hash == call.arguments_hash
            and self._other.is_same_code(self.row.version, call.name)
            and all(self._other.is_same_rule(rule, since, self._day) for rule, since in looked_at.items())
        )

    def _may_end_so(self, question: Question[Any], entry: Row[Any]) -> bool:
        """Return whether the question can end by time here, if time ended it on record."""
        effect = effect_of(self.case.rules, question)
        by_time = {"silent": question.silent_after is not None, "passed": effect is not None and effect.by_law}
        return by_time.get(entry.outcome, True)

    def _handed_on(self, wait: AnyWait) -> str:
        request: dict[str, str] = self.work.vault.decrypt(self.dossier.key, wait.request or b"")
        return request["pipeline"]

    def _nothing_on_record(self, key: str) -> NoReturn:
        """End the play at a call that nobody settled: by the recorded withdrawal, else as a wait.

        Raises:
            Withdrawn: the applicant took the application back on record, and would have done so here.
            _RecordEnds: the case would wait here.
        """
        wait = self.past.waits.get(key)
        if (
            wait is None or wait.settled_as != "withdrawn"
        ):  # one was asked beside the question that bears the withdrawal
            self._take_other_route(key)
        for entry in [self._entries[key] for key in self.unmet]:
            if entry.outcome == "withdrawn":
                self._met(entry)
                raise Withdrawn(entry.reason or "")
        raise _RecordEnds(key)

    def _met(self, entry: Row[Any]) -> None:
        self.unmet.discard(entry.key)
        self._seq = max(self._seq, entry.seq)

    def _take_other_route(self, key: str) -> None:
        self._differs(key)
        self._other_route = True

    def _differs(self, key: str) -> None:
        """Note the first difference: ``key``, or an entry that was left out before it."""
        left_out = [self._entries[one] for one in self.unmet if self._entries[one].seq < self._seq]
        if self._first is None:
            self._first = min(left_out, key=lambda entry: entry.seq).key if left_out else key


def _up_to_first_end(entries: Mapping[str, Row[Any]]) -> dict[str, Row[Any]]:
    """Return the entries of the pipeline itself, without those of an appeal against its end."""
    end = entries["closed#1"].seq
    return {key: entry for key, entry in entries.items() if entry.seq <= end}
