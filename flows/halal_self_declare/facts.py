"""Facts of this pipeline's papers and letters, finished for their templates."""

from __future__ import annotations

from typing import Any

from engine.pipeline import Case, this_step
from flows.facts import common, words
from flows.halal_self_declare.criteria import Deficiency, Reason, say
from flows.halal_self_declare.decisions import Visit


def with_reasons(case: Case, reasons: list[Reason]) -> dict[str, Any]:
    """Return reasons in words, each with its rule."""
    return common(case) | {"reasons": [one.model_dump() for one in reasons]}


def returned(case: Case, deficiencies: list[Deficiency]) -> dict[str, Any]:
    """Return the deficiencies to be put right, how, and until when."""
    return common(case) | {
        "deficiencies": [one.model_dump(include={"what", "fix"}) for one in deficiencies],
        "due_on": this_step.due_date(case.rules.correction_time),
        "closes_on": this_step.due_date(case.rules.correction_limit),
    }


def eligibility(case: Case) -> dict[str, Any]:
    """Return the checked criteria and their decree, as in force on the day of the case."""
    rule = case.rules.criteria
    return {"items": words(case)["eligible"], "rule": rule.citation, "rules_as_of": case.opened_on}


def as_visited(case: Case, visit: Visit) -> dict[str, Any]:
    """Return the report of a visit: each ingredient and part of the process with its result."""
    checks = [*visit.ingredients, *visit.process]
    return {
        "visited_on": visit.visited_on,
        "companion_number": visit.companion_number,
        "checks": [{"what": one.what, "result": words(case)["halal"], "remark": one.remark} for one in checks],
    }


def certified(case: Case, number: str, issued_on: object, fatwa_number: str, changes: str) -> dict[str, Any]:
    """Return the facts of a recorded certificate, and the duty that comes with it."""
    return common(case) | {
        "certificate_number": number,
        "certificate_issued_on": issued_on,
        "fatwa_number": fatwa_number,
        "changes": changes or None,
        "duty": case.rules.change_report.citation,
        "next_steps": words(case)["next_steps"],
    }


def what_is_known(case: Case, nib: str | None, certificate: str | None) -> list[str]:
    """Return the facts that the office knows already, so that nobody hands them in twice."""
    known = [*words(case)["received"], say(case, "known_nib", what=nib) if nib else say(case, "no_known_nib")]
    return known + ([say(case, "known_certificate", what=certificate)] if certificate else [])
