"""Forms of the assessor, from the review of the self-assessment to the report.

The review of FR.APL.02, FR.MAPA, FR.AK.01, the FR.IA records, FR.AK.02, FR.AK.05, FR.AK.06.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from engine.pipeline import Evidence, Form
from flows.lsp_competency_test.application import Result, Row, Text, UnitCode, UnitRow, one_line_a_unit


class Instrument(StrEnum):
    """The instruments of MUK: FR.IA.01 to FR.IA.11."""

    OBSERVATION = "FR.IA.01"
    PRACTICE = "FR.IA.02"
    SUPPORTING_QUESTIONS = "FR.IA.03"
    PROJECT = "FR.IA.04"
    MULTIPLE_CHOICE = "FR.IA.05"
    ESSAY = "FR.IA.06"
    ORAL = "FR.IA.07"
    PORTFOLIO = "FR.IA.08"
    INTERVIEW = "FR.IA.09"
    THIRD_PARTY = "FR.IA.10"
    MATERIAL_REVIEW = "FR.IA.11"


class ReviewEnd(StrEnum):
    """The conclusion of the review: whether the self-assessment is enough to go on."""

    CONTINUE = "continue"
    NOT_CONTINUE = "not_continue"


class AssessmentReview(Form):
    """The assessor's review of FR.APL.02."""

    decision: ReviewEnd = Field(description="continue: asesmen dapat dilanjutkan; not_continue: belum")
    reason: str = Field(
        default="", max_length=2000, description="Saran; wajib bila tidak dilanjutkan, misalnya pelatihan"
    )

    @model_validator(mode="after")
    def _advises(self) -> Self:
        if self.decision is ReviewEnd.NOT_CONTINUE and not self.reason:
            raise ValueError("reason: tulis saran untuk asesi, misalnya pelatihan yang perlu diikuti")
        return self


class UnitPlan(UnitRow):
    """The instruments for one unit: a line of FR.MAPA.01 and of the map of FR.MAPA.02."""

    instruments: list[Instrument] = Field(description="Perangkat asesmen, misalnya FR.IA.01")
    potential: Literal[1, 2, 3, 4, 5] = Field(default=1, description="Potensi asesi 1 sampai 5 (FR.MAPA.02)")


class Plan(Form):
    """FR.MAPA.01 and FR.MAPA.02: the plan to gather evidence, with the adjustments of FR.AK.07."""

    context: Text = Field(description="Pendekatan dan konteks asesmen: tempat, bukti, siapa yang dikonfirmasi")
    units: list[UnitPlan] = Field(description="Satu baris untuk tiap unit yang diuji")
    adjustments: str = Field(default="", max_length=1000, description="Penyesuaian yang wajar (FR.AK.07), bila ada")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        one_line_a_unit(self.units)
        if bare := [one.code for one in self.units if not one.instruments]:
            raise ValueError(f"units: unit {', '.join(bare)} belum ada perangkatnya; pilih paling sedikit satu FR.IA")
        return self


class AssessorAgreement(Form):
    """FR.AK.01, the assessor's side: explained, impartial, confidential."""

    explained: bool = Field(description="Saya telah menjelaskan rencana, hak banding, dan kerahasiaan kepada asesi")
    impartial: bool = Field(
        description="Saya tidak pernah melatih asesi, bukan keluarganya, dan tidak selembaga dengannya"
    )

    @model_validator(mode="after")
    def _stands_by_it(self) -> Self:
        if not (self.explained and self.impartial):
            raise ValueError(
                "impartial: bila tidak dapat menyatakan keduanya, mintalah petugas LSP menunjuk asesor lain"
            )
        return self


class TestEnd(StrEnum):
    """The end of a test day: whether the candidate came."""

    HELD = "held"
    ABSENT = "absent"


class InstrumentRecord(Row):
    """The record of one instrument: one of FR.IA.01 to FR.IA.11."""

    instrument: Instrument
    units: list[UnitCode] = Field(description="Unit yang dinilai dengan perangkat ini")
    finding: Text = Field(description="Hasil dan catatan asesor")
    file: Evidence = Field(description="Lembar FR.IA yang sudah diisi")


class TestRecord(Form):
    """The test: the record of each instrument that was used."""

    decision: TestEnd = Field(description="held: asesi diuji; absent: asesi tidak hadir")
    tested_on: date = Field(description="Tanggal uji")
    records: list[InstrumentRecord] = Field(
        default_factory=list, description="Rekaman FR.IA, satu baris tiap perangkat"
    )

    @model_validator(mode="after")
    def _has_records(self) -> Self:
        if self.decision is TestEnd.HELD and not self.records:
            raise ValueError("records: lampirkan paling sedikit satu rekaman FR.IA")
        return self


class UnitResult(UnitRow):
    """K or BK of one unit.

    K only on evidence that is valid, authentic, current and sufficient (VATM).
    """

    result: Result = Field(description="competent (K) atau not_yet_competent (BK)")
    valid: bool = Field(default=False, description="Valid")
    authentic: bool = Field(default=False, description="Asli")
    current: bool = Field(default=False, description="Terkini")
    sufficient: bool = Field(default=False, description="Memadai")
    note: str = Field(default="", max_length=1000, description="Tindak lanjut atau catatan; wajib untuk BK")


class AssessmentRecord(Form):
    """FR.AK.02: K or BK unit by unit, and the recommendation that follows."""

    decision: Result = Field(description="Rekomendasi: competent hanya bila semua unit K")
    units: list[UnitResult] = Field(description="Satu baris untuk tiap unit yang diuji")
    records: list[InstrumentRecord] = Field(
        default_factory=list, description="Rekaman FR.IA tambahan, bila pleno memintanya"
    )

    @model_validator(mode="after")
    def _follows_from_its_units(self) -> Self:
        one_line_a_unit(self.units)
        for one in self.units:
            if one.result is Result.COMPETENT and not (one.valid and one.authentic and one.current and one.sufficient):
                raise ValueError(
                    f"units: unit {one.code} K tanpa bukti yang valid, asli, terkini dan memadai; tulis BK"
                )
            if one.result is Result.NOT_YET and not one.note:
                raise ValueError(f"units: unit {one.code} BK; tulis tindak lanjutnya pada note")
        failed = [one.code for one in self.units if one.result is Result.NOT_YET]
        if failed and self.decision is Result.COMPETENT:
            raise ValueError(f"decision: unit {', '.join(failed)} BK; rekomendasi K hanya bila semua unit K, pilih BK")
        if not failed and self.decision is Result.NOT_YET:
            raise ValueError("decision: semua unit K; pilih competent, atau tulis unit mana yang BK")
        return self


class AssessmentReport(Form):
    """FR.AK.05, the report, and FR.AK.06, the review of the process."""

    positive: Text = Field(description="FR.AK.05: aspek positif")
    negative: str = Field(
        default="", max_length=2000, description="FR.AK.05: aspek negatif, penolakan, saran perbaikan"
    )
    followed_principles: bool = Field(description="FR.AK.06: asesmen valid, reliabel, fleksibel, dan adil")
    recommendation: str = Field(
        default="", max_length=2000, description="FR.AK.06: usul perbaikan; wajib bila ada yang kurang"
    )

    @model_validator(mode="after")
    def _says_what_to_mend(self) -> Self:
        if not self.followed_principles and not self.recommendation:
            raise ValueError("recommendation: tulis apa yang perlu diperbaiki pada proses asesmen")
        return self
