"""What we ask of OSS, the national licensing system: file for a NIB, and look up what was filed.

A NIB is OSS's own number: it is recorded, never made up, and one person holds one NIB (so somebody
who has one already is not filed for again). PP 28/2025 is the law; the wire format of `oss_http` is
this office's own proposal for a gateway, for OSS publishes none.

The engine calls `file_once` and nothing else.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Protocol, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from outside.errors import CannotTell
from outside.once import PERSONAL, ByHand, NationalId, Request, Result, Text, in_their_name, once

_Rupiah = Annotated[int, Field(ge=0, strict=True)]


class Filing(Request):
    """One application for a NIB, complete and signed by its owner. Money is in whole rupiah."""

    owner_name: Text = PERSONAL
    national_id: NationalId = PERSONAL
    tax_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{15,16}$")] | None = Field(default=None, repr=False)
    business_name: Text
    address: Text = PERSONAL
    region_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}(\.?[0-9]{2}){0,2}(\.?[0-9]{4})?$")]
    industry_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$")]
    industry_code_version: Text
    risk_level: Text
    capital_rupiah: _Rupiah
    annual_sales_rupiah: _Rupiah
    email: Text | None = Field(default=None, repr=False)
    phone: Text | None = Field(default=None, repr=False)
    signed_statement_at: AwareDatetime


class FilingResult(Result):
    """What OSS says of a filing, with its evidence.

    `issued` and `already_registered` bear a NIB of 13 digits (never checked further: its inner
    structure is nowhere law); `refused` bears a reason.
    """

    outcome: Literal["issued", "already_registered", "refused"]
    nib: Annotated[str, StringConstraints(pattern=r"^[0-9]{13}$")] | None = None
    issued_on: date | None = None
    region_code: str | None = None

    @model_validator(mode="after")
    def _number_or_reason(self) -> Self:
        if self.outcome == "refused" and (self.nib is not None or not self.reason):
            raise ValueError("a refusal has a reason and no NIB")
        if self.outcome != "refused" and (self.nib is None or not self.holder_name):
            raise ValueError(f"{self.outcome} needs the NIB and its holder's name")
        return self


class Oss(Protocol):
    """An adapter to OSS. Its calls are synchronous and leave nothing behind in this process."""

    @property
    def name(self) -> str:
        """A short name for the ledger's `source`."""

    def file(self, filing: Filing) -> FilingResult | ByHand:
        """File once. Raise TryLater, EndUnknown, CannotTell, WrongPerson or RefusedOutside."""

    def look_up(self, reference: str, national_id: str) -> FilingResult | None:
        """Say what became of a filing, or which NIB the person holds.

        None means: surely nothing was filed under this reference, and this person holds no NIB.
        Raise CannotTell where that is not sure, TryLater where the service did not answer, WrongPerson.
        """


class ManualOss:
    """OSS without a machine's way in: an officer files in OSS's own pages and records the NIB."""

    name = "oss-by-hand"

    def file(self, filing: Filing) -> ByHand:
        """Ask for a person, always."""
        return ByHand(
            "Ajukan permohonan ini di laman OSS. Periksa dahulu apakah pemilik sudah mempunyai NIB: satu NIK, "
            "satu NIB. Lalu catat NIB dan unggah berkas PDF-nya."
        )

    def look_up(self, reference: str, national_id: str) -> None:
        """Raise CannotTell: only a person can look into OSS here."""
        raise CannotTell(
            f"an earlier attempt at {reference} may have gone through, and there is no machine's way into OSS",
            for_people="Pengajuan terdahulu mungkin sudah masuk. Periksa di laman OSS sebelum mengajukan lagi.",
        )


def file_once(oss: Oss, filing: Filing, earlier_attempt_unknown: bool) -> FilingResult | ByHand:
    """File, and never twice: see `outside.once.once`, which says what is raised and what the next attempt passes."""
    return once(
        lambda: oss.file(filing),
        lambda: oss.look_up(filing.reference, filing.national_id),
        lambda result: in_their_name(filing.owner_name, result, filing.reference),
        earlier_attempt_unknown,
    )
