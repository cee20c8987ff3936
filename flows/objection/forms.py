"""Forms of a contested refusal: the rulings, and the applicant's answer to them.

The descriptions of their fields are shown to people.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, model_validator

from engine.pipeline import ApplicantForm, Form


class RulingEnd(StrEnum):
    """The end of an objection or an appeal."""

    GRANT = "grant"
    REJECT = "reject"


class Ruling(Form):
    """A ruling and its reason: the applicant reads it."""

    decision: RulingEnd = Field(description="grant: dikabulkan, permohonan diperiksa ulang; reject: ditolak")
    reason: str = Field(min_length=3, max_length=4000, description="Alasan, yang dibaca pemohon")


class ObjectionRuling(Ruling):
    """The ruling on an objection (keberatan)."""


class AdministrativeAppealRuling(Ruling):
    """The superior's ruling on an administrative appeal (banding administratif)."""


class Wish(StrEnum):
    """The applicant's answer to a rejected objection."""

    ACCEPT = "accept"
    APPEAL = "appeal"


class AdministrativeAppeal(ApplicantForm):
    """The applicant's answer to the ruling: to accept it, or to appeal to the superior."""

    decision: Wish = Field(description="accept: menerima keputusan; appeal: mengajukan banding administratif")
    reason: str = Field(default="", max_length=4000, description="Alasan banding; wajib bila mengajukan banding")

    @model_validator(mode="after")
    def _says_why(self) -> AdministrativeAppeal:
        if self.decision is Wish.APPEAL and not self.reason:
            raise ValueError("reason: tulis alasan banding Anda")
        return self
