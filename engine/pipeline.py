"""The one door through which pipelines reach the engine: the words of a process.

import-linter holds flows/ to this door, but for what Prefect deploys. README.md has the table of words; the mechanism
behind them is engine/execution/replay.py.
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
from engine.people.permissions import user_ever_named
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
    """The next pipeline's case: its number, and whether it is new or was open already."""

    number: str
    opened: bool


class _ThisStep:
    """The things that a step may use beside its arguments.

    Each word raises `PipelineMistake` outside a step.
    """

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
        """Lock a register until this transaction commits.

        No other case takes meanwhile what this step counts there.
        """
        draw(_in_step("this_step.lock").work.session, {register: 1})

    def digest(self, purpose: str, plain: str) -> str:
        """Return a keyed digest of a text: equal for equal texts, silent about what they say."""
        return _in_step("this_step.digest").work.vault.digest(purpose, plain)

    def due_date(self, budget: Rule) -> date:
        """Return the last day of ``budget`` for a clock that starts today.

        Letters and papers of this step say that the day is provisional where no decree fixes the days off of its year.
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
    """Ask a person and wait; return the answer, or `Silence` where the question may end so.

    ``to`` names the one account that answers; ``apart_from`` the accounts that may not. ``known`` fills in the form with what
    nobody has to type again; the answer may differ. ``note`` is shown to whoever is asked.

    Raises:
        NotAllowed: ``to`` may not answer; ask `assignable` first.
        PipelineMistake: it is used in a step.
        Withdrawn: the applicant takes the application back.
    """
    filled_in = jsonable(dict(known)) if known else None
    holders = (to,) if to else ()
    return playing().ask((question,), sorted(apart_from), note, holders, filled_in)[0]  # type: ignore[return-value]


def ask_each(
    question: Question[A], *, to: Sequence[str], apart_from: Iterable[str] = (), note: str | None = None
) -> list[A]:
    """Ask several accounts the same question at once, and wait until all have answered.

    None sees another's answer. The answers come in the order of ``to``, which is the order of their keys: ``score#1``,
    ``score#2``.

    Raises:
        PipelineMistake: an account is named twice, or it is used in a step.
        Withdrawn: the applicant takes the application back.
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
    """Ask several questions at once, and wait until all are answered.

    Raises:
        PipelineMistake: it is used in a step.
        Withdrawn: the applicant takes the application back.
    """
    return tuple(playing().ask(questions, sorted(apart_from)))


def issue(kind: Paper, facts: Mapping[str, Any]) -> Issued:
    """Issue a document: it is numbered, signed and stored while the case waits.

    Raises:
        PipelineMistake: ``kind`` has no series of numbers, or it is used in a step.
    """
    if kind.series is None:
        raise PipelineMistake(f"{kind.name} has no series: hand it out with paper()")
    return TypeAdapter(Issued).validate_python(playing().issue(kind.name, jsonable(dict(facts))))


def hand_on(pipeline: str, facts: Mapping[str, Any]) -> HandedOver:
    """Open the next pipeline's case for the same subject, with ``facts``, while this case waits.

    Both ledgers name the other case. Where the subject has an open case there, none is opened and that one is named.

    Raises:
        PipelineMistake: it is used in a step.
    """
    return HandedOver(**playing().hand_on(pipeline, jsonable(dict(facts))))


def take_up_anew(case: Case, lodged: Lodged) -> HandedOver:
    """Open a fresh case for the same subject, while this case waits.

    Nobody decides there what they decided in this case.

    Raises:
        PipelineMistake: it is used in a step.
    """
    return HandedOver(**playing().hand_on(case.pipeline, jsonable(lodged.known), jsonable(lodged.decided_by)))


def assignable(case: Case, question: str, *, holds: str | None = None, apart_from: Iterable[str] = ()) -> list[str]:
    """Return the accounts that may answer ``question`` of this case today, least loaded first.

    ``holds`` asks for another standing than the question does ("curator:makanan").

    Raises:
        PipelineMistake: it is used outside a step.
    """
    replay = _in_step(f"assignable {question}")
    asked = replay.pipeline.questions[question]
    took_part = replay.recorder.who_answered(asked.apart_from) | set(apart_from)
    return impartiality.assignable(replay.work.session, case, asked, replay.today, holds or asked.holds, took_part)


def held(*what: str, kind: str, of: int | str) -> list[StandingInForce]:
    """Return the standings named ``what`` that a subject has today, oldest first.

    ``of`` is the subject's id, or the name of a person's account. The step's ledger entry names the cases in which they were
    given: both ledgers tell what one case opened and another used.

    Raises:
        PipelineMistake: it is used outside a step.
        Refused: no account has that name.
    """
    replay = _in_step(f"held {what}")
    subject = of if isinstance(of, int) else user_ever_named(replay.work.session, of).person_id or 0
    found = impartiality.standings(replay.work.session, kind, subject, what, replay.today)
    replay.notes.relied_on += [one.case_number or one.reference or one.what for one in found]
    return found


def paper(kind: Paper, facts: Mapping[str, Any]) -> str:
    """Record the facts of a paper, and return its key, by which a letter attaches it.

    Its file is made after the step.

    Raises:
        PipelineMistake: it is used outside a step.
    """
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
    """Queue a letter; the delivery flow sends it when the files of what it attaches are made.

    Raises:
        PipelineMistake: it is used outside a step.
    """
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
    """Record a standing: what this case gives its subject from today.

    The step's ledger entry names it.

    Raises:
        PipelineMistake: it is used outside a step.
    """
    replay = _in_step(f"stand {what}")
    replay.notes.opened_ways.append(what)
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
    """Return the row of that name that this case has in a register; None where it has none.

    Raises:
        PipelineMistake: it is used outside a step.
    """
    replay = _in_step(f"in_register {what}")
    return replay.work.session.get(Standing, (replay.row.id, what))


def enter_in_register(
    what: str, *, kind: str, of: int, reference: str | None = None, until: date | None = None
) -> None:
    """Enter a row of this case in a register that other cases go by: a slot, a seat.

    The row replaces one of the same name that the case has. The step's ledger entry names each row that is new or changed; an
    answer of before that step can't be recalled any more.

    Raises:
        PipelineMistake: it is used outside a step.
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
    """Change a row of a register; what is not given stays.

    The step's ledger entry names the row, if anything changed.

    Raises:
        PipelineMistake: it is used outside a step.
    """
    replay = _in_step(f"amend_in_register {row.what}")
    if reference is not None:
        row.reference = reference
    if until is not None:
        row.until = until
    _note_change(replay, row)


def strike_from_register(row: Standing) -> None:
    """Delete a row of a register; the step's ledger entry names it.

    Raises:
        PipelineMistake: it is used outside a step.
    """
    replay = _in_step(f"strike_from_register {row.what}")
    replay.notes.registered.append(row.what)
    replay.work.rows.note(Standing, row.model_dump(), removed=True)
    replay.work.session.delete(row)


def dossier_complete() -> None:
    """Start the case's legal clock: the dossier is complete.

    A clarification afterwards stops the clock and never resets it (UU 33/2014 art. 30 as amended by UU 6/2023).

    Raises:
        PipelineMistake: it is used outside a step.
    """
    _in_step("dossier_complete").recorder.segments.start_legal_clock()


def close(case: Case, outcome: E, reason: str) -> E:
    """Return ``outcome``, with which the case ends, and note the reason in words."""
    playing().reason = reason
    return outcome


def _note_change(replay: Replay, row: Standing) -> None:
    if row in replay.work.session.new or replay.work.session.is_modified(row):
        replay.notes.registered.append(row.what)
        replay.work.rows.note(Standing, row.model_dump())


def _in_step(word: str) -> Replay:
    replay = playing()
    if replay.step_key is None:
        raise PipelineMistake(f"{word} is used in the process itself; use it inside a @step")
    return replay
