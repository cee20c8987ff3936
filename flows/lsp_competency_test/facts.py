"""Facts of this pipeline's papers and letters, finished for their templates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.pipeline import Case, Form, this_step
from flows import facts
from flows.facts import words
from flows.lsp_competency_test.application import Application
from flows.lsp_competency_test.decisions import Schedule
from flows.lsp_competency_test.schemes import scheme_of
from flows.lsp_competency_test.seats import name_of
from models.privacy import masked


def lasting(case: Case) -> dict[str, Any]:
    """Return the facts that every paper bears and no day changes: here the LSP speaks."""
    lsp: dict[str, Any] = case.rules.lsp.value
    return facts.lasting(case) | lsp


def common(case: Case) -> dict[str, Any]:
    """Return the facts of every paper and letter, with the day and the address of the case."""
    return lasting(case) | {"date": this_step.today, "link": this_step.check_url(case.number)}


def sheet(case: Case, application: Application, schedule: Schedule | None, *signed: tuple[str, Form]) -> dict[str, Any]:
    """Return the head and signatures of an FR form: who gave which form, as recorded."""
    scheme = scheme_of(case, application.scheme)
    signatures = [
        {"role": words(case)["roles"][role], "name": name_of(form.by), "at": form.at} for role, form in signed
    ]
    return common(case) | {
        "scheme_title": scheme["title"],
        "scheme_standard": scheme["standard"],
        "national_id": masked(case.facts.national_id),
        "assessor": name_of(schedule.assessor) if schedule else None,
        "met_number": schedule.met_number if schedule else None,
        "test_site": schedule.test_site if schedule else None,
        "test_date": schedule.test_date if schedule else None,
        "signatures": signatures,
    }


def titled(case: Case, application: Application, codes: Sequence[str]) -> list[dict[str, str]]:
    """Return units with their titles, in the order of the scheme."""
    return [unit for unit in scheme_of(case, application.scheme)["units"] if unit["code"] in codes]


def title_of(case: Case, application: Application, code: str) -> str:
    """Return the title of a unit of the scheme."""
    titles = {unit["code"]: unit["title"] for unit in scheme_of(case, application.scheme)["units"]}
    return str(titles.get(code, code))


def yes_or_no(case: Case, answer: bool) -> str:
    """Return an answer in words."""
    return str(words(case)["answers"]["yes" if answer else "no"])


def or_none(case: Case, text: str) -> str:
    """Return a text, or that there is none, in words."""
    return text or str(words(case)["answers"]["none"])


def asked(case: Case, form: Form, name: str) -> list[dict[str, str]]:
    """Return the yes-or-no questions of a form with their answers, in words."""
    texts: dict[str, str] = words(case)[name]
    return [{"question": text, "answer": yes_or_no(case, getattr(form, field))} for field, text in texts.items()]
