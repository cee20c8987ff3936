"""Findings of the rules about an application, and the facts of papers and letters."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from engine.pipeline import Case, day_in_words, rupiah_in_words, this_step
from flows.facts import scale_of, words
from flows.halal_regular.decisions import Audit, Quote
from flows.halal_regular.forms import Application
from rules import book
from rules.regions import region_name


class Fault(BaseModel):
    """An obstacle to an application, and how to mend it."""

    model_config = ConfigDict(frozen=True)

    what: str
    fix: str


def fault(case: Case, name: str, /, **told: str) -> Fault:
    """Return a fault in the applicant's language, filled in with its details."""
    text = words(case)["faults"][name]
    return Fault(what=text["what"].format(**told), fix=text["fix"])


def requested(case: Case, wishes: list[str], answer: str) -> list[Fault]:
    """Return another body's request, in its words, and where the owner answers it."""
    return [Fault(what=wish, fix=words(case)["fix"][answer]) for wish in wishes]


def rupiah(case: Case, amount: int) -> str:
    """Return an amount as the applicant reads it."""
    return rupiah_in_words(amount, case.applicant.language)


def registration_fee(case: Case) -> int:
    """Return BPJPH's fee for registration and determination, by scale."""
    return int(case.rules.registration_fee.value[scale_of(case)])


def inspection_ceiling(case: Case, application: Application) -> int:
    """Return the most that an inspection body may take, by scale and kind of product."""
    return int(case.rules.inspection_ceiling.value[scale_of(case)][application.kind])


def highest_cost(case: Case, application: Application) -> int:
    """Return the most that a certificate can cost: that much of the budget is reserved."""
    return registration_fee(case) + inspection_ceiling(case, application)


def faults_of(case: Case, application: Application) -> list[Fault]:
    """Return the faults of an application on the day: a slaughter certificate that ended."""
    until = application.slaughter_until
    if until is not None and until < this_step.today:
        return [fault(case, "slaughter_expired", until=day_in_words(until, case.applicant.language))]
    return []


def bars_to_self_declare(case: Case, application: Application) -> list[Fault]:
    """Return the bars that keep a business on the regular path.

    Its sales, a slaughterhouse, or meat without a certified source.
    """
    limit = case.rules.self_declare_sales_limit
    bars = []
    if case.facts.annual_sales_rupiah > limit.value:
        bars.append(fault(case, "sales_too_high", limit=rupiah(case, limit.value), rule=limit.citation))
    if application.has_meat and not all(one.certificate for one in application.ingredients if one.animal):
        bars.append(fault(case, "meat_uncertified"))
    elif application.kind == "slaughter":
        bars.append(fault(case, "slaughterhouse"))
    return bars


def wrote_the_manual(application: Application, audit: Audit) -> str:
    """Return the fault of an auditor who wrote the manual that they audit, or None.

    ISO/IEC 17065, 4.2.
    """
    author = bare_name(application.manual_author)
    name = next((one for one in audit.auditors if author and bare_name(one) == author), None)
    if name is None:
        return ""
    return (
        f"auditors: {name} menulis manual SJPH usaha ini, jadi tidak boleh mengauditnya; "
        "mintalah LPH menugaskan auditor lain, lalu catat hasil auditnya"
    )


def bare_name(name: str) -> str:
    """Return a name without capitals and degrees: "Dr. Budi Santoso, S.T." is "budi santoso"."""
    return " ".join(word for word in name.split(",")[0].casefold().split() if not word.endswith("."))


def faults_of_quote(case: Case, application: Application, quote: Quote) -> str:
    """Return why a quote can't be taken, for the officer who records it; nothing where it can.

    Accredited is who is on the list today, not on the day of the case.
    """
    bodies = book("halal_regular").at("accredited_bodies", this_step.today).value
    in_scope = {name for name, body in bodies.items() if application.kind in body["scopes"]}
    in_region = {name for name, body in bodies.items() if any(case.region_code.startswith(r) for r in body["regions"])}
    choice = f"pilih LPH lain: {', '.join(sorted(in_scope & in_region)) or 'belum ada, tanyakan kepada BPJPH'}"
    if quote.body not in bodies:
        return f"body: {quote.body} tidak ada di daftar LPH terakreditasi; {choice}"
    if quote.body not in in_scope:
        return f"body: {quote.body} tidak terakreditasi untuk lingkup {application.kind}; {choice}"
    if quote.body not in in_region:
        return f"body: {quote.body} tidak terakreditasi untuk wilayah {region_name(case.region_code)}; {choice}"
    ceiling = inspection_ceiling(case, application)
    if quote.amount_rupiah > ceiling:
        asked, most = rupiah_in_words(quote.amount_rupiah, "id"), rupiah_in_words(ceiling, "id")
        citation = case.rules.inspection_ceiling.citation
        return f"amount_rupiah: biaya LPH {asked} melebihi batas {most} ({citation}); mintalah LPH memperbaikinya"
    return ""
