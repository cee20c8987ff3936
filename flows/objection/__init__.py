"""Objection and administrative appeal against a refusal of this office.

UU 30/2014 Pasal 77 and 78. Whoever decided anything in the case rules on neither. A ruling is a numbered and signed document with
its reasons. Where one is granted, the refusal stays in history and the application is examined anew, in a case of its own, by
others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from engine.pipeline import (
    Case,
    Ending,
    HandedOver,
    Issued,
    Letter,
    Lodged,
    Paper,
    Passed,
    Question,
    Role,
    Silence,
    appeal,
    ask,
    assignable,
    close,
    issue,
    step,
    take_up_anew,
    tell,
    this_step,
)
from flows.facts import common, lasting
from flows.objection.forms import (
    AdministrativeAppeal,
    AdministrativeAppealRuling,
    ObjectionRuling,
    Ruling,
    RulingEnd,
    Wish,
)
from models import Person, User

FOLDER = "objection"
OBJECTION_DECISION = Paper("objection_decision", "Keputusan atas keberatan", series="KBR", folder=FOLDER)
APPEAL_DECISION = Paper(
    "administrative_appeal_decision", "Keputusan atas banding administratif", series="BDA", folder=FOLDER
)
OBJECTION_RECEIVED = Letter("objection_received", FOLDER)
OBJECTION_REJECTED = Letter("objection_rejected", FOLDER)
APPEAL_RECEIVED = Letter("appeal_received", FOLDER)
APPEAL_REJECTED = Letter("appeal_rejected", FOLDER)
EXAMINED_ANEW = Letter("examined_anew", FOLDER)
REFUSAL_STANDS = Letter("refusal_stands", FOLDER)


OBJECTION_RULING = Question(
    ObjectionRuling,
    of=Role.DIVISION_HEAD,
    due="objection_answer_time",
    passes="objection_passed",
    title="Putuskan keberatan pemohon",
)
ADMINISTRATIVE_APPEAL = Question(
    AdministrativeAppeal,
    of=Role.APPLICANT,
    due="administrative_appeal_time",
    silent_after="administrative_appeal_time",
    title="Terima keputusan, atau ajukan banding administratif",
)
ADMINISTRATIVE_APPEAL_RULING = Question(
    AdministrativeAppealRuling,
    of=Role.OFFICE_HEAD,
    due="administrative_appeal_answer_time",
    passes="administrative_appeal_passed",
    apart_from=("objection_ruling",),
    title="Putuskan banding administratif pemohon",
)


def withdrawn(case: Case, lodged: Lodged, reason: str) -> Ending:
    """End the objection because the applicant withdrew it, at whatever wait."""
    confirm_refusal_stands(case, lodged, "withdrawn")
    return stands(case, lodged, f"keberatan ditarik: {reason}" if reason else "keberatan ditarik")


@appeal(
    "objection",
    version=1,
    title="Keberatan dan banding administratif",
    window="objection_time",
    on_withdrawal=withdrawn,
)
def objection(case: Case, lodged: Lodged) -> Ending:
    """Have the refused application examined anew where the objection or the appeal is granted.

    Otherwise the refusal stands.
    """
    ruled = rule_on(case, lodged)
    if ruled.granted:
        return examine_anew(case, lodged, ruled.why, ruled.paper)
    return stands(case, lodged, ruled.why)


@dataclass(frozen=True)
class Ruled:
    """The end of an objection: the reason, who ruled, and the key of the paper that says it.

    The key is "" where the applicant ended the objection.
    """

    granted: bool
    why: str
    paper: str = ""
    by: tuple[str, ...] = ()


def rule_on(case: Case, lodged: Lodged) -> Ruled:
    """Have a head of division rule on the objection.

    Where it is rejected, the head of the office rules on an appeal.
    """
    ruling = ask(OBJECTION_RULING, apart_from=lodged.deciders, note=receive_objection(case, lodged))
    if isinstance(ruling, Passed):
        return Ruled(True, f"keberatan dikabulkan karena hukum ({ruling.citation})", ruling.computation)
    decision = issue(OBJECTION_DECISION, draft_objection_decision(case, lodged, ruling, ruling.by))
    if ruling.decision is RulingEnd.GRANT:
        return Ruled(True, f"keberatan dikabulkan ({decision.number})", decision.key, (ruling.by,))
    tell_rejection(case, ruling.reason, decision)

    wish = ask(ADMINISTRATIVE_APPEAL)
    if isinstance(wish, Silence):
        confirm_refusal_stands(case, lodged, "not_appealed")
        return Ruled(False, f"keberatan ditolak ({decision.number}), tanpa banding sampai batas waktu")
    if wish.decision is Wish.ACCEPT:
        confirm_refusal_stands(case, lodged, "accepted")
        return Ruled(False, f"keberatan ditolak ({decision.number}) dan diterima pemohon")
    final = ask(
        ADMINISTRATIVE_APPEAL_RULING, apart_from=lodged.deciders, note=receive_appeal(case, lodged, wish.reason)
    )
    if isinstance(final, Passed):
        return Ruled(True, f"banding dikabulkan karena hukum ({final.citation})", final.computation, (ruling.by,))
    last = issue(APPEAL_DECISION, draft_appeal_decision(case, lodged, wish.reason, decision.number, final, final.by))
    if final.decision is RulingEnd.GRANT:
        return Ruled(True, f"banding dikabulkan ({last.number})", last.key, (ruling.by, final.by))
    tell_last_rejection(case, lodged, final.reason, last)
    return Ruled(False, f"banding ditolak ({last.number})", last.key)


def examine_anew(case: Case, lodged: Lodged, reason: str, paper: str) -> Ending:
    """Have others examine the application in a new case; the refusal stays in this history."""
    other = take_up_anew(case, lodged)
    tell_that_it_is_examined_anew(case, other, paper)
    return stands(case, lodged, f"{reason}; diperiksa ulang dalam {other.number}")


def stands(case: Case, lodged: Lodged, reason: str) -> Ending:
    """End the case with the ending that it had, and the result of the objection."""
    ending: Ending = lodged.outcome
    return close(case, ending, reason)


# -- steps


@step
def receive_objection(case: Case, lodged: Lodged) -> str:
    """Thank for the objection and say until when it is answered; return the note for the ruling."""
    facts = told(case) | {
        "objection": lodged.reason,
        "refused_for": lodged.refused_for,
        "answer_by": this_step.due_date(case.rules.objection_answer_time),
    }
    tell(case.applicant, OBJECTION_RECEIVED, facts)
    return note_for("objection_ruling", case, lodged, lodged.reason)


@step
def receive_appeal(case: Case, lodged: Lodged, reason: str) -> str:
    """Thank for the appeal and say until when it is answered; return the note for the ruling."""
    due = this_step.due_date(case.rules.administrative_appeal_answer_time)
    tell(case.applicant, APPEAL_RECEIVED, told(case) | {"reason": reason, "answer_by": due})
    return note_for("administrative_appeal_ruling", case, lodged, reason)


@step
def draft_objection_decision(case: Case, lodged: Lodged, ruling: ObjectionRuling, by: str) -> dict[str, Any]:
    """Draft the decision on the objection; if it is rejected, with the last day to appeal."""
    granted = ruling.decision is RulingEnd.GRANT
    until = None if granted else this_step.due_date(case.rules.administrative_appeal_time)
    facts = drafted(case, lodged, ruling, by, "division_head")
    return facts | {"citation": case.rules.objection_answer_time.citation, "appeal_until": until}


@step
def draft_appeal_decision(
    case: Case, lodged: Lodged, reason: str, first: str, ruling: AdministrativeAppealRuling, by: str
) -> dict[str, Any]:
    """Draft the superior's decision on the appeal."""
    facts = drafted(case, lodged, ruling, by, "office_head")
    citation = case.rules.administrative_appeal_answer_time.citation
    return facts | {"citation": citation, "appeal": reason, "first_decision": first}


@step
def tell_rejection(case: Case, reason: str, decision: Issued) -> None:
    """Send the rejection of the objection, and the way to appeal."""
    until = this_step.due_date(case.rules.administrative_appeal_time)
    facts = told(case) | {"reason": reason, "document_number": decision.number, "appeal_until": until}
    tell(case.applicant, OBJECTION_REJECTED, facts, attach=[decision.key])


@step
def tell_last_rejection(case: Case, lodged: Lodged, reason: str, decision: Issued) -> None:
    """Send the rejection of the appeal, the office's last word, and the ways still open."""
    facts = told(case) | {
        "reason": reason,
        "document_number": decision.number,
        "still_open": texts(case)["still_open"][lodged.about],
    }
    tell(case.applicant, APPEAL_REJECTED, facts, attach=[decision.key])


@step
def tell_that_it_is_examined_anew(case: Case, other: HandedOver, paper: str) -> None:
    """Tell the applicant the number under which the application is examined again."""
    facts = told(case) | {"new_number": other.number, "new_link": this_step.check_url(other.number)}
    tell(case.applicant, EXAMINED_ANEW, facts, attach=[paper])


@step
def confirm_refusal_stands(case: Case, lodged: Lodged, why: str) -> None:
    """Say why the objection ends here, that the first decision stands, and the ways still open."""
    facts = {"why": texts(case)[why], "still_open": texts(case)["still_open"][lodged.about]}
    tell(case.applicant, REFUSAL_STANDS, told(case) | facts)


def note_for(question: str, case: Case, lodged: Lodged, reason: str) -> str:
    """Return the note for the ruling: the decision, the reason and the evidence.

    It says that nobody may rule where everybody with the role decided before.
    """
    said = f"Keputusan: {lodged.refused_for}. Alasan pemohon: {reason}"
    if lodged.evidence:
        said = f"{said}. Bukti pemohon: {lodged.evidence}"
    if assignable(case, question, apart_from=lodged.deciders):
        return said
    return f"{said}. Belum ada pejabat yang boleh memutuskan: semua terlibat atau belum terdaftar; tambahkan akun"


def drafted(case: Case, lodged: Lodged, ruling: Ruling, by: str, role: str) -> dict[str, Any]:
    """Return the facts of both decisions; whoever ruled signs, and not whoever refused."""
    granted = ruling.decision is RulingEnd.GRANT
    return {
        **lasting(case),
        "business_name": lasting(case).get("business_name", case.applicant.name),
        "official": {"name": name_of(by), "title": texts(case)[role]},
        "refused_for": lodged.refused_for,
        "closed_on": lodged.closed_on,
        "objection": lodged.reason,
        "lodged_on": lodged.on,
        "ruling": texts(case)["granted" if granted else "rejected"],
        "granted": texts(case)["granted_means"][lodged.about] if granted else None,
        "reason": ruling.reason,
    }


def told(case: Case) -> dict[str, Any]:
    """Return the facts that every letter of an objection bears."""
    facts = common(case)
    return {"business_name": case.applicant.name, **facts}


def texts(case: Case) -> dict[str, Any]:
    """Return the sentences of an objection in the applicant's language."""
    found: dict[str, Any] = case.rules.objection_words.value[case.applicant.language]
    return found


def name_of(account: str) -> str:
    """Return the name of the person behind an account, as papers show it."""
    found = select(Person.name).join(User, col(User.person_id) == col(Person.id)).where(User.name == account)
    return this_step.session.exec(found).first() or account
