"""Steps on the regular path: each writes its papers, letters and slots in one transaction."""

from __future__ import annotations

from datetime import date

from engine.pipeline import Case, Letter, Paper, paper, stand, step, tell, this_step
from flows.facts import common, scale_of, words
from flows.halal_regular import slots
from flows.halal_regular.decisions import DocumentReceipt, HalalCertificate, Quote, Recorded
from flows.halal_regular.facts import (
    Fault,
    bars_to_self_declare,
    fault,
    faults_of,
    faults_of_quote,
    registration_fee,
    requested,
    rupiah,
)
from flows.halal_regular.forms import Application, Path

RECEIPT = Paper("receipt", "Tanda terima permohonan")
RETURN_NOTICE = Paper("return_notice", "Pemberitahuan perbaikan")
INVOICE = Paper("invoice", "Rincian tagihan")
NOT_HALAL_NOTICE = Paper("not_halal_notice", "Pengembalian permohonan dengan alasan")
HANDOVER_NOTE = Paper("handover_note", "Catatan serah terima")
CLOSING_NOTICE = Paper("closing_notice", "Pemberitahuan penutupan perkara")
WITHDRAWAL_CONFIRMATION = Paper("withdrawal_confirmation", "Konfirmasi penarikan permohonan")

RECEIVED = Letter("receipt")
RETURNED = Letter("return_notice")
INVOICED = Letter("invoice")
AUDIT_AHEAD = Letter("audit_schedule")
MORE_TIME = Letter("more_time")
FINDINGS = Letter("findings")
FATWA_RESULT = Letter("fatwa_result")
CERTIFIED = Letter("certified")
CLOSED = Letter("closed")
WITHDRAWN = Letter("withdrawn")


# -- steps -----------------------------------------------------------------------------------------------------------


@step
def confirm_receipt(case: Case) -> None:
    """Thank the owner, and say what the application needs and until when."""
    duty = case.rules.halal_duty
    facts = common(case) | {
        "received_at": this_step.now,
        "needs": words(case)["needs"],
        "answer_by": this_step.due_date(case.rules.application_time),
        "closes_on": this_step.due_date(case.rules.application_limit),
        "duty_from": duty.value[scale_of(case)] if case.facts.cluster in ("makanan", "minuman") else None,
        "duty_rule": duty.citation,
    }
    tell(case.applicant, RECEIVED, facts, attach=[paper(RECEIPT, facts)])


@step
def examine(case: Case, application: Application) -> list[Fault]:
    """Return the faults of the application, or of the wish to go over to the self-declare path."""
    if application.decision is Path.SELF_DECLARE:
        return bars_to_self_declare(case, application)
    faults = faults_of(case, application)
    if not slots.engage(case, application.supervisor.national_id):
        faults.append(fault(case, "supervisor_elsewhere", name=application.supervisor.name))
    return faults


@step
def ask_for_fixes(case: Case, faults: list[Fault]) -> None:
    """Return the application with each fault of our own finding."""
    return_it(case, faults, "application")


@step
def ask_for_what_bpjph_wants(case: Case, wishes: list[str]) -> None:
    """Hand on BPJPH's deficiencies, in its words."""
    return_it(case, requested(case, wishes, "application"), "application")


@step
def ask_for_what_mui_wants(case: Case, wishes: list[str]) -> None:
    """Hand on MUI's request for data, in its words."""
    return_it(case, requested(case, wishes, "application"), "application")


@step
def ask_for_payment_again(case: Case, paid: int, due: int) -> None:
    """Say both amounts: a payment must be the invoice, to the rupiah."""
    return_it(case, [fault(case, "amounts_differ", paid=rupiah(case, paid), due=rupiah(case, due))], "payment")


@step
def check_quote(case: Case, application: Application, quote: Quote) -> str:
    """Return why the inspection body or its cost can't be taken; nothing where they can."""
    return faults_of_quote(case, application, quote)


@step
def send_invoice(case: Case, quote: Quote, by_office: bool) -> int:
    """Send BPJPH's invoice with its parts; return the total."""
    total = registration_fee(case) + quote.amount_rupiah
    facts = common(case) | {
        "registration_rupiah": registration_fee(case),
        "registration_rule": case.rules.registration_fee.citation,
        "inspection_rupiah": quote.amount_rupiah,
        "inspection_body": quote.body,
        "total_rupiah": total,
        "by_office": by_office,
        "due_on": this_step.due_date(case.rules.payment_time),
        "closes_on": this_step.due_date(case.rules.payment_limit),
    }
    tell(case.applicant, INVOICED, facts, attach=[paper(INVOICE, facts)])
    return total


@step
def spend(case: Case, amount: int) -> None:
    """Book the office's payment against the slot."""
    slots.pay(amount)


@step
def announce_audit(case: Case, quote: Quote, receipt: DocumentReceipt) -> None:
    """Say who audits and until when, and that production must be running."""
    due = this_step.due_date(case.rules.audit_time)
    facts = {"inspection_body": quote.body, "due_on": due, "receipt_number": receipt.number}
    tell(case.applicant, AUDIT_AHEAD, common(case) | facts)


@step
def say_that_audit_takes_longer(case: Case, holder: str) -> str:
    """Tell the owner of the extension; return until when it runs, for the officer."""
    due = this_step.due_date(case.rules.extension_time)
    tell(case.applicant, MORE_TIME, common(case) | {"holder": holder, "due_on": due})
    return f"LPH meminta perpanjangan; hasil ditunggu sampai {due.isoformat()}"


@step
def list_findings(case: Case, findings: list[str]) -> None:
    """Send the findings of the audit, and until when to act on them."""
    return_it(case, requested(case, findings, "action"), "action", FINDINGS)


@step
def send_to_mui(case: Case) -> date:
    """Return until when MUI decides, from the day on which it has the inspection body's result."""
    return this_step.due_date(case.rules.fatwa_time)


@step
def say_that_committee_decides(case: Case) -> None:
    """Tell the owner that MUI's time went by, and that the fatwa committee decides instead."""
    due = this_step.due_date(case.rules.committee_time)
    tell(case.applicant, MORE_TIME, common(case) | {"holder": words(case)["committee"], "due_on": due})


@step
def confirm_halal(case: Case, kh_number: str) -> None:
    """Tell that the products are halal, and that BPJPH's certificate is still to come."""
    tell(case.applicant, FATWA_RESULT, common(case) | {"kh_number": kh_number, "reasons": []})


@step
def send_back(case: Case, decided_by: str, reason: str, record: Recorded) -> None:
    """Hand on the returned application with its reasons: UU 33/2014 Pasal 34 (2)."""
    slots.release()
    facts = common(case) | {
        "kh_number": None,
        "decided_by": decided_by,
        "reasons": [{"reason": reason, "rule": record.source}],
        "returned_by": "BPJPH",
        "law": case.rules.returned_with_reasons.citation,
    }
    tell(case.applicant, FATWA_RESULT, facts, attach=[paper(NOT_HALAL_NOTICE, facts)])


@step
def hand_over(case: Case, certificate: HalalCertificate, kh_number: str) -> None:
    """Record the certificate, mark the slot as used, and tell its holder the duties from now on."""
    slots.use()
    stand("halal_certified", reference=certificate.number)
    facts = common(case) | {
        "certificate_number": certificate.number,
        "issued_on": certificate.issued_on,
        "kh_number": kh_number,
        "duties": words(case)["duties"],
    }
    tell(case.applicant, CERTIFIED, facts, attach=[paper(HANDOVER_NOTE, facts)])


@step
def confirm_closing(case: Case, outcome: str, detail: str) -> None:
    """Say why the case ends here, that it is no refusal, and what the owner can do."""
    slots.release()
    facts = common(case) | words(case)["closing"][outcome] | {"detail": detail or None, "closed_on": this_step.today}
    tell(case.applicant, CLOSED, facts, attach=[paper(CLOSING_NOTICE, facts)])


@step
def confirm_withdrawn(case: Case, reason: str) -> None:
    """Confirm that the application was withdrawn."""
    slots.release()
    facts = common(case) | {"withdrawn_at": this_step.now, "withdrawn_by": case.applicant.name, "reason": reason}
    tell(case.applicant, WITHDRAWN, facts, attach=[paper(WITHDRAWAL_CONFIRMATION, facts)])


def return_it(case: Case, faults: list[Fault], answer: str, letter: Letter = RETURNED) -> None:
    """Write the return notice and its letter.

    ``answer`` names the rules for the time in which to answer, and its limit.
    """
    facts = common(case) | {
        "deficiencies": [fault.model_dump() for fault in faults],
        "due_on": this_step.due_date(case.rules[f"{answer}_time"]),
        "closes_on": this_step.due_date(case.rules[f"{answer}_limit"]),
    }
    tell(case.applicant, letter, facts, attach=[paper(RETURN_NOTICE, facts)])
