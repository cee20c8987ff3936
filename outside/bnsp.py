"""BNSP: a request for certificate blanks (blanko) of a pleno, and the numbers on them.

The numbers are recorded, never made up. The wire format of `bnsp_http` is this office's own proposal for a gateway,
for BNSP publishes none. Entry point: `request_once`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Protocol, Self

from pydantic import Field, StringConstraints, model_validator

from outside.errors import CannotTell, WrongPerson
from outside.submission import PERSONAL, ByHand, NationalId, Part, Request, Result, Text, same_name, submit_once

CERTIFICATE_PATTERN = r"^[0-9]{5} [0-9]{4}( [0-9])? [0-9]{5,7} [0-9]{4}$"
REGISTRATION_PATTERN = r"^\S.{2,58} [0-9]{4}$"


class Candidate(Part):
    """A candidate of the pleno: competent (K), or not yet (BK)."""

    name: Text = PERSONAL
    national_id: NationalId = PERSONAL
    competent: bool


class BlankRequest(Request):
    """A request for blanks, with the minutes of the pleno (berita acara) and all its candidates."""

    licence: Text
    scheme: Text
    minutes: Text
    decided_on: date
    candidates: Annotated[tuple[Candidate, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_each_once_and_somebody_competent(self) -> Self:
        if len({one.national_id for one in self.candidates}) < len(self.candidates):
            raise ValueError("a candidate is listed twice")
        if not self.competent:
            raise ValueError("nobody is competent, so there is no blank to ask for")
        return self

    @property
    def competent(self) -> dict[str, str]:
        """The names of those who are competent, by NIK."""
        return {one.national_id: one.name for one in self.candidates if one.competent}


class BlankNumbers(Part):
    """The numbers of one competent candidate; a registration number ends in a year."""

    holder_name: Text = PERSONAL
    national_id: NationalId = PERSONAL
    certificate_number: Annotated[str, StringConstraints(pattern=CERTIFICATE_PATTERN)]
    registration_number: Annotated[str, StringConstraints(pattern=REGISTRATION_PATTERN)]


class BlanksResult(Result):
    """The answer of BNSP: numbers (`issued`), or a reason (`refused`)."""

    outcome: Literal["issued", "refused"]
    issued_on: date | None = None
    given: tuple[BlankNumbers, ...] = ()

    @model_validator(mode="after")
    def _numbers_or_reason(self) -> Self:
        if self.outcome == "refused" and (self.given or not self.reason):
            raise ValueError("a refusal has a reason and no numbers")
        if self.outcome == "issued" and not (self.given and self.issued_on):
            raise ValueError("what is issued has numbers and a date")
        return self

    def of(self, national_id: str) -> BlankNumbers | None:
        """Return the numbers of one person; None for a candidate who is not competent."""
        return next((one for one in self.given if one.national_id == national_id), None)


class Bnsp(Protocol):
    """The protocol of adapters to BNSP; calls are synchronous and keep no state here."""

    @property
    def name(self) -> str:
        """A short name, as the ledger's `source`."""

    def request(self, request: BlankRequest) -> BlanksResult | ByHand:
        """Hand in a request.

        Raises:
            TryLater, EndUnknown, CannotTell, WrongPerson, RefusedOutside: see `outside.errors`.
        """

    def look_up(self, reference: str) -> BlanksResult | None:
        """Return the result of a request; None where surely none was handed in under this reference.

        Raises:
            TryLater, CannotTell, WrongPerson: see `outside.errors`.
        """


class ManualBnsp:
    """BNSP by hand: an officer asks for the blanks and records the numbers on them."""

    name = "bnsp-by-hand"

    def request(self, request: BlankRequest) -> ByHand:
        """Return ByHand: an officer hands the request in."""
        return ByHand(
            "Ajukan permohonan blanko ke BNSP dengan berita acara pleno dan daftar semua asesi (K dan BK, dengan NIK). "
            "Lalu catat nomor sertifikat dan nomor registrasi tiap asesi kompeten, dan unggah berkasnya."
        )

    def look_up(self, reference: str) -> None:
        """Raise CannotTell: only an officer can ask BNSP."""
        raise CannotTell(
            f"an earlier attempt at {reference} may have gone through, and there is no machine's way into BNSP",
            for_people="Permohonan blanko terdahulu mungkin sudah masuk. Tanyakan kepada BNSP sebelum mengajukan lagi.",
        )


def request_once(bnsp: Bnsp, request: BlankRequest, earlier_attempt_unknown: bool) -> BlanksResult | ByHand:
    """Hand in a request at most once: see `outside.submission.submit_once`.

    Raises:
        TryLater, EndUnknown, CannotTell, WrongPerson, RefusedOutside: see `outside.errors`.
    """
    return submit_once(
        lambda: bnsp.request(request),
        lambda: bnsp.look_up(request.reference),
        lambda result: checked_numbers(request, result),
        earlier_attempt_unknown,
    )


def checked_numbers(request: BlankRequest, result: BlanksResult) -> BlanksResult:
    """Return `result` where each competent candidate, and nobody else, has numbers of their own.

    Raises:
        WrongPerson: numbers are given to somebody who is not a competent candidate of the request.
        CannotTell: a candidate has no numbers, a number is given twice, or its year is not that of issue.
    """
    if result.outcome == "refused":
        return result
    competent, about = request.competent, f"{result.source} answered {request.reference}"
    for one in result.given:
        if not same_name(competent.get(one.national_id, ""), one.holder_name):
            raise WrongPerson(f"{about} with numbers for somebody who is not competent in that pleno")
    if sorted(one.national_id for one in result.given) != sorted(competent):
        raise CannotTell(
            f"{about} with {len(result.given)} sets of numbers for {len(competent)} competent candidates",
            for_people="Nomor dari BNSP tidak sesuai dengan jumlah asesi kompeten. Petugas perlu memeriksanya.",
        )
    for numbers in ([g.certificate_number for g in result.given], [g.registration_number for g in result.given]):
        if len(set(numbers)) < len(numbers):
            raise CannotTell(
                f"{about} with one number for two people",
                for_people="BNSP memberi nomor yang sama kepada dua asesi. Petugas perlu memeriksanya.",
            )
    year = str(result.issued_on and result.issued_on.year)
    if not all(one.certificate_number.endswith(year) for one in result.given):
        raise CannotTell(
            f"{about} with a certificate number of another year than {year}",
            for_people="Tahun pada nomor sertifikat BNSP bukan tahun terbitnya. Petugas perlu memeriksanya.",
        )
    return result
