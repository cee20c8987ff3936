"""NIB legalization: a small business gets its business number from OSS.

PP 28/2025 on risk-based licensing (before it PP 5/2021). OSS issues the NIB; DPMPTSP verifies medium-high and high
risks; this office checks, advises, files, records and certifies that it did. It never makes up a number.
"""

from __future__ import annotations

from engine.pipeline import Case, Ending, Passed, Question, Role, Silence, ask, close, issue, pipeline
from flows.legal_time import start_legal_time
from flows.nib_legalization.application import Application, Reason, application_of
from flows.nib_legalization.facts import certificate_facts
from flows.nib_legalization.filing import file_with_oss, seen_on_the_nib
from flows.nib_legalization.forms import (
    Classification,
    Completeness,
    Correction,
    DeadlineRuling,
    DossierCheck,
    ExistingNibCheck,
    FilingEnd,
    KnownNib,
    Match,
    NibRecord,
    RulingEnd,
    Signing,
    Statement,
    Track,
    Verification,
    VerificationEnd,
)
from flows.nib_legalization.steps import (
    CERTIFICATE,
    REFUSAL,
    ask_for_fixes,
    ask_for_fixes_of_dpmptsp,
    confirm_already_legal,
    confirm_completeness,
    confirm_decline,
    confirm_lapse,
    confirm_receipt,
    confirm_refusal,
    confirm_refusal_of_dpmptsp,
    confirm_reroute,
    confirm_statement,
    confirm_withdrawn,
    draft_refusal,
    examine,
    hand_out_risk_sheet,
    hand_over,
    propose_risk,
    say_that_approval_is_deemed,
    say_that_the_deadline_passed,
    say_that_verification_began,
)

EXISTING_NIB_CHECK = Question(
    ExistingNibCheck, of=Role.OFFICER, due="check_time", title="Periksa NIB yang disebut pemohon di OSS"
)
DOSSIER_CHECK = Question(DossierCheck, of=Role.OFFICER, due="check_time", title="Periksa kelengkapan berkas")
CORRECTION = Question(
    Correction, of=Role.APPLICANT, due="correction_time", silent_after="correction_limit", title="Lengkapi berkas Anda"
)
CLASSIFICATION = Question(
    Classification, of=Role.COMPANION, due="advice_time", title="Tetapkan KBLI dan tingkat risiko bersama pemohon"
)
STATEMENT = Question(
    Statement,
    of=Role.APPLICANT,
    due="statement_time",
    silent_after="statement_limit",
    signed=True,
    title="Tanda tangani pernyataan mandiri",
)
VERIFICATION = Question(
    Verification,
    of=Role.OFFICER,
    due="verification_time",
    passes="verification_passed",
    recorded_for="DPMPTSP",
    title="Catat keputusan verifikasi DPMPTSP",
)
DEADLINE_RULING = Question(
    DeadlineRuling,
    of=Role.DIVISION_HEAD,
    due="ruling_time",
    apart_from=("verification",),
    title="Putuskan setelah tenggat DPMPTSP lewat",
)
NIB_RECORD = Question(
    NibRecord, of=Role.OFFICER, due="record_time", apart_from=("oss_filing",), title="Cocokkan NIB dengan berkas"
)


class Outcome(Ending):
    """The endings of a NIB case."""

    LEGALIZED = "legalized", "NIB tercatat, usaha dilegalkan"
    ALREADY_LEGAL = "already_legal", "Sudah memiliki NIB, diteruskan"
    REFUSED = "refused", "Tidak dapat diproses"
    REFUSED_BY_DPMPTSP = "refused_by_dpmptsp", "Ditolak oleh DPMPTSP"
    REROUTED = "rerouted", "Dialihkan ke instansi teknis"
    NOT_CORRECTED = "not_corrected", "Gugur: berkas tidak dilengkapi"
    NOT_SIGNED = "not_signed", "Gugur: pernyataan tidak ditandatangani"
    DECLINED = "declined", "Pemohon menolak membuat pernyataan"
    WITHDRAWN = "withdrawn", "Ditarik oleh pemohon"


def withdrawn(case: Case, reason: str) -> Outcome:
    """End the case because the applicant withdrew the application, at whatever wait."""
    confirm_withdrawn(case, reason)
    return Outcome.WITHDRAWN


@pipeline(
    "nib-legalization",
    version=1,
    title="Legalisasi NIB",
    prefix="NIB",
    subject="business",
    outcomes=Outcome,
    on_withdrawal=withdrawn,
    clock="service_time",
)
def nib_legalization(case: Case) -> Outcome:
    """Take a registered business to a recorded NIB, or to a clear reason why not."""
    application = application_of(case)
    confirm_receipt(case)
    if obstacles := examine(case):
        return refuse(case, obstacles)

    if application.stated_nib:
        known = ask(EXISTING_NIB_CHECK)
        if known.decision is KnownNib.VALID:
            return hand_on_as_legal(case, application, application.stated_nib)

    while (check := ask(DOSSIER_CHECK)).decision is not Completeness.COMPLETE:
        if check.decision is Completeness.REJECT:
            return refuse(case, [Reason(reason=check.reason, rule="Pemeriksaan berkas")])
        ask_for_fixes(case, check.deficiencies)
        correction = ask(CORRECTION)
        if isinstance(correction, Silence):
            return lapse(case, correction, Outcome.NOT_CORRECTED, "berkas tidak dilengkapi sampai batas waktu")
        application = application.corrected(correction)
    confirm_completeness(case)
    start_legal_time(case)

    classification = ask(CLASSIFICATION, note=propose_risk(case, application))
    application = application.classified(classification)
    if classification.decision is Track.REROUTE:
        confirm_reroute(case, application, classification.agency, classification.reason)
        return close(case, Outcome.REROUTED, classification.reason)
    hand_out_risk_sheet(case, application)

    statement = ask(STATEMENT)
    if isinstance(statement, Silence):
        return lapse(case, statement, Outcome.NOT_SIGNED, "pernyataan mandiri tidak ditandatangani sampai batas waktu")
    if statement.decision is Signing.DECLINE:
        confirm_decline(case, statement.reason)
        return close(case, Outcome.DECLINED, statement.reason or "pemohon tidak bersedia membuat pernyataan")
    confirm_statement(case, application, statement.by, on_paper=statement.paper is not None)

    return file_and_record(case, application, statement)


def file_and_record(case: Case, application: Application, statement: Statement) -> Outcome:
    """File at OSS until it takes the filing, have DPMPTSP verify, and record the NIB.

    DPMPTSP verifies only where the risk asks for it.
    """
    while True:
        filing = file_with_oss(case, application=application, signed_at=statement.at)
        if filing.decision is FilingEnd.REFUSED:
            ask_for_fixes(case, [filing.reason])
            correction = ask(CORRECTION)
            if isinstance(correction, Silence):
                return lapse(
                    case, correction, Outcome.NOT_CORRECTED, "data yang ditolak OSS tidak diperbaiki sampai batas waktu"
                )
            application = application.corrected(correction)
            continue
        if ask(NIB_RECORD, note=seen_on_the_nib(case, filing)).decision is Match.MATCH:
            break
    assert filing.nib is not None  # the form refuses a filing that was taken and bears no number
    if filing.decision is FilingEnd.ALREADY_REGISTERED:
        return hand_on_as_legal(case, application, filing.nib)

    if application.risk_level.needs_verification:
        end = wait_for_dpmptsp(case, application)
        if end is not Outcome.LEGALIZED:
            return end

    certificate = issue(CERTIFICATE, certificate_facts(case, application, filing.nib, filing.issued_on))
    hand_over(case, application, filing.nib, certificate)
    return close(case, Outcome.LEGALIZED, f"NIB {filing.nib} dari OSS tercatat")


def wait_for_dpmptsp(case: Case, application: Application) -> Outcome:
    """Wait while DPMPTSP verifies; an officer records its decision.

    A passed deadline grants only what a law says that it grants.
    """
    say_that_verification_began(case, application)
    while True:
        verification = ask(VERIFICATION)
        if isinstance(verification, Passed):
            say_that_approval_is_deemed(case, verification)
            return Outcome.LEGALIZED
        if verification.decision is VerificationEnd.APPROVE:
            return Outcome.LEGALIZED
        if verification.decision is VerificationEnd.REJECT:
            confirm_refusal_of_dpmptsp(case, verification.reason, verification.source)
            return close(case, Outcome.REFUSED_BY_DPMPTSP, verification.reason)
        if verification.decision is VerificationEnd.RETURN:
            ask_for_fixes_of_dpmptsp(case, verification.deficiencies)
            if isinstance(silence := ask(CORRECTION), Silence):
                return lapse(
                    case, silence, Outcome.NOT_CORRECTED, "permintaan DPMPTSP tidak dipenuhi sampai batas waktu"
                )
        if verification.decision is VerificationEnd.DEADLINE_PASSED:
            say_that_the_deadline_passed(case)
            if ask(DEADLINE_RULING).decision is RulingEnd.GRANTED_IN_OSS:
                return Outcome.LEGALIZED


def hand_on_as_legal(case: Case, application: Application, nib: str) -> Outcome:
    """Record a business that has its NIB and hand it on; it is never refused."""
    confirm_already_legal(case, application, nib)
    return close(case, Outcome.ALREADY_LEGAL, f"NIB {nib} sudah ada di OSS")


def refuse(case: Case, reasons: list[Reason]) -> Outcome:
    """Refuse by a numbered and signed decision that gives every reason."""
    refusal = issue(REFUSAL, draft_refusal(case, reasons))
    confirm_refusal(case, reasons, refusal)
    return close(case, Outcome.REFUSED, "; ".join(reason.reason for reason in reasons))


def lapse(case: Case, silence: Silence, outcome: Outcome, reason: str) -> Outcome:
    """End a case whose applicant was silent past the limit."""
    confirm_lapse(case, reason, silence.asked_on, silence.due_on or silence.asked_on)
    return close(case, outcome, reason)
