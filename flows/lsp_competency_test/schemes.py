"""Rules of schemes, licence and test sites, and the faults that they find in a form."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from engine.pipeline import Case, Expiring, day_in_words, held, this_step
from flows.facts import words
from flows.lsp_competency_test.application import Application, Kind, SelfAssessment, UnitRow
from flows.lsp_competency_test.assessment import AssessmentRecord, Instrument, TestRecord
from flows.lsp_competency_test.decisions import Schedule
from rules import book


class Fault(BaseModel):
    """An obstacle to an application, and how to mend it."""

    model_config = ConfigDict(frozen=True)

    what: str
    fix: str


def scheme_of(case: Case, slug: str) -> dict[str, Any]:
    """Return title, units, requirements and standings of that scheme."""
    scheme: dict[str, Any] = case.rules.schemes.value[slug]
    return scheme


def units_of(case: Case, slug: str) -> list[str]:
    """Return the codes of a scheme's units."""
    return [unit["code"] for unit in scheme_of(case, slug)["units"]]


def stands_of(case: Case, application: Application) -> list[str]:
    """Return the standings that a certificate gives; of a curator one for each cluster, too."""
    whole: list[str] = scheme_of(case, application.scheme)["stands"]
    named = [f"{what}:{cluster.lower()}" for what in whole if what == "curator" for cluster in application.clusters]
    return list(dict.fromkeys(whole + named))


def licence_on(day: date) -> dict[str, Any]:
    """Return the LSP's licence as it is known today, not on the day of the case."""
    licence: dict[str, Any] = book("lsp_competency_test").at("licence", day).value
    return licence


def years_after(day: date, years: int) -> date:
    """Return the last day of so many years that begin on ``day``."""
    try:
        return day.replace(year=day.year + years) - timedelta(days=1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)


def bars(case: Case, application: Application) -> list[Fault]:
    """Return why this LSP can't certify in that scheme: its licence ended, or names it not."""
    licence = licence_on(this_step.today)
    if licence["until"] < this_step.today:
        until = day_in_words(licence["until"], case.applicant.language)
        return [fault(case, "licence_lapsed", number=licence["number"], until=until)]
    if application.scheme not in licence["schemes"]:
        return [fault(case, "out_of_scope", scheme=application.scheme, scope=", ".join(licence["schemes"]))]
    return []


def faults_of(case: Case, application: Application, unknown_trainers: list[str]) -> list[Fault]:
    """Return the faults of FR.APL.01 for the candidate to put right."""
    faults = []
    if application.national_id != case.facts.national_id:
        faults.append(fault(case, "national_id_differs"))
    if unknown_trainers:
        faults.append(fault(case, "unknown_trainers", accounts=", ".join(unknown_trainers)))
    if "curator" in scheme_of(case, application.scheme)["stands"] and not application.clusters:
        faults.append(fault(case, "no_clusters"))
    if application.kind is Kind.RECERTIFICATION:
        faults += faults_of_recertification(case, application)
    return faults


def faults_of_recertification(case: Case, application: Application) -> list[Fault]:
    """Return the faults of an application for RCC.

    RCC is for the holder of a certificate of the same scheme that is about to end, and has not ended.
    """
    what = scheme_of(case, application.scheme)["stands"]
    number = " ".join(application.previous_certificate.split())
    ours = [one for one in held(*what, kind="person", of=case.applicant.person_id) if one.reference == number]
    if not ours or ours[0].until is None:
        return [fault(case, "not_held", number=number)]
    opens = ours[0].until - timedelta(days=case.rules.rcc_window.value)
    if this_step.today < opens:
        until, opening = (day_in_words(day, case.applicant.language) for day in (ours[0].until, opens))
        return [fault(case, "too_early", until=until, opens=opening)]
    return []


# The answers that a renewal after three years prefills. Proofs are asked anew: they show how things are now.
LASTING = ("scheme", "education", "occupation", "employer", "trainers", "clusters")


def recertification(certificate: Expiring) -> dict[str, Any]:
    """Return the known part of FR.APL.01 for RCC.

    It is the old number, the scheme, and the statements of the first application.
    """
    known: dict[str, Any] = {"kind": Kind.RECERTIFICATION, "previous_certificate": certificate.number or ""}
    schemes: dict[str, Any] = certificate.rules.schemes.value
    fitting = [slug for slug, scheme in schemes.items() if set(scheme["stands"]) <= set(certificate.stands)]
    if len(fitting) == 1:
        known["scheme"] = fitting[0]
    named = [cluster for what, _, cluster in (one.partition(":") for one in certificate.stands) if what == "curator"]
    if clusters := [cluster for cluster in named if cluster]:
        known["clusters"] = clusters
    said = certificate.answers.get("application", {})
    return known | {name: said[name] for name in LASTING if said.get(name)}


def fault_of_units(wanted: Sequence[str], rows: Sequence[UnitRow]) -> str:
    """Return the units that are missing or do not belong there; None where the list is whole."""
    codes = [row.code for row in rows]
    if foreign := [code for code in codes if code not in wanted]:
        return f"units: unit {', '.join(foreign)} tidak ada dalam skema atau tidak diuji; hapus barisnya"
    if missing := [code for code in wanted if code not in codes]:
        return f"units: unit {', '.join(missing)} belum diisi; isi satu baris untuk tiap unit"
    return ""


def fault_of_claims(case: Case, application: Application, claims: SelfAssessment) -> str:
    """Return the fault of FR.APL.02."""
    return fault_of_units(units_of(case, application.scheme), claims.units)


def fault_of_date(case: Case, schedule: Schedule, not_before: date) -> str:
    """Return why the test can't be on that date: too early, the licence, or the MET number."""
    day = schedule.test_date
    if day < not_before:
        return f"test_date: paling awal {not_before.isoformat()}; pilih tanggal lain"
    if licence_on(this_step.today)["until"] < day:
        return f"test_date: lisensi LSP berakhir {licence_on(this_step.today)['until']}; pilih tanggal sebelum itu"
    if not day.year - case.rules.met_validity.value <= schedule.met_year <= day.year:
        return (
            f"met_number: {schedule.met_number} tidak berlaku pada {day.isoformat()} "
            f"({case.rules.met_validity.value} tahun); pilih asesor dengan MET yang berlaku"
        )
    return ""


def fault_of_test(schedule: Schedule, agreed_on: date | None, test: TestRecord, portfolio_only: bool) -> str:
    """Return the fault of a test's record: its date, or an instrument that was not planned."""
    if agreed_on and test.tested_on < agreed_on:
        return f"tested_on: FR.AK.01 baru ditandatangani {agreed_on.isoformat()}; uji tidak boleh mendahuluinya, periksa lagi"
    if test.tested_on != schedule.test_date:
        return f"tested_on: jadwal uji {schedule.test_date.isoformat()}; isi tanggal itu, atau mintalah jadwal baru"
    if test.tested_on > this_step.today:
        return "tested_on: uji belum dilaksanakan; catat sesudah uji"
    if portfolio_only and any(one.instrument is not Instrument.PORTFOLIO for one in test.records):
        return "records: RCC hanya memakai FR.IA.08; hapus perangkat lain"
    return ""


def fault_of_record(tested: Sequence[str], test: TestRecord, record: AssessmentRecord) -> str:
    """Return the fault of FR.AK.02: a unit too many, too few, or without an instrument."""
    if wrong := fault_of_units(tested, record.units):
        return wrong
    covered = {code for one in (*test.records, *record.records) for code in one.units}
    if bare := [code for code in tested if code not in covered]:
        return f"units: unit {', '.join(bare)} tidak ada dalam rekaman FR.IA; tambahkan pada records"
    return ""


def fault(case: Case, name: str, /, **told: str) -> Fault:
    """Return a fault in the candidate's language, filled in with its details."""
    text = words(case)["faults"][name]
    return Fault(what=text["what"].format(**told), fix=text["fix"].format(**told))
