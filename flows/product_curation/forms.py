"""Forms of the owner from curation to export. The descriptions of their fields are shown."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from engine.pipeline import ApplicantForm, Evidence
from flows.halal_number import HALAL_NUMBER, unknown_province
from flows.product_curation.countries import destination
from rules.regions import provinces, regions

Name = Annotated[str, Field(min_length=2, max_length=200)]
Text = Annotated[str, Field(min_length=3, max_length=2000)]
Nib = Annotated[str, Field(pattern=r"^\d{13}$", description="NIB: 13 angka, dari OSS")]
Money = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=2)]
Country = Annotated[str, AfterValidator(destination), Field(description="Negara tujuan, dua huruf ISO 3166")]


class Cluster(StrEnum):
    """The groups by which products are curated."""

    FOOD = "makanan"
    DRINK = "minuman"
    FASHION = "fesyen"
    CRAFT = "kerajinan"
    LEATHER = "kulit"
    FURNITURE = "mebel"


class Currency(StrEnum):
    """The currencies in which a price may be stated, ISO 4217."""

    IDR = "IDR"
    USD = "USD"
    EUR = "EUR"
    SGD = "SGD"
    JPY = "JPY"


def checked_home_industry_number(number: str) -> str:
    """Return a P-IRT number whose digits 4 to 7 name a region.

    Raises:
        ValueError: Gives the hint.
    """
    digits = number.replace("-", "")
    if not re.fullmatch(r"\d{15}", digits):
        raise ValueError("nomor P-IRT terdiri atas 15 angka; salin dari sertifikat SPP-IRT")
    region = digits[3:7]
    if region not in regions() and (region[:2] == "35" or region[:2] not in provinces()):
        raise ValueError(f"angka ke-4 sampai ke-7 ({region}) bukan kode kabupaten/kota; salin lagi dari SPP-IRT")
    return number


def checked_halal_number(number: str) -> str:
    """Return the number of a halal certificate.

    Raises:
        ValueError: Gives the hint.
    """
    matched = HALAL_NUMBER.fullmatch(number)
    if matched is None:
        raise ValueError("nomor sertifikat halal adalah ID dan 17 angka, bukan nomor ketetapan (KH)")
    if province := unknown_province(matched):
        raise ValueError(f"kode provinsi {province} tidak dikenal; salin lagi dari sertifikat BPJPH")
    return number


def tariff_heading(code: str) -> str:
    """Return a tariff code of eight digits in a chapter that exists.

    Raises:
        ValueError: Gives the hint.
    """
    digits = code.replace(".", "")
    if not re.fullmatch(r"\d{8}", digits):
        raise ValueError("kode HS terdiri atas 8 angka (BTKI), misalnya 2008.99.90; lihat INSW atau tanya pendamping")
    if digits[:2] in ("00", "77", "98", "99"):
        raise ValueError(f"bab {digits[:2]} tidak ada di BTKI; periksa kembali dua angka pertama kode HS")
    return digits


HomeIndustryNumber = Annotated[str, AfterValidator(checked_home_industry_number)]
HalalNumber = Annotated[str, AfterValidator(checked_halal_number)]
FoodNumber = Annotated[str, Field(pattern=r"^(MD|ML) ?\d{12,15}$")]


class Application(ApplicantForm):
    """The owner's application for one product: papers, price, capacity and packaging."""

    cluster: Cluster = Field(description="Klaster produk; mohon diperiksa")
    photo: Evidence = Field(description="Foto produk ini dalam kemasannya")
    nib: Nib | None = None
    nib_paper: Evidence | None = Field(default=None, description="PDF NIB, bila belum tercatat di kantor ini")
    packaged: bool = Field(default=False, description="Pangan olahan dalam kemasan")
    frozen: bool = Field(default=False, description="Dibekukan atau dipasteurisasi")
    home_industry_number: HomeIndustryNumber | None = Field(default=None, description="Nomor P-IRT, 15 angka")
    food_number: FoodNumber | None = Field(default=None, description="Nomor izin edar BPOM: MD dan 12 sampai 15 angka")
    food_paper: Evidence | None = Field(default=None, description="SPP-IRT atau izin edar BPOM")
    halal_number: HalalNumber | None = Field(default=None, description="Nomor sertifikat halal: ID dan 17 angka")
    halal_paper: Evidence | None = Field(default=None, description="Sertifikat halal dari BPJPH")
    price: Money = Field(description="Harga satuan")
    currency: Currency = Field(description="Mata uang harga")
    capacity: int = Field(gt=0, description="Kapasitas produksi sebulan")
    unit: Name = Field(description="Satuan: buah, bungkus, kilogram …")
    packaging: Text = Field(description="Kemasan dan label")
    brand: Name = Field(description="Merek")
    brand_number: str | None = Field(default=None, min_length=5, max_length=40, description="Nomor pendaftaran merek")
    communal_brand: bool = Field(default=False, description="Memakai merek bersama")
    ingredients: list[Name] = Field(default_factory=list, description="Bahan, satu per baris")
    other_houses: list[Name] = Field(default_factory=list, description="Rumah kurasi lain yang sedang dilamar")

    def corrected(self, correction: Correction) -> Application:
        """Return the application with the owner's corrections."""
        changes = {name: getattr(correction, name) for name in CORRECTABLE}
        changed = {name: value for name, value in changes.items() if value is not None}
        return self.model_copy(update={**changed, "other_houses": [] if correction.only_here else self.other_houses})


class Correction(ApplicantForm):
    """The owner's corrections. An empty field stays as it was."""

    photo: Evidence | None = None
    nib: Nib | None = None
    nib_paper: Evidence | None = None
    frozen: bool | None = None
    home_industry_number: HomeIndustryNumber | None = None
    food_number: FoodNumber | None = None
    food_paper: Evidence | None = None
    halal_number: HalalNumber | None = None
    halal_paper: Evidence | None = None
    ingredients: list[Name] | None = None
    only_here: bool = Field(default=False, description="Lamaran di rumah kurasi lain sudah saya tarik")
    note: str = Field(default="", max_length=2000, description="Penjelasan pemohon")


CORRECTABLE = tuple(
    name
    for name in Application.model_fields
    if name in Correction.model_fields and name not in ApplicantForm.model_fields
)


class Repair(ApplicantForm):
    """The owner's changes after the curators' notes, with a new photo of the product."""

    done: Text = Field(description="Apa yang diperbaiki, menurut catatan kurasi")
    photo: Evidence = Field(description="Foto produk setelah diperbaiki")


class AppealChoice(StrEnum):
    """The owner's choice about a product that did not pass."""

    APPEAL = "appeal"
    ACCEPT = "accept"


class Appeal(ApplicantForm):
    """The owner's answer to a product that did not pass: accept, or appeal to other curators."""

    decision: AppealChoice
    reason: str = Field(default="", max_length=2000, description="Alasan banding")

    @model_validator(mode="after")
    def _an_appeal_says_why(self) -> Self:
        if self.decision is AppealChoice.APPEAL and not self.reason:
            raise ValueError("reason: tulis alasan banding, supaya panel banding tahu apa yang diperiksa")
        return self


class Willing(StrEnum):
    """The owner's choice to have the product handed over to the export center."""

    PROVIDE = "provide"
    DECLINE = "decline"


class ExportData(ApplicantForm):
    """Data for a buyer abroad, by the owner or their companion; or the owner stays at home."""

    decision: Willing
    hs_code: Annotated[str, AfterValidator(tariff_heading)] | None = Field(
        default=None, description="Kode HS, 8 angka (BTKI)"
    )
    fob_price: Money | None = Field(default=None, description="Harga FOB per satuan")
    currency: Currency | None = Field(default=None, description="Mata uang harga FOB")
    capacity: int | None = Field(default=None, gt=0, description="Kapasitas sebulan untuk ekspor")
    minimum_order: int | None = Field(default=None, gt=0, description="Pesanan paling sedikit (MOQ)")
    lead_time_days: int | None = Field(default=None, gt=0, description="Waktu penyiapan pesanan, hari")
    unit: Name | None = Field(default=None, description="Satuan, dalam bahasa Inggris: pack, piece, kg …")
    ingredients: Text | None = Field(default=None, description="Bahan, dalam bahasa Inggris")
    packaging: Text | None = Field(default=None, description="Spesifikasi kemasan ekspor")
    destination: Country | None = None
    catalogue: Annotated[str, Field(min_length=30, max_length=1200)] | None = Field(
        default=None, description="Teks katalog, dalam bahasa Inggris"
    )
    nutrition: Evidence | None = Field(default=None, description="Informasi nilai gizi (pangan)")
    lab_test: Evidence | None = Field(default=None, description="Hasil uji laboratorium")
    brand_certificate: Evidence | None = Field(default=None, description="Sertifikat atau tanda terima merek")

    @model_validator(mode="after")
    def _a_buyer_is_told_all(self) -> Self:
        if self.decision is Willing.PROVIDE and (missing := [one for one in REQUIRED if getattr(self, one) is None]):
            raise ValueError(f"{missing[0]}: wajib diisi untuk diserahkan ke Export Center ({', '.join(missing)})")
        return self


REQUIRED = (
    "hs_code",
    "fob_price",
    "currency",
    "capacity",
    "unit",
    "minimum_order",
    "lead_time_days",
    "packaging",
    "destination",
    "catalogue",
)


class Realisation(ApplicantForm):
    """A realised export: country, US dollars, quantity and declaration."""

    country: Country
    usd: Money = Field(description="Nilai ekspor, dolar AS")
    quantity: int = Field(gt=0, description="Jumlah barang")
    unit: Name = Field(description="Satuan jumlah")
    declaration_number: Annotated[str, Field(min_length=3, max_length=40)] = Field(description="Nomor PEB")
    declared_on: date = Field(description="Tanggal PEB")
    declaration: Evidence = Field(description="PEB")
