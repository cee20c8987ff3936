"""Clock segments: who holds a case from when on, and whether its legal clock runs meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile
from typing import Any, NamedTuple

from engine.cases.dossier import Dossier, Past
from engine.cases.ledger import RECALLED
from engine.deadlines.clock import local_date
from engine.deadlines.legal_clock import Segment, case_due_date, stop_limit
from engine.definition.forms import Question
from engine.runtime.office import Work
from models import AnyWait, CaseFile, ClockSegment, EntryKind, Holder, Role
from rules import Rule

INCOMPLETE = "dossier not complete"


class Return(NamedTuple):
    """The entry with which a case came back to the office, and its moment."""

    at: datetime
    key: str


def last_return(past: Past) -> Return | None:
    """Return the last entry with which the case came back to the office.

    It is an answer, a result of the machine's, or a recall.
    """
    returns = [
        entry
        for entry in past.entries.values()
        if entry.kind in (EntryKind.ANSWER, EntryKind.MACHINE) or entry.outcome == RECALLED
    ]
    last = max(returns, key=lambda entry: entry.seq, default=None)
    return Return(last.at, last.key) if last else None


@dataclass
class NewSegment:
    """A segment that this play writes."""

    since: datetime
    holder: str | None
    running: bool
    ground: str


class ClockSegments:
    """Writes the clock segments of one case during one play.

    The office holds a case while it waits for anybody there, else an outside body that is asked, else its applicant. From an
    answer until the next play the office holds it. A segment begins where the holder changes, or the legal clock starts or stops.
    """

    def __init__(self, work: Work, dossier: Dossier, now: datetime) -> None:
        self._calendar, self._row, self._rows, self._now = work.calendar, dossier.row, work.rows, now
        self._segments: list[Segment] = list(dossier.past.segments)
        self._rules, self._clock = dossier.case.rules, dossier.pipeline.clock
        self._budget = self._rules.peek(self._clock) if self._clock else None
        self._limit = stop_limit(self._rules)
        self._waits: list[tuple[Holder, str]] = []
        self._contested = False
        self._seen_until: datetime | None = None  # an answer up to then was dealt with when these waits were asked

    @property
    def budget(self) -> Rule | None:
        """Return the rule of the case's legal budget, once its clock has begun."""
        return self._budget if self._row.complete_at and not self._contested else None

    def await_answer(self, question: Question[Any], key: str, wait: AnyWait | None) -> None:
        """Note that the case waits for an answer to ``question``: since ``wait``, or from now on."""
        self._await(holder_of(question), key, wait)

    def await_machine(self, *, outside: bool, key: str, wait: AnyWait | None) -> None:
        """Note that the case waits for the machine: for somebody else's system, or for our own."""
        self._await(Holder.OUTSIDE if outside else Holder.OFFICE, key, wait)

    def _await(self, holder: Holder, key: str, wait: AnyWait | None) -> None:
        self._waits.append((holder, key))
        if wait is not None:
            self._seen_until = max(self._seen_until or wait.asked_at, wait.asked_at)

    def start_legal_clock(self) -> None:
        """Start the legal clock now, if it has not started: the dossier is complete."""
        self._row.complete_at = self._row.complete_at or self._now
        self._rows.note(CaseFile, self._row.model_dump())

    def contest(self) -> None:
        """Note that an appeal follows: the legal clock has ended.

        The appeal's questions have clocks of their own.
        """
        self._contested = True

    def legal_due(self, question: Question[Any], returned: Return | None) -> date | None:
        """Return the last day of the legal budget if ``question`` is asked now; None without one."""
        segments, holder = list(self._segments), holder_of(question)
        if returned and self._is_unwritten(returned) and local_date(returned.at) < local_date(self._now):
            segments.append(NewSegment(returned.at, Holder.OFFICE, self._runs(Holder.OFFICE, segments), ""))
        segments.append(NewSegment(self._now, holder, self._runs(holder, segments), ""))
        return case_due_date(self._calendar, self._rules, self._clock, self._row.complete_at, segments, self._now)

    def write_waiting(self, returned: Return | None) -> None:
        """Write who holds the case, now that the play ends at its waits.

        The office's time before it is written, too, unless the case came back and left the office within this day.
        """
        holders = {holder for holder, _ in self._waits}
        holder = next(one for one in (Holder.OFFICE, Holder.OUTSIDE, Holder.APPLICANT) if one in holders)
        if holder is Holder.OFFICE or not returned or local_date(returned.at) < local_date(self._now):
            self._write_office_time(returned)
        self._write(self._now, holder, next(key for one, key in self._waits if one is holder))

    def write_handed_over(self, question: Question[Any], key: str) -> None:
        """Write who holds the case, now that a person does by hand what the machine was to do."""
        self._contested = any(one.holder is None for one in self._segments)
        self._write(self._now, holder_of(question), key)

    def write_end(self, returned: Return | None, key: str) -> None:
        """Write that nobody holds the case any more: it is closed."""
        self._write_office_time(returned)
        self._write(self._now, None, key)

    def _write_office_time(self, returned: Return | None) -> None:
        """Write that the office held the case from the last answer until this play."""
        if self._row.segments == 0:
            self._write(self._row.opened_at, Holder.OFFICE, "opened#1")
        elif returned and self._is_unwritten(returned):
            self._write(returned.at, Holder.OFFICE, returned.key)

    def _is_unwritten(self, returned: Return) -> bool:
        """Return whether no earlier play has dealt with the entry with which the case came back."""
        last = self._segments[-1] if self._segments else None
        if last and last.holder and self._seen_until is None:
            return returned.at >= last.since  # all was answered after it was asked, if only in the same moment
        return all(returned.at > seen for seen in (last and last.since, self._seen_until) if seen)

    def _write(self, since: datetime, holder: Holder | None, key: str) -> None:
        """Write a segment, unless it goes on with the last one."""
        running = self._runs(holder, self._segments)
        segment = NewSegment(since, holder, running, self._ground(holder, running))
        last = self._segments[-1] if self._row.segments else None
        if last and (self._row.holder, last.running, last.ground == INCOMPLETE) == (
            holder,
            running,
            segment.ground == INCOMPLETE,
        ):
            return
        self._row.segments += 1
        self._row.holder = holder
        self._segments.append(segment)
        self._rows.write(ClockSegment, case_id=self._row.id, seq=self._row.segments, key=key, **vars(segment))

    def _runs(self, holder: Holder | None, segments: Sequence[Segment]) -> bool:
        """Return whether the legal clock runs if ``holder`` holds the case after ``segments``.

        A stop that goes on is no further one.
        """
        if self.budget is None or holder is None:
            return False
        if holder is not Holder.APPLICANT:
            return True
        since_complete = list(takewhile(lambda one: one.ground != INCOMPLETE, reversed(segments)))
        if since_complete and since_complete[0].holder == Holder.APPLICANT:
            return since_complete[0].running
        return sum(not one.running for one in since_complete) >= self._limit.count

    def _ground(self, holder: Holder | None, running: bool) -> str:
        if holder is None:
            return "closed"
        if self._contested:
            return "appeal"
        if self.budget is None:
            return INCOMPLETE
        return (self.budget.citation if running else self._limit.citation)[:128]


def holder_of(question: Question[Any]) -> Holder:
    """Return who holds the case while ``question`` waits: who decides it, not who records it."""
    if question.of is Role.APPLICANT:
        return Holder.APPLICANT
    return Holder.OUTSIDE if question.recorded_for else Holder.OFFICE
