"""Forms on the way to a NIB. The descriptions of their fields are shown to people."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from engine.pipeline import ApplicantForm, Evidence, Form

Nib = Annotated[str, Field(pattern=r"^\d{13}$", description="NIB: 13 angka, dari OSS")]
IndustryCode = Annotated[str, Field(pattern=r"^\d{5}$", description="Kode KBLI: 5 angka")]
Text = Annotated[str, Field(min_length=3, max_length=2000)]


class RiskLevel(StrEnum):
    """Risk of a business activity, PP 28/2025: low, medium-low, medium-high, high."""

    LOW = "R"
    MEDIUM_LOW = "MR"
    MEDIUM_HIGH = "MT"
    HIGH = "T"

    @property
    def needs_verification(self) -> bool:
        """Return whether an authority must verify before the business may operate."""
        return self in (RiskLevel.MEDIUM_HIGH, RiskLevel.HIGH)


class KnownNib(StrEnum):
    """An officer's finding about a NIB that the owner states."""

    VALID = "valid"
    NOT_THEIRS = "not_theirs"
    NOT_FOUND = "not_found"


class ExistingNibCheck(Form):
    """An officer's check of the stated NIB at OSS: the owner's, somebody else's, or unknown."""

    decision: KnownNib
    evidence: Evidence | None = Field(default=None, description="Tangkapan layar atau PDF dari OSS")
    reason: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _what_is_confirmed_is_shown(self) -> Self:
        if self.decision is KnownNib.VALID and self.evidence is None:
            raise ValueError("evidence: lampirkan bukti dari OSS bahwa NIB ini milik pemohon")
        return self


class Completeness(StrEnum):
    """An officer's decision about a dossier."""

    COMPLETE = "complete"
    RETURN = "return"
    REJECT = "reject"


class DossierCheck(Form):
    """An officer's check of identity, address and business data: complete, return, or reject."""

    decision: Completeness
    deficiencies: list[Text] = Field(default_factory=list, description="Kekurangan berkas, satu per baris")
    reason: str = Field(default="", max_length=2000, description="Alasan penolakan")

    @model_validator(mode="after")
    def _says_what_is_wrong(self) -> Self:
        if self.decision is Completeness.RETURN and not self.deficiencies:
            raise ValueError("deficiencies: sebutkan apa yang harus dilengkapi")
        if self.decision is Completeness.REJECT and not self.reason:
            raise ValueError("reason: sebutkan alasan penolakan")
        return self


class Correction(ApplicantForm):
    """The owner's corrections. An empty field stays as it was."""

    owner_name: str | None = Field(default=None, min_length=2, max_length=200, description="Nama sesuai KTP")
    business_name: str | None = Field(default=None, min_length=2, max_length=200)
    address: str | None = Field(default=None, min_length=5, max_length=500)
    industry_code: IndustryCode | None = None
    note: str = Field(default="", max_length=2000, description="Penjelasan pemohon")


class Track(StrEnum):
    """The way on for a classified business."""

    PROCEED = "proceed"
    REROUTE = "reroute"


class Classification(Form):
    """A companion's settling of industry code and risk level, together with the owner.

    An activity that needs a technical permit first is rerouted to the agency in charge.
    """

    decision: Track
    industry_code: IndustryCode
    industry_code_version: Annotated[str, Field(pattern=r"^(2020|2025)$", description="Versi KBLI")] = "2020"
    risk_level: RiskLevel
    agency: str = Field(default="", max_length=200, description="Instansi teknis tujuan pengalihan")
    reason: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _a_rerouted_case_has_an_address(self) -> Self:
        if self.decision is Track.REROUTE and not (self.agency and self.reason):
            raise ValueError("agency: sebutkan instansi teknis dan alasan pengalihan")
        return self


class Signing(StrEnum):
    """The owner's decision about the statements."""

    SIGN = "sign"
    DECLINE = "decline"


class Statement(ApplicantForm):
    """The owner's own statements, to sign or decline.

    Safety, health and environment (K3L), spatial conformity, and SPPL.
    """

    decision: Signing
    k3l: bool = Field(default=False, description="Pernyataan mandiri K3L")
    spatial: bool = Field(default=False, description="Pernyataan kesesuaian tata ruang")
    sppl: bool = Field(default=False, description="Surat pernyataan pengelolaan lingkungan (SPPL)")
    reason: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _all_three_or_none(self) -> Self:
        if self.decision is Signing.SIGN and not (self.k3l and self.spatial and self.sppl):
            raise ValueError("k3l: ketiga pernyataan (k3l, spatial, sppl) harus disetujui")
        return self


class FilingEnd(StrEnum):
    """The answer of OSS to a filing."""

    ISSUED = "issued"
    ALREADY_REGISTERED = "already_registered"
    REFUSED = "refused"


class OssFiling(Form):
    """A filing at OSS, by machine or by hand: the NIB it gave or found, or why it refused."""

    decision: FilingEnd
    nib: Nib | None = None
    holder_name: str | None = Field(default=None, max_length=200, description="Nama pemilik pada NIB")
    issued_on: date | None = None
    region_code: str | None = Field(default=None, max_length=13, description="Wilayah usaha pada NIB")
    evidence: Evidence | None = Field(default=None, description="PDF NIB dari OSS")
    source: str = Field(default="oss", max_length=200, description="Dari mana jawaban ini")
    reason: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _a_number_has_evidence(self) -> Self:
        if self.decision is FilingEnd.REFUSED:
            if not self.reason:
                raise ValueError("reason: tulis alasan penolakan OSS")
        elif not (self.nib and self.holder_name and self.evidence):
            raise ValueError("nib: NIB, nama pemilik pada NIB (holder_name) dan PDF-nya (evidence) wajib diisi")
        return self


class VerificationEnd(StrEnum):
    """The decision of DPMPTSP, or of the technical agency.

    ``deadline_passed`` is what an officer saw in OSS.
    """

    APPROVE = "approve"
    RETURN = "return"
    REJECT = "reject"
    DEADLINE_PASSED = "deadline_passed"


class Verification(Form):
    """DPMPTSP's decision, recorded by an officer: approve, return, reject, or deadline passed."""

    decision: VerificationEnd
    source: Text = Field(description="Dari mana keputusan ini: nomor surat, laman, atau nama pejabat")
    evidence: Evidence = Field(description="Berkas keputusan")
    deficiencies: list[Text] = Field(default_factory=list)
    reason: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.decision is VerificationEnd.RETURN and not self.deficiencies:
            raise ValueError("deficiencies: sebutkan apa yang diminta DPMPTSP")
        if self.decision is VerificationEnd.REJECT and not self.reason:
            raise ValueError("reason: salin alasan penolakan DPMPTSP")
        return self


class RulingEnd(StrEnum):
    """An official's ruling on a passed deadline whose legal effect is not confirmed."""

    GRANTED_IN_OSS = "granted_in_oss"
    KEEP_WAITING = "keep_waiting"


class DeadlineRuling(Form):
    """A head of division's ruling after DPMPTSP's time: whether OSS itself granted the approval.

    The legal effect of the passed deadline is unconfirmed.
    """

    decision: RulingEnd
    evidence: Evidence | None = Field(default=None, description="Bukti penetapan dari OSS")
    reason: Text

    @model_validator(mode="after")
    def _a_grant_is_shown(self) -> Self:
        if self.decision is RulingEnd.GRANTED_IN_OSS and self.evidence is None:
            raise ValueError("evidence: lampirkan penetapan dari OSS; tanpa bukti tidak ada izin yang dianggap terbit")
        return self


class Match(StrEnum):
    """The comparison of the NIB's papers with this owner and this business."""

    MATCH = "match"
    MISMATCH = "mismatch"


class NibRecord(Form):
    """A second officer's comparison of name and industry code on the NIB with the dossier."""

    decision: Match
    reason: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _says_what_differs(self) -> Self:
        if self.decision is Match.MISMATCH and not self.reason:
            raise ValueError("reason: sebutkan apa yang tidak cocok")
        return self
