"""Steps around a test: schedule, plan, agreement, records and result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from engine.pipeline import Case, Issued, Letter, Paper, assignable, paper, step, tell, this_step
from flows.facts import words
from flows.lsp_competency_test import schemes, seats
from flows.lsp_competency_test.application import Agreement, Application, Feedback, SelfAssessment
from flows.lsp_competency_test.assessment import (
    AssessmentRecord,
    AssessmentReport,
    AssessorAgreement,
    Plan,
    TestRecord,
)
from flows.lsp_competency_test.decisions import Schedule
from flows.lsp_competency_test.facts import asked, common, or_none, sheet, title_of, titled, yes_or_no

ASSIGNMENT = Paper("assignment_letter", "Surat tugas asesor", series="STA")
FR_MAPA_01 = Paper("fr_mapa_01", "FR.MAPA.01 Merencanakan aktivitas dan proses asesmen")
FR_MAPA_02 = Paper("fr_mapa_02", "FR.MAPA.02 Peta instrumen asesmen")
FR_AK_01 = Paper("fr_ak_01", "FR.AK.01 Persetujuan asesmen dan kerahasiaan")
FR_IA = Paper("fr_ia", "FR.IA Rekaman perangkat asesmen")
FR_AK_02 = Paper("fr_ak_02", "FR.AK.02 Rekaman asesmen kompetensi")
FR_AK_03 = Paper("fr_ak_03", "FR.AK.03 Umpan balik dan catatan asesmen")
FR_AK_05 = Paper("fr_ak_05", "FR.AK.05 Laporan asesmen")
FR_AK_06 = Paper("fr_ak_06", "FR.AK.06 Meninjau proses asesmen")

SCHEDULED = Letter("schedule")
MISSED = Letter("absent")
RESULT = Letter("result")


@step
def propose_assessors(case: Case, scheme: str, kept_apart: Sequence[str], note: str) -> str:
    """Return the accounts that may assess this candidate today, for the officer who schedules."""
    technical = schemes.scheme_of(case, scheme)["assessed_by"]
    free = assignable(case, "assessment_review", holds=technical, apart_from=kept_apart)
    proposed = f"Asesor yang dapat ditugaskan: {', '.join(free) or 'tidak ada'}"
    return f"{note}. {proposed}" if note else proposed


@step
def book_test(
    case: Case, schedule: Schedule, application: Application, kept_apart: Sequence[str], not_before: date | None
) -> str:
    """Take a seat at the test site and with the assessor; return the fault, if there is one."""
    who, day = schedule.assessor, schedule.test_date
    if who in application.trainers:
        return f"assessor: {who} pernah melatih asesi; pilih asesor lain"
    if fault := schemes.fault_of_date(case, schedule, max(not_before or this_step.today, this_step.today)):
        return fault
    technical = schemes.scheme_of(case, application.scheme)["assessed_by"]
    if who not in assignable(case, "assessment_review", apart_from=kept_apart):
        return f"assessor: {who} tidak dapat ditugaskan (peran, sertifikat, lembaga, atau benturan kepentingan); pilih asesor lain"
    until = seats.certified_until(who, "assessor", technical)
    if until is None or until < day:
        return f"assessor: sertifikat {who} ({technical}) tidak berlaku pada {day.isoformat()}; pilih asesor lain"
    return seats.reserve(case, schedule)


@step
def draft_assignment(case: Case, application: Application, schedule: Schedule, units: Sequence[str]) -> dict[str, Any]:
    """Draft the assessor's letter of assignment."""
    facts = sheet(case, application, schedule) | {"units": titled(case, application, units)}
    del facts["date"], facts["link"], facts["signatures"]
    return facts


@step
def announce_test(case: Case, application: Application, schedule: Schedule, assignment: Issued) -> None:
    """Say who tests the candidate, where and when, and what it costs."""
    facts = sheet(case, application, schedule) | {
        "document_number": assignment.number,
        "funding": words(case)["funding"][schedule.funding],
        "fee_rupiah": schedule.fee_rupiah or None,
    }
    tell(case.applicant, SCHEDULED, facts)


@step
def show_claims(case: Case, claims: SelfAssessment) -> str:
    """Return the candidate's claims, for the assessor who reviews them."""
    results = words(case)["results"]
    return "FR.APL.02: " + "; ".join(f"{one.code} {results[one.claim]}" for one in claims.units)


@step
def check_plan(case: Case, units: Sequence[str], plan: Plan) -> str:
    """Return the fault of FR.MAPA: a unit too few or too many."""
    return schemes.fault_of_units(units, plan.units)


@step
def keep_plan(case: Case, application: Application, schedule: Schedule, plan: Plan) -> None:
    """Keep FR.MAPA.01 and FR.MAPA.02 as papers."""
    names = words(case)["instruments"]
    facts = sheet(case, application, schedule, ("assessor", plan)) | {
        "context": plan.context,
        "adjustments": or_none(case, plan.adjustments),
        "units": [
            {
                "code": one.code,
                "title": title_of(case, application, one.code),
                "instruments": ", ".join(f"{code} {names[code]}" for code in one.instruments),
                "potential": one.potential,
            }
            for one in plan.units
        ],
    }
    paper(FR_MAPA_01, facts)
    paper(FR_MAPA_02, facts)


@step
def keep_agreement(
    case: Case, application: Application, schedule: Schedule, agreement: Agreement, confirmed: AssessorAgreement
) -> None:
    """Keep FR.AK.01 as a paper: both sides' agreement, and how it was signed."""
    facts = sheet(case, application, schedule, ("candidate", agreement), ("assessor", confirmed)) | {
        "special_needs": or_none(case, agreement.special_needs),
        "on_paper": agreement.paper is not None,
        "appeal_days": case.rules.appeal_window.value,
    }
    paper(FR_AK_01, facts)


@step
def check_test(case: Case, schedule: Schedule, agreed_on: date | None, test: TestRecord, portfolio_only: bool) -> str:
    """Return the fault of a test's record."""
    return schemes.fault_of_test(schedule, agreed_on, test, portfolio_only)


@step
def say_that_test_was_missed(case: Case, schedule: Schedule) -> None:
    """Tell the candidate that they missed the test."""
    tell(case.applicant, MISSED, common(case) | {"test_date": schedule.test_date, "test_site": schedule.test_site})


@step
def check_record(case: Case, units: Sequence[str], test: TestRecord, record: AssessmentRecord) -> str:
    """Return the fault of FR.AK.02."""
    return schemes.fault_of_record(units, test, record)


@step
def keep_record(
    case: Case, application: Application, schedule: Schedule, test: TestRecord, record: AssessmentRecord
) -> None:
    """Keep the FR.IA records and FR.AK.02 as papers."""
    names, results = words(case)["instruments"], words(case)["results"]
    head = sheet(case, application, schedule, ("assessor", record))
    records = [
        {
            "code": one.instrument,
            "name": names[one.instrument],
            "units": ", ".join(one.units),
            "finding": one.finding,
            "file": one.file[7:19],
        }
        for one in (*test.records, *record.records)
    ]
    paper(FR_IA, head | {"records": records})
    units = [
        {
            "code": one.code,
            "title": title_of(case, application, one.code),
            "vatm": "/".join(
                yes_or_no(case, quality) for quality in (one.valid, one.authentic, one.current, one.sufficient)
            ),
            "result": results[one.result],
            "note": or_none(case, one.note),
        }
        for one in record.units
    ]
    paper(FR_AK_02, head | {"units": units, "recommendation": results[record.decision]})


@step
def keep_feedback(case: Case, application: Application, schedule: Schedule, feedback: Feedback) -> None:
    """Keep FR.AK.03 as a paper."""
    facts = {"asked": asked(case, feedback, "ak_03"), "note": or_none(case, feedback.note)}
    paper(FR_AK_03, sheet(case, application, schedule, ("candidate", feedback)) | facts)


@step
def tell_result(
    case: Case,
    application: Application,
    schedule: Schedule,
    record: AssessmentRecord,
    report: AssessmentReport,
    may_appeal: bool,
) -> None:
    """Keep FR.AK.05 and FR.AK.06; tell the recommendation, and until when to appeal."""
    recommendation = words(case)["results"][record.decision]
    head = sheet(case, application, schedule, ("assessor", report)) | {"recommendation": recommendation}
    paper(FR_AK_05, head | {"positive": report.positive, "negative": or_none(case, report.negative)})
    review = {
        "followed_principles": yes_or_no(case, report.followed_principles),
        "improvement": or_none(case, report.recommendation),
    }
    paper(FR_AK_06, head | review)
    appeal_until = this_step.due_date(case.rules.appeal_window) if may_appeal else None
    tell(case.applicant, RESULT, head | {"appeal_until": appeal_until})
