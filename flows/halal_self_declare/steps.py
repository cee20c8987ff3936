"""Steps on the way to a halal certificate: each writes its papers and letters once.

All that a step writes stands in one transaction.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlmodel import select

from engine.pipeline import Case, Issued, Letter, Paper, held, paper, stand, step, tell, this_step
from flows.facts import common, lasting, objection_window, words
from flows.halal_self_declare.criteria import (
    Deficiency,
    Finding,
    Known,
    Reason,
    critical,
    deficiencies,
    for_regular,
    haram,
    nib_of,
)
from flows.halal_self_declare.decisions import CertificateRecord, Facilitation, Visit
from flows.halal_self_declare.facts import (
    as_visited,
    certified,
    eligibility,
    returned,
    what_is_known,
    with_reasons,
)
from flows.halal_self_declare.forms import Application
from models import Business

RECEIPT = Paper("receipt", "Tanda terima pengajuan")
RETURN_NOTICE = Paper("return_notice", "Pemberitahuan perbaikan pengajuan")
ELIGIBILITY_SHEET = Paper("eligibility_sheet", "Lembar kelayakan pernyataan mandiri")
VISIT_REPORT = Paper("visit_report", "Laporan kunjungan pendamping")
REROUTE_NOTE = Paper("reroute_note", "Catatan pengalihan ke jalur reguler")
REFUSAL = Paper("refusal", "Surat penolakan dengan alasan", series="TLK")
LAPSE_NOTICE = Paper("lapse_notice", "Pemberitahuan perkara ditutup")
WITHDRAWAL_CONFIRMATION = Paper("withdrawal_confirmation", "Konfirmasi penarikan pengajuan")
HANDOVER_NOTE = Paper("handover_note", "Catatan serah terima sertifikat halal")

REGISTERED = Letter("registered")
RETURNED = Letter("return_notice")
INGREDIENTS_UNPROVED = Letter("ingredients_unproved")
WAITING = Letter("waiting_list")
NO_SLOT = Letter("no_slot")
VISIT_COMES = Letter("visit_comes")
IN_SESSION = Letter("in_session")
NOT_HALAL = Letter("not_halal")
CERTIFIED = Letter("certified")
REROUTED = Letter("rerouted")
REFUSED = Letter("refused")
LAPSED = Letter("lapsed")
WITHDRAWN = Letter("withdrawn")


@step
def look_up(case: Case) -> Known:
    """Look up the business's NIB and halal certificate in the office's own books."""
    in_the_books = held("legalized", "halal_certified", kind="business", of=case.subject_id)
    found = {one.what: one.reference for one in in_the_books}
    return Known(
        nib=found.get("legalized") or case.facts.business_id_number,
        certificate=found.get("halal_certified"),
    )


@step
def confirm_receipt(case: Case, known: Known) -> None:
    """Tell the owner that the case is open, what the office knows, and what is to be stated."""
    facts = common(case) | {
        "received_at": this_step.now,
        "items": what_is_known(case, known.nib, known.certificate),
        "due_on": this_step.due_date(case.rules.application_time),
        "closes_on": this_step.due_date(case.rules.application_limit),
    }
    tell(case.applicant, REGISTERED, facts, attach=[paper(RECEIPT, facts)])


@step
def outside_region(case: Case) -> list[Reason]:
    """Return why a business of another province can't be served here; nothing, as a rule."""
    regions = case.rules.admitted_regions
    if any(case.region_code.startswith(region) for region in regions.value):
        return []
    return [Reason(reason=words(case)["not_here"], rule=regions.citation)]


@step
def examine(case: Case, application: Application, known: Known) -> Finding:
    """Apply the criteria in force on the day of the case.

    The finding is haram, for the regular path, deficient, or eligible.
    """
    nib = nib_of(application, known)
    others = select(Business.id).where(
        Business.business_id_number == nib, Business.owner_id != case.facts.owner.person_id
    )
    return Finding(
        haram=haram(case, application),
        critical=critical(case, application),
        regular=for_regular(case, application),
        deficiencies=deficiencies(
            case, application, known, nib_is_of_another=bool(nib) and this_step.session.exec(others).first() is not None
        ),
    )


@step
def ask_for_fixes(case: Case, wanted: list[Deficiency]) -> None:
    """Send the application back with each deficiency, how to mend it, and until when."""
    facts = returned(case, wanted)
    letter = INGREDIENTS_UNPROVED if all(one.field == "ingredients" for one in wanted) else RETURNED
    tell(case.applicant, letter, facts, attach=[paper(RETURN_NOTICE, facts)])


@step
def say_that_there_is_a_waiting_list(case: Case, reason: str) -> None:
    """Tell the owner that the programme is full now, and that their place in the list is kept."""
    tell(case.applicant, WAITING, common(case) | {"reason": reason})


@step
def confirm_no_slot(case: Case, reason: str) -> None:
    """Say that no programme pays, why, which way is open, and until when the owner may object."""
    tell(case.applicant, NO_SLOT, common(case) | {"reason": reason, "objection": objection_window(case)})


@step
def announce_the_visit(case: Case, slot: Facilitation) -> None:
    """Hand out the eligibility sheet, and say who comes until when."""
    facts = common(case) | {
        **eligibility(case),
        "programme": slot.programme,
        "companion_body": slot.companion_body,
        "visit_by": this_step.due_date(case.rules.visit_time),
        "visit_rule": case.rules.visit_time.citation,
    }
    tell(case.applicant, VISIT_COMES, facts, attach=[paper(ELIGIBILITY_SHEET, facts)])


@step
def report_the_visit(case: Case, visit: Visit) -> str:
    """Write the report of the visit."""
    return paper(VISIT_REPORT, common(case) | as_visited(case, visit))


@step
def say_that_the_committee_sits(case: Case, receipt_number: str, report: str) -> None:
    """Tell the owner that BPJPH took the dossier and the fatwa committee decides now."""
    facts = common(case) | {
        "receipt_number": receipt_number,
        "decide_by": this_step.due_date(case.rules.fatwa_time),
    }
    tell(case.applicant, IN_SESSION, facts, attach=[report])


@step
def confirm_not_halal(case: Case, reason: str, source: str) -> None:
    """Hand on the committee's decision with its reason: decision and paper are the committee's."""
    tell(case.applicant, NOT_HALAL, with_reasons(case, [Reason(reason=reason, rule=source)]))


@step
def hand_over(case: Case, record: CertificateRecord, fatwa_number: str, changes: str) -> None:
    """Record the halal certificate, without an end; say that every change must be reported."""
    facts = certified(case, record.number, record.issued_on, fatwa_number, changes)
    stand("halal_certified", reference=record.number)
    tell(case.applicant, CERTIFIED, facts, attach=[paper(HANDOVER_NOTE, facts)])


@step
def confirm_reroute(case: Case, reasons: list[Reason], goes_on_as: str) -> None:
    """Say why the product needs the regular path, by which rule, and its new number there."""
    facts = with_reasons(case, reasons) | {"rules_as_of": case.opened_on, "goes_on_as": goes_on_as}
    tell(case.applicant, REROUTED, facts, attach=[paper(REROUTE_NOTE, facts)])


@step
def draft_refusal(case: Case, reasons: list[Reason], advice: str) -> dict[str, Any]:
    """Draft the refusal: every reason with its rule, and until when the owner may object.

    UU 30/2014 Pasal 77.
    """
    return lasting(case) | {
        "reasons": [one.model_dump() for one in reasons],
        "advice": words(case)[advice],
        "objection": objection_window(case),
    }


@step
def confirm_refusal(case: Case, reasons: list[Reason], advice: str, refusal: Issued) -> None:
    """Send the refusal with its reasons in plain words."""
    facts = with_reasons(case, reasons) | {"advice": words(case)[advice], "objection": objection_window(case)}
    tell(case.applicant, REFUSED, facts, attach=[refusal.key])


@step
def confirm_lapse(case: Case, missing: str, asked_on: date, due_on: date) -> None:
    """Say that the case ended unanswered, and that applying again is free."""
    dates = {"asked_on": asked_on, "due_on": due_on, "lapsed_on": this_step.today}
    facts = common(case) | dates | {"missing": [words(case)[missing]]}
    tell(case.applicant, LAPSED, facts, attach=[paper(LAPSE_NOTICE, facts)])


@step
def confirm_withdrawn(case: Case, reason: str) -> None:
    """Confirm that the application was withdrawn."""
    facts = common(case) | {"withdrawn_at": this_step.now, "withdrawn_by": case.applicant.name, "reason": reason}
    tell(case.applicant, WITHDRAWN, facts, attach=[paper(WITHDRAWAL_CONFIRMATION, facts)])
