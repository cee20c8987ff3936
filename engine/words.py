"""The words a pipeline is written in. The table of them is in README.md; the mechanism behind them is engine/replay.py."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Concatenate, ParamSpec, TypeVar, cast, overload

from pydantic import TypeAdapter
from sqlmodel import Session

from engine.case import Applicant, Case
from engine.documents.letters import write
from engine.errors import PipelineMistake
from engine.forms import ApplicantForm, Evidence, Form, Question, Silence
from engine.machine import calling
from engine.papers import check_url
from engine.registry import Ending, Letter, Paper, Pipeline, register
from engine.replay import Replay, Withdrawn, jsonable, playing
from models import Document, DocumentStatus, LetterStatus, Role, Standing
from models import Letter as LetterRow
from outside.once import ByHand

__all__ = [
    "ApplicantForm",
    "ByHand",
    "Case",
    "Ending",
    "Evidence",
    "Form",
    "Issued",
    "Letter",
    "Paper",
    "Question",
    "Role",
    "Silence",
    "Withdrawn",
    "ask",
    "ask_all",
    "calling",
    "close",
    "external_step",
    "issue",
    "paper",
    "pipeline",
    "run",
    "stand",
    "step",
    "tell",
]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
F = TypeVar("F", bound=Form)
P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E", bound=Ending)


@dataclass(frozen=True)
class Issued:
    """A document that was numbered, signed and stored."""

    key: str
    number: str
    sha256: str
    issued_on: date


class _Run:
    """What a step may use besides its arguments; the process itself may not."""

    @property
    def now(self) -> datetime:
        """Return the moment of this run, in UTC."""
        return _in_step("run.now").now

    @property
    def today(self) -> date:
        """Return the date of this run, in Asia/Jakarta."""
        return _in_step("run.today").today

    @property
    def session(self) -> Session:
        """Return the open transaction; the engine commits it."""
        return _in_step("run.session").session

    def check_url(self, number: str) -> str:
        """Return the public address at which a case or a document can be checked."""
        return check_url(_in_step("run.check_url").office, number)


run = _Run()


def pipeline(
    name: str,
    *,
    version: int,
    title: str,
    prefix: str,
    subject: str,
    outcomes: type[E],
    on_withdrawal: Callable[[Case, str], E],
    clock: str | None = None,
) -> Callable[[Callable[[Case], E]], Callable[[Case], E]]:
    """Register the function below as a process.

    ``prefix`` begins its case numbers, ``subject`` is what a case is about (business, person, product),
    ``on_withdrawal`` ends a case that the applicant takes back, ``clock`` names the rule of the whole case's legal budget.
    """

    def registered(body: Callable[[Case], E]) -> Callable[[Case], E]:
        register(Pipeline(name, version, title, prefix, subject, outcomes, body, on_withdrawal, clock, body.__module__))
        return body

    return registered


def step(work: Callable[Concatenate[Case, P], R]) -> Callable[Concatenate[Case, P], R]:
    """Make of a function a piece of local work: done once, recorded with its JSON result, never done again.

    It writes rows, papers and letters in the transaction of the run. What it returns must come back from JSON as its
    annotation says.
    """
    returns = _return_type(work)

    @functools.wraps(work)
    def call(case: Case, /, *args: P.args, **kwargs: P.kwargs) -> R:
        arguments = [jsonable(args), jsonable(kwargs)]
        result = playing().perform(work.__name__, arguments, lambda: work(case, *args, **kwargs))
        return cast(R, returns().validate_python(result, strict=False))

    call.is_step = True  # type: ignore[attr-defined]
    return call


def external_step(question: Question[F]) -> Callable[[Callable[..., F | ByHand]], Callable[..., F]]:
    """Make of a function a call to somebody else's system: a wait that the machine answers, outside any transaction.

    It returns the form that ``question`` asks for. Where it returns `ByHand`, an officer answers ``question`` instead,
    under the same key, and the process goes on the same. Its arguments after the case are JSON; ``apart_from`` and
    ``note`` are for that officer, as in `ask`.
    """

    def made(work: Callable[..., F | ByHand]) -> Callable[..., F]:
        @functools.wraps(work)
        def call(case: Case, /, *, apart_from: Iterable[str] = (), note: str | None = None, **arguments: Any) -> F:
            asked = sorted(apart_from), note
            return playing().call_out(work.__name__, question, jsonable(arguments), *asked)  # type: ignore[return-value]

        call.is_step = True  # type: ignore[attr-defined]
        call.calls_out = work  # type: ignore[attr-defined]
        return call

    return made


def ask(question: Question[A], *, apart_from: Iterable[str] = (), note: str | None = None) -> A:
    """Wait for a person: the typed answer, or `Silence` where the question may end so.

    ``apart_from`` names accounts that may not answer, ``note`` is shown to whom is asked. Raises `Withdrawn` when the
    applicant takes the case back.
    """
    return playing().ask((question,), sorted(apart_from), note)[0]  # type: ignore[return-value]


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


def paper(kind: Paper, facts: Mapping[str, Any]) -> str:
    """Record the facts of a paper now; its file is made afterwards. Return its key, for a letter to attach it."""
    replay = _in_step(f"paper {kind.name}")
    key = f"{replay.step_key}/{kind.name}"
    replay.book.write(
        Document,
        case_id=replay.row.id,
        key=key,
        pipeline=replay.pipeline.name,
        seq=replay.row.last_seq + 1,
        kind=kind.name,
        language=replay.case.applicant.language,
        facts=replay.seal(jsonable(dict(facts))),
        at=replay.now,
        status=DocumentStatus.PENDING,
    )
    return key


def tell(whom: Applicant, letter: Letter, facts: Mapping[str, Any], *, attach: Iterable[str] = ()) -> None:
    """Queue a letter in this transaction; the delivery flow sends it when what it attaches is ready."""
    replay = _in_step(f"tell {letter.name}")
    attached = list(attach)
    template = f"{replay.pipeline.slug}/letters/{letter.name}"
    written = write(template, jsonable(dict(facts)), whom.language)
    replay.book.write(
        LetterRow,
        case_id=replay.row.id,
        key=f"{replay.step_key}/{letter.name}",
        pipeline=replay.pipeline.name,
        seq=replay.row.last_seq + 1,
        letter=letter.name,
        to_person_id=whom.person_id,
        to_name=whom.name,
        language=whom.language,
        subject=written.subject,
        sealed=replay.seal({"text": written.text, "html": written.html}),
        attachments=attached,
        status=LetterStatus.WAITING if attached else LetterStatus.QUEUED,
        at=replay.now,
    )


def stand(what: str, *, reference: str | None = None, until: date | None = None) -> None:
    """Record what this case opens the way to, for its subject, from today."""
    replay = _in_step(f"stand {what}")
    replay.book.write(
        Standing,
        case_id=replay.row.id,
        what=what,
        subject_kind=replay.case.subject_kind,
        subject_id=replay.case.subject_id,
        reference=reference,
        since=replay.today,
        until=until,
    )


def close(case: Case, outcome: E, reason: str) -> E:
    """End the case with the reason in words."""
    playing().reason = reason
    return outcome


def _in_step(word: str) -> Replay:
    replay = playing()
    if replay.step_key is None:
        raise PipelineMistake(f"{word} is used in the process itself; use it inside a @step")
    return replay


def _return_type(work: Callable[..., Any]) -> Callable[[], TypeAdapter[Any]]:
    @functools.lru_cache(maxsize=1)
    def adapter() -> TypeAdapter[Any]:
        hints = typing.get_type_hints(inspect.unwrap(work))
        return TypeAdapter(hints.get("return", Any))

    return adapter
