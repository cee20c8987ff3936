"""Decisions of officers, curators, the panel's chair and the export center, as forms.

The descriptions of their fields are shown to people.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.pipeline import Evidence, Form
from flows.product_curation.forms import Country, Name, Text
from flows.product_curation.rubric import Aspect, Grade


class ScreeningEnd(StrEnum):
    """The decision of an officer of the curation house about an application."""

    ACCEPT = "accept"
    RETURN = "return"
    REJECT = "reject"


class Screening(Form):
    """An officer's comparison of papers, photo and sample: accept, return for fixing, or reject."""

    decision: ScreeningEnd
    photo_shows_product: bool = Field(default=True, description="Foto memang memperlihatkan produk ini")
    deficiencies: list[Text] = Field(default_factory=list, description="Kekurangan berkas, satu per baris")
    reason: str = Field(default="", max_length=2000, description="Alasan penolakan")

    @model_validator(mode="after")
    def _says_what_is_wrong(self) -> Self:
        if self.decision is ScreeningEnd.ACCEPT and not self.photo_shows_product:
            raise ValueError("photo_shows_product: foto produk lain tidak dapat diterima; kembalikan untuk foto baru")
        if self.decision is ScreeningEnd.RETURN and not self.deficiencies:
            raise ValueError("deficiencies: sebutkan apa yang harus dilengkapi")
        if self.decision is ScreeningEnd.REJECT and not self.reason:
            raise ValueError("reason: sebutkan alasan penolakan")
        return self


class Supply(StrEnum):
    """The decision where there are too few curators."""

    TRY_AGAIN = "try_again"
    REJECT = "reject"


class CuratorsWanted(Form):
    """An officer's answer to too few curators: some were found, or the case ends."""

    decision: Supply
    reason: Text = Field(description="Apa yang dilakukan, atau mengapa tidak dapat")


class Mark(BaseModel):
    """A curator's mark for one aspect."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
    aspect: Aspect = Field(description="Aspek rubrik")
    score: Annotated[int, Field(ge=0, le=100)] = Field(description="Nilai 0 sampai 100")
    remark: Text = Field(description="Catatan untuk pemilik produk")


class ScoreEnd(StrEnum):
    """The end of a scoring: scores, or a declared conflict."""

    SCORED = "scored"
    CONFLICT = "conflict"


class Score(Form):
    """A curator's scores of every aspect, without seeing others', or a declared conflict."""

    decision: ScoreEnd
    marks: list[Mark] = Field(default_factory=list, description="Nilai tiap aspek, satu per baris")
    reason: str = Field(default="", max_length=2000, description="Benturan kepentingan apa")

    @model_validator(mode="after")
    def _each_aspect_once(self) -> Self:
        if self.decision is ScoreEnd.CONFLICT:
            if not self.reason:
                raise ValueError("reason: sebutkan benturan kepentingannya")
            return self
        given = [mark.aspect for mark in self.marks]
        if missing := [aspect for aspect in Aspect if given.count(aspect) != 1]:
            raise ValueError(f"marks: beri tepat satu nilai untuk setiap aspek; periksa {', '.join(missing)}")
        return self


class PanelEnd(StrEnum):
    """The decision of the chair of the panel."""

    PASS = "pass"  # noqa: S105
    RETURN = "return"
    REJECT = "reject"


class PanelDecision(Form):
    """The ruling of the panel's chair, who did not score: pass with a grade, return, or reject."""

    decision: PanelEnd
    grade: Grade | None = Field(default=None, description="A, B atau C")
    export_plan: str = Field(default="", max_length=2000, description="Grade B: rencana menuju siap ekspor")
    notes: list[Text] = Field(default_factory=list, description="Catatan perbaikan, satu per baris")
    reason: str = Field(default="", max_length=2000, description="Alasan; wajib bila grade di atas hasil nilai")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.decision is PanelEnd.PASS and self.grade in (None, Grade.D):
            raise ValueError("grade: yang lolos mendapat grade A, B atau C")
        if self.decision is PanelEnd.RETURN and not self.notes:
            raise ValueError("notes: tulis apa yang harus diperbaiki")
        if self.decision is PanelEnd.REJECT and not self.reason:
            raise ValueError("reason: tulis alasan tidak lolos")
        return self


class RulingEnd(StrEnum):
    """The decision of a curator of the appeal panel."""

    UPHELD = "upheld"
    REJECTED = "rejected"


class AppealRuling(Form):
    """The ruling on an appeal by a curator who took no part: upheld, or rejected.

    An upheld product is curated again.
    """

    decision: RulingEnd
    reason: Text


class Confirmation(StrEnum):
    """The result of a batch's quality control."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"


class QualityControl(Form):
    """An officer's look at the quality-control record of the batch: confirmed, or not.

    Without it nothing is handed over.
    """

    decision: Confirmation
    batch: Name | None = Field(default=None, description="Nomor batch")
    checked_on: date | None = Field(default=None, description="Tanggal pemeriksaan mutu")
    record: Evidence | None = Field(default=None, description="Catatan pengendalian mutu batch")
    findings: list[Text] = Field(default_factory=list, description="Yang belum memenuhi, satu per baris")

    @model_validator(mode="after")
    def _is_shown(self) -> Self:
        if self.decision is Confirmation.CONFIRMED and not (self.batch and self.checked_on and self.record):
            raise ValueError("record: nomor batch, tanggal dan catatan pengendalian mutu wajib ada untuk konfirmasi")
        if self.decision is Confirmation.NOT_CONFIRMED and not self.findings:
            raise ValueError("findings: sebutkan apa yang belum memenuhi")
        return self


class CenterEnd(StrEnum):
    """The answer of the export center."""

    ACCEPT = "accept"
    RETURN = "return"
    WAITLIST = "waitlist"


class CenterAnswer(Form):
    """The export center's answer, recorded for it: accepted, returned with a finding, or listed."""

    decision: CenterEnd
    source: Text = Field(description="Nomor surat, atau nama pejabat")
    evidence: Evidence = Field(description="Surat jawaban")
    finding: str = Field(default="", max_length=2000, description="Temuan Export Center")
    grade_found: Grade | None = Field(default=None, description="Grade menurut Export Center, bila berbeda")

    @model_validator(mode="after")
    def _a_return_says_why(self) -> Self:
        if self.decision is CenterEnd.RETURN and not self.finding:
            raise ValueError("finding: salin temuan Export Center")
        return self


class ReturnEnd(StrEnum):
    """The decision about a product that the export center returned twice."""

    END = "end"
    RECURATE = "recurate"


class ReturnRuling(Form):
    """An officer's ruling after two returns: end the hand-over, or curate the product again."""

    decision: ReturnEnd
    reason: Text


class MatchEnd(StrEnum):
    """The result of a match with a buyer."""

    LETTER_OF_INTENT = "letter_of_intent"
    CONTRACT = "contract"
    TEST_MARKET = "test_market"
    NO_BUYER = "no_buyer"


class BuyerMatch(Form):
    """The result of the export center's matching, with its paper; or no buyer was found."""

    decision: MatchEnd
    buyer: Name | None = Field(default=None, description="Nama pembeli")
    country: Country | None = None
    evidence: Evidence | None = Field(default=None, description="LoI, kontrak, atau bukti uji pasar")
    reason: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _is_shown(self) -> Self:
        if self.decision is MatchEnd.NO_BUYER:
            if not self.reason:
                raise ValueError("reason: tulis apa yang sudah dicoba")
        elif not (self.buyer and self.country and self.evidence):
            raise ValueError("buyer: nama pembeli, negara (country) dan buktinya (evidence) wajib diisi")
        return self
