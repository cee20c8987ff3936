"""The regular path to a halal certificate: documents, audit, fatwa, certificate.

This office helps, may pay, and records. UU 33/2014 as amended by UU 6/2023. BPJPH verifies and certifies, an accredited inspection
body (LPH) audits, MUI rules, and the fatwa committee in its stead. None of their numbers is made up here: each is recorded with its
source and evidence.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from engine.pipeline import Case, Ending, Passed, Question, Role, Silence, ask, close, hand_on, local_date, pipeline
from flows.halal_regular.decisions import (
    Audit,
    AuditEnd,
    CheckEnd,
    CommitteeEnd,
    CommitteeRuling,
    DocumentCheck,
    Fatwa,
    FatwaEnd,
    Quote,
)
from flows.halal_regular.facilitation import facilitate
from flows.halal_regular.facts import wrote_the_manual
from flows.halal_regular.forms import (
    Application,
    CorrectiveAction,
    OfficePayment,
    Path,
    Payment,
)
from flows.halal_regular.sihalal import certificate_of_bpjph, receipt_of_bpjph
from flows.halal_regular.steps import (
    announce_audit,
    ask_for_fixes,
    ask_for_payment_again,
    ask_for_what_bpjph_wants,
    ask_for_what_mui_wants,
    check_quote,
    confirm_closing,
    confirm_halal,
    confirm_receipt,
    confirm_withdrawn,
    examine,
    hand_over,
    list_findings,
    say_that_audit_takes_longer,
    say_that_committee_decides,
    send_back,
    send_invoice,
    send_to_mui,
    spend,
)
from flows.legal_time import start_legal_time

APPLICATION = Question(
    Application,
    of=Role.APPLICANT,
    due="application_time",
    silent_after="application_limit",
    title="Ajukan permohonan sertifikasi halal",
)
DOCUMENT_CHECK = Question(
    DocumentCheck,
    of=Role.OFFICER,
    due="document_check_time",
    recorded_for="BPJPH",
    title="Catat hasil pemeriksaan dokumen BPJPH",
)
QUOTE = Question(
    Quote, of=Role.OFFICER, due="quote_time", recorded_for="LPH", title="Catat LPH yang dipilih dan biayanya"
)
PAYMENT = Question(
    Payment, of=Role.APPLICANT, due="payment_time", silent_after="payment_limit", title="Bayar tagihan, unggah buktinya"
)
OFFICE_PAYMENT = Question(OfficePayment, of=Role.OFFICER, due="payment_time", title="Bayar tagihan dari anggaran dinas")
AUDIT = Question(Audit, of=Role.OFFICER, due="audit_time", recorded_for="LPH", title="Catat hasil pemeriksaan LPH")
CORRECTIVE_ACTION = Question(
    CorrectiveAction, of=Role.APPLICANT, due="action_time", silent_after="action_limit", title="Perbaiki temuan audit"
)
FATWA = Question(
    Fatwa,
    of=Role.OFFICER,
    due="fatwa_time",
    passes="fatwa_passed",
    recorded_for="MUI",
    apart_from=("audit",),
    title="Catat hasil sidang fatwa MUI",
)
COMMITTEE_RULING = Question(
    CommitteeRuling,
    of=Role.OFFICER,
    due="committee_time",
    recorded_for="Komite Fatwa",
    apart_from=("audit",),
    title="Catat penetapan Komite Fatwa",
)


class Outcome(Ending):
    """The endings of a case on the regular path."""

    CERTIFIED = "certified", "Bersertifikat halal, sertifikat tercatat"
    NOT_HALAL = "not_halal", "Tidak halal: permohonan dikembalikan BPJPH dengan alasan"
    NOT_SUBMITTED = "not_submitted", "Gugur: permohonan tidak diisi"
    NOT_CORRECTED = "not_corrected", "Gugur: permohonan atau temuan tidak diperbaiki"
    NOT_PAID = "not_paid", "Gugur: tagihan tidak dibayar"
    STOPPED = "stopped", "Pemeriksaan dihentikan LPH"
    REROUTED = "rerouted", "Dialihkan ke jalur pernyataan mandiri"
    WITHDRAWN = "withdrawn", "Ditarik oleh pemohon"


def withdrawn(case: Case, reason: str) -> Outcome:
    """End the case because the applicant withdrew the application, at whatever wait."""
    confirm_withdrawn(case, reason)
    return Outcome.WITHDRAWN


@pipeline(
    "halal-regular",
    version=1,
    title="Sertifikasi halal: jalur reguler",
    prefix="HRG",
    subject="business",
    outcomes=Outcome,
    on_withdrawal=withdrawn,
    clock="service_time",
)
def halal_regular(case: Case) -> Outcome:
    """Take the owner's application to a recorded certificate of BPJPH, or say clearly why not."""
    confirm_receipt(case)
    application = hand_in(case, Outcome.NOT_SUBMITTED, case.carried)
    if isinstance(application, Outcome):
        return application
    by_office = application.office_pays and facilitate(case, application)

    while (check := ask(DOCUMENT_CHECK)).decision is CheckEnd.RETURN:
        ask_for_what_bpjph_wants(case, check.deficiencies)
        application = hand_in(case, Outcome.NOT_CORRECTED, application.stated())
        if isinstance(application, Outcome):
            return application

    start_legal_time(case)
    fault: str | None = None
    while fault := check_quote(case, application, quote := ask(QUOTE, note=fault)):
        pass
    total = send_invoice(case, quote, by_office)
    if not pay(case, total, by_office):
        return end(case, Outcome.NOT_PAID)
    receipt = receipt_of_bpjph(case, nib=application.nib)
    announce_audit(case, quote, receipt)
    return audit_and_rule(case, application, quote, receipt.number)


def hand_in(case: Case, if_silent: Outcome, known: dict[str, Any]) -> Application | Outcome:
    """Ask the owner for the application until it has no faults, or takes the self-declare path.

    The form holds what is known already: only what changes has to be typed.
    """
    while True:
        application = ask(APPLICATION, known=known)
        if isinstance(application, Silence):
            return end(case, if_silent)
        faults = examine(case, application)
        if not faults and application.decision is Path.SELF_DECLARE:
            other = hand_on("halal-self-declare", {"nib": application.nib})
            return end(case, Outcome.REROUTED, f"perkara baru {other.number}")
        if not faults:
            return application
        ask_for_fixes(case, faults)
        if_silent, known = Outcome.NOT_CORRECTED, application.stated()


def pay(case: Case, total: int, by_office: bool) -> bool:
    """Have the owner, or the office, pay the invoice to the rupiah; return whether it was paid."""
    note: str | None = None
    while True:
        payment = ask(OFFICE_PAYMENT, note=note) if by_office else ask(PAYMENT, note=note)
        if isinstance(payment, Silence):
            return False
        if payment.amount_rupiah == total:
            if by_office:
                spend(case, total)
            return True
        note = f"amount_rupiah: dibayar {payment.amount_rupiah}, tagihan {total}; jumlahnya harus sama, catat lagi"
        if not by_office:
            ask_for_payment_again(case, payment.amount_rupiah, total)


def audit_and_rule(case: Case, application: Application, quote: Quote, receipt_number: str) -> Outcome:
    """Have the inspection body audit and MUI rule.

    Products or ingredients that change after the audit are audited again.
    """
    while True:
        audit = audit_until_passed(case, application, quote)
        if isinstance(audit, Outcome):
            return audit
        audited = application
        due = send_to_mui(case)
        while isinstance(ruling := rule(case, due), Fatwa) and ruling.decision is FatwaEnd.NEEDS_DATA:
            ask_for_what_mui_wants(case, ruling.data)
            handed_in = hand_in(case, Outcome.NOT_CORRECTED, application.stated())
            if isinstance(handed_in, Outcome):
                return handed_in
            application = handed_in
            if not application.same_products(audited):
                break
            due = send_to_mui(case)
        else:
            return conclude(case, ruling, application.nib, receipt_number)


def audit_until_passed(case: Case, application: Application, quote: Quote) -> Audit | Outcome:
    """Have the inspection body audit until it passes the products or stops.

    The owner mends what it finds.
    """
    note: str | None = None
    while (audit := impartial_audit(application, note)).decision is not AuditEnd.PASS:
        if audit.decision is AuditEnd.NOT_HALAL:
            send_back(case, quote.body, audit.reason, audit)
            return close(case, Outcome.NOT_HALAL, audit.reason)
        if audit.decision is AuditEnd.STOP:
            return end(case, Outcome.STOPPED, audit.reason)
        if audit.decision is AuditEnd.EXTENSION:
            note = say_that_audit_takes_longer(case, quote.body)
            continue
        list_findings(case, audit.findings)
        action = ask(CORRECTIVE_ACTION)
        if isinstance(action, Silence):
            return end(case, Outcome.NOT_CORRECTED)
        note = f"Tindakan perbaikan pemohon: {action.actions}"
    return audit


def impartial_audit(application: Application, note: str | None) -> Audit:
    """Return an audit by others than the consultant who wrote the manual; ask again for theirs."""
    while fault := wrote_the_manual(application, audit := ask(AUDIT, note=note)):
        note = fault
    return audit


def rule(case: Case, due: date) -> Fatwa | CommitteeRuling:
    """Have MUI rule, or the fatwa committee where MUI's time is over.

    Whoever recorded the audit records neither ruling.
    """
    note: str | None = None
    while isinstance(fatwa := ask(FATWA, note=note), Passed) or fatwa.decision is FatwaEnd.TIME_EXCEEDED:
        if isinstance(fatwa, Passed) or local_date(fatwa.at) > due:
            say_that_committee_decides(case)
            return ask(COMMITTEE_RULING)
        note = f"decision: waktu MUI baru lewat sesudah {due.isoformat()}; tunggu keputusannya, lalu catat"
    return fatwa


def conclude(case: Case, ruling: Fatwa | CommitteeRuling, nib: str, receipt_number: str) -> Outcome:
    """Record BPJPH's certificate for a halal ruling; else hand on its return with reasons."""
    if ruling.decision in (FatwaEnd.NOT_HALAL, CommitteeEnd.NOT_HALAL):
        body = FATWA.recorded_for if isinstance(ruling, Fatwa) else COMMITTEE_RULING.recorded_for
        send_back(case, body or "", ruling.reason, ruling)
        return close(case, Outcome.NOT_HALAL, ruling.reason)
    confirm_halal(case, ruling.kh_number)
    certificate = certificate_of_bpjph(case, nib=nib, receipt_number=receipt_number, kh_number=ruling.kh_number)
    hand_over(case, certificate, ruling.kh_number)
    return close(case, Outcome.CERTIFIED, f"sertifikat halal {certificate.number} dari BPJPH tercatat")


def end(case: Case, outcome: Outcome, detail: str = "") -> Outcome:
    """End a case and say what is to be done now; its slot in the programme is given back."""
    confirm_closing(case, outcome, detail)
    return close(case, outcome, detail or outcome.title_id)
