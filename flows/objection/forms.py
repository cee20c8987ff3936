"""What is filled in when a refusal is contested: the rulings, and what the applicant makes of them. Descriptions are shown."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, model_validator

from engine.pipeline import ApplicantForm, Form


class RulingEnd(StrEnum):
    """How an objection or an appeal ends."""

    GRANT = "grant"
    REJECT = "reject"


class Ruling(Form):
    """What is ruled, and why: the applicant reads it."""

    decision: RulingEnd = Field(description="grant: dikabulkan, permohonan diperiksa ulang; reject: ditolak")
    reason: str = Field(min_length=3, max_length=4000, description="Alasan, yang dibaca pemohon")


class ObjectionRuling(Ruling):
    """The ruling on an objection (keberatan)."""


class AdministrativeAppealRuling(Ruling):
    """The superior's ruling on an administrative appeal (banding administratif)."""


class Wish(StrEnum):
    """What the applicant makes of a rejected objection."""

    ACCEPT = "accept"
    APPEAL = "appeal"


class AdministrativeAppeal(ApplicantForm):
    """The applicant accepts the ruling on the objection, or appeals to the superior."""

    decision: Wish = Field(description="accept: menerima keputusan; appeal: mengajukan banding administratif")
    reason: str = Field(default="", max_length=4000, description="Alasan banding; wajib bila mengajukan banding")

    @model_validator(mode="after")
    def _says_why(self) -> AdministrativeAppeal:
        if self.decision is Wish.APPEAL and not self.reason:
            raise ValueError("reason: tulis alasan banding Anda")
        return self
