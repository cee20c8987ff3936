"""LSP competency test: from FR.APL.01 to a certificate that bears BNSP's number.

Pedoman BNSP 201 (after ISO/IEC 17024), 301 and 302. The assessor recommends, the plenary decides, none of whom assessed or
trained the candidate; an appeal goes to another panel. BNSP numbers the certificate; this LSP never makes a number up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from engine.pipeline import Case, Ending, Silence, ask, ask_each, close, issue, local_date, pipeline
from flows.lsp_competency_test import deciding, questions, testing
from flows.lsp_competency_test.application import Application, Kind, ResponseEnd, Result, RetestEnd, SelfAssessment
from flows.lsp_competency_test.assessment import AssessmentRecord, ReviewEnd, TestEnd, TestRecord
from flows.lsp_competency_test.blanks import CERTIFICATE_BLANK, ask_bnsp
from flows.lsp_competency_test.deciding import Verdict
from flows.lsp_competency_test.decisions import AppealEnd, CheckEnd, Schedule, VoteEnd
from flows.lsp_competency_test.schemes import recertification
from flows.lsp_competency_test.steps import (
    accept_application,
    ask_for_fixes,
    check_claims,
    confirm_closing,
    confirm_receipt,
    confirm_withdrawn,
    examine,
    find_bars,
    hand_back,
    keep_self_assessment,
)


class Outcome(Ending):
    """The endings of a competency test."""

    CERTIFIED = "certified", "Kompeten, sertifikat diterbitkan"
    NOT_YET_COMPETENT = "not_yet_competent", "Belum kompeten"
    NOT_READY = "not_ready", "Asesmen tidak dilanjutkan, disarankan pelatihan"
    ABSENT = "absent", "Tidak hadir pada uji"
    REFUSED = "refused", "Permohonan tidak dapat diterima"
    NOT_COMPLETED = "not_completed", "Gugur: formulir tidak diisi"
    WITHDRAWN = "withdrawn", "Ditarik oleh asesi"


@dataclass(frozen=True)
class Trial:
    """The present trial: application, claims, units still to be shown, and earlier attempts."""

    application: Application
    claims: SelfAssessment
    units: Sequence[str]
    portfolio_only: bool
    not_before: date | None = None
    appealed: bool = False


@dataclass(frozen=True)
class Assessed:
    """An assessor's findings: the schedule with the assessor's name, FR.IA records, FR.AK.02."""

    schedule: Schedule
    test: TestRecord
    record: AssessmentRecord


def withdrawn(case: Case, reason: str) -> Outcome:
    """End the case because the candidate withdrew the application, at whatever wait."""
    confirm_withdrawn(case, reason)
    return Outcome.WITHDRAWN


@pipeline(
    "lsp-competency-test",
    version=1,
    title="Uji kompetensi LSP",
    prefix="LSP",
    subject="person",
    outcomes=Outcome,
    on_withdrawal=withdrawn,
    renews=recertification,
)
def lsp_competency_test(case: Case) -> Outcome:
    """Take a candidate's application through test and plenary; failed units may be tested again."""
    confirm_receipt(case)
    accepted = hand_in(case)
    if isinstance(accepted, Outcome):
        return accepted
    application, units = accepted
    claims = assess_oneself(case, application, units)
    if isinstance(claims, Outcome):
        return claims

    trial = Trial(application, claims, units, portfolio_only=application.kind is Kind.RECERTIFICATION)
    retests = 0
    while True:
        assessed = assess(case, trial, barred=())
        if isinstance(assessed, Outcome):
            return assessed
        if not trial.appealed and appeals(case, trial, assessed):
            trial = replace(trial, appealed=True)
            if uphold(case, trial, assessed):
                assessed = assess(case, trial, barred=(assessed.schedule.assessor,))
                if isinstance(assessed, Outcome):
                    return assessed
        assessed, verdict = decide(case, trial, assessed)
        if verdict.decision is VoteEnd.COMPETENT:
            return certify(case, trial, assessed, verdict)
        again_from = wants_retest(case, trial, verdict, may_retest=retests < case.rules.retests.value)
        if again_from is None:
            return end(case, Outcome.NOT_YET_COMPETENT)
        retests += 1
        trial = replace(trial, units=verdict.failed, portfolio_only=False, not_before=again_from)


def hand_in(case: Case) -> tuple[Application, list[str]] | Outcome:
    """Ask for FR.APL.01 until it has no faults and the officer accepts it; or end the case.

    The case ends where this LSP can't test the candidate.
    """
    while True:
        application = ask(questions.APPLICATION, known=case.carried)
        if isinstance(application, Silence):
            return end(case, Outcome.NOT_COMPLETED)
        if bars := find_bars(case, application):
            return end(case, Outcome.REFUSED, "; ".join(f"{bar.what}. {bar.fix}" for bar in bars))
        if faults := examine(case, application):
            ask_for_fixes(case, faults)
            continue
        check = ask(questions.ADMIN_CHECK, apart_from=[application.by])
        if check.decision is CheckEnd.ACCEPT:
            return application, accept_application(case, application, check)
        if check.decision is CheckEnd.REJECT:
            return end(case, Outcome.REFUSED, check.reason)
        hand_back(case, check.deficiencies)


def assess_oneself(case: Case, application: Application, units: Sequence[str]) -> SelfAssessment | Outcome:
    """Ask for FR.APL.02 until it holds every unit of the scheme and no other."""
    note: str | None = None
    known = {"units": [{"code": code, "claim": Result.NOT_YET} for code in units]}
    while not isinstance(claims := ask(questions.SELF_ASSESSMENT, known=known, note=note), Silence):
        note = check_claims(case, application, claims)
        if not note:
            keep_self_assessment(case, application, claims)
            return claims
    return end(case, Outcome.NOT_COMPLETED)


def assess(case: Case, trial: Trial, barred: Sequence[str]) -> Assessed | Outcome:
    """Appoint an assessor, who reviews, plans and tests; give a missed test one more day."""
    absences, note = 0, ""
    while absences <= case.rules.reschedules.value:
        schedule = appoint(case, trial, barred, note)
        review = ask(questions.ASSESSMENT_REVIEW, to=schedule.assessor, note=testing.show_claims(case, trial.claims))
        if review.decision is ReviewEnd.NOT_CONTINUE:
            return end(case, Outcome.NOT_READY, review.reason)
        agreed_on = None if trial.portfolio_only else prepare(case, trial, schedule)
        if isinstance(agreed_on, Outcome):
            return agreed_on
        if agreed_on and agreed_on > schedule.test_date:
            note = "FR.AK.01 ditandatangani sesudah tanggal uji; jadwalkan ulang"
            continue
        test = hold_test(case, trial, schedule, agreed_on)
        if test.decision is TestEnd.HELD:
            record = record_units(case, trial, schedule, test)
            report(case, trial, schedule, record)
            return Assessed(schedule, test, record)
        absences, note = absences + 1, "Asesi tidak hadir; jadwalkan ulang"
        testing.say_that_test_was_missed(case, schedule)
    return end(case, Outcome.ABSENT)


def hold_test(case: Case, trial: Trial, schedule: Schedule, agreed_on: date | None) -> TestRecord:
    """Ask for the FR.IA records of the test, or for the record that the candidate did not come."""
    fault: str | None = None
    while fault := testing.check_test(
        case,
        schedule,
        agreed_on,
        test := ask(questions.TEST_RECORD, to=schedule.assessor, note=fault),
        trial.portfolio_only,
    ):
        pass
    return test


def appoint(case: Case, trial: Trial, barred: Sequence[str], note: str) -> Schedule:
    """Settle test site, day and assessor, and send the assessor a letter of assignment."""
    kept_apart = [*trial.application.trainers, *barred]
    fault: str | None = testing.propose_assessors(case, trial.application.scheme, kept_apart, note)
    while fault := testing.book_test(
        case, schedule := ask(questions.SCHEDULE, note=fault), trial.application, kept_apart, trial.not_before
    ):
        pass
    assignment = issue(testing.ASSIGNMENT, testing.draft_assignment(case, trial.application, schedule, trial.units))
    testing.announce_test(case, trial.application, schedule, assignment)
    return schedule


def prepare(case: Case, trial: Trial, schedule: Schedule) -> date | Outcome:
    """Ask for FR.MAPA by the assessor and FR.AK.01 by both; return the first day for a test."""
    fault: str | None = None
    while fault := testing.check_plan(case, trial.units, plan := ask(questions.PLAN, to=schedule.assessor, note=fault)):
        pass
    testing.keep_plan(case, trial.application, schedule, plan)
    agreement = ask(questions.AGREEMENT)
    if isinstance(agreement, Silence):
        return end(case, Outcome.NOT_COMPLETED)
    confirmed = ask(questions.ASSESSOR_AGREEMENT, to=schedule.assessor, note=agreement.special_needs or None)
    testing.keep_agreement(case, trial.application, schedule, agreement, confirmed)
    return local_date(confirmed.at)


def record_units(case: Case, trial: Trial, schedule: Schedule, test: TestRecord, note: str = "") -> AssessmentRecord:
    """Ask for FR.AK.02 until it names each tested unit, each covered by an FR.IA record."""
    fault: str | None = note or None
    while fault := testing.check_record(
        case, trial.units, test, record := ask(questions.ASSESSMENT_RECORD, to=schedule.assessor, note=fault)
    ):
        pass
    testing.keep_record(case, trial.application, schedule, test, record)
    return record


def report(case: Case, trial: Trial, schedule: Schedule, record: AssessmentRecord) -> None:
    """Ask for FR.AK.03 by the candidate, FR.AK.05 and FR.AK.06 by the assessor; tell the result.

    The candidate may be silent.
    """
    feedback = ask(questions.FEEDBACK)
    if not isinstance(feedback, Silence):
        testing.keep_feedback(case, trial.application, schedule, feedback)
    reported = ask(questions.ASSESSMENT_REPORT, to=schedule.assessor)
    testing.tell_result(case, trial.application, schedule, record, reported, may_appeal=not trial.appealed)


def appeals(case: Case, trial: Trial, assessed: Assessed) -> bool:
    """Return whether the candidate appeals (FR.AK.04). Silence accepts the result."""
    response = ask(questions.RESULT_RESPONSE)
    if isinstance(response, Silence) or response.decision is ResponseEnd.ACCEPT:
        return False
    deciding.confirm_appeal(case, trial.application, assessed.schedule, response)
    return True


def uphold(case: Case, trial: Trial, assessed: Assessed) -> bool:
    """Have a panel vote on the appeal; return whether another assessor tests again.

    Nobody on the panel assessed the candidate.
    """
    fault: str | None = None
    seats = {"members": deciding.propose_panel(case, trial.application)}
    while fault := deciding.check_panel(
        case, trial.application, panel := ask(questions.APPEAL_SEATS, known=seats, note=fault)
    ):
        pass
    votes = ask_each(questions.APPEAL_VOTE, to=panel.members, apart_from=trial.application.trainers)
    return deciding.rule_on_appeal(case, trial.application, assessed.schedule, votes) is AppealEnd.UPHELD


def decide(case: Case, trial: Trial, assessed: Assessed) -> tuple[Assessed, Verdict]:
    """Have the plenary decide by its members' own votes, or ask the assessor for more evidence."""
    fault: str | None = None
    while True:
        seats = {"members": deciding.propose_plenary(case, trial.application)}
        plenary = ask(questions.PLENARY_SEATS, known=seats, note=fault)
        if fault := deciding.check_plenary(case, trial.application, plenary):
            continue
        votes = ask_each(
            questions.PLENARY_VOTE,
            to=plenary.members,
            apart_from=trial.application.trainers,
            note=deciding.show_record(case, assessed.schedule, assessed.record),
        )
        verdict = deciding.count_votes(case, trial.application, assessed.schedule, assessed.record, votes)
        if verdict.decision is not VoteEnd.RETURN:
            decree = issue(deciding.DECREE, deciding.draft_decree(case, trial.application, assessed.schedule, verdict))
            return assessed, verdict.decreed(decree)
        record = record_units(case, trial, assessed.schedule, assessed.test, verdict.reason)
        assessed = replace(assessed, record=record)


def wants_retest(case: Case, trial: Trial, verdict: Verdict, may_retest: bool) -> date | None:
    """Send a statement of the failed units; return the first day of a retest, or None."""
    statement = issue(deciding.NOT_YET_STATEMENT, deciding.draft_statement(case, trial.application, verdict))
    again_from = deciding.tell_not_yet(case, verdict, statement, may_retest)
    if again_from is None:
        return None
    answer = ask(questions.RETEST)
    return None if isinstance(answer, Silence) or answer.decision is RetestEnd.STOP else again_from


def certify(case: Case, trial: Trial, assessed: Assessed, verdict: Verdict) -> Outcome:
    """Ask BNSP for a blank, and issue the certificate under BNSP's number."""
    wanted = deciding.request_blank(case, trial.application, assessed.schedule, verdict)
    blank = ask_bnsp(case, note=wanted.note, **wanted.of_bnsp())
    while fault := deciding.check_blank(case, blank):
        blank = ask(CERTIFICATE_BLANK, note=fault)
    certificate = issue(
        deciding.CERTIFICATE, deciding.draft_certificate(case, trial.application, blank, verdict.decree)
    )
    deciding.hand_over(case, trial.application, blank, certificate)
    return close(case, Outcome.CERTIFIED, f"sertifikat {blank.certificate_number} dari BNSP tercatat")


def end(case: Case, outcome: Outcome, detail: str = "") -> Outcome:
    """End a case and say what is to be done now; a seat at a future test is given back."""
    confirm_closing(case, outcome, detail)
    return close(case, outcome, detail or outcome.title_id)
