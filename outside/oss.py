"""OSS, the national licensing system: a filing for a NIB, and its result.

A NIB is OSS's own number: it is recorded, never made up, and one person holds one NIB (PP 28/2025). The wire format of
`oss_http` is this office's own proposal for a gateway, for OSS publishes none. Entry point: `file_once`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Protocol, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from outside.errors import CannotTell
from outside.submission import PERSONAL, ByHand, NationalId, Request, Result, Text, checked_result, submit_once

_Rupiah = Annotated[int, Field(ge=0, strict=True)]


class Filing(Request):
    """An application for a NIB, complete and signed by its owner; money is in whole rupiah."""

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
    """The answer of OSS to a filing, with its evidence.

    `issued` and `already_registered` have a NIB of 13 digits (no law fixes its inner structure);
    `refused` has a reason.
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
    """The protocol of adapters to OSS; calls are synchronous and keep no state here."""

    @property
    def name(self) -> str:
        """A short name, as the ledger's `source`."""

    def file(self, filing: Filing) -> FilingResult | ByHand:
        """Hand in a filing.

        Raises:
            TryLater, EndUnknown, CannotTell, WrongPerson, RefusedOutside: see `outside.errors`.
        """

    def look_up(self, reference: str, national_id: str) -> FilingResult | None:
        """Return the result of a filing, or the NIB that the person holds.

        None means: surely nothing was filed under this reference, and this person holds no NIB.

        Raises:
            CannotTell: neither is sure.
            TryLater: the service did not answer.
            WrongPerson: the answer is another person's.
        """


class ManualOss:
    """OSS by hand: an officer files in OSS's own pages and records the NIB."""

    name = "oss-by-hand"

    def file(self, filing: Filing) -> ByHand:
        """Return ByHand: an officer hands the filing in."""
        return ByHand(
            "Ajukan permohonan ini di laman OSS. Periksa dahulu apakah pemilik sudah mempunyai NIB: satu NIK, "
            "satu NIB. Lalu catat NIB dan unggah berkas PDF-nya."
        )

    def look_up(self, reference: str, national_id: str) -> None:
        """Raise CannotTell: only an officer can look into OSS."""
        raise CannotTell(
            f"an earlier attempt at {reference} may have gone through, and there is no machine's way into OSS",
            for_people="Pengajuan terdahulu mungkin sudah masuk. Periksa di laman OSS sebelum mengajukan lagi.",
        )


def file_once(oss: Oss, filing: Filing, earlier_attempt_unknown: bool) -> FilingResult | ByHand:
    """Hand in a filing at most once: see `outside.submission.submit_once`.

    Raises:
        TryLater, EndUnknown, CannotTell, WrongPerson, RefusedOutside: see `outside.errors`.
    """
    return submit_once(
        lambda: oss.file(filing),
        lambda: oss.look_up(filing.reference, filing.national_id),
        lambda result: checked_result(filing.owner_name, result, filing.reference),
        earlier_attempt_unknown,
    )
