"""What people and days do to a case beside answering: recall, more time, another holder, a stand-in, an objection, a day off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

from sqlmodel import col, select

from engine.actions.correction.correct import correct
from engine.actions.delegate import delegate
from engine.actions.extend import extend
from engine.actions.lodge_appeal import lodge_appeal
from engine.actions.reassign import reassign
from engine.actions.recall import recall
from engine.deadlines.clock import TurnedClock
from engine.definition.case import handle_of
from engine.errors import Refused
from engine.runtime.office import RunHandle
from engine.sweeps.calendar_decisions import add_day_off, cancel_day_off
from engine.sweeps.sweep import sweep
from models import CaseStatus, EntryKind, LedgerEntry, Role
from tests.drives.ground import Ground
from tests.drives.looking import Looking

T = TypeVar("T")
HEAD = f"{Role.DIVISION_HEAD}-1"
WHY = "sesuai berita acara, hubungi 081162319252"
ACTS_OF_TIME = (
    *("takes_back", "takes_back", "agrees_on_more_time", "gives_away", "stands_in", "puts_right"),
    *("contests", "the_sweep_comes_by", "the_sweep_comes_by", "the_office_decides_about_a_day"),
)


class LegalTime(Looking):
    """Acts that move dates and people. Whatever is refused leaves everything as it was."""

    clock: TurnedClock
    ground: Ground
    waiting: list[dict[str, Any]]
    _one_of: Callable[..., Any]
    _note: Callable[..., None]
    advance: Callable[[], None]

    def takes_back(self) -> None:
        """The last answer is taken back, by who gave it or by the head of division."""
        case = self._one_of(self.cases())
        with self.office.db.reading() as session:
            wanted = select(LedgerEntry.actor).where(
                LedgerEntry.case_id == case.id, LedgerEntry.kind == EntryKind.ANSWER
            )
            actors = session.exec(wanted.order_by(col(LedgerEntry.seq).desc())).all()
        by = self._one_of([*actors[:1], *actors[:1], HEAD])
        self._does("takes back", by, lambda run: recall(self.office, run, case.number, by=by, reason=WHY))

    def agrees_on_more_time(self) -> None:
        """The two sides agree on a later date for a question."""
        wait = self._one_of(self.waiting)
        case = next(case for case in self.cases() if case.number == wait["case"])
        due = date.fromisoformat(wait["due_on"]) if wait["due_on"] else self.clock.today()
        owner, until = handle_of(case.person_id), due + timedelta(days=self._one_of([-1, 3, 8, 20]))
        by = self._one_of(["budi", HEAD])
        other = owner if wait["role"] == Role.APPLICANT else (wait["holder"] or owner)

        def agree(run: RunHandle) -> None:
            extend(self.office, run, wait["case"], wait["question"], until=until, reason=WHY, by=by, agreed_with=other)

        self._does(f"more time until {until}", f"{by} {wait['question']}", agree)

    def gives_away(self) -> None:
        """A question is given to a colleague, or to nobody."""
        wait = self._one_of(self.waiting)
        to = self._one_of([None, *self.ground.staff.get(wait["role"], ["budi"])])

        def give(run: RunHandle) -> None:
            reassign(self.office, run, wait["case"], wait["question"], to=to, by=HEAD, reason=WHY)

        self._does("gives away", f"{wait['question']} to {to}", give)

    def stands_in(self) -> None:
        """Somebody who is asked goes away for some days."""
        wait = self._one_of(self.waiting)
        staff: Sequence[str] = self.ground.staff.get(wait["role"], ["budi", "tuti"])
        away, to = wait["holder"] or staff[0], self._one_of(staff)
        until = self.clock.today() + timedelta(days=self._one_of([0, 2, 9]))
        number = self._one_of([None, wait["case"]])

        def let(run: RunHandle) -> None:
            delegate(self.office, run, away, to, until=until, reason=WHY, by=away, number=number)

        self._does(f"stands in until {until}", f"{to} for {away}", let)

    def puts_right(self) -> None:
        """An officer corrects a name or a telephone number, in mid-case or after the issue."""
        case = self._one_of(self.cases())
        data = self._one_of(
            [{"owner.name": "Sri Purnomo, S.E."}, {"phone": "081234567890"}, {"name": "Keripik Lestari"}]
        )
        by = self._one_of(["budi", HEAD])
        what = f"{case.number} {[*data]}"
        self._does("puts right", what, lambda run: correct(self.office, run, case.number, by=by, reason=WHY, data=data))

    def contests(self) -> None:
        """An applicant objects to the end of a case."""
        cases = [case for case in self.cases() if case.status == CaseStatus.CLOSED]
        if cases:
            case = self._one_of(cases)
            by = handle_of(case.person_id)
            self._does(
                "contests", case.number, lambda run: lodge_appeal(self.office, run, case.number, by=by, reason=WHY)
            )

    def the_sweep_comes_by(self) -> None:
        """Some days pass, then the sweep comes, and at once a second, which does nothing."""
        self.clock.turn(days=self._one_of([1, 3, 8, 15]))
        with self.office.run("flow", by="escalation") as run:
            swept = sweep(self.office, run)
        assert not swept.failed, f"the sweep met {swept.failed}"
        self._note("sweep", f"{swept.reminded} reminded, {swept.escalated} escalated, {swept.silent} silent")
        self.advance()
        with self.office.run("flow", by="escalation") as run:
            again = sweep(self.office, run)
        assert (again.due, again.failed) == (0, []), f"a second sweep did something: {again}"

    def the_office_decides_about_a_day(self) -> None:
        """A day off is added, or a listed one cancelled; clocks that run over it move."""
        day = self.clock.today() + timedelta(days=self._one_of([0, 1, 4, 12]))
        decide = self._one_of([add_day_off, cancel_day_off])
        self._does(f"{decide.__name__} {day}", "", lambda run: decide(self.office, run, day, WHY))

    def _does(self, what: str, who: str, work: Callable[[RunHandle], object]) -> None:
        before = self.state()
        try:
            with self.office.run("cli", by=HEAD) as run:
                work(run)
            self._note(what, who)
        except Refused as refused:
            self._note("refused:", what, who, refused)
            assert self.state() == before, f"{refused!r} changed something"
            assert refused.for_people != str(refused), f"no Indonesian: {refused}"
        self.advance()
