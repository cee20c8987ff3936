"""What we ask of SiHalal, the system of BPJPH: hand in a halal application, and look up its receipt and certificate.

STTD (the receipt of documents), the number of the fatwa (KH, ketetapan halal) and that of the certificate
(SH: ID and 17 digits) are others' numbers: they are recorded, never made up, and never taken for one another.
The wire format of `sihalal_http` is this office's own proposal for a gateway, for BPJPH publishes none.

The engine calls `hand_in_once`, `receipt_of` and `certificate_of`, and nothing else.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Protocol, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from outside.errors import CannotTell
from outside.once import PERSONAL, ByHand, NationalId, Part, Request, Result, Text, in_their_name, once

Nib = Annotated[str, StringConstraints(pattern=r"^[0-9]{13}$")]
Number = Annotated[str, StringConstraints(min_length=2, max_length=64)]
SH_PATTERN = r"^ID[0-9]{17}$"
_Long = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Ingredient(Part):
    """One ingredient, where it comes from, and what shows that it is halal."""

    name: Text
    source: Text
    certificate: Text | None = None


class Product(Part):
    """One product name with all that goes into it."""

    name: Text
    ingredients: Annotated[tuple[Ingredient, ...], Field(min_length=1)]


class Owner(Part):
    """Whose application it is: a NIK and a name, and the NIB of the business."""

    name: Text = PERSONAL
    national_id: NationalId = PERSONAL
    nib: Nib


class HalalApplication(Request):
    """One application for a halal certificate.

    By self-declaration it bears the owner's pledge and the companion who checked on the spot; on the regular
    path the halal supervisor (penyelia halal).
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
    """BPJPH took the documents (`received`, with the number of the STTD), or `returned` them with what is missing."""

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
    """BPJPH's certificate: the number SH, the number KH of the fatwa that it rests on, and the PDF. It has no end."""

    number: Annotated[str, StringConstraints(pattern=SH_PATTERN)]
    kh_number: Number
    issued_on: date


class SiHalal(Protocol):
    """An adapter to SiHalal. Its calls are synchronous and leave nothing behind in this process."""

    @property
    def name(self) -> str:
        """A short name for the ledger's `source`."""

    def hand_in(self, application: HalalApplication) -> ReceiptResult | ByHand:
        """Hand in once. Raise TryLater, EndUnknown, CannotTell, WrongPerson or RefusedOutside."""

    def look_up(self, reference: str, owner: Owner) -> ReceiptResult | None:
        """Say what became of an application; None means that surely none was handed in under this reference."""

    def receipt(self, owner: Owner) -> ReceiptResult | ByHand:
        """Return the receipt of this business, which was handed in by its owner. Raise TryLater while there is none."""

    def certificate(self, receipt_number: str, owner: Owner) -> CertificateResult | ByHand:
        """Return the certificate that came of a receipt. Raise TryLater while BPJPH has not issued it."""


class ManualSiHalal:
    """SiHalal without a machine's way in: an officer looks into its pages and records what stands there."""

    name = "sihalal-by-hand"

    def hand_in(self, application: HalalApplication) -> ByHand:
        """Ask for a person, always."""
        return ByHand(
            "Ajukan permohonan ini di laman SiHalal; periksa dahulu apakah sudah diajukan. Lalu catat nomor STTD dan "
            "unggah berkasnya, atau salin kekurangan yang diminta BPJPH."
        )

    def look_up(self, reference: str, owner: Owner) -> None:
        """Raise CannotTell: only a person can look into SiHalal here."""
        raise CannotTell(
            f"an earlier attempt at {reference} may have gone through, and there is no machine's way into SiHalal",
            for_people="Pengajuan terdahulu mungkin sudah masuk. Periksa di laman SiHalal sebelum mengajukan lagi.",
        )

    def receipt(self, owner: Owner) -> ByHand:
        """Ask for a person, always."""
        return ByHand("Lihat STTD di laman SiHalal. Lalu catat nomor dan tanggalnya, dan unggah berkasnya.")

    def certificate(self, receipt_number: str, owner: Owner) -> ByHand:
        """Ask for a person, always."""
        return ByHand(
            "Unduh sertifikat di laman SiHalal bila statusnya Terbit SH. Lalu catat nomor SH (ID dan 17 angka, "
            "bukan nomor KH) dan unggah berkas PDF-nya."
        )


def hand_in_once(
    sihalal: SiHalal, application: HalalApplication, earlier_attempt_unknown: bool
) -> ReceiptResult | ByHand:
    """Hand in, and never twice: see `outside.once.once`, which says what is raised and what the next attempt passes."""
    owner = application.owner
    return once(
        lambda: sihalal.hand_in(application),
        lambda: sihalal.look_up(application.reference, owner),
        lambda result: in_their_name(owner.name, result, application.reference),
        earlier_attempt_unknown,
    )


def receipt_of(sihalal: SiHalal, owner: Owner) -> ReceiptResult | ByHand:
    """Return the receipt of an application that the owner handed in, once there is one. Raise as a look-up does."""
    result = sihalal.receipt(owner)
    return result if isinstance(result, ByHand) else in_their_name(owner.name, result, "a search")


def certificate_of(sihalal: SiHalal, receipt_number: str, owner: Owner) -> CertificateResult | ByHand:
    """Return the certificate that came of a receipt, once it is there. Raise as a look-up does."""
    result = sihalal.certificate(receipt_number, owner)
    return result if isinstance(result, ByHand) else in_their_name(owner.name, result, "a search")
