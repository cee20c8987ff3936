"""Halal self-declaration: the owner states, a companion checks, the fatwa committee decides.

UU 33/2014 Pasal 4A and 33A (UU 6/2023), PP 42/2024 Pasal 98, criteria of Kepkaban BPJPH 150/2022 and 146/2025. BPJPH
issues the certificate; this office accompanies the owner, pays through a programme, and records. It makes up no number.
"""

from __future__ import annotations

from engine.pipeline import Case, Ending, Question, Role, Silence, ask, close, hand_on, issue, pipeline
from flows.halal_self_declare.criteria import (
    Deficiency,
    Known,
    Reason,
    in_words,
    nib_of,
    remarks,
    stated_so_far,
    unchecked,
    wanted_by_others,
)
from flows.halal_self_declare.decisions import (
    BodyCheck,
    BodyEnd,
    Doubt,
    DoubtEnd,
    Facilitation,
    Fatwa,
    FatwaEnd,
    ReceiptEnd,
    Slot,
    Visit,
    VisitEnd,
)
from flows.halal_self_declare.forms import Application, Correction
from flows.halal_self_declare.register import look_for_the_same_products, look_up_companion
from flows.halal_self_declare.sihalal import certificate_of_bpjph, hand_in_to_bpjph
from flows.halal_self_declare.steps import (
    REFUSAL,
    announce_the_visit,
    ask_for_fixes,
    confirm_lapse,
    confirm_no_slot,
    confirm_not_halal,
    confirm_receipt,
    confirm_refusal,
    confirm_reroute,
    confirm_withdrawn,
    draft_refusal,
    examine,
    hand_over,
    look_up,
    outside_region,
    report_the_visit,
    say_that_the_committee_sits,
    say_that_there_is_a_waiting_list,
)
from flows.legal_time import start_legal_time

APPLICATION = Question(
    Application,
    of=Role.APPLICANT,
    due="application_time",
    silent_after="application_limit",
    signed=True,
    title="Isi pengajuan dan ikrar halal",
)
CORRECTION = Question(
    Correction,
    of=Role.APPLICANT,
    due="correction_time",
    silent_after="correction_limit",
    title="Perbaiki pengajuan Anda",
)
DOUBT = Question(Doubt, of=Role.OFFICER, due="doubt_time", title="Periksa bahan, nama, atau batas yang meragukan")
FACILITATION = Question(
    Facilitation, of=Role.OFFICER, due="slot_time", title="Tetapkan tempat dalam program fasilitasi"
)
VISIT = Question(
    Visit,
    of=Role.COMPANION,
    due="visit_time",
    other_institution=True,
    title="Kunjungi dan periksa bahan serta proses",
)
BODY_CHECK = Question(
    BodyCheck,
    of=Role.OFFICER,
    due="body_time",
    recorded_for="LP3H",
    apart_from=("visit",),
    title="Catat pemeriksaan LP3H",
)
FATWA = Question(
    Fatwa,
    of=Role.OFFICER,
    due="fatwa_time",
    recorded_for="Komite Fatwa",
    apart_from=("visit",),
    title="Catat ketetapan Komite Fatwa",
)


class Outcome(Ending):
    """The endings of a self-declare case."""

    CERTIFIED = "certified", "Bersertifikat halal, sertifikat tercatat"
    REROUTED = "rerouted", "Dialihkan ke jalur reguler"
    REFUSED = "refused", "Tidak dapat diproses"
    NOT_HALAL = "not_halal", "Ditetapkan tidak halal oleh Komite Fatwa"
    NO_SLOT = "no_slot", "Tidak mendapat tempat fasilitasi"
    NOT_SUBMITTED = "not_submitted", "Gugur: pengajuan tidak diisi"
    NOT_CORRECTED = "not_corrected", "Gugur: pengajuan tidak diperbaiki"
    WITHDRAWN = "withdrawn", "Ditarik oleh pemohon"


def withdrawn(case: Case, reason: str) -> Outcome:
    """End the case because the applicant withdrew the application, at whatever wait."""
    confirm_withdrawn(case, reason)
    return Outcome.WITHDRAWN


@pipeline(
    "halal-self-declare",
    version=1,
    title="Sertifikasi halal: pernyataan mandiri",
    prefix="HSD",
    subject="business",
    outcomes=Outcome,
    on_withdrawal=withdrawn,
    clock="service_time",
)
def halal_self_declare(case: Case) -> Outcome:
    """Take the owner's own statement to a recorded halal certificate, or say clearly why not."""
    known = look_up(case)
    confirm_receipt(case, known)
    if obstacles := outside_region(case):
        return refuse(case, obstacles, "not_here_advice")

    application = ask(APPLICATION, known=known.stated() | case.carried, note=known.asked_of_the_owner())
    if isinstance(application, Silence):
        return lapse(case, application, Outcome.NOT_SUBMITTED, "missing_application", "pengajuan tidak diisi")
    eligible = put_in_order(case, application, known, [])
    if isinstance(eligible, Outcome):
        return eligible

    start_legal_time(case)
    same = look_for_the_same_products(case, eligible)
    while (slot := ask(FACILITATION, note=same)).decision is not Slot.GRANTED:
        if slot.decision is Slot.REFUSED:
            confirm_no_slot(case, slot.reason)
            return close(case, Outcome.NO_SLOT, slot.reason)
        say_that_there_is_a_waiting_list(case, slot.reason)
    announce_the_visit(case, slot)

    while isinstance(wanted := decide(case, eligible, known, slot.companion_body), list):
        eligible = put_in_order(case, eligible, known, wanted_by_others(case, wanted))
        if isinstance(eligible, Outcome):
            return eligible
    return wanted


def put_in_order(case: Case, application: Application, known: Known, wanted: list[Deficiency]) -> Application | Outcome:
    """Have the owner put right what is wanted until the criteria find no more, or end the case."""
    accepted: set[str] = set()
    while True:
        if wanted:
            ask_for_fixes(case, wanted)
            correction = ask(CORRECTION)
            if isinstance(correction, Silence):
                return lapse(
                    case, correction, Outcome.NOT_CORRECTED, "missing_correction", "pengajuan tidak diperbaiki"
                )
            application = application.corrected(correction)
        finding = examine(case, application, known)
        if doubts := finding.doubts(accepted):
            if ask(DOUBT, note=in_words(doubts)).decision is DoubtEnd.CONFIRMED:
                if finding.haram:
                    return refuse(case, finding.haram, "haram_advice")
                return reroute(case, application, [*finding.regular, *finding.critical])
            accepted |= {one.reason for one in doubts}
        if finding.regular:
            return reroute(case, application, finding.regular)
        if not finding.deficiencies:
            return application
        wanted = finding.deficiencies


def decide(case: Case, application: Application, known: Known, companion_body: str) -> Outcome | list[str]:
    """Have a companion check on the spot, then each body decide.

    Return the ending, or the deficiencies that the owner has to put right first. Whoever checked as a companion records no decision
    about it (``apart_from`` of the questions): ISO/IEC 17065, 7.5 and 7.6.
    """
    note = f"{remarks(case, application)}; LP3H {companion_body}"
    replaced: set[str] = set()
    while True:
        visit = ask(VISIT, apart_from=replaced, note=note)
        companion = look_up_companion(case, visit, companion_body)
        if companion.refused:
            note = companion.refused
            continue
        if visit.decision is VisitEnd.NOT_ELIGIBLE:
            return reroute(case, application, [Reason(reason=visit.reason, rule="Pemeriksaan pendamping PPH")])
        if visit.decision is VisitEnd.RETURN:
            return visit.deficiencies
        if left_out := unchecked(application, [check.what for check in visit.ingredients]):
            note = f"Belum diperiksa: {', '.join(left_out)}"
            continue
        report = report_the_visit(case, visit)
        check = ask(BODY_CHECK, note=companion.remark)
        if check.decision is BodyEnd.FORWARD:
            break
        if check.decision is BodyEnd.RETURN:
            return check.deficiencies
        replaced.add(visit.by)
        note = f"LP3H meminta pendamping lain: {check.reason}"

    nib = nib_of(application, known) or ""
    receipt = hand_in_to_bpjph(
        case,
        application=application,
        nib=nib,
        pledged_at=application.at,
        companion_number=visit.companion_number,
    )
    if receipt.decision is ReceiptEnd.RETURNED:
        return receipt.deficiencies
    say_that_the_committee_sits(case, receipt.number, report)

    fatwa = ask(FATWA)
    if fatwa.decision is FatwaEnd.RETURN:
        return fatwa.deficiencies
    if fatwa.decision is FatwaEnd.NOT_HALAL:
        confirm_not_halal(case, fatwa.reason, fatwa.source)
        return close(case, Outcome.NOT_HALAL, fatwa.reason)

    record = certificate_of_bpjph(
        case,
        note=f"Ketetapan halal (KH) {fatwa.fatwa_number}; yang dicatat di sini nomor SH",
        nib=nib,
        receipt_number=receipt.number,
        kh_number=fatwa.fatwa_number,
    )
    hand_over(case, record, fatwa.fatwa_number, application.changes_certificate)
    return close(case, Outcome.CERTIFIED, f"Sertifikat halal {record.number} dari BPJPH tercatat")


def reroute(case: Case, application: Application, reasons: list[Reason]) -> Outcome:
    """Go on along the regular path, with every reason and all that was stated.

    It is no refusal, and nothing has to be typed twice.
    """
    regular = hand_on("halal-regular", stated_so_far(application))
    confirm_reroute(case, reasons, regular.number)
    return close(case, Outcome.REROUTED, in_words(reasons))


def refuse(case: Case, reasons: list[Reason], advice: str) -> Outcome:
    """Refuse by a numbered and signed decision that gives every reason."""
    refusal = issue(REFUSAL, draft_refusal(case, reasons, advice))
    confirm_refusal(case, reasons, advice, refusal)
    return close(case, Outcome.REFUSED, in_words(reasons))


def lapse(case: Case, silence: Silence, outcome: Outcome, missing: str, reason: str) -> Outcome:
    """End a case whose applicant was silent past the limit."""
    confirm_lapse(case, missing, silence.asked_on, silence.due_on or silence.asked_on)
    return close(case, outcome, f"{reason} sampai batas waktu")
