"""Forms of the owner on the self-declare path to a halal certificate.

The descriptions of their fields are shown to people.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.pipeline import ApplicantForm, Evidence

Nib = Annotated[str, Field(pattern=r"^\d{13}$", description="NIB: 13 angka, dari OSS")]
Name = Annotated[str, Field(min_length=2, max_length=200)]
Text = Annotated[str, Field(min_length=3, max_length=2000)]


class Row(BaseModel):
    """One line of a list in a form."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Ingredient(Row):
    """An ingredient: its source, and what shows that it is halal."""

    name: Name = Field(description="Nama bahan, satu per baris")
    source: Name = Field(description="Merek, penjual, atau pemasok")
    certificate: str | None = Field(default=None, min_length=5, max_length=100, description="Nomor sertifikat halal")
    exempt: bool = Field(default=False, description="Ada di daftar bahan yang dikecualikan (KMA 1360/2021)")


class Product(Row):
    """A product name with all its ingredients."""

    name: Name = Field(description="Nama produk, satu varian per baris")
    ingredients: list[Ingredient]

    @model_validator(mode="after")
    def _is_made_of_something(self) -> Self:
        if not self.ingredients:
            raise ValueError("ingredients: tulis semua bahan produk ini, satu per baris")
        return self


class Kind(StrEnum):
    """The kind of goods: packaged, or dishes of an eatery (warung makan, kedai)."""

    PACKAGED = "packaged"
    EATERY = "eatery"


class Scale(StrEnum):
    """The scale that stands on the NIB."""

    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Technology(StrEnum):
    """The production technology; only the first two are simple."""

    MANUAL = "manual"
    SEMI_AUTOMATIC = "semi_automatic"
    AUTOMATIC = "automatic"


class Application(ApplicantForm):
    """The owner's own statement (pernyataan mandiri) with the halal pledge.

    It covers products, ingredients, process and places.
    """

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
        """Return the application with the owner's corrections."""
        changes = {name: getattr(correction, name) for name in CORRECTABLE}
        return self.model_copy(update={name: value for name, value in changes.items() if value})


CORRECTABLE = ("nib", "products", "process", "production_places", "photo", "changes_certificate")


class Correction(ApplicantForm):
    """The owner's corrections. An empty field stays as it was.

    Products are given anew, all of them.
    """

    nib: Nib | None = None
    products: list[Product] | None = Field(default=None, description="Semua produk, dengan semua bahannya")
    process: Text | None = None
    production_places: list[Text] | None = None
    photo: Evidence | None = Field(default=None, description="Foto produk dan tempat produksi")
    changes_certificate: str = Field(default="", max_length=2000)
    note: str = Field(default="", max_length=2000, description="Penjelasan pemohon")
