"""A drive: an office, one pipeline, and a row of acts drawn at random until nobody is asked anything any more.

A drive knows nothing of any pipeline. It reads what is open, as a person would from the inbox, and fills in the form. What it
expects of each act is here; what must hold at the end is in invariants.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar

from hypothesis import strategies as st
from sqlmodel import col, select

from engine.actions.answer import answer
from engine.actions.withdraw import withdraw
from engine.cases.opening import open_cases
from engine.deadlines.clock import TurnedClock
from engine.definition.case import handle_of
from engine.definition.registry import Pipeline, pipeline_named
from engine.errors import NotAllowed, NotWaiting, Refused
from engine.execution.drain import drain
from engine.letters.letter_delivery import deliver
from engine.reports.inbox import question_of
from engine.runtime.office import Office
from engine.sweeps.sweep import sweep
from models import CaseFile, CaseStatus, Role, Wait, WaitKind
from tests.drives.answers import UNKEPT, Draw, filled, good_answers, guided, moved, mutated
from tests.drives.dying import dying
from tests.drives.ground import Ground
from tests.drives.invariants import broken
from tests.drives.legal_time import ACTS_OF_TIME, LegalTime
from tests.engine.together import at_once
from tests.replay.script import EVIDENCE, Script
from tests.replay.scripts import scripts_of

BEGINNING = date(2026, 1, 12)  # the day on which every script begins

ACTS = (
    *["answers"] * 14,
    *ACTS_OF_TIME,
    "stays_silent",
    "stays_silent",
    "answers_too_late",
    "answers_again",
    "crashes",
    "crashes",
)
RARE = ("withdraws", "post_goes_out", "a_stranger_answers", "looks_in_again")
LONGEST_WAY = 6
"""Over how many pipelines one answer can lead before the next; a paper that can't be made would go round for ever."""

T = TypeVar("T")


class Drive(LegalTime):
    """One office through which cases are driven. ``together`` lets two workers and two clicks meet at once."""

    def __init__(self, office: Office, ground: Ground, draw: Draw[Any], *, together: bool = False) -> None:
        assert isinstance(office.clock, TurnedClock)
        self.office, self.ground, self.draw, self.together, self.clock = office, ground, draw, together, office.clock
        self.log: list[str] = []
        self.waiting: list[dict[str, Any]] = []
        self.taken: Counter[str] = Counter()
        self.guides: dict[str, Script | None] = {}
        with office.db.reading() as session:
            self.before = set(session.exec(select(CaseFile.id)))

    def go(self, pipeline: Pipeline, acts: int) -> None:
        """Open a case or two and do up to ``acts`` acts, then see whether everything is as it must be."""
        subjects = self.ground.subjects[pipeline.subject][: self.draw(st.integers(1, 2))]
        self.clock.turn(days=self._one_of([0, 0, 0, 300, -20]))
        self.started = self.clock.today()
        with self.office.run("cli", by="budi") as run:
            open_cases(self.office, run, pipeline, subjects, by="budi")
        self.advance()
        for _ in range(acts):
            self.waiting = self.asked()
            if not self.waiting:
                break
            act = self._one_of(ACTS)
            if act == "crashes" and self.draw(st.booleans()):
                act = self._one_of(RARE)
            getattr(self, act)()
        deliver(self.office)
        broken(self.office, self.before, self.ground)

    def advance(self) -> None:
        """Let every case go on as far as it can; none of them may be parked."""
        for _ in range(LONGEST_WAY):
            names = self.ready()
            if not names:
                return
            for name in names:
                work = self._worker(name)
                tallies = at_once(work, work) if self.together else [work()]
                for tally in tallies:
                    if isinstance(tally, Exception):
                        raise tally
                    assert not tally.failed, f"parked: {tally.failed}"
        raise AssertionError(f"it never comes to rest: {self.unmade() or self.ready()}")

    # -- acts -------------------------------------------------------------------------------------------------------

    def answers(self) -> None:
        """Somebody who is asked answers; whoever is refused leaves everything as it was."""
        wait = self._one_of(self.waiting)
        data, names = self._words(wait), self._people(wait)
        for by in names:
            if not isinstance(self._try(wait, by, data), NotAllowed):
                break  # taken, not in order, or too late
        self.advance()

    def stays_silent(self) -> None:
        """Nobody says anything until a time is up, and the sweep comes by."""
        if waits := [wait for wait in self.waiting if wait["silent_on"]]:
            wait = self._one_of(waits)
            self._time_is_up(wait)
            with self.office.run("flow", by="escalation") as run:
                swept = sweep(self.office, run)
            assert not swept.failed and wait["case"] in swept.silent, f"no silence of {wait['question']}: {swept}"
            self._note("silent", wait["case"], wait["question"])
            self.advance()

    def answers_too_late(self) -> None:
        """An answer after the deadline is refused by name, whether or not the sweep had come by."""
        if waits := [wait for wait in self.waiting if wait["silent_on"]]:
            wait = self._one_of(waits)
            data, [by, *_] = self._words(wait), self._people(wait)
            self._time_is_up(wait)
            refused = self._try(wait, by, data)
            assert isinstance(refused, NotWaiting) and wait["question"] in str(refused), (
                f"a late answer met {refused!r}"
            )
            assert refused.parts["settled_as"] == "silent", str(refused)
            self.advance()

    def answers_again(self) -> None:
        """A second answer to what is settled is refused by name."""
        with self.office.db.reading() as session:
            rows = session.exec(
                select(Wait, CaseFile)
                .join(CaseFile, col(CaseFile.id) == col(Wait.case_id))
                .where(col(Wait.settled_at).is_not(None), Wait.kind == WaitKind.PERSON)
                .order_by(col(Wait.case_id), col(Wait.key))
            ).all()
        if not rows:
            return
        wait, case = self._one_of(rows)
        told: dict[str, Any] = {
            "case": case.number,
            "question": wait.key,
            "role": wait.role,
            "holder": wait.holder,
            "silent_on": None,
        }
        told["form"] = question_of(wait, case).form.model_json_schema()
        data, [by, *_] = self._words(told), self._people(told)
        refused = self._try(told, by, data)
        assert isinstance(refused, NotWaiting) and wait.key in str(refused), f"a second answer met {refused!r}"
        assert refused.parts["settled_as"] == wait.settled_as, str(refused)

    def a_stranger_answers(self) -> None:
        """Whoever has neither the role nor the case is refused."""
        wait = self._one_of(self.waiting)
        refused = self._try(wait, "admin", self._words(wait))
        assert isinstance(refused, Refused), f"a stranger's answer to {wait['question']} was taken"

    def withdraws(self) -> None:
        """An applicant takes a case back, open or not."""
        case = self._one_of(self.cases())
        number, owner = case.number, handle_of(case.person_id)
        before = self.state()
        self._note("withdraws", number, owner)
        try:
            with self.office.run("cli", by=owner) as run:
                withdraw(self.office, run, number, by=owner, reason="pindah, hubungi 081162319252")
        except Refused as refused:
            assert number in str(refused) and self.state() == before, str(refused)
            assert case.status == CaseStatus.CLOSED, str(refused)
        self.advance()

    def crashes(self) -> None:
        """The process ends in the middle of an answer or of what follows; the next one carries on."""
        wait = self._one_of(self.waiting)
        data, [by, *_] = self._words(wait), self._people(wait)
        kind, nth = self._one_of(["entry", "commit"]), self.draw(st.integers(1, 8))
        self._note(f"crashes at {kind} {nth}")
        with dying(self.office, kind, nth, self._note):
            self._try(wait, by, data, alone=True)
            for name in self.ready():
                self._worker(name)()
        self.clock.turn(minutes=3)  # what the dead one had leased is free again
        self.advance()

    def post_goes_out(self) -> None:
        """Letters leave; one without an address becomes a task in the inbox."""
        self._note("post goes out")
        deliver(self.office)

    def looks_in_again(self) -> None:
        """A worker that finds nothing to do does nothing."""
        before = self.state()
        for name in sorted({case.pipeline for case in self.cases()}):
            self._worker(name)()
        assert self.state() == before, "a worker that found nothing to do did something"

    # -- doing ------------------------------------------------------------------------------------------------------

    def _try(self, wait: dict[str, Any], by: str, data: dict[str, Any], alone: bool = False) -> Refused | None:
        """Answer; return why it was refused, which leaves everything as it was but a silence that was due."""
        before = self.state()
        number, key = wait["case"], wait["question"]
        late = bool(wait["silent_on"]) and self.clock.today() > date.fromisoformat(wait["silent_on"])

        def click() -> None:
            with self.office.run("cli", by=by) as run:
                answer(self.office, run, number, key, by=by, data=data)

        ends = at_once(click, click) if self.together and not late and not alone else [self._ended(click)]
        refusals = [end for end in ends if isinstance(end, Refused)]
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, Refused):
                raise end
        self._note(*(type(refused).__name__ for refused in refusals), number, key, by, data)
        if len(refusals) == len(ends):
            assert late or self.state() == before, f"{refusals[0]!r} changed something"
            return refusals[0]
        assert len(ends) - len(refusals) == 1, f"{key} was answered twice"
        assert all(isinstance(refused, NotWaiting) for refused in refusals), f"a second click met {refusals[0]!r}"
        assert UNKEPT not in repr(data), f"{key} took a file that nobody has"
        self.taken[f"{key.split('#')[0]}:{data.get('decision', 'answered')}"] += 1
        return None

    @staticmethod
    def _ended(work: Callable[[], None]) -> Refused | None:
        try:
            work()
        except Refused as refused:
            return refused
        return None

    def _worker(self, pipeline: str) -> Callable[[], Any]:
        def work() -> Any:
            with self.office.run("flow", by="test", pipeline=pipeline) as run:
                return drain(self.office, run, pipeline)

        return work

    def _words(self, wait: dict[str, Any]) -> dict[str, Any]:
        """Return what is filled in: as a script does, or any choice with known good words, sometimes with a change."""
        pipeline = pipeline_named(next(case.pipeline for case in self.cases() if case.number == wait["case"]))
        name = wait["question"].split("#")[0]
        if pipeline.name not in self.guides:
            self.guides[pipeline.name] = self._one_of(scripts_of(pipeline) or [None])
        guide = self.guides[pipeline.name]
        act = guided(guide, wait["question"]) if guide and self.draw(st.integers(0, 3)) else None
        if act:
            told = self.started + (date.fromisoformat(act.on) - BEGINNING) - self.clock.today()
            self.clock.turn(days=max(told.days, 0))
        else:
            self.clock.turn(days=self._one_of([0, 1, 1, 5]))
        today, form = self.clock.today(), wait["form"]
        if act is None:
            question = pipeline.questions.get(name)
            choice = self._one_of(question.choices() if question else ["answered"])
            good = [act for act in good_answers(pipeline, name) if act.data.get("decision", "answered") == choice]
            if good and self.draw(st.integers(0, 5)):
                act = self._one_of(good)
        if act:
            data: dict[str, Any] = moved(dict(act.data), today - date.fromisoformat(act.on))
        else:
            data = filled(self.draw, form, today)
            data |= {"decision": choice} if "decision" in form["properties"] and question else {}
        if self.draw(st.integers(0, 4)) == 4:
            data = mutated(self.draw, form, data, today)
        return data | ({"paper": EVIDENCE} if "paper" in form["properties"] else {})

    def _people(self, wait: dict[str, Any]) -> list[str]:
        """Return who might answer, one after the other: the holder, or everybody with the role."""
        if wait["role"] == Role.APPLICANT:
            return [wait["holder"], "budi"] if self.draw(st.booleans()) else ["budi", wait["holder"]]
        names = self.ground.staff[wait["role"]]
        place = self.draw(st.integers(0, len(names) - 1))
        names = [*names[place:], *names[:place]]
        holder = wait["holder"]
        return [holder, *names] if holder and self.draw(st.integers(0, 3)) else [*names, *([holder] if holder else [])]

    def _time_is_up(self, wait: dict[str, Any]) -> None:
        last = date.fromisoformat(wait["silent_on"])
        self.clock.turn(days=max((last - self.clock.today()).days + 1, 0))

    def _one_of(self, choices: Sequence[T]) -> T:
        place: int = self.draw(st.integers(0, len(choices) - 1))
        return choices[place]

    def _note(self, *words: object) -> None:
        self.log.append(f"{self.clock.now():%Y-%m-%d} {' '.join(map(str, words))}")
