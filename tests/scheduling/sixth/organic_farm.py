"""Organic farms: the sixth pipeline, as a newcomer would write it. One file, one folder of templates, one stanza."""

from __future__ import annotations

from typing import Any, Literal

from engine.pipeline import (
    ApplicantForm,
    Case,
    Ending,
    Form,
    Issued,
    Letter,
    Paper,
    Question,
    Role,
    Silence,
    ask,
    close,
    issue,
    paper,
    pipeline,
    step,
    tell,
    this_step,
)


class Inspection(Form):
    """An inspector walks the farm."""

    decision: Literal["sound", "findings"]
    findings: list[str] = []


class Repairs(ApplicantForm):
    """The farmer says what was repaired."""

    repaired: str = ""


INSPECTION = Question(Inspection, of=Role.OFFICER, due="answer_time", title="Periksa kebun")
REPAIRS = Question(Repairs, of=Role.APPLICANT, due="answer_time", silent_after="answer_limit", title="Perbaiki temuan")

FINDINGS = Paper("findings", "Daftar temuan")
CERTIFICATE = Paper("farm_certificate", "Sertifikat kebun organik", series="ORG")
FAREWELL = Letter("farewell")


class Outcome(Ending):
    """How it ends."""

    CERTIFIED = "certified", "Kebun bersertifikat"
    LAPSED = "lapsed", "Gugur: temuan tidak diperbaiki"
    WITHDRAWN = "withdrawn", "Ditarik"


@pipeline(
    "organic-farm",
    version=1,
    title="Kebun organik",
    prefix="OFM",
    subject="business",
    outcomes=Outcome,
    on_withdrawal=lambda case, reason: Outcome.WITHDRAWN,
)
def organic_farm(case: Case) -> Outcome:
    """From inspection to certificate."""
    inspection = ask(INSPECTION)
    if inspection.findings:
        list_findings(case, inspection.findings)
        if isinstance(ask(REPAIRS), Silence):
            return close(case, Outcome.LAPSED, "temuan tidak diperbaiki")
    certificate = issue(CERTIFICATE, facts(case))
    say_farewell(case, certificate)
    return Outcome.CERTIFIED


@step
def list_findings(case: Case, findings: list[str]) -> None:
    """Hand out the findings."""
    paper(FINDINGS, facts(case) | {"date": this_step.today, "findings": findings})


@step
def say_farewell(case: Case, certificate: Issued) -> None:
    """Send the certificate."""
    tell(case.applicant, FAREWELL, facts(case) | {"number": certificate.number}, attach=[certificate.key])


def facts(case: Case) -> dict[str, Any]:
    """What every paper bears."""
    return {
        "case_number": case.number,
        "applicant_name": case.applicant.name,
        "business_name": case.facts.name,
        "region_name": case.region_code,
        "office": case.rules.office.value,
        "official": case.rules.signing_official.value,
    }
