"""The door through which pipelines reach the engine: the words that they are written in.

flows/ imports nothing else of the engine (a contract of import-linter), but for what deploys them. README.md has the table of
words; engine/execution/replay.py is the mechanism behind them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar, overload

from pydantic import TypeAdapter
from sqlmodel import Session

from documents.formats import day_in_words, rupiah_in_words
from engine.cases.ledger import jsonable
from engine.cases.subject_facts import BusinessFacts, PersonFacts, ProductFacts
from engine.deadlines.clock import local_date
from engine.definition.case import Applicant, Case, Expiring, Lodged
from engine.definition.declarations import Ending, Letter, Paper
from engine.definition.forms import ApplicantForm, Evidence, Form, Passed, Question, Silence
from engine.definition.registry import Appeal, NoAppeal, declare_appeals
from engine.errors import PipelineMistake
from engine.execution.decorators import appeal, external_step, pipeline, step
from engine.execution.external_calls import calling
from engine.execution.recorder import Withdrawn
from engine.execution.replay import Replay, playing
from engine.letters.queue import queue_letter, queue_paper
from engine.people import impartiality
from engine.people.impartiality import StandingInForce
from engine.people.permissions import user_named
from engine.runtime.links import check_url
from engine.runtime.number_series import draw
from models import Role, Standing
from outside.submission import ByHand
from rules import Rule

__all__ = [
    "Appeal",
    "ApplicantForm",
    "BusinessFacts",
    "ByHand",
    "Case",
    "Ending",
    "Evidence",
    "Expiring",
    "Form",
    "HandedOver",
    "Issued",
    "Letter",
    "Lodged",
    "NoAppeal",
    "Paper",
    "Passed",
    "PersonFacts",
    "ProductFacts",
    "Question",
    "Role",
    "Silence",
    "StandingInForce",
    "Withdrawn",
    "amend_in_register",
    "appeal",
    "ask",
    "ask_all",
    "ask_each",
    "assignable",
    "calling",
    "close",
    "day_in_words",
    "declare_appeals",
    "dossier_complete",
    "enter_in_register",
    "external_step",
    "hand_on",
    "held",
    "in_register",
    "issue",
    "local_date",
    "paper",
    "pipeline",
    "rupiah_in_words",
    "stand",
    "step",
    "strike_from_register",
    "take_up_anew",
    "tell",
    "this_step",
]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
E = TypeVar("E", bound=Ending)


@dataclass(frozen=True)
class Issued:
    """A document that was numbered, signed and stored."""

    key: str
    number: str
    sha256: str
    issued_on: date


@dataclass(frozen=True)
class HandedOver:
    """The next pipeline's case: its number, and whether it was opened now or had been open."""

    number: str
    opened: bool


class _ThisStep:
    """What a step may use besides its arguments; the process itself may not."""

    @property
    def now(self) -> datetime:
        """Return the moment of this run, in UTC."""
        return _in_step("this_step.now").now

    @property
    def today(self) -> date:
        """Return the date of this run, in Asia/Jakarta."""
        return _in_step("this_step.today").today

    @property
    def session(self) -> Session:
        """Return the open transaction; the engine commits it."""
        return _in_step("this_step.session").work.session

    @property
    def case_id(self) -> int:
        """Return the id of the case under way."""
        return _in_step("this_step.case_id").row.id or 0

    def lock(self, register: str) -> None:
        """Hold a register until this transaction commits: what a step counts there, no other case takes meanwhile."""
        draw(_in_step("this_step.lock").work.session, {register: 1})

    def digest(self, purpose: str, plain: str) -> str:
        """Return a keyed digest: it tells whether two texts are the same, and not what they are."""
        return _in_step("this_step.digest").work.vault.digest(purpose, plain)

    def due_date(self, budget: Rule) -> date:
        """Return the last day of ``budget`` (working_days or calendar_days) for a clock that starts today.

        Where no decree fixes the days off of its year, the letters and papers of this step say that it is provisional.
        """
        replay = _in_step("this_step.due_date")
        due = replay.office.calendar.due_date(replay.today, budget)
        replay.provisional.update(replay.office.calendar.provisional_years(due))
        return due

    def check_url(self, number: str) -> str:
        """Return the public address at which a case or a document can be checked."""
        return check_url(_in_step("this_step.check_url").office, number)


this_step = _ThisStep()


def ask(
    question: Question[A],
    *,
    to: str | None = None,
    apart_from: Iterable[str] = (),
    known: Mapping[str, Any] | None = None,
    note: str | None = None,
) -> A:
    """Wait for a person: the typed answer, or `Silence` where the question may end so.

    ``to`` names the one account that answers, ``apart_from`` accounts that may not; ``known`` is what nobody has to type
    again: it stands in the form, and an answer may say otherwise. ``note`` is shown to whom is asked. Raises `Withdrawn` when
    the applicant takes the case back, `NotAllowed` when ``to`` may not answer (ask `assignable` first).
    """
    filled_in = jsonable(dict(known)) if known else None
    holders = (to,) if to else ()
    return playing().ask((question,), sorted(apart_from), note, holders, filled_in)[0]  # type: ignore[return-value]


def ask_each(
    question: Question[A], *, to: Sequence[str], apart_from: Iterable[str] = (), note: str | None = None
) -> list[A]:
    """Ask several accounts the same question at once; none sees another's answer. Go on when all have answered.

    The answers come in the order of ``to``, which is the order of their keys: ``score#1``, ``score#2``.
    """
    if len(set(to)) < len(to):
        raise PipelineMistake(f"{question.name} is asked twice of the same account: {', '.join(to)}")
    return playing().ask((question,) * len(to), sorted(apart_from), note, tuple(to))  # type: ignore[return-value]


@overload
def ask_all(first: Question[A], second: Question[B], /, *, apart_from: Iterable[str] = ()) -> tuple[A, B]: ...
@overload
def ask_all(
    first: Question[A], second: Question[B], third: Question[C], /, *, apart_from: Iterable[str] = ()
) -> tuple[A, B, C]: ...
def ask_all(*questions: Question[Any], apart_from: Iterable[str] = ()) -> tuple[Any, ...]:
    """Wait for several people at once; go on when all have answered."""
    return tuple(playing().ask(questions, sorted(apart_from)))


def issue(kind: Paper, facts: Mapping[str, Any]) -> Issued:
    """Number, sign and store a document: a wait that the machine answers."""
    if kind.series is None:
        raise PipelineMistake(f"{kind.name} has no series: hand it out with paper()")
    return TypeAdapter(Issued).validate_python(playing().issue(kind.name, jsonable(dict(facts))))


def hand_on(pipeline: str, facts: Mapping[str, Any]) -> HandedOver:
    """Open the next pipeline's case for the same subject, with what is known: a wait that the machine answers.

    Both ledgers name the other case. Where the subject has an open case there, nothing is opened and that one is named.
    """
    return HandedOver(**playing().hand_on(pipeline, jsonable(dict(facts))))


def take_up_anew(case: Case, lodged: Lodged) -> HandedOver:
    """Open a fresh case for the same subject, in which nobody answers again what they answered in this one."""
    return HandedOver(**playing().hand_on(case.pipeline, jsonable(lodged.known), jsonable(lodged.decided_by)))


def assignable(case: Case, question: str, *, holds: str | None = None, apart_from: Iterable[str] = ()) -> list[str]:
    """Return, in a step, the accounts that may answer ``question`` of this case today, the least loaded first.

    ``holds`` asks for another standing than the question does ("curator:makanan").
    """
    replay = _in_step(f"assignable {question}")
    asked = replay.pipeline.questions[question]
    took_part = replay.recorder.who_answered(asked.apart_from) | set(apart_from)
    return impartiality.assignable(replay.work.session, case, asked, replay.today, holds or asked.holds, took_part)


def held(*what: str, kind: str, of: int | str) -> list[StandingInForce]:
    """Return, in a step, the standings of that name which a subject has today, the oldest first, each with its case.

    ``of`` is the subject's id, or the name of a person's account.

    The step's ledger entry names those cases: what one case opened and another used stands in both ledgers.
    """
    replay = _in_step(f"held {what}")
    subject = of if isinstance(of, int) else user_named(replay.work.session, of).person_id or 0
    found = impartiality.standings(replay.work.session, kind, subject, what, replay.today)
    replay.relied_on += [one.case_number or one.reference or one.what for one in found]
    return found


def paper(kind: Paper, facts: Mapping[str, Any]) -> str:
    """Record the facts of a paper now; its file is made afterwards. Return its key, for a letter to attach it."""
    replay = _in_step(f"paper {kind.name}")
    key = f"{replay.step_key}/{kind.name}"
    return queue_paper(
        replay.work,
        replay.dossier,
        replay.now,
        key=key,
        kind=kind,
        facts=replay.recorder.up_to_date(jsonable(dict(facts)) | replay.as_provisional()),
    )


def tell(whom: Applicant, letter: Letter, facts: Mapping[str, Any], *, attach: Iterable[str] = ()) -> None:
    """Queue a letter in this transaction; the delivery flow sends it when what it attaches is ready."""
    replay = _in_step(f"tell {letter.name}")
    queue_letter(
        replay.work,
        replay.dossier,
        replay.now,
        key=f"{replay.step_key}/{letter.name}",
        folder=letter.folder or replay.pipeline.slug,
        letter=letter.name,
        whom=whom,
        facts=replay.recorder.up_to_date(jsonable(dict(facts)) | replay.as_provisional()),
        attach=replay.recorder.newest(attach),
    )


def stand(what: str, *, reference: str | None = None, until: date | None = None) -> None:
    """Record what this case opens the way to, for its subject, from today; the step's ledger entry says so."""
    replay = _in_step(f"stand {what}")
    replay.opened_ways.append(what)
    replay.work.rows.write(
        Standing,
        case_id=replay.row.id,
        what=what,
        subject_kind=replay.case.subject_kind,
        subject_id=replay.case.subject_id,
        reference=replay.recorder.up_to_date(reference),
        since=replay.today,
        until=until,
    )


def in_register(what: str) -> Standing | None:
    """Return, in a step, the row of that name that this case has in a register; None where it has none."""
    replay = _in_step(f"in_register {what}")
    return replay.work.session.get(Standing, (replay.row.id, what))


def enter_in_register(
    what: str, *, kind: str, of: int, reference: str | None = None, until: date | None = None
) -> None:
    """Enter a row of this case in a register that other cases go by: a slot, a seat, a supervisor.

    It takes the place of a row of that name that the case has. The step's ledger entry names each row that is new or
    changed, and an answer before it can't be taken back any more: engine/actions/recall.py.
    """
    replay = _in_step(f"enter_in_register {what}")
    row = Standing(
        case_id=replay.row.id or 0,
        what=what,
        subject_kind=kind,
        subject_id=of,
        reference=reference,
        since=replay.today,
        until=until,
    )
    _note_change(replay, replay.work.session.merge(row))


def amend_in_register(row: Standing, *, reference: str | None = None, until: date | None = None) -> None:
    """Change a row of a register; what is not given stays. The step's ledger entry names it, if anything changed."""
    replay = _in_step(f"amend_in_register {row.what}")
    if reference is not None:
        row.reference = reference
    if until is not None:
        row.until = until
    _note_change(replay, row)


def strike_from_register(row: Standing) -> None:
    """Delete a row of a register; the step's ledger entry names it."""
    replay = _in_step(f"strike_from_register {row.what}")
    replay.registered.append(row.what)
    replay.work.session.delete(row)


def dossier_complete() -> None:
    """Start the case's legal clock, in a step: the dossier is complete (UU 33/2014 art. 30 as amended by UU 6/2023).

    A clarification afterwards stops the clock and never resets it.
    """
    _in_step("dossier_complete").recorder.turns.complete()


def close(case: Case, outcome: E, reason: str) -> E:
    """End the case with the reason in words."""
    playing().reason = reason
    return outcome


def _note_change(replay: Replay, row: Standing) -> None:
    if row in replay.work.session.new or replay.work.session.is_modified(row):
        replay.registered.append(row.what)


def _in_step(word: str) -> Replay:
    replay = playing()
    if replay.step_key is None:
        raise PipelineMistake(f"{word} is used in the process itself; use it inside a @step")
    return replay
