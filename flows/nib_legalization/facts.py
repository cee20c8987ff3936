"""Facts of this pipeline's papers and letters, finished for their templates."""

from __future__ import annotations

from datetime import date
from typing import Any

from engine.pipeline import Case, this_step
from flows.facts import lasting, scale_of, words
from flows.nib_legalization.application import Application
from rules.regions import region_name


def industry(case: Case, application: Application) -> dict[str, Any]:
    """Return industry code, risk and scale as papers show them."""
    level = application.risk_level
    return {
        "industry_code": application.industry_code,
        "industry_title": case.rules.industry_titles.value.get(application.industry_code, case.facts.main_product),
        "industry_code_version": f"KBLI {application.industry_code_version}",
        "risk_level": str(level),
        "risk_level_name": case.rules.risk_obtains.value[level]["name"],
        "business_scale": words(case)["scales"][scale_of(case)],
    }


def certificate_facts(case: Case, application: Application, nib: str, issued_on: date | None) -> dict[str, Any]:
    """Return the facts of the certificate, except number and date, which its issue adds."""
    return {
        **lasting(case),
        "applicant_name": application.owner_name,
        "business_name": application.business_name,
        "nib": nib,
        "nib_issued_on": issued_on,
        **industry(case, application),
    }


def next_steps(case: Case, nib: str, add_code: str | None = None) -> dict[str, Any]:
    """Return the facts of the hand-over note.

    ``add_code`` is an activity to be added to a NIB that was there before.
    """
    titles = case.rules.industry_titles.value
    added = [{"code": add_code, "title": titles.get(add_code, case.facts.main_product)}] if add_code else []
    return {"nib": nib, "nib_recorded_on": this_step.today, "add_kbli": added, "next_steps": words(case)["next_steps"]}


def verifier(case: Case) -> str:
    """Return the authority that verifies in this region."""
    return f"DPMPTSP {region_name(case.region_code)}"
