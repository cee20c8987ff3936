"""The process that is measured: six steps, two answers, no documents. Nobody outside the bench registers it.

Its cases are about businesses, as the real ones are: facts, answers and keys are sealed under the owner's key.
The rivals run the same steps; their results are as long as these.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.pipeline import Case, Ending, Form, Question, Role, ask, close, pipeline, step

NAME = "bench"
STEPS, ANSWERS = 6, 2
ENTRIES = STEPS + ANSWERS + 2  # and the first and the last: opened, closed
FIRST_KEY, SECOND_KEY = "first_check#1", "second_check#1"
WORDS = {"decision": "complete", "note": "Berkas lengkap dan sesuai dengan aslinya."}


class FirstCheck(Form):
    """An officer looks at the dossier."""

    decision: Literal["complete", "return"]
    note: Annotated[str, Field(max_length=2000)] = ""


class SecondCheck(FirstCheck):
    """Another officer looks at what came of it."""


FIRST_CHECK = Question(FirstCheck, of=Role.OFFICER, title="Periksa berkas")
SECOND_CHECK = Question(SecondCheck, of=Role.OFFICER, title="Periksa hasil")


class Outcome(Ending):
    """How a measured case can end."""

    DONE = "done", "Selesai"
    WITHDRAWN = "withdrawn", "Ditarik"


def withdrawn(case: Case, reason: str) -> Outcome:
    """The applicant took it back."""
    return Outcome.WITHDRAWN


@pipeline(
    NAME, version=1, title="Uji kecepatan", prefix="BEN", subject="business", outcomes=Outcome, on_withdrawal=withdrawn
)
def bench(case: Case) -> Outcome:
    """Two steps, an answer, two steps, an answer, two steps."""
    receive(case)
    examine(case)
    first = ask(FIRST_CHECK)
    confirm(case, first.note)
    assess(case)
    second = ask(SECOND_CHECK)
    record(case, second.note)
    notify(case)
    return close(case, Outcome.DONE, "selesai")


def result_of(what: str, about: str) -> dict[str, str]:
    """Return what every measured step returns, here and at the rivals."""
    return {"step": what, "about": about}


@step
def receive(case: Case) -> dict[str, str]:
    """First step."""
    return result_of("receive", case.number)


@step
def examine(case: Case) -> dict[str, str]:
    """Second step."""
    return result_of("examine", case.number)


@step
def confirm(case: Case, note: str) -> dict[str, str]:
    """Third step."""
    return result_of("confirm", note)


@step
def assess(case: Case) -> dict[str, str]:
    """Fourth step."""
    return result_of("assess", case.number)


@step
def record(case: Case, note: str) -> dict[str, str]:
    """Fifth step."""
    return result_of("record", note)


@step
def notify(case: Case) -> dict[str, str]:
    """Sixth step."""
    return result_of("notify", case.number)
