"""Forms of owner and office on the regular path to a halal certificate.

The descriptions of their fields are shown to people.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from engine.pipeline import ApplicantForm, Evidence, Form

Name = Annotated[str, Field(min_length=2, max_length=200)]
Text = Annotated[str, Field(min_length=3, max_length=2000)]


def _positive(rupiah: int) -> int:
    if rupiah <= 0:
        raise ValueError("harus lebih dari nol")
    return rupiah


Rupiah = Annotated[
    int, Field(strict=True, description="Rupiah bulat, tanpa titik dan tanpa sen"), AfterValidator(_positive)
]


class Row(BaseModel):
    """One line of a list in a form."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Kind(StrEnum):
    """The kind of product: an accreditation's scope and the ceiling of a fee go by it."""

    SIMPLE = "simple"
    PROCESSED = "processed_food"
    CATERING = "restaurant_catering"
    SLAUGHTER = "slaughter"


class Ingredient(Row):
    """An ingredient: its source, whether it is from an animal, and what shows that it is halal."""

    name: Name = Field(description="Nama bahan, satu per baris")
    source: Name = Field(description="Merek, penjual, atau pemasok")
    animal: bool = Field(default=False, description="Daging atau turunan hewan")
    certificate: str | None = Field(default=None, min_length=5, max_length=100, description="Nomor sertifikat halal")


class Supervisor(Row):
    """The halal supervisor (penyelia halal): a Muslim, appointed by letter, of one firm only.

    UU 33/2014 Pasal 28.
    """

    name: Name = Field(description="Nama penyelia halal")
    national_id: Annotated[str, Field(pattern=r"^\d{16}$", description="NIK penyelia: 16 angka")]
    muslim: bool = Field(description="Beragama Islam")
    appointed_by: str = Field(default="", max_length=200, description="Nomor SK pimpinan yang mengangkat penyelia")

    @model_validator(mode="after")
    def _may_supervise(self) -> Self:
        if not self.muslim:
            raise ValueError("muslim: penyelia halal harus beragama Islam; tunjuk orang lain sebagai penyelia")
        if not self.appointed_by:
            raise ValueError("appointed_by: isi nomor SK pimpinan; buat dahulu SK pengangkatan penyelia halal")
        return self


class Path(StrEnum):
    """The owner's choice to apply here, or to go over to the self-declare path."""

    SUBMIT = "submit"
    SELF_DECLARE = "self_declare"


class Application(ApplicantForm):
    """The whole application; each correction hands it in anew."""

    decision: Path = Field(description="submit: ajukan reguler; self_declare: pindah ke pernyataan mandiri")
    nib: Annotated[str, Field(pattern=r"^\d{13}$", description="NIB: 13 angka, dari OSS")]
    kind: Kind = Field(description="Jenis produk")
    products: Annotated[list[Name], Field(description="Nama produk, satu per baris")]
    ingredients: Annotated[list[Ingredient], Field(description="Semua bahan semua produk")]
    supervisor: Supervisor
    manual: Evidence = Field(description="Manual SJPH")
    manual_author: str = Field(
        default="", max_length=200, description="Konsultan yang menulis manual SJPH, bila bukan usaha Anda sendiri"
    )
    slaughter_number: str = Field(default="", max_length=100, description="Nomor NKV atau sertifikat halal RPH")
    slaughter_until: date | None = Field(default=None, description="Masa berlaku NKV/RPH, sampai tanggal")
    slaughter_file: Evidence | None = Field(default=None, description="Berkas NKV atau sertifikat RPH")
    office_pays: bool = Field(default=False, description="Saya meminta biaya ditanggung dinas (fasilitasi)")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not self.products:
            raise ValueError("products: tulis paling sedikit satu nama produk")
        if not self.ingredients:
            raise ValueError("ingredients: tulis semua bahan, satu per baris, dengan pemasoknya")
        if self.has_meat and not (self.slaughter_number and self.slaughter_until and self.slaughter_file):
            raise ValueError(
                "slaughter_number: untuk daging, lampirkan NKV atau sertifikat RPH dengan nomor, masa berlaku dan berkasnya"
            )
        return self

    def stated(self) -> dict[str, Any]:
        """Return the application as it was handed in, to be handed in again with changes."""
        return self.model_dump(mode="json", exclude={"own_code", "paper"}, exclude_none=True) | {"decision": "submit"}

    @property
    def has_meat(self) -> bool:
        """Return whether an ingredient is from an animal, or animals are slaughtered."""
        return self.kind is Kind.SLAUGHTER or any(one.animal for one in self.ingredients)

    def same_products(self, audited: Application) -> bool:
        """Return whether kind, products and ingredients are the audited ones."""
        return (self.kind, set(self.products), set(self.ingredients)) == (
            audited.kind,
            set(audited.products),
            set(audited.ingredients),
        )


class Payment(ApplicantForm):
    """The owner's payment of the invoice, with its proof."""

    amount_rupiah: Rupiah
    paid_on: date = Field(description="Tanggal bayar")
    proof: Evidence = Field(description="Bukti bayar (PDF)")


class OfficePayment(Form):
    """The office's payment of the invoice, out of the programme's budget."""

    amount_rupiah: Rupiah
    paid_on: date = Field(description="Tanggal bayar")
    proof: Evidence = Field(description="Bukti bayar (PDF)")


class CorrectiveAction(ApplicantForm):
    """The owner's corrective action on the findings of the audit."""

    actions: Text = Field(description="Tindakan perbaikan untuk tiap temuan")
    proof: Evidence = Field(description="Bukti perbaikan: foto atau berkas")
