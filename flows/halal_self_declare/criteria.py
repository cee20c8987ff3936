"""The criteria of self-declaration in force on the case's rule date, read as reasons."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict

from engine.pipeline import Case, rupiah_in_words
from flows.facts import words
from flows.halal_self_declare.forms import Application, Ingredient, Kind, Scale, Technology
from rules import Rule


class Reason(BaseModel):
    """A reason why an application can't go on here, and the rule that says so."""

    model_config = ConfigDict(frozen=True)

    reason: str
    rule: str


class Deficiency(BaseModel):
    """A deficiency that the owner has to put right, and how."""

    model_config = ConfigDict(frozen=True)

    field: str
    what: str
    fix: str


class Known(BaseModel):
    """The entries about this business in the office's own books."""

    model_config = ConfigDict(frozen=True)

    nib: str | None = None
    certificate: str | None = None

    def stated(self) -> dict[str, Any]:
        """Return the facts that the owner need not type again."""
        return {"nib": self.nib} if self.nib else {}

    def asked_of_the_owner(self) -> str:
        """Return the note to the owner: what to state besides products and process."""
        if self.certificate:
            return f"Sudah bersertifikat halal {self.certificate}: tulis di changes_certificate apa yang berubah"
        return f"NIB {self.nib} sudah tercatat" if self.nib else "NIB belum tercatat: isi kolom nib"


class Finding(BaseModel):
    """A finding of the criteria: haram, critical, for the regular path, or deficient.

    An application without any of these is eligible.
    """

    model_config = ConfigDict(frozen=True)

    haram: list[Reason] = []
    critical: list[Reason] = []
    regular: list[Reason] = []
    deficiencies: list[Deficiency] = []

    def doubts(self, accepted: set[str]) -> list[Reason]:
        """Return the doubts that words, or limits that are not law, raised.

        They end no case: an officer looks at what is meant.
        """
        return [one for one in (*self.haram, *self.critical) if one.reason not in accepted]


def in_words(reasons: list[Reason]) -> str:
    """Return the reasons as one line."""
    return "; ".join(one.reason for one in reasons)


def haram(case: Case, application: Application) -> list[Reason]:
    """Return the ingredients that can't be certified at all.

    UU 33/2014 Pasal 26 asks that such a product be labelled as not halal.
    """
    animal, drink = case.rules.haram_words.value, case.rules.alcohol_words.value
    names = [product.name for product in application.products if said_in(animal, product.name)]
    names += [one.name for one in ingredients(application) if said_in([*animal, *drink], one.name)]
    rule = case.rules.non_halal_label.citation
    return [Reason(reason=say(case, "haram", what=name), rule=rule) for name in dict.fromkeys(names)]


def for_regular(case: Case, application: Application) -> list[Reason]:
    """Return why this business must take the regular path by law, each with the decree in force."""
    return [reason for reason, by in beyond(case, application) if by.is_law]


def critical(case: Case, application: Application) -> list[Reason]:
    """Return doubtful reasons for the regular path: a word, or a limit that is not law.

    A word is, for example, meat without a certificate.
    """
    citation = case.rules.criteria.citation
    words_found = [
        Reason(reason=say(case, "critical", what=one.name), rule=citation)
        for one in ingredients(application)
        if needs_certificate(case, one)
    ]
    unsure = [reason for reason, by in beyond(case, application) if not by.is_law]
    return list(dict.fromkeys([*words_found, *unsure]))


def beyond(case: Case, application: Application) -> list[tuple[Reason, Rule]]:
    """Return the limits that the application exceeds, each with its rule."""
    rules = case.rules
    decree, preservation, industries = rules.criteria, rules.preservation_limit, rules.regular_industries
    limits = decree.value
    counted = [
        ("production_places", len(application.production_places), limits.get("production_places"), decree),
        ("outlets", len(application.outlets), limits.get("outlets"), decree),
        ("preservation", len(application.preservation), preservation.value, preservation),
    ]
    found: list[tuple[str, Rule]] = []
    if application.nib_scale in (Scale.MEDIUM, Scale.LARGE):
        found.append((say(case, "scale", what=words(case)["scales"][application.nib_scale]), decree))
    if application.annual_sales_rupiah > limits["sales"]:
        sales, limit = (
            rupiah_in_words(money, case.applicant.language)
            for money in (application.annual_sales_rupiah, limits["sales"])
        )
        found.append((say(case, "sales", what=sales, limit=limit), decree))
    found += [
        (say(case, name, what=str(count), limit=str(most)), by)
        for name, count, most, by in counted
        if most is not None and count > most
    ]
    if application.technology is Technology.AUTOMATIC:
        found.append((say(case, "technology"), decree))
    if not application.apart_from_non_halal:
        found.append((say(case, "not_apart"), decree))
    if case.facts.industry_code in industries.value:
        found.append((say(case, "industry", what=case.facts.industry_code), industries))
    return [(Reason(reason=reason, rule=by.citation), by) for reason, by in found]


def deficiencies(case: Case, application: Application, known: Known, nib_is_of_another: bool) -> list[Deficiency]:
    """Return the deficiencies for the owner to put right before people look at the application."""
    rules = case.rules
    found: list[tuple[str, str, str]] = []  # field, sentence, what it is about
    if nib_of(application, known) is None:
        found.append(("nib", "no_nib", ""))
    elif known.nib and application.nib not in (None, known.nib):
        found.append(("nib", "other_nib", known.nib))
    elif nib_is_of_another:
        found.append(("nib", "nib_of_another", ""))
    most = rules.eatery_limit.value if application.kind is Kind.EATERY else len(application.products)
    if len(application.products) > most:
        found.append(("products", "too_many", str(most)))
    if known.certificate and not application.changes_certificate:
        found.append(("changes_certificate", "no_change_said", known.certificate))
    unfit = [*rules.inadmissible_names.value, *rules.alcohol_words.value]
    found += [("products", "name", product.name) for product in application.products if said_in(unfit, product.name)]
    for one in ingredients(application):
        if said_in(rules.vague_words.value, one.name):
            found.append(("ingredients", "vague", one.name))
        elif not (one.certificate or one.exempt):
            found.append(("ingredients", "unproved", one.name))
    return [
        Deficiency(field=field, what=say(case, sentence, what=what), fix=words(case)[f"{sentence}_fix"])
        for field, sentence, what in dict.fromkeys(found)
    ]


def wanted_by_others(case: Case, wanted: list[str]) -> list[Deficiency]:
    """Return the deficiencies that a companion or another body names, in its own words."""
    fix = words(case)["returned_fix"]
    return [Deficiency(field="", what=what, fix=fix) for what in wanted]


def remarks(case: Case, application: Application) -> str:
    """Return what the companion should look at.

    An unconfirmed limit is shown to people, and decides nothing.
    """
    limit = case.rules.packaged_limit
    if application.kind is Kind.PACKAGED and len(application.products) > limit.value:
        return f"{len(application.products)} produk kemasan; {limit.citation}"
    return f"{len(application.products)} produk, {len(ingredients(application))} bahan"


def stated_so_far(application: Application) -> dict[str, Any]:
    """Return the owner's statements in the form of the regular path.

    Its form: flows/halal_regular/forms.py.
    """
    used = {one.name.casefold(): one for one in ingredients(application)}
    return {
        "decision": "submit",
        **({"nib": application.nib} if application.nib else {}),
        "products": [product.name for product in application.products],
        "ingredients": [one.model_dump(include={"name", "source", "certificate"}) for one in used.values()],
    }


def ingredients(application: Application) -> list[Ingredient]:
    """Return every ingredient of every product."""
    return [one for product in application.products for one in product.ingredients]


def unchecked(application: Application, seen: list[str]) -> list[str]:
    """Return the ingredients that a companion's list leaves out."""
    known = {name.casefold() for name in seen}
    return list(dict.fromkeys(one.name for one in ingredients(application) if one.name.casefold() not in known))


def needs_certificate(case: Case, ingredient: Ingredient) -> bool:
    """Return whether a slaughtered or critical ingredient lacks its obligatory certificate."""
    rules = case.rules
    name = ingredient.name
    for harmless in rules.not_slaughtered.value:
        name = re.sub(rf"\b{harmless}\b", "", name, flags=re.IGNORECASE)
    return not ingredient.certificate and said_in(rules.certificate_words.value, name)


def nib_of(application: Application, known: Known) -> str | None:
    """Return the NIB from the office's books, else the one that the owner states."""
    return known.nib or application.nib


def said_in(words: list[str], text: str) -> bool:
    """Return whether one of ``words`` stands in ``text`` as a word of its own, ignoring case."""
    return any(re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) for word in words)


def say(case: Case, sentence: str, **about: str) -> str:
    """Return a sentence of the rule book, filled in."""
    return str(words(case)[sentence]).format(**about)
