"""Gates before curators see a product, and before it leaves the country, each with its rule."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from engine.pipeline import Case
from flows.facts import words
from flows.product_curation.forms import Application, ExportData


class Reason(BaseModel):
    """An obstacle, how to mend it, and the rule that says so."""

    model_config = ConfigDict(frozen=True)

    reason: str
    rule: str
    fix: str = ""


class Known(BaseModel):
    """The entries about the business in the office's own books, so that nobody types them twice."""

    model_config = ConfigDict(frozen=True)

    nib: str | None = None
    halal_number: str | None = None
    cluster: str = ""

    def in_the_form(self) -> dict[str, str]:
        """Return the prefilled part of the application."""
        return {name: value for name, value in self.model_dump().items() if value}


def reason(case: Case, sentence: str, rule: str, **about: str) -> Reason:
    """Return a deficiency in the owner's language."""
    said = words(case)["gates"][sentence]
    return Reason(reason=said["what"].format(**about), fix=said["fix"].format(**about), rule=rule)


def deficiencies(case: Case, application: Application, known: Known, today: date) -> list[Reason]:
    """Return the deficiencies that keep an application from the curators: none, as a rule."""
    found = legality(case, application, known)
    if application.cluster in case.rules.food_permit.value["clusters"]:
        found += food(case, application, known, today)
    if application.other_houses:
        houses = ", ".join(application.other_houses)
        found.append(reason(case, "other_houses", case.rules.one_house.citation, houses=houses))
    return found


def legality(case: Case, application: Application, known: Known) -> list[Reason]:
    """Return the deficiency of a business that sells without a NIB, in our books or shown."""
    rule = case.rules.nib_gate.citation
    if known.nib and application.nib != known.nib:
        return [reason(case, "nib_differs", rule, known=known.nib)]
    if not application.nib or not (known.nib or application.nib_paper):
        return [reason(case, "nib", rule)]
    return []


def food(case: Case, application: Application, known: Known, today: date) -> list[Reason]:
    """Return the deficiencies of food: its permit, halal certificate and list of ingredients.

    Packaged food needs P-IRT or MD; food must be certified halal from its due day on.
    """
    found = []
    permit = case.rules.food_permit.citation
    if application.packaged and not application.food_number:
        if not application.home_industry_number:
            found.append(reason(case, "food_permit", permit))
        elif application.frozen:
            found.append(reason(case, "frozen", permit))
    if (application.home_industry_number or application.food_number) and not application.food_paper:
        found.append(reason(case, "food_paper", permit))
    if not known.halal_number and today >= halal_due(case):
        if not application.halal_number:
            found.append(reason(case, "halal", case.rules.halal_due.citation))
        elif not application.halal_paper:
            found.append(reason(case, "halal_paper", case.rules.halal_due.citation))
    if not application.ingredients:
        found.append(reason(case, "ingredients", case.rules.prohibited_ingredients.citation))
    return found


def halal_due(case: Case) -> date:
    """Return the day from which food and drink of a business of this scale must be certified."""
    limits = case.rules.business_scale_by_sales.value
    sales = case.facts.business.annual_sales_rupiah
    scale = next((scale for scale in ("micro", "small", "medium") if sales <= limits[scale]), "large")
    due: date = case.rules.halal_due.value[scale]
    return due


def before_export(case: Case, application: Application, data: ExportData) -> list[Reason]:
    """Return the obstacles to an export: prohibited ingredients, brand, missing papers."""
    prohibited = case.rules.prohibited_ingredients
    found = [
        reason(case, "prohibited", prohibited.citation, ingredient=one, country=data.destination or "")
        for one in application.ingredients
        if any(word in one.casefold() for word in prohibited.value.get(data.destination, []))
    ]
    papers = case.rules.export_papers
    if not (application.brand_number or data.brand_certificate):
        found.append(reason(case, "brand", papers.citation, brand=application.brand))
    if application.cluster in papers.value["clusters"] and not (data.nutrition and data.lab_test):
        found.append(reason(case, "food_papers", papers.citation))
    return found
