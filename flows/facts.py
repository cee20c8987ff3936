"""Facts that the papers and letters of every pipeline bear.

A pipeline's own facts stand in its ``facts.py``.
"""

from __future__ import annotations

from typing import Any

from engine.pipeline import BusinessFacts, Case, ProductFacts, this_step
from rules.regions import region_name


def lasting(case: Case) -> dict[str, Any]:
    """Return the facts that every paper bears and that no day changes."""
    return {
        "case_number": case.number,
        "applicant_name": case.applicant.name,
        **_named(case.facts),
        "region_name": region_name(case.region_code),
        "office": case.rules.office.value,
        "official": case.rules.signing_official.value,
    }


def _named(facts: Any) -> dict[str, str]:
    """Return the names of the business and product that the case is about; of a person, none."""
    match facts:
        case BusinessFacts():
            return {"business_name": facts.name}
        case ProductFacts():
            return {"product_name": facts.name, "business_name": facts.business.name}
    return {}


def common(case: Case) -> dict[str, Any]:
    """Return the facts of every paper and letter, with the day and the address of the case."""
    return lasting(case) | {"date": this_step.today, "link": this_step.check_url(case.number)}


def words(case: Case) -> dict[str, Any]:
    """Return the sentences of the case's pipeline in the applicant's language."""
    texts: dict[str, Any] = case.rules.words.value[case.applicant.language]
    return texts


def scale_of(case: Case) -> str:
    """Return micro, small, medium or large by yearly sales, boundaries inclusive.

    PP 7/2021 Pasal 35 (5).
    """
    ceilings: dict[str, int] = case.rules.business_scale_by_sales.value
    fitting = [scale for scale, ceiling in ceilings.items() if case.facts.annual_sales_rupiah <= ceiling]
    return min(fitting, key=ceilings.__getitem__, default="large")


def objection_window(case: Case) -> dict[str, Any]:
    """Return until when and to whom a refused owner may object: UU 30/2014 Pasal 77."""
    return {"until": this_step.due_date(case.rules.objection_time), "to": words(case)["objection_to"]}
