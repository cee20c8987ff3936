"""Steps on the way to a NIB: each writes its papers and letters in one transaction, once."""

from __future__ import annotations

from datetime import date
from typing import Any

from engine.pipeline import (
    Case,
    Issued,
    Letter,
    Paper,
    Passed,
    paper,
    stand,
    step,
    tell,
    this_step,
)
from flows.facts import common, lasting, objection_window, scale_of, words
from flows.nib_legalization.application import Application, Reason, proposed_risk
from flows.nib_legalization.facts import industry, next_steps, verifier
from models.privacy import masked

RECEIPT = Paper("receipt", "Tanda terima permohonan")
COMPLETENESS_NOTICE = Paper("completeness_notice", "Pemberitahuan kelengkapan berkas")
RISK_SHEET = Paper("risk_sheet", "Lembar klasifikasi risiko")
STATEMENT_PAPER = Paper("statement", "Pernyataan mandiri")
RETURN_NOTICE = Paper("return_notice", "Pemberitahuan perbaikan berkas")
REFUSAL = Paper("refusal", "Surat penolakan dengan alasan", series="TLK")
WITHDRAWAL_CONFIRMATION = Paper("withdrawal_confirmation", "Konfirmasi penarikan permohonan")
LAPSE_NOTICE = Paper("lapse_notice", "Pemberitahuan permohonan gugur")
HANDOVER_NOTE = Paper("handover_note", "Catatan serah terima")
CERTIFICATE = Paper("certificate_of_legalization", "Sertifikat legalisasi usaha", series="LEG")

RECEIVED = Letter("receipt")
COMPLETE = Letter("completeness")
RETURNED = Letter("return_notice")
SIGN_PLEASE = Letter("risk_sheet")
VERIFYING = Letter("verification_started")
DEADLINE_PASSED = Letter("deadline_passed")
DEEMED_APPROVED = Letter("deemed_approved")
LEGALIZED = Letter("legalized")
ALREADY_LEGAL = Letter("already_legal")
REFUSED = Letter("refused")
REFUSED_BY_VERIFIER = Letter("rejected_by_verifier")
REROUTED = Letter("rerouted")
LAPSED = Letter("lapsed")
WITHDRAWN = Letter("withdrawn")


# -- steps -----------------------------------------------------------------------------------------------------------


@step
def confirm_receipt(case: Case) -> None:
    """Thank the owner, with a receipt that says until when they hear from the office."""
    facts = common(case) | {
        "received_at": this_step.now,
        "received_from": case.applicant.name,
        "received_by": case.rules.office.value["unit"],
        "items": words(case)["received"],
        "answer_by": this_step.due_date(case.rules.check_time),
    }
    tell(case.applicant, RECEIVED, facts, attach=[paper(RECEIPT, facts)])


@step
def examine(case: Case) -> list[Reason]:
    """Return the obstacles to this application in this programme: none, as a rule."""
    regions, scales = case.rules.admitted_regions, case.rules.admitted_scales
    obstacles = []
    if not any(case.region_code.startswith(region) for region in regions.value):
        obstacles.append(Reason(reason=words(case)["not_here"], rule=regions.citation))
    if scale_of(case) not in scales.value:
        obstacles.append(Reason(reason=words(case)["not_umk"], rule=scales.citation))
    return obstacles


@step
def propose_risk(case: Case, application: Application) -> str:
    """Return the note for the companion: the risk that the rule table proposes.

    It goes by this industry code and scale.
    """
    level = proposed_risk(case, application.industry_code)
    scale = words(case)["scales"][scale_of(case)]
    return f"KBLI {application.industry_code}, skala {scale}: tabel mengusulkan {level or 'tidak ada'}"


@step
def ask_for_fixes(case: Case, deficiencies: list[str]) -> None:
    """Return the dossier with each deficiency, how to mend it, and until when."""
    return_dossier(case, deficiencies)


@step
def ask_for_fixes_of_dpmptsp(case: Case, deficiencies: list[str]) -> None:
    """Hand on DPMPTSP's deficiencies, in its words."""
    return_dossier(case, deficiencies)


@step
def confirm_completeness(case: Case) -> None:
    """Say that the dossier is complete: from here the office's own time runs."""
    facts = common(case) | {
        "complete_on": this_step.today,
        "items": words(case)["checked"],
        "next_step": words(case)["next_step"],
        "decide_by": this_step.due_date(case.rules.service_time),
    }
    tell(case.applicant, COMPLETE, facts, attach=[paper(COMPLETENESS_NOTICE, facts)])


@step
def hand_out_risk_sheet(case: Case, application: Application) -> None:
    """Explain the industry code and the risk level, and ask for the signature."""
    rule = case.rules.risk_by_industry
    facts = common(case) | {
        **industry(case, application),
        "scale_rule": case.rules.business_scale_by_sales.citation,
        "capital_rupiah": case.facts.capital_rupiah,
        "annual_sales_rupiah": case.facts.annual_sales_rupiah,
        "risk_rule": rule.citation,
        "rules_as_of": case.opened_on,
        "obtains": case.rules.risk_obtains.value[application.risk_level][case.applicant.language],
        "advised_by": case.rules.office.value["unit"],
        "caution": words(case)["caution"] if rule.standing != "law" else None,
        "due_on": this_step.due_date(case.rules.statement_time),
        "closes_on": this_step.due_date(case.rules.statement_limit),
    }
    tell(case.applicant, SIGN_PLEASE, facts, attach=[paper(RISK_SHEET, facts)])


@step
def confirm_statement(case: Case, application: Application, signed_by: str, on_paper: bool) -> None:
    """Keep the statement as a paper: its text, its signer, and how it was signed."""
    companion = None if on_paper or signed_by == case.applicant.handle else signed_by
    facts = common(case) | {
        **industry(case, application),
        "national_id": masked(case.facts.owner.national_id),
        "address": application.address,
        "signed_at": this_step.now,
        "signed_with_code": None if on_paper else masked(case.facts.owner.phone or signed_by),
        "signed_on_paper": words(case)["scanned"] if on_paper else None,
        "signed_by_companion": companion,
        "mandate": companion,
    }
    paper(STATEMENT_PAPER, facts)


@step
def say_that_verification_began(case: Case, application: Application) -> None:
    """Tell the owner that DPMPTSP decides now, and what may not be done before."""
    due = this_step.due_date(case.rules.verification_time)
    facts = common(case) | industry(case, application) | {"due_on": due, "verifier": verifier(case)}
    tell(case.applicant, VERIFYING, facts)


@step
def say_that_the_deadline_passed(case: Case) -> None:
    """Say what is known: the deadline passed, and its legal effect is not confirmed."""
    facts = common(case) | {"due_on": this_step.today, "step": words(case)["verification"], "holder": verifier(case)}
    tell(case.applicant, DEADLINE_PASSED, facts)


@step
def say_that_approval_is_deemed(case: Case, passed: Passed) -> None:
    """Tell the owner what the law says of DPMPTSP's passed deadline, with the counted days."""
    facts = common(case) | {"due_on": passed.due_on, "authority": passed.authority, "citation": passed.citation}
    tell(case.applicant, DEEMED_APPROVED, facts, attach=[passed.computation])


@step
def hand_over(case: Case, application: Application, nib: str, certificate: Issued) -> None:
    """Hand the owner certificate and next steps, and open the way to halal and curation."""
    facts = common(case) | next_steps(case, nib) | industry(case, application)
    stand("legalized", reference=nib)
    note = paper(HANDOVER_NOTE, facts)
    tell(case.applicant, LEGALIZED, facts | {"document_number": certificate.number}, attach=[certificate.key, note])


@step
def confirm_already_legal(case: Case, application: Application, nib: str) -> None:
    """Record a NIB that is there already, and say how to add an activity to it.

    One NIK has one NIB.
    """
    facts = common(case) | next_steps(case, nib, add_code=application.industry_code)
    stand("legalized", reference=nib)
    tell(case.applicant, ALREADY_LEGAL, facts, attach=[paper(HANDOVER_NOTE, facts)])


@step
def draft_refusal(case: Case, reasons: list[Reason]) -> dict[str, Any]:
    """Draft the refusal: every reason with its rule, and until when the owner may object.

    UU 30/2014 Pasal 77.
    """
    return {
        **lasting(case),
        "reasons": [reason.model_dump() for reason in reasons],
        "advice": words(case)["advice"],
        "objection": objection_window(case),
    }


@step
def confirm_refusal(case: Case, reasons: list[Reason], refusal: Issued) -> None:
    """Send the refusal with its reasons in plain words."""
    facts = common(case) | {"reasons": [reason.model_dump() for reason in reasons], "objection": objection_window(case)}
    tell(case.applicant, REFUSED, facts, attach=[refusal.key])


@step
def confirm_refusal_of_dpmptsp(case: Case, reason: str, source: str) -> None:
    """Hand on DPMPTSP's refusal with its reason: the decision is DPMPTSP's, and so is the paper."""
    facts = common(case) | {
        "verifier": verifier(case),
        "reasons": [{"reason": reason, "rule": source}],
        "objection": {**objection_window(case), "to": verifier(case)},
    }
    tell(case.applicant, REFUSED_BY_VERIFIER, facts)


@step
def confirm_reroute(case: Case, application: Application, agency: str, reason: str) -> None:
    """Say which agency is in charge, and why."""
    facts = common(case) | industry(case, application) | {"destination": agency, "reason": reason}
    tell(case.applicant, REROUTED, facts)


@step
def confirm_lapse(case: Case, reason: str, asked_on: date, due_on: date) -> None:
    """Say that the case ended unanswered, and that applying again is free."""
    facts = common(case) | {
        "asked_on": asked_on,
        "due_on": due_on,
        "lapsed_on": this_step.today,
        "missing": [words(case)["missing"]],
        "reason": reason,
    }
    tell(case.applicant, LAPSED, facts, attach=[paper(LAPSE_NOTICE, facts)])


@step
def confirm_decline(case: Case, reason: str) -> None:
    """Confirm that the owner declined the statements, without which OSS takes no filing."""
    confirm_end_by_applicant(case, reason)


@step
def confirm_withdrawn(case: Case, reason: str) -> None:
    """Confirm that the application was withdrawn."""
    confirm_end_by_applicant(case, reason)


def return_dossier(case: Case, deficiencies: list[str]) -> None:
    """Write the return notice and its letter."""
    facts = common(case) | {
        "deficiencies": [{"what": what, "fix": words(case)["fix"]} for what in deficiencies],
        "due_on": this_step.due_date(case.rules.correction_time),
        "closes_on": this_step.due_date(case.rules.correction_limit),
    }
    tell(case.applicant, RETURNED, facts, attach=[paper(RETURN_NOTICE, facts)])


def confirm_end_by_applicant(case: Case, reason: str) -> None:
    """Write the confirmation that the applicant ended the case."""
    facts = common(case) | {"withdrawn_at": this_step.now, "withdrawn_by": case.applicant.name, "reason": reason}
    tell(case.applicant, WITHDRAWN, facts, attach=[paper(WITHDRAWAL_CONFIRMATION, facts)])
