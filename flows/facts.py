"""The facts that papers and letters of every pipeline bear; what is a pipeline's own stands in its ``facts.py``."""

from __future__ import annotations

from typing import Any

from engine.pipeline import BusinessFacts, Case, ProductFacts, this_step
from rules.regions import region_name


def lasting(case: Case) -> dict[str, Any]:
    """Return what every paper bears and no day changes."""
    return {
        "case_number": case.number,
        "applicant_name": case.applicant.name,
        **_named(case.facts),
        "region_name": region_name(case.region_code),
        "office": case.rules.office.value,
        "official": case.rules.signing_official.value,
    }


def _named(facts: Any) -> dict[str, str]:
    """Return what the case is about by name; of a person it is the applicant's own."""
    match facts:
        case BusinessFacts():
            return {"business_name": facts.name}
        case ProductFacts():
            return {"product_name": facts.name, "business_name": facts.business.name}
    return {}


def common(case: Case) -> dict[str, Any]:
    """Return what every paper and letter bears, with the day and the address of the case's page."""
    return lasting(case) | {"date": this_step.today, "link": this_step.check_url(case.number)}


def words(case: Case) -> dict[str, Any]:
    """Return the sentences of the case's pipeline in the applicant's language."""
    texts: dict[str, Any] = case.rules.words.value[case.applicant.language]
    return texts


def objection(case: Case) -> dict[str, Any]:
    """Return until when and to whom a refused owner may object: UU 30/2014 Pasal 77."""
    return {"until": this_step.due_date(case.rules.objection_time), "to": words(case)["objection_to"]}
