"""SiHalal, the system of BPJPH: a halal application, its receipt and its certificate.

STTD (receipt), KH (fatwa, ketetapan halal) and SH (certificate: ID and 17 digits) are recorded, never made up, and never
taken for one another. The wire format of `sihalal_http` is this office's own proposal for a gateway, for BPJPH publishes
none. Entry points: `hand_in_once`, `receipt_of`, `certificate_of`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Protocol, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from outside.errors import CannotTell
from outside.submission import PERSONAL, ByHand, NationalId, Part, Request, Result, Text, checked_result, submit_once

Nib = Annotated[str, StringConstraints(pattern=r"^[0-9]{13}$")]
Number = Annotated[str, StringConstraints(min_length=2, max_length=64)]
SH_PATTERN = r"^ID[0-9]{17}$"
_Long = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Ingredient(Part):
    """An ingredient with its source and its halal certificate."""

    name: Text
    source: Text
    certificate: Text | None = None


class Product(Part):
    """A product with its ingredients."""

    name: Text
    ingredients: Annotated[tuple[Ingredient, ...], Field(min_length=1)]


class Owner(Part):
    """The owner of an application, with NIK, name and the NIB of the business."""

    name: Text = PERSONAL
    national_id: NationalId = PERSONAL
    nib: Nib


class HalalApplication(Request):
    """An application for a halal certificate.

    A self-declaration has the owner's pledge and the companion who checked on the spot; the regular path has
    the halal supervisor (penyelia halal).
    """

    path: Literal["self_declare", "regular"]
    owner: Owner
    business_name: Text
    region_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}(\.?[0-9]{2}){0,2}(\.?[0-9]{4})?$")]
    production_places: Annotated[tuple[_Long, ...], Field(min_length=1, repr=False)]
    products: Annotated[tuple[Product, ...], Field(min_length=1)]
    process: _Long
    pledged_at: AwareDatetime | None = None
    companion_number: Text | None = None
    supervisor_name: Text | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _has_who_vouches_for_it(self) -> Self:
        if self.path == "self_declare" and not (self.pledged_at and self.companion_number):
            raise ValueError("a self-declared application needs the owner's pledge and the companion's number")
        if self.path == "regular" and not self.supervisor_name:
            raise ValueError("an application on the regular path needs the halal supervisor")
        return self


class ReceiptResult(Result):
    """The answer of BPJPH: `received` with the STTD's number, or `returned` with deficiencies."""

    outcome: Literal["received", "returned"]
    number: Number | None = None
    issued_on: date | None = None

    @model_validator(mode="after")
    def _number_or_deficiencies(self) -> Self:
        if self.outcome == "returned" and (self.number is not None or not self.faults):
            raise ValueError("what is returned has deficiencies and no number")
        if self.outcome == "received" and not (self.number and self.issued_on and self.holder_name):
            raise ValueError("a receipt needs number, date, and whose it is")
        return self


class CertificateResult(Result):
    """BPJPH's certificate: its number SH, its fatwa's number KH, and the PDF; it never expires."""

    number: Annotated[str, StringConstraints(pattern=SH_PATTERN)]
    kh_number: Number
    issued_on: date


class SiHalal(Protocol):
    """The protocol of adapters to SiHalal; calls are synchronous and keep no state here."""

    @property
    def name(self) -> str:
        """A short name, as the ledger's `source`."""

    def hand_in(self, application: HalalApplication) -> ReceiptResult | ByHand:
        """Hand in an application.

        Raises:
            TryLater, EndUnknown, CannotTell, WrongPerson, RefusedOutside: see `outside.errors`.
        """

    def look_up(self, reference: str, owner: Owner) -> ReceiptResult | None:
        """Return the result of an application; None where surely none was handed in.

        Raises:
            TryLater, CannotTell, WrongPerson: see `outside.errors`.
        """

    def receipt(self, owner: Owner) -> ReceiptResult | ByHand:
        """Return the receipt of an application that the owner handed in.

        Raises:
            TryLater: there is none yet.
            CannotTell, WrongPerson: see `outside.errors`.
        """

    def certificate(self, receipt_number: str, owner: Owner) -> CertificateResult | ByHand:
        """Return the certificate for a receipt.

        Raises:
            TryLater: BPJPH has not issued it yet.
            CannotTell, WrongPerson: see `outside.errors`.
        """


class ManualSiHalal:
    """SiHalal by hand: an officer looks into its pages and records the numbers."""

    name = "sihalal-by-hand"

    def hand_in(self, application: HalalApplication) -> ByHand:
        """Return ByHand: an officer does it in SiHalal's pages."""
        return ByHand(
            "Ajukan permohonan ini di laman SiHalal; periksa dahulu apakah sudah diajukan. Lalu catat nomor STTD dan "
            "unggah berkasnya, atau salin kekurangan yang diminta BPJPH."
        )

    def look_up(self, reference: str, owner: Owner) -> None:
        """Raise CannotTell: only an officer can look into SiHalal."""
        raise CannotTell(
            f"an earlier attempt at {reference} may have gone through, and there is no machine's way into SiHalal",
            for_people="Pengajuan terdahulu mungkin sudah masuk. Periksa di laman SiHalal sebelum mengajukan lagi.",
        )

    def receipt(self, owner: Owner) -> ByHand:
        """Return ByHand: an officer does it in SiHalal's pages."""
        return ByHand("Lihat STTD di laman SiHalal. Lalu catat nomor dan tanggalnya, dan unggah berkasnya.")

    def certificate(self, receipt_number: str, owner: Owner) -> ByHand:
        """Return ByHand: an officer does it in SiHalal's pages."""
        return ByHand(
            "Unduh sertifikat di laman SiHalal bila statusnya Terbit SH. Lalu catat nomor SH (ID dan 17 angka, "
            "bukan nomor KH) dan unggah berkas PDF-nya."
        )


def hand_in_once(
    sihalal: SiHalal, application: HalalApplication, earlier_attempt_unknown: bool
) -> ReceiptResult | ByHand:
    """Hand in an application at most once: see `outside.submission.submit_once`.

    Raises:
        TryLater, EndUnknown, CannotTell, WrongPerson, RefusedOutside: see `outside.errors`.
    """
    owner = application.owner
    return submit_once(
        lambda: sihalal.hand_in(application),
        lambda: sihalal.look_up(application.reference, owner),
        lambda result: checked_result(owner.name, result, application.reference),
        earlier_attempt_unknown,
    )


def receipt_of(sihalal: SiHalal, owner: Owner) -> ReceiptResult | ByHand:
    """Return the receipt of an application that the owner handed in.

    Raises:
        TryLater: there is none yet.
        CannotTell, WrongPerson: also where the receipt bears another name.
    """
    result = sihalal.receipt(owner)
    return result if isinstance(result, ByHand) else checked_result(owner.name, result, "a search")


def certificate_of(sihalal: SiHalal, receipt_number: str, owner: Owner) -> CertificateResult | ByHand:
    """Return the certificate for a receipt.

    Raises:
        TryLater: BPJPH has not issued it yet.
        CannotTell, WrongPerson: also where the certificate bears another name.
    """
    result = sihalal.certificate(receipt_number, owner)
    return result if isinstance(result, ByHand) else checked_result(owner.name, result, "a search")
