"""Facts of this pipeline's papers and letters, finished for their templates."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from engine.pipeline import Case, this_step
from flows.facts import common, lasting, words
from flows.product_curation.decisions import PanelDecision, QualityControl, Score
from flows.product_curation.forms import Application, ExportData
from flows.product_curation.gates import Reason
from flows.product_curation.rubric import Grade, Weighing


class Passed(BaseModel):
    """A product that passed: its grade and certificate, and whether it may be exported."""

    model_config = ConfigDict(frozen=True)

    grade: Grade
    points: str
    plan: str
    certificate: str
    sha256: str
    photo: str

    @property
    def for_export(self) -> bool:
        """Return whether this grade is handed over: A, or B with a plan."""
        return self.grade is Grade.A or (self.grade is Grade.B and bool(self.plan))


def standard(case: Case) -> dict[str, Any]:
    """Return the version of the standard by which this case is judged."""
    rule = case.rules.rubric
    return {"rubric": rule.value["id"], "rubric_since": rule.since}


def certificate_facts(
    case: Case, application: Application, ruling: PanelDecision, weighing: Weighing
) -> dict[str, Any]:
    """Return the facts of the certificate, except number and date, which its issue adds."""
    assert ruling.grade is not None  # the form refuses a pass without one
    return {
        **lasting(case),
        **standard(case),
        "cluster": application.cluster,
        "brand": application.brand,
        "grade": ruling.grade,
        "grade_means": words(case)["grades"][ruling.grade],
        "points": weighing.points,
    }


def noted(case: Case, scores: list[Score], round_number: int | None, notes: list[str]) -> dict[str, Any]:
    """Return the curators' remarks by aspect, and the panel's wishes.

    Names and scores are left out.
    """
    aspects = words(case)["aspects"]
    remarks = [{"aspect": aspects[mark.aspect], "remark": mark.remark} for one in scores for mark in one.marks]
    return {
        **common(case),
        **standard(case),
        "round_number": round_number,
        "remarks": sorted(remarks, key=lambda remark: list(aspects.values()).index(remark["aspect"])),
        "notes": [one for one in notes if one],
    }


def returned(case: Case, wanted: list[Reason], time: str, limit: str) -> dict[str, Any]:
    """Return the deficiencies to be put right, how, and until when."""
    usual = words(case)["fix"]
    items = [
        {"what": f"{one.reason} ({one.rule})" if one.rule else one.reason, "fix": one.fix or usual} for one in wanted
    ]
    return common(case) | {
        "deficiencies": items,
        "due_on": this_step.due_date(case.rules[time]),
        "closes_on": this_step.due_date(case.rules[limit]),
    }


def offered(application: Application, data: ExportData) -> dict[str, Any]:
    """Return the offer to a buyer, as the owner stated it."""
    heading = data.hs_code or ""
    return {
        "brand": application.brand,
        "cluster": application.cluster,
        "hs_code": f"{heading[:4]}.{heading[4:6]}.{heading[6:]}",
        "price": f"{data.currency} {data.fob_price}",
        "capacity": f"{data.capacity} {data.unit}",
        "minimum_order": f"{data.minimum_order} {data.unit}",
        "lead_time_days": data.lead_time_days,
        "packaging": data.packaging,
        "destination": data.destination,
        "catalogue": data.catalogue,
        "ingredients": data.ingredients,
        "food_number": application.food_number or application.home_industry_number,
        "halal_number": application.halal_number,
        "brand_number": application.brand_number,
        "nib": application.nib,
    }


def enclosed(case: Case, application: Application, data: ExportData, quality: QualityControl) -> list[dict[str, str]]:
    """Return names, titles and hashes of the files that go with the product."""
    names = words(case)["files"]
    papers = {
        "nib": application.nib_paper,
        "food_permit": application.food_paper,
        "halal_certificate": application.halal_paper,
        "brand_certificate": data.brand_certificate,
        "nutrition_facts": data.nutrition,
        "lab_test": data.lab_test,
        "quality_control": quality.record,
        "photo": application.photo,
    }
    return [
        {"name": name, "title": names[name], "sha256": paper.removeprefix("sha256:")}
        for name, paper in papers.items()
        if paper
    ]
