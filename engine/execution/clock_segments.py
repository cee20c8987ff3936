"""Whose turn it is: writes a segment of the case's clock whenever the ball changes hands, or the legal clock starts or stops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile
from typing import Any

from engine.cases.dossier import Dossier
from engine.deadlines.clock import local_date
from engine.deadlines.legal_clock import Segment, case_due_date, stop_limit
from engine.definition.forms import Question
from engine.runtime.office import Work
from models import AnyWait, ClockSegment, Holder, Role
from rules import Rule

INCOMPLETE = "dossier not complete"


@dataclass
class Turn:
    """A segment that this play writes."""

    since: datetime
    holder: str | None
    running: bool
    ground: str


class Turns:
    """The turns of one case during one play.

    What a case waits for says whose turn it is: the office's where it waits for anybody there, else an outside body's, else the
    applicant's. While the machine has not yet come by after an answer it is the office's.
    """

    def __init__(self, work: Work, dossier: Dossier, now: datetime) -> None:
        self._calendar, self._row, self._book, self._now = work.calendar, dossier.row, work.rows, now
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

    def asked(self, question: Question[Any], key: str, wait: AnyWait | None) -> None:
        """Note that the case waits for the answer to ``question``: asked before (``wait``), or now."""
        self._note(holder_of(question), key, wait)

    def called(self, *, outside: bool, key: str, wait: AnyWait | None) -> None:
        """Note that the case waits for the machine: for somebody else's system, or for our own."""
        self._note(Holder.OUTSIDE if outside else Holder.OFFICE, key, wait)

    def _note(self, holder: Holder, key: str, wait: AnyWait | None) -> None:
        self._waits.append((holder, key))
        if wait is not None:
            self._seen_until = max(self._seen_until or wait.asked_at, wait.asked_at)

    def complete(self) -> None:
        """Start the legal clock now: the dossier is complete. It starts once, and anew after what completed it was recalled."""
        self._row.complete_at = self._row.complete_at or self._now

    def contest(self) -> None:
        """The case's own time ended with it: what follows is an appeal, whose questions have clocks of their own."""
        self._contested = True

    def legal_due(self, question: Question[Any], came_back: tuple[datetime, str] | None) -> date | None:
        """Return the last day of the case's budget as it stands if ``question`` is asked now; None where none runs."""
        turns, holder = list(self._segments), holder_of(question)
        if came_back and self._lay_here_since(came_back[0]) and local_date(came_back[0]) < local_date(self._now):
            turns.append(Turn(came_back[0], Holder.OFFICE, self._runs(Holder.OFFICE, turns), ""))
        turns.append(Turn(self._now, holder, self._runs(holder, turns), ""))
        return case_due_date(self._calendar, self._rules, self._clock, self._row.complete_at, turns, self._now)

    def wait(self, came_back: tuple[datetime, str] | None) -> None:
        """The play ends at its waits: write whose turn it is from now on, and the office's before that if a day ended with it."""
        holders = {holder for holder, _ in self._waits}
        holder = next(one for one in (Holder.OFFICE, Holder.OUTSIDE, Holder.APPLICANT) if one in holders)
        if holder is Holder.OFFICE or not came_back or local_date(came_back[0]) < local_date(self._now):
            self._gap(came_back)
        self._turn(self._now, holder, next(key for one, key in self._waits if one is holder))

    def left_to(self, question: Question[Any], key: str) -> None:
        """What the machine waited for is a person's from now on: whoever ``question`` asks has the ball."""
        self._contested = any(one.holder is None for one in self._segments)
        self._turn(self._now, holder_of(question), key)

    def end(self, came_back: tuple[datetime, str] | None, key: str) -> None:
        """The case is closed: nobody's time runs."""
        self._gap(came_back)
        self._turn(self._now, None, key)

    def _gap(self, came_back: tuple[datetime, str] | None) -> None:
        """From the last answer until this play the ball was with the office."""
        if self._row.segments == 0:
            self._turn(self._row.opened_at, Holder.OFFICE, "opened#1")
        elif came_back and self._lay_here_since(came_back[0]):
            self._turn(came_back[0], Holder.OFFICE, came_back[1])

    def _lay_here_since(self, moment: datetime) -> bool:
        """Return whether the entry of ``moment``, with which the ball came back, was dealt with by no play before this one."""
        last = self._segments[-1] if self._segments else None
        if last and last.holder and self._seen_until is None:
            return moment >= last.since  # all was answered after it was asked, if only in the same moment
        return all(moment > seen for seen in (last and last.since, self._seen_until) if seen)

    def _turn(self, since: datetime, holder: Holder | None, key: str) -> None:
        turn = Turn(since, holder, running := self._runs(holder, self._segments), self._ground(holder, running))
        last = self._segments[-1] if self._row.segments else None
        if last and (self._row.holder, last.running, last.ground == INCOMPLETE) == (
            holder,
            running,
            turn.ground == INCOMPLETE,
        ):
            return
        self._row.segments += 1
        self._row.holder = holder
        self._segments.append(turn)
        self._book.write(ClockSegment, case_id=self._row.id, seq=self._row.segments, key=key, **vars(turn))

    def _runs(self, holder: Holder | None, turns: Sequence[Segment]) -> bool:
        """Return whether the legal clock runs if ``holder`` has the ball after ``turns``: a stop that goes on is no further one."""
        if self.budget is None or holder is None:
            return False
        if holder is not Holder.APPLICANT:
            return True
        since_complete = list(takewhile(lambda one: one.ground != INCOMPLETE, reversed(turns)))
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
    """Return whose turn it is while ``question`` waits: who decides it, not who records it."""
    if question.of is Role.APPLICANT:
        return Holder.APPLICANT
    return Holder.OUTSIDE if question.recorded_for else Holder.OFFICE
