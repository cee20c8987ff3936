"""The course that one closed case would have taken under another version or other rules: a play fed from its record."""

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
from engine.execution.versions.fingerprints import same_step
from engine.execution.versions.fit_check import met_by, what_failed
from engine.runtime.office import Work
from models import AnyWait, EntryKind, Standing, WaitKind
from rules import Rule, RuleBook, UnknownRule

# What makes the route of a case: who was asked, what was called, issued and handed on. A step more or less is no other route.
ROUTE = frozenset({EntryKind.ANSWER, EntryKind.MACHINE})
# Which rows of the rules each step looked at, by case and key.
LookedAt = dict[tuple[int, str], dict[str, str]]


@dataclass(frozen=True)
class Course:
    """What a case would have come to (an outcome, a wait, a failure), and the key at which it first goes otherwise, if it does."""

    would: str
    differs_at: str | None = None


@dataclass(frozen=True)
class Other:
    """What the cases are played through: a version, its rules, and their day (None: each case's own)."""

    pipeline: Pipeline
    rules: RuleBook
    rules_on: date | None
    known: dict[tuple[str, str], Rule]
    verdicts: dict[tuple[Any, ...], bool] = field(default_factory=dict)

    def same_rule(self, name: str, since: str, day: date) -> bool:
        """Return whether the rule that was looked at, the row ``since`` then, says the same on ``day`` here."""
        asked = (name, since, day)
        if asked not in self.verdicts:
            try:
                self.verdicts[asked] = self.rules.at(name, day) == self.known.get((name, since))
            except UnknownRule:
                self.verdicts[asked] = False
        return self.verdicts[asked]

    def same_code(self, version: int, step: str) -> bool:
        """Return whether a step of that version is the same here; where its code is gone nobody can tell, and it is not."""
        asked = (version, step)
        if asked not in self.verdicts:
            self.verdicts[asked] = version == self.pipeline.version or same_step(self.pipeline, version, step)
        return self.verdicts[asked]


class MustBeDone(BaseException):
    """A step has to be done anew. Not an Exception, so that no pipeline catches it."""


class _Stops(BaseException):
    """Nothing on record goes on from here."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Nobody(PlainStage):
    """Does no step."""

    def step(self, case: str, key: str, work: Callable[[], None]) -> None:
        """Say that somebody has to."""
        raise MustBeDone


@dataclass
class Anew(PlainStage):
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


def course_of(work: Work, dossier: Dossier, other: Other, looked_at: LookedAt, stage: Stage) -> Course:
    """Play a closed case, and return what it came to. The row of its dossier is used up."""
    day = other.rules_on or dossier.row.rule_date
    dossier.row.withdrawal = None
    under = replace(
        dossier,
        case=met_by(dossier.case, other.pipeline.version, other.rules, day),
        pipeline=other.pipeline,
        past=replace(dossier.past, entries=_up_to_its_end(dossier.past.entries)),
    )
    recorder = ShadowRecorder(work, under, other, day, looked_at)
    try:
        Replay(work, under, stage, recorder).play()
    except _Stops as stops:
        return recorder.course(f"waits at {stops.key}", stops.key)
    except Exception as error:
        return recorder.course(f"fails: {what_failed(error)}", recorder.key)
    return recorder.course(recorder.ended)


class ShadowRecorder(Recorder):
    """A record that is read by call order, and into which nothing is written: differences are noted."""

    def __init__(self, work: Work, dossier: Dossier, other: Other, day: date, looked_at: LookedAt) -> None:
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
        """Return what the case came to, and where it first went otherwise: at ``differs_at``, if not before."""
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
        """Return what was said there, as of its day; None for a step that has to be done anew, and what was never on record."""
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
            self._other_way(call.key)
        return entry

    def all_must_be_met(self, before: str) -> None:
        """Go on: that is what is to be seen."""

    def step(self, call: Call, result: Any, outcome: str | None, reason: str | None) -> None:
        """Note a step that brought something else."""
        again = self._again.get(call.key)
        if again is None or again.result != result:
            self._differs(call.key)

    def ask(self, call: Call, asked: Asked) -> NoReturn:
        """End the play: nobody answered this."""
        self._nothing_on_record(call.key)

    def call_machine(self, call: Call, kind: WaitKind, request: Any, question: str | None) -> dict[str, Any]:
        """Return the document that would be made, or the next case that would be opened. What is outside is not called."""
        if kind is WaitKind.EXTERNAL:
            self._nothing_on_record(call.key)
        self._other_way(call.key)
        if kind is WaitKind.HAND_ON:
            return {"number": "-", "opened": True}
        return {"key": call.key, "number": "-", "sha256": "", "issued_on": local_date(self.now).isoformat()}

    def suspend(self) -> None:
        """Do nothing: a play that finds nothing on record has ended before."""

    def contested(self, outcome: Ending) -> bool:
        """Return False: an appeal against the ending that there was says nothing of another version."""
        return False

    def close(self, outcome: Ending, key: str, reason: str | None) -> None:
        """Note the end."""
        self.ended = str(outcome)

    def _as_recorded(self, call: Call, entry: Row[Any]) -> bool:
        looked_at = self._looked_at.get((self.row.id or 0, entry.key), {})
        return (
            entry.arguments_hash == call.arguments_hash
            and self._other.same_code(self.row.version, call.name)
            and all(self._other.same_rule(rule, since, self._day) for rule, since in looked_at.items())
        )

    def _may_end_so(self, question: Question[Any], entry: Row[Any]) -> bool:
        """Return whether the question can end by time here as it did on record, if it did."""
        effect = effect_of(self.case.rules, question)
        by_time = {"silent": question.silent_after is not None, "passed": effect is not None and effect.by_law}
        return by_time.get(entry.outcome, True)

    def _handed_on(self, wait: AnyWait) -> str:
        request: dict[str, str] = self.work.vault.decrypt(self.dossier.key, wait.request or b"")
        return request["pipeline"]

    def _nothing_on_record(self, key: str) -> NoReturn:
        """Nobody answered this. Who took the case back would have done so here; else the case would wait."""
        wait = self.past.waits.get(key)
        if wait is None or wait.settled_as != "withdrawn":  # that was asked beside the one that bears the withdrawal
            self._other_way(key)
        for entry in [self._entries[key] for key in self.unmet]:
            if entry.outcome == "withdrawn":
                self._met(entry)
                raise Withdrawn(entry.reason or "")
        raise _Stops(key)

    def _met(self, entry: Row[Any]) -> None:
        self.unmet.discard(entry.key)
        self._seq = max(self._seq, entry.seq)

    def _other_way(self, key: str) -> None:
        self._differs(key)
        self._other_route = True

    def _differs(self, key: str) -> None:
        """Note the first difference: ``key``, or what was left out before it."""
        left_out = [self._entries[one] for one in self.unmet if self._entries[one].seq < self._seq]
        if self._first is None:
            self._first = min(left_out, key=lambda entry: entry.seq).key if left_out else key


def _up_to_its_end(entries: Mapping[str, Row[Any]]) -> dict[str, Row[Any]]:
    """Return what the pipeline itself came to: an appeal against the ending that there was says nothing of another version."""
    end = entries["closed#1"].seq
    return {key: entry for key, entry in entries.items() if entry.seq <= end}
