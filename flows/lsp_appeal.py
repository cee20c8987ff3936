"""Appeal against the LSP's decision not to test or not to certify: its head rules.

Whoever decided anything in the case rules on none of it. ISO/IEC 17024, 9.8. The LSP is no government office: UU 30/2014 does not
apply, its days are its own policy, and its silence grants nothing; an unanswered appeal is escalated. FR.AK.04, against an
assessor's result, is part of the test itself.
"""

from __future__ import annotations

from typing import Any

from engine.pipeline import (
    Case,
    Ending,
    HandedOver,
    Issued,
    Letter,
    Lodged,
    Paper,
    Question,
    Role,
    appeal,
    ask,
    issue,
    step,
    take_up_anew,
    tell,
    this_step,
)
from flows.lsp_competency_test.facts import common, lasting
from flows.objection import EXAMINED_ANEW, drafted, note_for, stands
from flows.objection.forms import Ruling, RulingEnd

DECISION = Paper("lsp_appeal_decision", "Putusan banding atas keputusan LSP", series="PBL", folder="lsp_appeal")
RECEIVED = Letter("received", "lsp_appeal")
REJECTED = Letter("rejected", "lsp_appeal")
TAKEN_BACK = Letter("taken_back", "lsp_appeal")


class LspAppealRuling(Ruling):
    """The ruling of the head of the LSP on an appeal."""


LSP_APPEAL_RULING = Question(
    LspAppealRuling, of=Role.LSP_HEAD, due="appeal_resolution", title="Putuskan banding asesi atas keputusan LSP"
)


def withdrawn(case: Case, lodged: Lodged, reason: str) -> Ending:
    """End the appeal because the candidate withdrew it."""
    confirm_taken_back(case)
    return stands(case, lodged, f"banding ditarik: {reason}" if reason else "banding ditarik")


@appeal(
    "lsp-appeal",
    version=1,
    title="Banding atas keputusan LSP",
    window="appeal_window",
    on_withdrawal=withdrawn,
)
def lsp_appeal(case: Case, lodged: Lodged) -> Ending:
    """Grant the appeal and have others take the application up anew, or reject it with reasons."""
    ruling = ask(LSP_APPEAL_RULING, apart_from=lodged.deciders, note=receive_appeal(case, lodged))
    decision = issue(DECISION, draft_ruling(case, lodged, ruling, ruling.by))
    if ruling.decision is RulingEnd.REJECT:
        tell_that_it_is_rejected(case, ruling.reason, decision)
        return stands(case, lodged, f"banding ditolak ({decision.number})")
    other = take_up_anew(case, lodged)
    tell_of_the_new_case(case, other, decision)
    return stands(case, lodged, f"banding dikabulkan ({decision.number}); diperiksa ulang dalam {other.number}")


# -- steps


@step
def receive_appeal(case: Case, lodged: Lodged) -> str:
    """Thank for the appeal and say until when it is answered; return the note for whoever rules."""
    due = this_step.due_date(case.rules.appeal_resolution)
    facts = {"refused_for": lodged.refused_for, "reason": lodged.reason, "answer_by": due}
    tell(case.applicant, RECEIVED, common(case) | facts)
    return note_for(LSP_APPEAL_RULING.name, case, lodged, lodged.reason)


@step
def draft_ruling(case: Case, lodged: Lodged, ruling: LspAppealRuling, by: str) -> dict[str, Any]:
    """Draft the ruling with its reasons, in the name of the LSP; whoever ruled signs for it."""
    said = drafted(case, lodged, ruling, by, "lsp_head") | {"office": lasting(case)["office"]}
    return said | {"citation": case.rules.appeal_resolution.citation}


@step
def tell_that_it_is_rejected(case: Case, reason: str, decision: Issued) -> None:
    """Send the rejection, with which the LSP has no further say."""
    facts = common(case) | {"reason": reason, "document_number": decision.number}
    tell(case.applicant, REJECTED, facts, attach=[decision.key])


@step
def tell_of_the_new_case(case: Case, other: HandedOver, decision: Issued) -> None:
    """Tell the candidate the number under which the application is examined again."""
    about = {"business_name": case.applicant.name}
    facts = common(case) | about | {"new_number": other.number, "new_link": this_step.check_url(other.number)}
    tell(case.applicant, EXAMINED_ANEW, facts, attach=[decision.key])


@step
def confirm_taken_back(case: Case) -> None:
    """Say that the appeal ends here and the decision stands."""
    tell(case.applicant, TAKEN_BACK, common(case))
