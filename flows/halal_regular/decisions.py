"""Decisions of other bodies: an officer records each with its source and its file."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Self

from pydantic import Field, field_validator, model_validator

from engine.pipeline import Evidence, Form
from flows.halal_number import HALAL_NUMBER, unknown_province
from flows.halal_regular.forms import Name, Rupiah, Text


class Recorded(Form):
    """A decision of another body."""

    source: Text = Field(description="Dari mana keputusan ini: nomor surat, laman SiHalal, atau nama pejabat")
    evidence: Evidence = Field(description="Berkas keputusan")


class CheckEnd(StrEnum):
    """BPJPH's decision about the documents."""

    APPROVE = "approve"
    RETURN = "return"


class DocumentCheck(Recorded):
    """BPJPH's verification of the documents (UU 33/2014 Pasal 29): approved, or returned."""

    decision: CheckEnd
    deficiencies: list[Text] = Field(default_factory=list, description="Kekurangan, satu per baris")

    @model_validator(mode="after")
    def _says_what_is_missing(self) -> Self:
        if self.decision is CheckEnd.RETURN and not self.deficiencies:
            raise ValueError("deficiencies: salin apa yang diminta BPJPH, satu per baris")
        return self


class Quote(Recorded):
    """The chosen inspection body (LPH), and the cost that it entered."""

    body: Name = Field(description="Nama LPH, seperti pada daftar LPH terakreditasi")
    amount_rupiah: Rupiah


class DocumentReceipt(Recorded):
    """The receipt of documents (STTD), which BPJPH issues once the invoice is paid."""

    number: Name = Field(description="Nomor STTD")
    issued_on: date


class AuditEnd(StrEnum):
    """The result of the inspection body's audit, or its request."""

    PASS = "pass"  # noqa: S105
    FINDINGS = "findings"
    EXTENSION = "extension"
    STOP = "stop"
    NOT_HALAL = "not_halal"


class Lab(StrEnum):
    """The laboratory's finding about porcine DNA."""

    NONE = "none"
    NEGATIVE = "negative"
    POSITIVE = "positive"


class Audit(Recorded):
    """The audit of the inspection body (UU 33/2014 Pasal 31).

    Production is running, and there is a lab test where in doubt.
    """

    decision: AuditEnd
    audited_on: date | None = Field(default=None, description="Tanggal audit di tempat usaha")
    auditors: list[Name] = Field(default_factory=list, description="Nama auditor halal, satu per baris")
    production_running: bool = Field(default=False, description="Produksi berjalan saat audit")
    doubtful: bool = Field(default=False, description="Ada bahan yang diragukan kehalalannya")
    lab: Lab = Field(default=Lab.NONE, description="Hasil uji DNA babi")
    findings: list[Text] = Field(default_factory=list, description="Temuan, satu per baris")
    reason: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _is_a_whole_audit(self) -> Self:
        end = self.decision
        if self.lab is Lab.POSITIVE and end is not AuditEnd.NOT_HALAL:
            raise ValueError("decision: uji laboratorium menemukan DNA babi; catat sebagai not_halal")
        if end in (AuditEnd.PASS, AuditEnd.FINDINGS):
            if self.audited_on is None:
                raise ValueError("audited_on: isi tanggal audit di tempat usaha")
            if not self.auditors:
                raise ValueError("auditors: isi nama auditor halal yang memeriksa, satu per baris")
            if not self.production_running:
                raise ValueError(
                    "production_running: audit dilakukan saat produksi berjalan; mintalah LPH menetapkan tanggal lain"
                )
        if end is AuditEnd.PASS and self.doubtful and self.lab is Lab.NONE:
            raise ValueError("lab: ada bahan yang diragukan; catat hasil uji laboratorium lebih dahulu")
        if end is AuditEnd.FINDINGS and not self.findings:
            raise ValueError("findings: salin temuan LPH, satu per baris")
        if end in (AuditEnd.EXTENSION, AuditEnd.STOP, AuditEnd.NOT_HALAL) and not self.reason:
            raise ValueError("reason: salin alasan dari LPH")
        return self


class Ruling(Recorded):
    """A session on a product's halal status: its number, or its reason."""

    kh_number: str = Field(default="", max_length=100, description="Nomor Ketetapan Halal (KH), seperti tertulis")
    reason: str = Field(default="", max_length=2000, description="Alasan; wajib bila tidak halal")

    @model_validator(mode="after")
    def _bears_its_number(self) -> Self:
        end = str(getattr(self, "decision", ""))
        if end == "halal" and not self.kh_number:
            raise ValueError("kh_number: isi nomor Ketetapan Halal (KH)")
        if HALAL_NUMBER.fullmatch(self.kh_number):
            raise ValueError(
                "kh_number: ini nomor sertifikat halal (SH); isi nomor Ketetapan Halal (KH) dari sidang fatwa"
            )
        if end == "not_halal" and not self.reason:
            raise ValueError("reason: salin alasan penetapan tidak halal")
        return self


class FatwaEnd(StrEnum):
    """The decision of MUI's fatwa commission, or that its time went by."""

    HALAL = "halal"
    NOT_HALAL = "not_halal"
    NEEDS_DATA = "needs_data"
    TIME_EXCEEDED = "time_exceeded"


class Fatwa(Ruling):
    """The fatwa session of MUI (UU 33/2014 Pasal 33)."""

    decision: FatwaEnd
    data: list[Text] = Field(default_factory=list, description="Data yang diminta MUI, satu per baris")

    @model_validator(mode="after")
    def _says_what_it_needs(self) -> Self:
        if self.decision is FatwaEnd.NEEDS_DATA and not self.data:
            raise ValueError("data: salin data yang diminta MUI, satu per baris")
        return self


class CommitteeEnd(StrEnum):
    """The decision of the fatwa committee in MUI's stead."""

    HALAL = "halal"
    NOT_HALAL = "not_halal"


class CommitteeRuling(Ruling):
    """The fatwa committee's ruling after MUI's time (UU 33/2014 Pasal 33 ayat (5) and (6))."""

    decision: CommitteeEnd


class HalalCertificate(Recorded):
    """The halal certificate that BPJPH issued.

    It has no end; ingredients or process that change must be reported.
    """

    number: str = Field(max_length=100, description="Nomor sertifikat halal: ID dan 17 angka")
    issued_on: date = Field(description="Tanggal terbit")

    @field_validator("number")
    @classmethod
    def _is_a_certificates_number(cls, typed: str) -> str:
        number = re.sub(r"\s", "", typed).upper()
        found = HALAL_NUMBER.fullmatch(number)
        if not found:
            raise ValueError(
                "bukan nomor sertifikat halal (ID dan 17 angka); nomor Ketetapan Halal (KH) bukan nomor sertifikat. "
                "Lihat sertifikat dari BPJPH"
            )
        if province := unknown_province(found):
            raise ValueError(
                f"angka ke-1 dan ke-2 sesudah ID ({province}) bukan 00 dan bukan kode provinsi; periksa lagi"
            )
        return number
