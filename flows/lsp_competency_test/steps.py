"""Steps before a test and at an end: each writes its papers and letters, once."""

from __future__ import annotations

from engine.pipeline import Case, Letter, Paper, paper, step, tell, this_step
from flows.facts import words
from flows.lsp_competency_test import schemes, seats
from flows.lsp_competency_test.application import Application, SelfAssessment
from flows.lsp_competency_test.decisions import AdminCheck
from flows.lsp_competency_test.facts import common, or_none, sheet, title_of
from flows.lsp_competency_test.schemes import Fault

FR_APL_01 = Paper("fr_apl_01", "FR.APL.01 Permohonan sertifikasi kompetensi")
FR_APL_02 = Paper("fr_apl_02", "FR.APL.02 Asesmen mandiri")
RETURN_NOTICE = Paper("return_notice", "Pemberitahuan perbaikan")
CLOSING_NOTICE = Paper("closing_notice", "Pemberitahuan penutupan perkara")
WITHDRAWAL_CONFIRMATION = Paper("withdrawal_confirmation", "Konfirmasi penarikan permohonan")

RECEIVED = Letter("receipt")
RETURNED = Letter("return_notice")
ASSESS_YOURSELF = Letter("self_assessment")
CLOSED = Letter("closed")
WITHDRAWN = Letter("withdrawn")


@step
def confirm_receipt(case: Case) -> None:
    """Thank the candidate, and say what FR.APL.01 needs and until when."""
    facts = {
        "needs": words(case)["needs"],
        "answer_by": this_step.due_date(case.rules.application_time),
        "closes_on": this_step.due_date(case.rules.application_limit),
    }
    tell(case.applicant, RECEIVED, common(case) | facts)


@step
def find_bars(case: Case, application: Application) -> list[Fault]:
    """Return why this LSP can't certify in that scheme: its licence, as it stands today."""
    return schemes.bars(case, application)


@step
def examine(case: Case, application: Application) -> list[Fault]:
    """Return the faults of FR.APL.01 for the candidate to put right."""
    return schemes.faults_of(case, application, seats.unknown(application.trainers))


@step
def ask_for_fixes(case: Case, faults: list[Fault]) -> None:
    """Return FR.APL.01 with each fault of our own finding."""
    return_it(case, faults)


@step
def hand_back(case: Case, deficiencies: list[str]) -> None:
    """Return FR.APL.01 with what the officer found, in the officer's words."""
    return_it(case, [Fault(what=what, fix=words(case)["fix"]) for what in deficiencies])


@step
def accept_application(case: Case, application: Application, check: AdminCheck) -> list[str]:
    """Keep FR.APL.01 as a paper, and ask for the self-assessment; return its units."""
    text = words(case)
    facts = sheet(case, application, None, ("candidate", application), ("officer", check)) | {
        "kind": text["kinds"][application.kind],
        "address": or_none(case, case.facts.address),
        "education": application.education,
        "occupation": application.occupation,
        "employer": or_none(case, application.employer),
        "clusters": or_none(case, ", ".join(application.clusters)),
        "trainers": or_none(case, ", ".join(map(seats.name_of, application.trainers))),
        "previous_certificate": or_none(case, application.previous_certificate),
        "requirements": schemes.scheme_of(case, application.scheme)["requirements"],
        "proofs": [{"kind": text["proofs"][one.kind], "file": one.file[7:19]} for one in application.proofs],
        "units": schemes.scheme_of(case, application.scheme)["units"],
        "answer_by": this_step.due_date(case.rules.self_assessment_time),
        "closes_on": this_step.due_date(case.rules.self_assessment_limit),
    }
    tell(case.applicant, ASSESS_YOURSELF, facts, attach=[paper(FR_APL_01, facts)])
    return schemes.units_of(case, application.scheme)


@step
def check_claims(case: Case, application: Application, claims: SelfAssessment) -> str:
    """Return the fault of FR.APL.02: a unit too few or too many."""
    return schemes.fault_of_claims(case, application, claims)


@step
def keep_self_assessment(case: Case, application: Application, claims: SelfAssessment) -> None:
    """Keep FR.APL.02 as a paper."""
    units = [
        {
            "code": one.code,
            "title": title_of(case, application, one.code),
            "claim": words(case)["results"][one.claim],
            "evidence": or_none(case, (one.evidence or "")[7:19]),
        }
        for one in claims.units
    ]
    paper(FR_APL_02, sheet(case, application, None, ("candidate", claims)) | {"units": units})


# The endings against which the head of the LSP hears an appeal: flows/appeals.py.
CONTESTED = ("refused", "not_ready", "not_yet_competent")


@step
def confirm_closing(case: Case, outcome: str, detail: str) -> None:
    """Say why the case ends here, and what the candidate can do."""
    seats.release()
    appeal_until = this_step.due_date(case.rules.appeal_window) if outcome in CONTESTED else None
    said = {"detail": detail or None, "closed_on": this_step.today, "appeal_until": appeal_until}
    facts = common(case) | words(case)["closing"][outcome] | said
    tell(case.applicant, CLOSED, facts, attach=[paper(CLOSING_NOTICE, facts)])


@step
def confirm_withdrawn(case: Case, reason: str) -> None:
    """Confirm that the application was withdrawn."""
    seats.release()
    facts = common(case) | {"withdrawn_at": this_step.now, "withdrawn_by": case.applicant.name, "reason": reason}
    tell(case.applicant, WITHDRAWN, facts, attach=[paper(WITHDRAWAL_CONFIRMATION, facts)])


def return_it(case: Case, faults: list[Fault]) -> None:
    """Write the return notice and its letter."""
    facts = common(case) | {
        "deficiencies": [fault.model_dump() for fault in faults],
        "due_on": this_step.due_date(case.rules.application_time),
        "closes_on": this_step.due_date(case.rules.application_limit),
    }
    tell(case.applicant, RETURNED, facts, attach=[paper(RETURN_NOTICE, facts)])
