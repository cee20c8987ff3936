"""The process whose cases wait in the bench of legal time: an officer checks, the owner corrects; both have five working days.

Nobody outside the bench registers it. Its legal clock is the common 30 days, and begins when the case is opened.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.pipeline import (
    ApplicantForm,
    Case,
    Ending,
    Form,
    Question,
    Role,
    ask,
    close,
    dossier_complete,
    pipeline,
    step,
)

NAME = "bench-time"


class Check(Form):
    """An officer looks at the dossier."""

    decision: Literal["complete", "return"]


class Correction(ApplicantForm):
    """The owner mends it."""

    decision: Literal["mended"]
    note: Annotated[str, Field(max_length=200)] = ""


CHECK = Question(Check, of=Role.OFFICER, due="answer_time", title="Periksa berkas")
CORRECTION = Question(
    Correction, of=Role.APPLICANT, due="answer_time", silent_after="answer_limit", title="Lengkapi berkas"
)


class Outcome(Ending):
    """How such a case can end."""

    DONE = "done", "Selesai"
    WITHDRAWN = "withdrawn", "Ditarik"


def withdrawn(case: Case, reason: str) -> Outcome:
    """The applicant took it back."""
    return Outcome.WITHDRAWN


@pipeline(
    NAME,
    version=1,
    title="Uji waktu hukum",
    prefix="WAK",
    subject="business",
    outcomes=Outcome,
    on_withdrawal=withdrawn,
    clock="answer_limit",
)
def waiting(case: Case) -> Outcome:
    """A check, a correction, an end."""
    take_in(case)
    ask(CHECK)
    ask(CORRECTION)
    return close(case, Outcome.DONE, "selesai")


@step
def take_in(case: Case) -> None:
    """The dossier is complete as it comes."""
    dossier_complete()
