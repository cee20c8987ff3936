"""What people fill in on the self-declare path to a halal certificate. Field descriptions are shown to them."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.words import ApplicantForm, Evidence, Form
from rules.regions import provinces

Nib = Annotated[str, Field(pattern=r"^\d{13}$", description="NIB: 13 angka, dari OSS")]
Name = Annotated[str, Field(min_length=2, max_length=200)]
Text = Annotated[str, Field(min_length=3, max_length=2000)]
HALAL_NUMBER = re.compile(r"ID(\d{2})\d{15}")


class Row(BaseModel):
    """One line of a list in a form."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Ingredient(Row):
    """One ingredient: where it comes from, and what shows that it is halal."""

    name: Name = Field(description="Nama bahan, satu per baris")
    source: Name = Field(description="Merek, penjual, atau pemasok")
    certificate: str | None = Field(default=None, min_length=5, max_length=100, description="Nomor sertifikat halal")
    exempt: bool = Field(default=False, description="Ada di daftar bahan yang dikecualikan (KMA 1360/2021)")


class Product(Row):
    """One product name with all that goes into it."""

    name: Name = Field(description="Nama produk, satu varian per baris")
    ingredients: list[Ingredient]

    @model_validator(mode="after")
    def _is_made_of_something(self) -> Self:
        if not self.ingredients:
            raise ValueError("ingredients: tulis semua bahan produk ini, satu per baris")
        return self


class Kind(StrEnum):
    """What is sold: goods in a package, or dishes of an eatery (warung makan, kedai)."""

    PACKAGED = "packaged"
    EATERY = "eatery"


class Scale(StrEnum):
    """The scale that stands on the NIB."""

    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Technology(StrEnum):
    """How it is made; only the first two are simple."""

    MANUAL = "manual"
    SEMI_AUTOMATIC = "semi_automatic"
    AUTOMATIC = "automatic"


class Application(ApplicantForm):
    """The owner's own statement (pernyataan mandiri): products, ingredients, process, places, and the halal pledge."""

    nib: Nib | None = None
    nib_scale: Scale = Field(description="Skala usaha yang tertulis pada NIB")
    annual_sales_rupiah: int = Field(description="Hasil penjualan setahun, rupiah bulat")
    kind: Kind = Field(description="Produk kemasan (packaged) atau warung makan (eatery)")
    products: list[Product]
    process: Text = Field(description="Cara membuat, dari bahan sampai siap dijual")
    technology: Technology
    preservation: list[Name] = Field(default_factory=list, description="Cara pengawetan, satu per baris")
    production_places: list[Text] = Field(description="Alamat tempat produksi, satu per baris")
    outlets: list[Text] = Field(default_factory=list, description="Alamat gerai, satu per baris")
    apart_from_non_halal: bool = Field(description="Tempat dan alat terpisah dari yang tidak halal")
    photo: Evidence | None = Field(default=None, description="Foto produk dan tempat produksi")
    pledge: bool = Field(default=False, description="Ikrar: bahan dan proses produk saya halal")
    changes_certificate: str = Field(
        default="", max_length=2000, description="Bila sudah bersertifikat: apa yang berubah pada bahan atau proses"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not self.products:
            raise ValueError("products: tulis paling sedikit satu produk dengan bahan-bahannya")
        if not self.production_places:
            raise ValueError("production_places: tulis alamat tempat produksi")
        if self.annual_sales_rupiah < 0:
            raise ValueError("annual_sales_rupiah: tidak boleh kurang dari nol; tulis perkiraan setahun")
        if self.photo is None:
            raise ValueError("photo: lampirkan foto produk dan tempat produksi")
        if not self.pledge:
            raise ValueError("pledge: ikrar halal harus disetujui; tanpa ikrar, pilih jalur reguler")
        return self

    def corrected(self, correction: Correction) -> Application:
        """Return the application with what the owner put right."""
        changes = {name: getattr(correction, name) for name in CORRECTABLE}
        return self.model_copy(update={name: value for name, value in changes.items() if value})


CORRECTABLE = ("nib", "products", "process", "production_places", "photo", "changes_certificate")


class Correction(ApplicantForm):
    """What the owner puts right. An empty field stays as it was; products are given anew, all of them."""

    nib: Nib | None = None
    products: list[Product] | None = Field(default=None, description="Semua produk, dengan semua bahannya")
    process: Text | None = None
    production_places: list[Text] | None = None
    photo: Evidence | None = Field(default=None, description="Foto produk dan tempat produksi")
    changes_certificate: str = Field(default="", max_length=2000)
    note: str = Field(default="", max_length=2000, description="Penjelasan pemohon")


class Slot(StrEnum):
    """What becomes of the request for a place in a programme that pays."""

    GRANTED = "granted"
    WAITING_LIST = "waiting_list"
    REFUSED = "refused"


class Facilitation(Form):
    """An officer grants a place in a programme (SEHATI, APBD), puts the owner on its waiting list, or refuses."""

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
    """What the companion makes of the visit."""

    RECOMMEND = "recommend"
    RETURN = "return"
    NOT_ELIGIBLE = "not_eligible"


class Visit(Form):
    """A companion's visit (verval): ingredients and process one by one; recommend, return, or not for this path."""

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
    """What another body decided, recorded for it: from where, and the file that shows it."""

    source: Text = Field(description="Dari mana keputusan ini: nomor surat, laman SiHalal, atau nama pejabat")
    evidence: Evidence = Field(description="Berkas keputusan")
    deficiencies: list[Text] = Field(default_factory=list, description="Apa yang diminta, satu per baris")
    reason: str = Field(default="", max_length=2000)

    def asks_for_something(self) -> None:
        """Raise ValueError when what is returned does not say what is wanted."""
        if not self.deficiencies:
            raise ValueError("deficiencies: salin apa yang diminta")


class BodyEnd(StrEnum):
    """What LP3H makes of its companion's report."""

    FORWARD = "forward"
    RETURN = "return"
    OTHER_COMPANION = "other_companion"


class BodyCheck(OfOthers):
    """LP3H checks the report: forward, return to the owner, or send another companion (not its own, not active)."""

    decision: BodyEnd

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.decision is BodyEnd.RETURN:
            self.asks_for_something()
        if self.decision is BodyEnd.OTHER_COMPANION and not self.reason:
            raise ValueError("reason: salin alasan LP3H meminta pendamping lain")
        return self


class ReceiptEnd(StrEnum):
    """Whether BPJPH took the dossier."""

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
    """What the fatwa committee decided."""

    HALAL = "halal"
    RETURN = "return"
    NOT_HALAL = "not_halal"


class Fatwa(OfOthers):
    """The committee's decision (ketetapan kehalalan): halal with its KH number, return for data, or not halal."""

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
    """The halal certificate that BPJPH issued: its number, ID and 17 digits, with its file. It has no expiry."""

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
        if found[1] != "00" and found[1] not in provinces():
            raise ValueError(f"number: kode provinsi {found[1]} tidak dikenal; salin lagi dari sertifikat BPJPH")
        return self
