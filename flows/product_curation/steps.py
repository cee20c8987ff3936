"""Steps on the way to a grade: each writes its papers and letters in one transaction, once."""

from __future__ import annotations

from typing import Any

from engine.pipeline import Case, Issued, Letter, Paper, assignable, held, paper, stand, step, tell, this_step
from flows.facts import common, lasting, objection_window, words
from flows.product_curation.decisions import PanelDecision, Score
from flows.product_curation.facts import Passed, noted, returned, standard
from flows.product_curation.forms import Application
from flows.product_curation.gates import Known, Reason, deficiencies
from flows.product_curation.rubric import Weighing, weigh_up, weighted

RECEIPT = Paper("receipt", "Tanda terima permohonan kurasi")
RETURN_NOTICE = Paper("return_notice", "Pemberitahuan perbaikan")
CURATION_NOTES = Paper("curation_notes", "Catatan kurasi")
CERTIFICATE = Paper("certificate_of_curation", "Sertifikat lolos kurasi", series="KRS")
REFUSAL = Paper("refusal", "Surat penolakan dengan alasan", series="TLK")
CLOSING_NOTICE = Paper("closing_notice", "Pemberitahuan perkara ditutup")

RECEIVED = Letter("receipt")
ACCEPTED = Letter("sample_received")
RETURNED = Letter("return_notice")
CURATORS_CHANGED = Letter("curators_changed")
NOTES = Letter("curation_notes")
PASSED = Letter("passed")
NOT_PASSED = Letter("not_passed")
APPEAL_DECIDED = Letter("appeal_decided")
REFUSED = Letter("refused")
CLOSED = Letter("closed")
WITHDRAWN = Letter("withdrawn")


@step
def look_up(case: Case) -> Known:
    """Look up the business's NIB and halal certificate, as other cases recorded them."""
    business = case.facts.business
    found = {
        one.what: one.reference
        for one in held("legalized", "halal_certified", kind="business", of=business.business_id)
    }
    return Known(
        nib=found.get("legalized") or business.business_id_number,
        halal_number=found.get("halal_certified"),
        cluster=case.facts.cluster,
    )


@step
def confirm_receipt(case: Case) -> None:
    """Tell the owner that the case is open, and what is to be handed in until when."""
    facts = common(case) | {
        "received_at": this_step.now,
        "items": words(case)["wanted"],
        "due_on": this_step.due_date(case.rules.application_time),
        "closes_on": this_step.due_date(case.rules.application_limit),
    }
    tell(case.applicant, RECEIVED, facts, attach=[paper(RECEIPT, facts)])


@step
def outside_region(case: Case) -> list[Reason]:
    """Return why a business of another province can't be served here; nothing, as a rule."""
    regions = case.rules.admitted_regions
    if any(case.region_code.startswith(region) for region in regions.value):
        return []
    return [Reason(reason=words(case)["not_here"], rule=regions.citation)]


@step
def examine(case: Case, application: Application, known: Known) -> list[Reason]:
    """Apply the gates as they stand today."""
    return deficiencies(case, application, known, this_step.today)


@step
def ask_for_fixes(case: Case, wanted: list[Reason]) -> None:
    """Send the application back with each deficiency, its rule, how to mend it, and until when."""
    facts = returned(case, wanted, "correction_time", "correction_limit")
    tell(case.applicant, RETURNED, facts, attach=[paper(RETURN_NOTICE, facts)])


@step
def confirm_acceptance(case: Case) -> None:
    """Say that papers and sample are at the curation house, and until when curators score."""
    facts = common(case) | standard(case) | {"due_on": this_step.due_date(case.rules.score_time)}
    tell(case.applicant, ACCEPTED, facts)


@step
def choose_curators(case: Case, application: Application, question: str, wanted: int, barred: list[str]) -> list[str]:
    """Return the curators who may answer today, the least loaded first.

    They are certified for this cluster and without a conflict. The step's ledger entry names the cases that certified those chosen.
    """
    certified = f"curator:{application.cluster}"
    chosen = assignable(case, question, holds=certified, apart_from=barred)[:wanted]
    for account in chosen:
        held(certified, kind="person", of=account)
    return chosen


@step
def summon(case: Case, application: Application) -> str:
    """Return the note to a curator: the product and the standard, nobody's scores."""
    about = standard(case)
    return f"{case.facts.name}, klaster {application.cluster}; rubrik {about['rubric']} sejak {about['rubric_since']}"


@step
def say_that_curators_change(case: Case) -> None:
    """Tell the owner that another curator takes over from a late or conflicted one."""
    tell(case.applicant, CURATORS_CHANGED, common(case) | {"due_on": this_step.due_date(case.rules.score_time)})


@step
def weigh(case: Case, scores: list[Score]) -> Weighing:
    """Weigh the scores by the rubric in force on the day of the case."""
    rubric = case.rules.rubric.value
    return weigh_up(rubric, [weighted(rubric, {mark.aspect: mark.score for mark in one.marks}) for one in scores])


@step
def send_notes(case: Case, scores: list[Score], notes: list[str], round_number: int) -> None:
    """Hand the owner the curators' remarks and the repairs that the panel wants."""
    facts = noted(case, scores, round_number, notes) | {
        "due_on": this_step.due_date(case.rules.repair_time),
        "closes_on": this_step.due_date(case.rules.repair_limit),
    }
    tell(case.applicant, NOTES, facts, attach=[paper(CURATION_NOTES, facts)])


@step
def hand_out_certificate(
    case: Case, photo: str, ruling: PanelDecision, weighing: Weighing, scores: list[Score], certificate: Issued
) -> Passed:
    """Record the grade, and hand the owner certificate and notes."""
    assert ruling.grade is not None  # the form refuses a pass without one
    before = held("curated", kind=case.subject_kind, of=case.subject_id)
    again = any(one.case_number == case.number for one in before)
    stand(f"curated:{certificate.number}" if again else "curated", reference=f"{ruling.grade} {certificate.number}")
    facts = noted(case, scores, None, []) | {"due_on": None, "closes_on": None}
    about = {"grade": ruling.grade, "grade_means": words(case)["grades"][ruling.grade], "points": weighing.points}
    tell(
        case.applicant,
        PASSED,
        facts | about | {"document_number": certificate.number},
        attach=[certificate.key, paper(CURATION_NOTES, facts)],
    )
    return Passed(
        grade=ruling.grade,
        points=weighing.points,
        plan=ruling.export_plan,
        certificate=certificate.number,
        sha256=certificate.sha256,
        photo=photo,
    )


@step
def confirm_not_passed(case: Case, scores: list[Score], notes: list[str], appealed: bool) -> None:
    """Say that the product did not pass, why, and until when the owner may appeal.

    After an appeal there is no other.
    """
    facts = noted(case, scores, None, notes) | {"due_on": None, "closes_on": None}
    until = None if appealed else this_step.due_date(case.rules.appeal_time)
    tell(case.applicant, NOT_PASSED, facts | {"appeal_until": until}, attach=[paper(CURATION_NOTES, facts)])


@step
def confirm_appeal(case: Case, reasons: list[str], upheld: bool) -> None:
    """Tell the owner the appeal panel's decision and its reasons."""
    result = words(case)["upheld" if upheld else "rejected"]
    tell(case.applicant, APPEAL_DECIDED, common(case) | {"result": result, "reasons": reasons})


@step
def draft_refusal(case: Case, reasons: list[Reason]) -> dict[str, Any]:
    """Draft the refusal: every reason with its rule, and until when the owner may object.

    UU 30/2014 Pasal 77.
    """
    said = [one.model_dump(include={"reason", "rule"}) for one in reasons]
    return {**lasting(case), "reasons": said, "advice": words(case)["advice"], "objection": objection_window(case)}


@step
def confirm_refusal(case: Case, reasons: list[Reason], refusal: Issued) -> None:
    """Send the refusal with its reasons in plain words."""
    said = [one.model_dump(include={"reason", "rule"}) for one in reasons]
    facts = common(case) | {"reasons": said, "objection": objection_window(case)}
    tell(case.applicant, REFUSED, facts, attach=[refusal.key])


@step
def confirm_end(case: Case, title: str, reason: str) -> None:
    """Say how the case ended and why, and that applying again is free."""
    say_end(case, {"title_of_end": title, "reason": reason, "objection": None})


@step
def confirm_no_curators(case: Case, title: str) -> str:
    """Say that an officer gave up the search, and until when the owner may object; return why.

    UU 30/2014 Pasal 77.
    """
    reason = "kurator yang boleh menilai tidak cukup"
    say_end(case, {"title_of_end": title, "reason": reason, "objection": objection_window(case)})
    return reason


def say_end(case: Case, said: dict[str, Any]) -> None:
    """Write the closing notice and its letter."""
    facts = common(case) | said
    tell(case.applicant, CLOSED, facts, attach=[paper(CLOSING_NOTICE, facts)])


@step
def confirm_withdrawn(case: Case, reason: str) -> None:
    """Confirm that the product was withdrawn; it may not use a communal brand any more."""
    said = {
        "title_of_end": words(case)["withdrawn"],
        "reason": reason,
        "withdrawn_at": this_step.now,
        "objection": None,
    }
    facts = common(case) | said
    tell(case.applicant, WITHDRAWN, facts, attach=[paper(CLOSING_NOTICE, facts)])
