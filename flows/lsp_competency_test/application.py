"""Forms of the candidate, and the wish to be tested again.

FR.APL.01, FR.APL.02, FR.AK.01, FR.AK.03, FR.AK.04.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from engine.pipeline import ApplicantForm, Evidence

UNIT_CODE = re.compile(r"^[A-Z]\.\d{2}[0-9A-Z]{4,5}\.\d{3}\.\d{1,2}$")
Name = Annotated[str, Field(min_length=2, max_length=200)]
Text = Annotated[str, Field(min_length=3, max_length=2000)]
Account = Annotated[str, Field(min_length=2, max_length=64, description="Nama akun")]


def _unit_code(typed: str) -> str:
    code = re.sub(r"\s", "", typed).upper()
    if not UNIT_CODE.fullmatch(code):
        raise ValueError("bukan kode unit kompetensi; salin dari skema, misalnya M.741000.002.01")
    return code


Cluster = Annotated[str, Field(pattern=r"^[A-Za-z ]{3,32}$", description="Klaster produk, misalnya makanan")]
UnitCode = Annotated[str, Field(description="Kode unit kompetensi, seperti pada skema"), AfterValidator(_unit_code)]


class Row(BaseModel):
    """One line of a list in a form."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class UnitRow(Row):
    """One line of a list of units."""

    code: UnitCode


def one_line_a_unit(rows: Sequence[UnitRow]) -> None:
    """Refuse a list that is empty or names a unit twice.

    Raises:
        ValueError: Says which of the two.
    """
    codes = [row.code for row in rows]
    if not codes:
        raise ValueError("units: isi satu baris untuk tiap unit kompetensi")
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise ValueError(f"units: unit {', '.join(twice)} tertulis dua kali; hapus salah satu barisnya")


class Result(StrEnum):
    """The claim, recommendation or decision about a unit or the whole: K or BK."""

    COMPETENT = "competent"
    NOT_YET = "not_yet_competent"


class Kind(StrEnum):
    """The kind of application: a first certificate, or recognition of current competency (RCC).

    RCC is for a certificate that is about to end.
    """

    FIRST = "first"
    RECERTIFICATION = "recertification"


class ProofKind(StrEnum):
    """The kind of a proof of the basic requirements."""

    ID_CARD = "id_card"
    PHOTO = "photo"
    DIPLOMA = "diploma"
    TRAINING = "training"
    WORK = "work"
    OTHER = "other"


class Proof(Row):
    """One proof, as a file."""

    kind: ProofKind = Field(description="KTP, pasfoto, ijazah, sertifikat pelatihan, surat kerja, atau lainnya")
    file: Evidence


class Application(ApplicantForm):
    """FR.APL.01: the application for certification, with the proofs of the basic requirements."""

    kind: Kind = Field(default=Kind.FIRST, description="first: sertifikat pertama; recertification: perpanjangan (RCC)")
    scheme: Annotated[str, Field(pattern=r"^[a-z_]{3,40}$", description="Skema sertifikasi yang dipilih")]
    national_id: Annotated[
        str, Field(pattern=r"^\d{16}$", description="NIK: 16 angka, seperti pada KTP yang dilampirkan")
    ]
    education: Name = Field(description="Pendidikan terakhir")
    occupation: Name = Field(description="Pekerjaan atau jabatan sekarang")
    employer: str = Field(default="", max_length=200, description="Lembaga atau perusahaan tempat bekerja, bila ada")
    trainers: list[Account] = Field(default_factory=list, description="Akun semua orang yang pernah melatih Anda")
    clusters: list[Cluster] = Field(default_factory=list, description="Untuk kurator: klaster produk yang dikuasai")
    proofs: list[Proof] = Field(description="Bukti: KTP dan pasfoto wajib; ijazah, sertifikat pelatihan, surat kerja")
    previous_certificate: str = Field(default="", max_length=64, description="Untuk RCC: nomor sertifikat yang lama")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        kinds = {proof.kind for proof in self.proofs}
        if not {ProofKind.ID_CARD, ProofKind.PHOTO} <= kinds:
            raise ValueError("proofs: lampirkan KTP (id_card) dan pasfoto (photo)")
        if self.kind is Kind.RECERTIFICATION and not self.previous_certificate:
            raise ValueError("previous_certificate: isi nomor sertifikat lama yang akan diperpanjang")
        return self


class UnitClaim(UnitRow):
    """The candidate's claim about one unit, and the evidence for it."""

    claim: Result = Field(description="competent (K) atau not_yet_competent (BK)")
    evidence: Evidence | None = Field(default=None, description="Bukti yang relevan; wajib untuk K")


class SelfAssessment(ApplicantForm):
    """FR.APL.02: the self-assessment, unit by unit."""

    units: list[UnitClaim] = Field(description="Satu baris untuk tiap unit skema")

    @model_validator(mode="after")
    def _shows_what_it_claims(self) -> Self:
        one_line_a_unit(self.units)
        if bare := [one.code for one in self.units if one.claim is Result.COMPETENT and one.evidence is None]:
            raise ValueError(f"units: unit {', '.join(bare)} diakui K tanpa bukti; lampirkan buktinya atau pilih BK")
        return self


class Agreement(ApplicantForm):
    """FR.AK.01: the candidate's signed agreement to the assessment and its confidentiality.

    It names the right to appeal.
    """

    agrees: bool = Field(description="Saya setuju diases menurut rencana ini, dan tahu hak banding saya")
    keeps_secret: bool = Field(description="Saya menjaga kerahasiaan materi uji")
    special_needs: str = Field(
        default="", max_length=1000, description="Kebutuhan khusus saat uji (FR.AK.07), bila ada"
    )

    @model_validator(mode="after")
    def _agrees_to_all(self) -> Self:
        if not (self.agrees and self.keeps_secret):
            raise ValueError(
                "agrees: uji hanya dapat dilakukan bila kedua pernyataan disetujui; bila tidak, tarik permohonan"
            )
        return self


class Feedback(ApplicantForm):
    """FR.AK.03: the candidate's feedback on the assessment."""

    explained: bool = Field(description="Saya mendapat penjelasan yang cukup tentang proses asesmen")
    fair: bool = Field(description="Saya diases secara adil, dengan waktu yang cukup")
    told_result: bool = Field(description="Asesor menjelaskan hasil dan umpan baliknya")
    note: str = Field(default="", max_length=2000, description="Catatan atau saran")


class ResponseEnd(StrEnum):
    """The candidate's response to the result."""

    ACCEPT = "accept"
    APPEAL = "appeal"


class ResultResponse(ApplicantForm):
    """The candidate's response: the result is accepted, or contested with FR.AK.04."""

    decision: ResponseEnd = Field(description="accept: menerima hasil; appeal: mengajukan banding (FR.AK.04)")
    was_explained: bool = Field(default=True, description="Proses banding sudah dijelaskan kepada saya")
    talked_it_over: bool = Field(default=False, description="Saya sudah membicarakan hasil dengan asesor")
    units: list[UnitCode] = Field(
        default_factory=list, description="Unit yang hasilnya dibanding; kosong berarti semua"
    )
    reason: str = Field(default="", max_length=2000, description="Alasan banding; wajib bila banding")

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.decision is ResponseEnd.APPEAL and not self.reason:
            raise ValueError("reason: tulis alasan banding")
        return self


class RetestEnd(StrEnum):
    """The candidate's choice to try again, or to stop."""

    RETEST = "retest"
    STOP = "stop"


class Retest(ApplicantForm):
    """The candidate's answer: whether the failed units are to be tested again."""

    decision: RetestEnd = Field(description="retest: uji ulang unit yang belum kompeten; stop: berhenti di sini")
