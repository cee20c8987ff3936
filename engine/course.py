"""The course that one closed case would have taken under another version or other rules: a play fed from its record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NoReturn

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete

from engine.deadlines import effect_of
from engine.declared import Ending
from engine.dossiers import Dossier
from engine.errors import PipelineMistake
from engine.fitting import met_by, what_failed
from engine.forms import Form, Passed, Question, Silence
from engine.office import NO_RUN, Office, Work
from engine.registry import Pipeline
from engine.replay import PlainStage, Replay, Stage, Suspended, Withdrawn
from engine.versions import same_step
from models import EntryKind, Standing, WaitKind
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


class ShadowPlay(Replay):
    """A play whose ledger is fed by call order, and that writes nothing."""

    def __init__(
        self, office: Office, session: Session, dossier: Dossier, other: Other, looked_at: LookedAt, stage: Stage
    ) -> None:
        row, self._entries = dossier.row, _up_to_its_end(dossier.past.entries)
        self._day = other.rules_on or row.rule_date
        case = met_by(dossier.case, other.pipeline.version, other.rules, self._day)
        row.withdrawal = None
        past = replace(dossier.past, entries=self._entries)
        under = replace(dossier, case=case, pipeline=other.pipeline, past=past)
        super().__init__(Work(office, NO_RUN, session), under, stage)
        self.now = row.opened_at
        self._other, self._looked_at = other, looked_at
        self._again: dict[str, Row[Any]] = {}
        self._key, self._seq = "", 0
        self._first: str | None = None
        self._ended, self._other_route = "", False

    def course(self) -> Course:
        """Play the case, and return what it came to."""
        try:
            self.play()
            would = self._ended
        except _Stops as stops:
            would = f"waits at {stops.key}"
            self._differs(stops.key)
        except Exception as error:
            would = f"fails: {what_failed(error)}"
            self._differs(self._key)
        left_out = [self._entries[key] for key in self._unmet if self._entries[key].kind in ROUTE]
        if would == self.row.outcome and not self._other_route and not left_out:
            return Course(would)
        first = self._first or (min(left_out, key=lambda entry: entry.seq).key if left_out else "closed#1")
        return Course(would, first)

    # -- what a replay does otherwise here -----------------------------------------------------------------------------

    def issue(self, kind: str, facts: dict[str, Any]) -> dict[str, Any]:
        """Return the document on record, or one that would be made."""
        try:
            return super().issue(kind, facts)
        except Suspended:
            return {"key": self._key, "number": "-", "sha256": "", "issued_on": self.today.isoformat()}

    def hand_on(
        self, pipeline: str, facts: dict[str, Any], decided_by: dict[str, list[str]] | None = None
    ) -> dict[str, Any]:
        """Return the next case on record, or one that would be opened; one of another pipeline is another route."""
        try:
            result = super().hand_on(pipeline, facts, decided_by)
        except Suspended:
            return {"number": "-", "opened": True}
        asked = self.office.vault.unseal(self.dossier.key, self.past.waits[self._key].request or b"")
        if asked["pipeline"] != pipeline:
            self._other_way(self._key)
        return result

    def append(self, kind: EntryKind, key: str, **fields: Any) -> None:
        """Write nothing; note a step that brought something else."""
        again = self._again.get(key)
        if again is None or again.result != fields["result"]:
            self._differs(key)

    def all_must_be_met(self, before: str) -> None:
        """Go on: that is what is to be seen."""

    def _called(self, name: str, arguments: Any) -> tuple[str, str]:
        self._key, arguments_hash = super()._called(name, arguments)
        if entry := self._entries.get(self._key):
            self.now = max(self.now, entry.at)
            if entry.kind == EntryKind.STEP and not self._as_recorded(name, entry, arguments_hash):
                self._again[self._key] = self._entries.pop(self._key)
                self._met(entry)
        return self._key, arguments_hash

    def _as_recorded(self, name: str, entry: Row[Any], arguments_hash: str) -> bool:
        looked_at = self._looked_at.get((self.row.id or 0, entry.key), {})
        return (
            entry.arguments_hash == arguments_hash
            and self._other.same_code(self.row.version, name)
            and all(self._other.same_rule(rule, since, self._day) for rule, since in looked_at.items())
        )

    def _fit(self, entry: Row[Any], key: str, arguments_hash: str, kinds: set[EntryKind]) -> None:
        if entry.kind not in kinds:
            self._nothing_on_record(key)
        self._met(entry)

    def _settled(self, question: Question[Any], key: str, entry: Row[Any]) -> Form | Silence | Passed:
        effect = effect_of(self.case.rules, question)
        by_time = {"silent": question.silent_after is not None, "passed": effect is not None and effect.by_law}
        if not by_time.get(entry.outcome, True):
            self._nothing_on_record(key)
        return super()._settled(question, key, entry)

    def _wait_for(self, question: Question[Any], key: str, *asked: Any) -> None:
        self._nothing_on_record(key)

    def _machine_wait(self, kind: WaitKind, key: str, arguments_hash: str, request: Any, question: str | None) -> None:
        if kind is WaitKind.EXTERNAL:
            self._nothing_on_record(key)
        self._other_way(key)

    def _close(self, outcome: Ending, key: str) -> None:
        if not isinstance(outcome, self.pipeline.outcomes):
            raise PipelineMistake(f"{self.pipeline.name} ended in {outcome!r}, which is not one of its outcomes")
        self._ended = str(outcome)

    def _nothing_on_record(self, key: str) -> NoReturn:
        """Nobody answered this. Who took the case back would have done so here; else the case would wait."""
        wait = self.past.waits.get(key)
        if wait is None or wait.settled_as != "withdrawn":  # that was asked beside the one that bears the withdrawal
            self._other_way(key)
        for entry in [self._entries[key] for key in self._unmet]:
            if entry.outcome == "withdrawn":
                self._met(entry)
                raise Withdrawn(entry.reason or "")
        raise _Stops(key)

    def _met(self, entry: Row[Any]) -> None:
        self._unmet.discard(entry.key)
        self._seq = max(self._seq, entry.seq)

    def _other_way(self, key: str) -> None:
        self._differs(key)
        self._other_route = True

    def _differs(self, key: str) -> None:
        """Note the first difference: ``key``, or what was left out before it."""
        left_out = [self._entries[one] for one in self._unmet if self._entries[one].seq < self._seq]
        if self._first is None:
            self._first = min(left_out, key=lambda entry: entry.seq).key if left_out else key


def _up_to_its_end(entries: Mapping[str, Row[Any]]) -> dict[str, Row[Any]]:
    """Return what the pipeline itself came to: an appeal against the ending that there was says nothing of another version."""
    end = entries["closed#1"].seq
    return {key: entry for key, entry in entries.items() if entry.seq <= end}
