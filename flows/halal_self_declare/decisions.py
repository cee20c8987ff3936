"""Decisions of office, companion, companion body, BPJPH and fatwa committee, as forms.

An officer records those of other bodies for them.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from engine.pipeline import Evidence, Form
from flows.halal_number import HALAL_NUMBER, unknown_province
from flows.halal_self_declare.forms import Name, Row, Text


class DoubtEnd(StrEnum):
    """An officer's decision about a listed word, or about a limit that is not law."""

    CONFIRMED = "confirmed"
    MISTAKEN = "mistaken"


class Doubt(Form):
    """An officer's finding about a name, an ingredient or a limit in doubt, with its reason."""

    decision: DoubtEnd
    reason: Text = Field(description="Apa yang dilihat atau ditanyakan kepada pemohon")


class Slot(StrEnum):
    """The decision about a place in a programme that pays."""

    GRANTED = "granted"
    WAITING_LIST = "waiting_list"
    REFUSED = "refused"


class Facilitation(Form):
    """An officer's decision about a place in a programme (SEHATI, APBD): grant, wait, or refuse."""

    decision: Slot
    programme: str = Field(default="", max_length=200, description="Program, misalnya SEHATI atau APBD, dan kodenya")
    companion_body: str = Field(default="", max_length=200, description="LP3H yang menugaskan pendamping")
    reason: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _says_which_or_why(self) -> Self:
        if self.decision is Slot.GRANTED and not (self.programme and self.companion_body):
            raise ValueError("programme: isi program dan LP3H (companion_body) yang menugaskan pendamping")
        if self.decision is not Slot.GRANTED and not self.reason:
            raise ValueError("reason: sebutkan alasannya, misalnya kuota habis")
        return self


class Check(Row):
    """One ingredient or one step of the process, as the companion found it."""

    what: Name = Field(description="Bahan atau langkah proses")
    halal: bool = Field(description="Sesuai dan halal")
    remark: Text = Field(description="Apa yang dilihat")


class VisitEnd(StrEnum):
    """The companion's conclusion from the visit."""

    RECOMMEND = "recommend"
    RETURN = "return"
    NOT_ELIGIBLE = "not_eligible"


class Visit(Form):
    """A companion's visit (verval) of ingredients and process, one by one.

    Its end is to recommend, to return, or that the product is not for this path.
    """

    decision: VisitEnd
    visited_on: date
    companion_number: Annotated[str, Field(min_length=5, max_length=40, description="Nomor registrasi pendamping PPH")]
    companion_valid_until: date = Field(description="Masa berlaku registrasi pendamping")
    independent: bool = Field(description="Saya bukan pemilik, keluarga, atau penyelia halal usaha ini")
    at_nib_address: bool = Field(description="Tempat produksi sama dengan alamat pada NIB")
    ingredients: list[Check] = Field(default_factory=list)
    process: list[Check] = Field(default_factory=list)
    evidence: Evidence = Field(description="Berita acara dan foto kunjungan")
    deficiencies: list[Text] = Field(default_factory=list)
    reason: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _may_visit_and_says_what_was_seen(self) -> Self:
        if self.companion_valid_until < self.visited_on:
            raise ValueError(
                "companion_valid_until: registrasi tidak aktif pada hari kunjungan; minta LP3H menggantikan"
            )
        if not self.independent:
            raise ValueError(
                "independent: pemilik, keluarga, atau penyelia tidak boleh memeriksa; minta pendamping lain"
            )
        if self.decision is VisitEnd.RETURN and not self.deficiencies:
            raise ValueError("deficiencies: sebutkan apa yang harus diperbaiki pemilik")
        if self.decision is VisitEnd.NOT_ELIGIBLE and not self.reason:
            raise ValueError("reason: sebutkan mengapa produk harus lewat jalur reguler")
        if self.decision is VisitEnd.RECOMMEND:
            if not (self.ingredients and self.process):
                raise ValueError("ingredients: periksa bahan dan proses (process) satu per satu")
            if not all(check.halal for check in (*self.ingredients, *self.process)):
                raise ValueError("decision: ada yang tidak sesuai; kembalikan kepada pemilik atau alihkan ke reguler")
            if not self.at_nib_address:
                raise ValueError("at_nib_address: kembalikan agar pemilik menyamakan alamat NIB di OSS lebih dahulu")
        return self


class OfOthers(Form):
    """Another body's decision, recorded for it with its source and the file that shows it."""

    source: Text = Field(description="Dari mana keputusan ini: nomor surat, laman SiHalal, atau nama pejabat")
    evidence: Evidence = Field(description="Berkas keputusan")
    deficiencies: list[Text] = Field(default_factory=list, description="Apa yang diminta, satu per baris")
    reason: str = Field(default="", max_length=2000)

    def asks_for_something(self) -> None:
        """Refuse a return that does not say what is wanted.

        Raises:
            ValueError: The deficiencies are missing.
        """
        if not self.deficiencies:
            raise ValueError("deficiencies: salin apa yang diminta")


class BodyEnd(StrEnum):
    """LP3H's decision about its companion's report."""

    FORWARD = "forward"
    RETURN = "return"
    OTHER_COMPANION = "other_companion"


class BodyCheck(OfOthers):
    """LP3H's check of the report: forward, return to the owner, or send another companion.

    It sends another one where the first was not its own, or not active.
    """

    decision: BodyEnd

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.decision is BodyEnd.RETURN:
            self.asks_for_something()
        if self.decision is BodyEnd.OTHER_COMPANION and not self.reason:
            raise ValueError("reason: salin alasan LP3H meminta pendamping lain")
        return self


class ReceiptEnd(StrEnum):
    """BPJPH's decision to take the dossier, or not."""

    ISSUED = "issued"
    RETURNED = "returned"


class ReceiptLetter(OfOthers):
    """BPJPH's receipt (STTD): issued with its number, or the dossier returned."""

    decision: ReceiptEnd
    number: str = Field(default="", max_length=64, description="Nomor STTD")

    @model_validator(mode="after")
    def _bears_a_number(self) -> Self:
        if self.decision is ReceiptEnd.RETURNED:
            self.asks_for_something()
        elif not self.number:
            raise ValueError("number: isi nomor STTD dari SiHalal")
        return self


class FatwaEnd(StrEnum):
    """The fatwa committee's decision."""

    HALAL = "halal"
    RETURN = "return"
    NOT_HALAL = "not_halal"


class Fatwa(OfOthers):
    """The committee's decision (ketetapan kehalalan): halal with its KH number, return, or not."""

    decision: FatwaEnd
    fatwa_number: str = Field(default="", max_length=100, description="Nomor ketetapan halal (KH)")

    @model_validator(mode="after")
    def _bears_its_number_or_reason(self) -> Self:
        if self.decision is FatwaEnd.RETURN:
            self.asks_for_something()
        if self.decision is FatwaEnd.NOT_HALAL and not self.reason:
            raise ValueError("reason: salin alasan Komite Fatwa")
        if self.decision is FatwaEnd.HALAL and not self.fatwa_number:
            raise ValueError("fatwa_number: isi nomor ketetapan halal (KH)")
        if HALAL_NUMBER.fullmatch(self.fatwa_number):
            raise ValueError("fatwa_number: ini nomor sertifikat halal (SH); isi nomor ketetapan (KH)")
        return self


class CertificateRecord(Form):
    """The halal certificate that BPJPH issued: its number, ID and 17 digits, with its file.

    It has no expiry.
    """

    number: str = Field(max_length=100, description="Nomor sertifikat halal (SH): ID dan 17 angka")
    issued_on: date = Field(description="Tanggal terbit")
    source: Text = Field(description="Dari mana nomor ini, misalnya laman SiHalal")
    evidence: Evidence = Field(description="PDF sertifikat halal")

    @model_validator(mode="after")
    def _is_a_certificate_number(self) -> Self:
        found = HALAL_NUMBER.fullmatch(self.number)
        if found is None:
            raise ValueError(
                "number: nomor SH adalah ID dan 17 angka, bukan nomor ketetapan (KH); salin dari sertifikat"
            )
        if province := unknown_province(found):
            raise ValueError(f"number: kode provinsi {province} tidak dikenal; salin lagi dari sertifikat BPJPH")
        return self
