"""Decorators that declare a process, an appeal, a step, a call outside.

Pipelines import them from engine.pipeline.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from pydantic import TypeAdapter

from engine.cases.ledger import jsonable
from engine.definition.case import Case, Expiring, Lodged
from engine.definition.declarations import Ending
from engine.definition.forms import Form, Question
from engine.definition.registry import Appeal, Pipeline, register_appeal, register_pipeline
from engine.execution.replay import playing
from outside.submission import ByHand

F = TypeVar("F", bound=Form)
P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E", bound=Ending)


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
    renews: Callable[[Expiring], dict[str, Any]] | None = None,
) -> Callable[[Callable[[Case], E]], Callable[[Case], E]]:
    """Register the function below as a process.

    ``prefix`` begins its case numbers, ``subject`` is what a case is about (business, person, product),
    ``on_withdrawal`` ends a case that the applicant takes back, ``clock`` names the rule of the whole case's legal budget,
    ``renews`` returns what is known for the next case (`Case.carried`) of a certificate that its rule ``renewal`` names.
    """

    def registered(body: Callable[[Case], E]) -> Callable[[Case], E]:
        module = body.__module__
        register_pipeline(
            Pipeline(name, version, title, prefix, subject, outcomes, body, on_withdrawal, clock, module, renews=renews)
        )
        return body

    return registered


def appeal(
    name: str,
    *,
    version: int,
    title: str,
    window: str,
    on_withdrawal: Callable[[Case, Lodged, str], Ending],
) -> Callable[[Callable[[Case, Lodged], Ending]], Appeal]:
    """Register the function below as the process in which an ending is contested.

    The appeal goes on in the ledger of its case. ``window`` names the rule that limits how long after the ending it may be
    lodged; ``on_withdrawal`` ends an appeal that the applicant takes back.
    """

    def registered(body: Callable[[Case, Lodged], Ending]) -> Appeal:
        made = Appeal(name, version, title, window, body, on_withdrawal, body.__module__)
        register_appeal(made)
        return made

    return registered


def step(work: Callable[Concatenate[Case, P], R]) -> Callable[Concatenate[Case, P], R]:
    """Make a step of a function: local work that is done once, its JSON result recorded.

    A step writes rows, papers and letters in the transaction of the run. Its result must come back from JSON as the
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
    """Make a call to somebody else's system of a function, outside any transaction.

    The case waits. The function returns the form that ``question`` asks for. Where it returns `ByHand`, an officer answers
    ``question`` instead, under the same key, and the process goes on the same. Its arguments after the case are JSON; ``note``
    is shown to that officer.
    """

    def made(work: Callable[..., F | ByHand]) -> Callable[..., F]:
        @functools.wraps(work)
        def call(case: Case, /, *, note: str | None = None, **arguments: Any) -> F:
            return playing().call_out(work.__name__, question, jsonable(arguments), note)  # type: ignore[return-value]

        call.is_step = True  # type: ignore[attr-defined]
        call.calls_out = work  # type: ignore[attr-defined]
        return call

    return made


def _return_type(work: Callable[..., Any]) -> Callable[[], TypeAdapter[Any]]:
    @functools.lru_cache(maxsize=1)
    def adapter() -> TypeAdapter[Any]:
        hints = typing.get_type_hints(inspect.unwrap(work))
        return TypeAdapter(hints.get("return", Any))

    return adapter
