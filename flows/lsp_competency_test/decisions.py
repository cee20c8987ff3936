"""Decisions of the LSP: check of FR.APL.01, schedule, seats, appeal, plenary's votes."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from engine.pipeline import Form
from flows.lsp_competency_test.application import Account, Name, Text, UnitCode

MET = re.compile(r"MET\.000\.(\d{6})[ .](\d{4})")


def _met(typed: str) -> str:
    found = re.fullmatch(r"MET\.?000\.?(\d{6})\.?(\d{4})", re.sub(r"\s", "", typed).upper())
    if not found:
        raise ValueError("bukan nomor MET; salin dari sertifikat asesor, misalnya MET.000.004772 2024")
    return f"MET.000.{found[1]} {found[2]}"


class CheckEnd(StrEnum):
    """The decision of the LSP's officer about an application."""

    ACCEPT = "accept"
    RETURN = "return"
    REJECT = "reject"


class AdminCheck(Form):
    """The check of FR.APL.01: the proofs are the candidate's own, and meet the requirements.

    The basic requirements are the scheme's.
    """

    decision: CheckEnd
    deficiencies: list[Text] = Field(
        default_factory=list, description="Kekurangan, satu per baris; misalnya foto bukan asesi"
    )
    reason: str = Field(default="", max_length=2000, description="Alasan; wajib bila ditolak")

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.decision is CheckEnd.RETURN and not self.deficiencies:
            raise ValueError("deficiencies: tulis kekurangan, satu per baris")
        if self.decision is CheckEnd.REJECT and not self.reason:
            raise ValueError("reason: tulis persyaratan dasar yang tidak terpenuhi")
        return self


class Funding(StrEnum):
    """The payer of the test."""

    CANDIDATE = "candidate"
    PSKK = "pskk"
    APBD = "apbd"


class Schedule(Form):
    """Place, time, assessor and payer of the assessment."""

    test_site: Name = Field(description="TUK, seperti pada daftar TUK")
    test_date: date = Field(description="Tanggal uji")
    assessor: Account = Field(description="Akun asesor")
    met_number: Annotated[str, Field(description="Nomor MET asesor"), AfterValidator(_met)]
    funding: Funding = Field(description="candidate: dibayar asesi; pskk: dana BNSP; apbd: dana dinas")
    fee_rupiah: Annotated[int, Field(strict=True, description="Biaya uji yang dibayar asesi; 0 bila didanai")]

    @model_validator(mode="after")
    def _is_paid_by_one(self) -> Self:
        if self.fee_rupiah < 0:
            raise ValueError("fee_rupiah: tidak boleh kurang dari nol; isi rupiah bulat")
        if self.funding is not Funding.CANDIDATE and self.fee_rupiah:
            raise ValueError("fee_rupiah: uji ini didanai; isi 0")
        return self

    @property
    def met_year(self) -> int:
        """Return the year in which the assessor was last certified."""
        return int(self.met_number[-4:])


class Seats(Form):
    """The accounts that sit: an odd number, so that a majority decides."""

    members: list[Account] = Field(description="Akun anggota: jumlah ganjil, paling sedikit tiga")

    @model_validator(mode="after")
    def _is_odd(self) -> Self:
        if len(set(self.members)) != len(self.members):
            raise ValueError("members: satu orang hanya boleh disebut satu kali")
        if len(self.members) < 3 or len(self.members) % 2 == 0:
            raise ValueError(
                "members: jumlah anggota harus ganjil dan paling sedikit tiga; tambah atau kurangi satu orang"
            )
        return self


class PlenarySeats(Seats):
    """The technical committee that decides on this candidate."""


class AppealSeats(Seats):
    """The panel that hears this candidate's appeal."""


class AppealEnd(StrEnum):
    """The finding of a member of the panel."""

    UPHELD = "upheld"
    REJECTED = "rejected"


class AppealVote(Form):
    """One member's vote on an appeal, with its reason: the candidate reads it."""

    decision: AppealEnd = Field(description="upheld: banding diterima, asesmen ulang; rejected: banding ditolak")
    reason: Text = Field(description="Alasan")


class VoteEnd(StrEnum):
    """The decision of a member of the plenary."""

    COMPETENT = "competent"
    NOT_YET = "not_yet_competent"
    RETURN = "return"


class PlenaryVote(Form):
    """One member's own vote."""

    decision: VoteEnd = Field(description="competent (K), not_yet_competent (BK), atau return: kembali ke asesor")
    units: list[UnitCode] = Field(default_factory=list, description="Unit yang BK; wajib untuk keputusan BK")
    reason: str = Field(default="", max_length=2000, description="Alasan; wajib untuk BK dan return")

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.decision is not VoteEnd.COMPETENT and not self.reason:
            raise ValueError("reason: tulis alasan, atau bukti yang masih diperlukan dari asesor")
        if self.decision is VoteEnd.NOT_YET and not self.units:
            raise ValueError("units: sebut unit yang belum kompeten")
        return self
