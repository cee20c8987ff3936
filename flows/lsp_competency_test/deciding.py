"""Steps after an assessor's recommendation: appeal, plenary, decree, blank, certificate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from engine.pipeline import Case, Issued, Letter, Paper, assignable, paper, stand, step, tell, this_step
from flows.facts import words
from flows.lsp_competency_test import seats
from flows.lsp_competency_test.application import Application, ResultResponse
from flows.lsp_competency_test.assessment import AssessmentRecord
from flows.lsp_competency_test.blanks import CertificateBlank
from flows.lsp_competency_test.decisions import AppealEnd, AppealVote, PlenaryVote, Schedule, Seats, VoteEnd
from flows.lsp_competency_test.facts import asked, common, lasting, sheet, titled
from flows.lsp_competency_test.schemes import scheme_of, stands_of, years_after

FR_AK_04 = Paper("fr_ak_04", "FR.AK.04 Banding asesmen")
APPEAL_RULING = Paper("appeal_ruling", "Putusan banding")
MINUTES = Paper("plenary_minutes", "Berita acara pleno")
DECREE = Paper("decree", "Surat keputusan hasil uji kompetensi", series="SKH")
BLANK_REQUEST = Paper("blank_request", "Permohonan blanko sertifikat kepada BNSP")
CERTIFICATE = Paper("certificate_of_competence", "Sertifikat kompetensi", series="SKK")
NOT_YET_STATEMENT = Paper("not_yet_statement", "Surat keterangan hasil uji", series="SKT")

APPEAL_RECEIVED = Letter("appeal_received")
APPEAL_RULED = Letter("appeal_ruled")
NOT_YET = Letter("not_yet_competent")
CERTIFIED = Letter("certified")


class Verdict(BaseModel):
    """The plenary's verdict: K, BK with the failed units, or back to the assessor; with reasons."""

    model_config = ConfigDict(frozen=True)

    decision: VoteEnd
    reason: str = ""
    failed: list[str] = []
    decree: str = ""

    def decreed(self, decree: Issued) -> Verdict:
        """Return the verdict with the number of the decree that says it."""
        return self.model_copy(update={"decree": decree.number})


# -- the appeal


@step
def confirm_appeal(case: Case, application: Application, schedule: Schedule, response: ResultResponse) -> None:
    """Keep FR.AK.04 as a paper, and say who decides the appeal and in how many days."""
    facts = sheet(case, application, schedule, ("candidate", response)) | {
        "asked": asked(case, response, "ak_04"),
        "units": ", ".join(response.units) or words(case)["answers"]["all"],
        "reason": response.reason,
        "panel_size": case.rules.appeal_panel_size.value,
        "days": case.rules.appeal_resolution.value,
    }
    tell(case.applicant, APPEAL_RECEIVED, facts, attach=[paper(FR_AK_04, facts)])


@step
def propose_panel(case: Case, application: Application) -> list[str]:
    """Return the assessors who may hear the appeal: none who assessed or trained this candidate."""
    return free_for(case, "appeal_vote", application)[: case.rules.appeal_panel_size.value]


@step
def check_panel(case: Case, application: Application, panel: Seats) -> str:
    """Return who may not hear the appeal."""
    return fault_of_seats(case, "appeal_vote", application, panel)


@step
def rule_on_appeal(case: Case, application: Application, schedule: Schedule, votes: list[AppealVote]) -> AppealEnd:
    """Count the panel's votes; send the candidate the ruling in writing with each reason."""
    ruling = majority(votes) or AppealEnd.REJECTED
    facts = sheet(case, application, schedule, *(("panel", vote) for vote in votes)) | {
        "votes": ballots(case, votes),
        "ruling": words(case)["results"][ruling],
        "is_upheld": ruling is AppealEnd.UPHELD,
    }
    tell(case.applicant, APPEAL_RULED, facts, attach=[paper(APPEAL_RULING, facts)])
    return AppealEnd(ruling)


# -- the plenary


@step
def propose_plenary(case: Case, application: Application) -> list[str]:
    """Return the accounts that may sit in the plenary.

    None of them assessed or trained this candidate, or heard the appeal.
    """
    return free_for(case, "plenary_vote", application)[: case.rules.plenary_size.value]


@step
def check_plenary(case: Case, application: Application, plenary: Seats) -> str:
    """Return who may not sit in the plenary."""
    return fault_of_seats(case, "plenary_vote", application, plenary)


@step
def show_record(case: Case, schedule: Schedule, record: AssessmentRecord) -> str:
    """Return FR.AK.02 in one line, for the members who vote."""
    results = words(case)["results"]
    units = "; ".join(f"{one.code} {results[one.result]}" for one in record.units)
    return f"Asesor {seats.name_of(schedule.assessor)} merekomendasikan {results[record.decision]}: {units}"


@step
def count_votes(
    case: Case, application: Application, schedule: Schedule, record: AssessmentRecord, votes: list[PlenaryVote]
) -> Verdict:
    """Count the votes and keep the minutes.

    K against a unit that is BK, BK of no unit, and no majority: back to the assessor.
    """
    decision = majority(votes) or VoteEnd.RETURN
    failed = [one.code for one in record.units if one.result == "not_yet_competent"]
    if decision is VoteEnd.COMPETENT and failed:
        decision = VoteEnd.RETURN
    if decision is VoteEnd.NOT_YET:
        named = {code for vote in votes if vote.decision is decision for code in vote.units}
        failed = [one.code for one in record.units if one.code in named or one.code in failed]
        decision = decision if failed else VoteEnd.RETURN
    reason = "; ".join(vote.reason for vote in votes if vote.reason) or "unit BK tidak dapat diputuskan K"
    facts = sheet(case, application, schedule, *(("plenary", vote) for vote in votes)) | {
        "votes": ballots(case, votes),
        "recommendation": words(case)["results"][record.decision],
        "verdict": words(case)["results"][decision],
    }
    paper(MINUTES, facts)
    if decision is not VoteEnd.RETURN:
        seats.note_decision(case, schedule, "K" if decision is VoteEnd.COMPETENT else "BK")
    return Verdict(decision=VoteEnd(decision), reason=reason, failed=failed)


@step
def draft_decree(case: Case, application: Application, schedule: Schedule, verdict: Verdict) -> dict[str, Any]:
    """Draft the decree of the LSP's head on the plenary's verdict."""
    facts = sheet(case, application, schedule) | {
        "verdict": words(case)["results"][verdict.decision],
        "units": titled(case, application, [unit["code"] for unit in scheme_of(case, application.scheme)["units"]]),
        "failed": titled(case, application, verdict.failed),
    }
    del facts["date"], facts["link"], facts["signatures"]
    return facts


# -- not yet competent


@step
def draft_statement(case: Case, application: Application, verdict: Verdict) -> dict[str, Any]:
    """Draft the statement of the units that are not yet competent."""
    return lasting(case) | {
        "scheme_title": scheme_of(case, application.scheme)["title"],
        "failed": titled(case, application, verdict.failed),
        "reason": verdict.reason,
        "decree_number": verdict.decree,
    }


@step
def tell_not_yet(case: Case, verdict: Verdict, statement: Issued, may_retest: bool) -> date | None:
    """Send the statement; return the first day of a retest, None where the limit is reached."""
    again_from = this_step.today + timedelta(days=case.rules.retest_gap.value) if may_retest else None
    facts = common(case) | {"failed": verdict.failed, "reason": verdict.reason, "again_from": again_from}
    tell(case.applicant, NOT_YET, facts | {"document_number": statement.number}, attach=[statement.key])
    return again_from


# -- competent


class BlankRequested(BaseModel):
    """The request to BNSP: scheme, day of the plenary, who is BK, and the officer's part."""

    model_config = ConfigDict(frozen=True)

    note: str
    scheme: str
    minutes: str
    decided_on: date
    not_yet: list[int]

    def of_bnsp(self) -> dict[str, Any]:
        """Return the arguments of the request to BNSP itself."""
        return self.model_dump(exclude={"note"})


@step
def request_blank(case: Case, application: Application, schedule: Schedule, verdict: Verdict) -> BlankRequested:
    """Write the request to BNSP with all who were decided on that day at that site, K and BK.

    The office's copy bears masked NIK: people open its case. BNSP's own list needs them whole.
    """
    candidates = seats.decided(schedule)
    rows = [
        {name: getattr(one, name) for name in ("case_number", "name", "result", "national_id")} for one in candidates
    ]
    head = sheet(case, application, schedule) | {"decree_number": verdict.decree, "candidates": rows}
    del head["signatures"]
    paper(BLANK_REQUEST, head)
    note = (
        f"Kirim permohonan blanko dengan berita acara pleno dan SK {verdict.decree} kepada BNSP ({len(candidates)} asesi, "
        "K dan BK). Salinan kita menyamarkan NIK; daftar untuk BNSP memuat NIK lengkap"
    )
    return BlankRequested(
        note=note,
        scheme=scheme_of(case, application.scheme)["title"],
        minutes=verdict.decree,
        decided_on=this_step.today,
        not_yet=[one.person_id for one in candidates if one.result == "BK"],
    )


@step
def check_blank(case: Case, blank: CertificateBlank) -> str:
    """Return why BNSP's number can't be recorded: another certificate bears it."""
    if seats.number_is_taken(blank.certificate_number):
        return (
            f"certificate_number: {blank.certificate_number} sudah tercatat pada sertifikat lain; periksa lagi ke BNSP"
        )
    return ""


@step
def draft_certificate(case: Case, application: Application, blank: CertificateBlank, decree: str) -> dict[str, Any]:
    """Draft the certificate: BNSP's numbers, the scheme, and until when."""
    scheme = scheme_of(case, application.scheme)
    return lasting(case) | {
        "scheme_title": scheme["title"],
        "scheme_standard": scheme["standard"],
        "unit_count": len(scheme["units"]),
        "certificate_number": blank.certificate_number,
        "registration_number": blank.registration_number,
        "issued_by_bnsp_on": blank.issued_on,
        "valid_until": ends_on(case, blank),
        "decree_number": decree,
    }


@step
def hand_over(case: Case, application: Application, blank: CertificateBlank, certificate: Issued) -> None:
    """Record the standings of the certificate; tell its holder the duties and when to renew."""
    until = ends_on(case, blank)
    for what in stands_of(case, application):
        stand(what, reference=blank.certificate_number, until=until)
    facts = common(case) | {
        "scheme_title": scheme_of(case, application.scheme)["title"],
        "certificate_number": blank.certificate_number,
        "document_number": certificate.number,
        "valid_until": until,
        "rcc_from": until - timedelta(days=case.rules.rcc_window.value),
    }
    tell(case.applicant, CERTIFIED, facts, attach=[certificate.key])


def ends_on(case: Case, blank: CertificateBlank) -> date:
    """Return the last day of a certificate: the printed one, else so many years from its issue."""
    return blank.valid_until or years_after(blank.issued_on, case.rules.certificate_validity.value)


def free_for(case: Case, question: str, application: Application) -> list[str]:
    """Return accounts that may answer that question, except those that trained the candidate."""
    return assignable(case, question, apart_from=application.trainers)


def fault_of_seats(case: Case, question: str, application: Application, named: Seats) -> str:
    """Return the named accounts that may not sit."""
    barred = sorted(set(named.members) - set(free_for(case, question, application)))
    if barred:
        return (
            f"members: {', '.join(barred)} tidak boleh ikut memutuskan (peran, sertifikat, pernah melatih atau menilai asesi, "
            "atau benturan kepentingan); pilih orang lain"
        )
    return ""


def majority(votes: Sequence[AppealVote] | Sequence[PlenaryVote]) -> Any:
    """Return the vote of more than half; None where there is none."""
    [(decision, count)] = Counter[StrEnum](vote.decision for vote in votes).most_common(1)
    return decision if 2 * count > len(votes) else None


def ballots(case: Case, votes: Sequence[AppealVote] | Sequence[PlenaryVote]) -> list[dict[str, str]]:
    """Return each member's vote and reason in words."""
    return [
        {
            "name": seats.name_of(vote.by),
            "vote": words(case)["results"][vote.decision],
            "reason": vote.reason or words(case)["answers"]["none"],
        }
        for vote in votes
    ]
