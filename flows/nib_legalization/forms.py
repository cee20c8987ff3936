"""What people fill in on the way to a NIB. Field descriptions are shown to them."""

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
    """What an officer finds about a NIB that the owner says they have."""

    VALID = "valid"
    NOT_THEIRS = "not_theirs"
    NOT_FOUND = "not_found"


class ExistingNibCheck(Form):
    """An officer looks the stated NIB up at OSS: it is the owner's, somebody else's, or unknown there."""

    decision: KnownNib
    evidence: Evidence | None = Field(default=None, description="Tangkapan layar atau PDF dari OSS")
    reason: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _what_is_confirmed_is_shown(self) -> Self:
        if self.decision is KnownNib.VALID and self.evidence is None:
            raise ValueError("evidence: lampirkan bukti dari OSS bahwa NIB ini milik pemohon")
        return self


class Completeness(StrEnum):
    """What an officer decides about a dossier."""

    COMPLETE = "complete"
    RETURN = "return"
    REJECT = "reject"


class DossierCheck(Form):
    """An officer checks identity, address and business data: complete, return for fixing, or reject."""

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
    """What the owner puts right. An empty field stays as it was."""

    owner_name: str | None = Field(default=None, min_length=2, max_length=200, description="Nama sesuai KTP")
    business_name: str | None = Field(default=None, min_length=2, max_length=200)
    address: str | None = Field(default=None, min_length=5, max_length=500)
    industry_code: IndustryCode | None = None
    note: str = Field(default="", max_length=2000, description="Penjelasan pemohon")


class Track(StrEnum):
    """Where a classified business goes on."""

    PROCEED = "proceed"
    REROUTE = "reroute"


class Classification(Form):
    """A companion settles industry code and risk level with the owner; an activity that needs a technical permit first
    is rerouted to the agency in charge."""

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
    """What an owner does with the statements."""

    SIGN = "sign"
    DECLINE = "decline"


class Statement(ApplicantForm):
    """The owner's own statements: safety, health and environment (K3L), spatial conformity, and SPPL; sign or decline."""

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
    """What OSS said to a filing."""

    ISSUED = "issued"
    ALREADY_REGISTERED = "already_registered"
    REFUSED = "refused"


class OssFiling(Form):
    """A filing at OSS, by machine or by an officer's hand: the NIB it gave, the one it found, or why it refused."""

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
    """What DPMPTSP, or the technical agency, decided; ``deadline_passed`` is what an officer saw in OSS."""

    APPROVE = "approve"
    RETURN = "return"
    REJECT = "reject"
    DEADLINE_PASSED = "deadline_passed"


class Verification(Form):
    """The decision of DPMPTSP, recorded for it by an officer: approve, return, reject, or its deadline passed."""

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
    """What an official makes of a passed deadline whose legal effect is not confirmed."""

    GRANTED_IN_OSS = "granted_in_oss"
    KEEP_WAITING = "keep_waiting"


class DeadlineRuling(Form):
    """DPMPTSP's time passed. The legal effect is unconfirmed: a head of division looks whether OSS itself granted it."""

    decision: RulingEnd
    evidence: Evidence | None = Field(default=None, description="Bukti penetapan dari OSS")
    reason: Text

    @model_validator(mode="after")
    def _a_grant_is_shown(self) -> Self:
        if self.decision is RulingEnd.GRANTED_IN_OSS and self.evidence is None:
            raise ValueError("evidence: lampirkan penetapan dari OSS; tanpa bukti tidak ada izin yang dianggap terbit")
        return self


class Match(StrEnum):
    """Whether the NIB's papers are this owner's and this business's."""

    MATCH = "match"
    MISMATCH = "mismatch"


class NibRecord(Form):
    """A second officer compares name and industry code on the NIB with the dossier: match, or mismatch."""

    decision: Match
    reason: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _says_what_differs(self) -> Self:
        if self.decision is Match.MISMATCH and not self.reason:
            raise ValueError("reason: sebutkan apa yang tidak cocok")
        return self
