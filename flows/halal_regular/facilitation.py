"""The office's decision to pay or not: a slot of the year's quota is granted, or refused.

The refusal is a decision inside an open case (UU 30/2014 Pasal 77): the owner says whether the case goes on at their own cost or
objects, before anything is done that costs them money, and before the legal time of the certificate begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from pydantic import Field, model_validator

from engine.pipeline import (
    ApplicantForm,
    Case,
    Evidence,
    Form,
    Issued,
    Letter,
    Lodged,
    Paper,
    Question,
    Role,
    Silence,
    ask,
    assignable,
    issue,
    local_date,
    step,
    tell,
    this_step,
)
from flows.facts import common, objection_window
from flows.halal_regular import slots
from flows.halal_regular.facts import highest_cost
from flows.halal_regular.forms import Application
from flows.objection import rule_on

FACILITATION_DECISION = Paper("facilitation_decision", "Keputusan fasilitasi biaya", series="FHR")

QUOTA_FULL = Letter("quota_full")
FACILITATION_DECIDED = Letter("facilitation_decision")
DECIDED_ANEW = Letter("facilitation_decided_anew")


class SlotDecision(StrEnum):
    """An officer's decision about a slot of the programme."""

    GRANT = "grant"
    WAITLIST = "waitlist"
    REJECT = "reject"


class Facilitation(Form):
    """The decision whether the office pays: grant a slot of this year's quota, wait, or refuse."""

    decision: SlotDecision
    reason: str = Field(default="", max_length=2000, description="Alasan; wajib bila ditolak")

    @model_validator(mode="after")
    def _says_why(self) -> Facilitation:
        if self.decision is SlotDecision.REJECT and not self.reason:
            raise ValueError("reason: tulis alasan fasilitasi tidak diberikan")
        return self


class Wish(StrEnum):
    """The owner's answer to the refusal to pay."""

    PROCEED = "proceed"
    OBJECT = "object"


class OwnCost(ApplicantForm):
    """The owner's answer: to go on at their own cost, or to object to the refusal."""

    decision: Wish = Field(description="proceed: lanjutkan dengan biaya sendiri; object: ajukan keberatan")
    reason: str = Field(default="", max_length=4000, description="Alasan keberatan; wajib bila mengajukan keberatan")
    evidence: Evidence | None = Field(default=None, description="Berkas yang mendukung keberatan, bila ada")

    @model_validator(mode="after")
    def _says_why(self) -> OwnCost:
        if self.decision is Wish.OBJECT and not self.reason:
            raise ValueError("reason: tulis alasan keberatan Anda")
        return self


FACILITATION = Question(
    Facilitation,
    of=Role.OFFICER,
    due="facilitation_time",
    apart_from=("application",),
    title="Putuskan apakah biaya ditanggung dinas",
)
OWN_COST = Question(
    OwnCost,
    of=Role.APPLICANT,
    due="objection_time",
    silent_after="objection_time",
    title="Lanjutkan dengan biaya sendiri, atau ajukan keberatan",
)


def facilitate(case: Case, application: Application) -> bool:
    """Return whether the office pays.

    Where an objection overturns a refusal, the slot is decided on anew, by nobody who refused or ruled before.
    """
    deciders: list[str] = []
    note = count_slots(case)
    while refusal := decide(case, application, note, deciders):
        wish = ask(OWN_COST)
        if isinstance(wish, Silence) or wish.decision is Wish.PROCEED:
            return False
        deciders.append(refusal.by)
        ruled = rule_on(case, objection_to(refusal, wish, deciders))
        if not ruled.granted:
            return False
        deciders += ruled.by
        note = open_anew(case, ruled.why, ruled.paper, deciders)
    return True


def decide(case: Case, application: Application, note: str, apart_from: Sequence[str]) -> Facilitation | None:
    """Have an officer decide on a slot; return the refusal, or None.

    Whoever asked for the slot may not grant it, and a full quota grants nothing.
    """
    while (ruling := ask(FACILITATION, note=note, apart_from=apart_from)).decision is not SlotDecision.REJECT:
        if ruling.decision is SlotDecision.GRANT:
            note = reserve_slot(case, application)
            if not note:
                break
        else:
            put_on_waitlist(case)
            note = count_slots(case)
    refused_for = ruling.reason if ruling.decision is SlotDecision.REJECT else ""
    decision = issue(FACILITATION_DECISION, draft_facilitation(case, application, refused_for))
    tell_of_facilitation(case, refused_for, decision)
    return ruling if refused_for else None


def objection_to(refusal: Facilitation, wish: OwnCost, deciders: Sequence[str]) -> Lodged:
    """Return the owner's objection to the refusal, as the ruling official sees it."""
    return Lodged(
        about=FACILITATION.name,
        refused_for=refusal.reason,
        closed_on=local_date(refusal.at),
        reason=wish.reason,
        evidence=wish.evidence,
        by=wish.by,
        on=local_date(wish.at),
        decided_by={FACILITATION.name: list(deciders)},
    )


# -- steps


@step
def count_slots(case: Case) -> str:
    """Return this year's allotted, reserved and used slots, for the officer who decides."""
    return slots.counted(this_step.today).in_words()


@step
def reserve_slot(case: Case, application: Application) -> str:
    """Reserve a slot of this year's quota; return why not where there is no room."""
    full = slots.reserve(highest_cost(case, application))
    return f"Kuota tidak cukup, slot tidak diberikan. {full.in_words()}. Pilih waitlist atau reject" if full else ""


@step
def put_on_waitlist(case: Case) -> None:
    """Say that the quota is full, and which ways are open."""
    tell(case.applicant, QUOTA_FULL, common(case) | {"budget_year": this_step.today.year})


@step
def draft_facilitation(case: Case, application: Application, refused_for: str) -> dict[str, Any]:
    """Draft the decision to pay, or not to pay and why, and until when the owner may object."""
    facts: dict[str, Any] = {
        **common(case),
        "granted_rupiah": None if refused_for else highest_cost(case, application),
        "budget_year": this_step.today.year,
        "refused_for": refused_for or None,
        "objection": objection_window(case) if refused_for else None,
    }
    del facts["date"], facts["link"]
    return facts


@step
def tell_of_facilitation(case: Case, refused_for: str, decision: Issued) -> None:
    """Send the decision in plain words; a refusal with the two open ways, and until when."""
    facts = common(case) | {
        "refused_for": refused_for or None,
        "document_number": decision.number,
        "objection_until": this_step.due_date(case.rules.objection_time) if refused_for else None,
    }
    tell(case.applicant, FACILITATION_DECIDED, facts, attach=[decision.key])


@step
def open_anew(case: Case, why: str, paper: str, deciders: Sequence[str]) -> str:
    """Tell the owner that others decide anew; return the note for them.

    Where nobody may decide, the note says that somebody is missing.
    """
    tell(case.applicant, DECIDED_ANEW, common(case), attach=[paper])
    note = f"Putuskan lagi: {why}. {slots.counted(this_step.today).in_words()}"
    if assignable(case, FACILITATION.name, apart_from=deciders):
        return note
    return f"{note}. Belum ada petugas yang boleh memutuskan: semua pernah memutuskannya; tambahkan akun petugas"
