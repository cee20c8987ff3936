"""What we ask of BNSP: certificate blanks (blanko) for what a pleno decided, and the numbers that it gives out.

The request lists all candidates of the pleno, competent (K) and not yet (BK), with their NIK. For each competent
one BNSP gives a certificate number and a registration number: they are recorded, never made up. The wire format
of `bnsp_http` is this office's own proposal for a gateway, for BNSP publishes none.

The engine calls `request_once` and nothing else, as in:

    @external_step(BLANKS)
    def request_blanks(case: Case, *, pleno: dict[str, Any]) -> Blanks | ByHand:
        call = calling()
        request = BlankRequest(reference=call.reference, candidates=(Candidate(…, competent=True),), …)
        result = request_once(call.office.adapters.bnsp, request, call.end_unknown)
        if isinstance(result, ByHand):
            return result
        given = result.of(case.facts.national_id)   # None for who is not yet competent, and in a refusal
        …
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Protocol, Self

from pydantic import Field, StringConstraints, model_validator

from outside.errors import CannotTell, WrongPerson
from outside.once import PERSONAL, ByHand, NationalId, Part, Request, Result, Text, once, same_name

CERTIFICATE_PATTERN = r"^[0-9]{5} [0-9]{4}( [0-9])? [0-9]{5,7} [0-9]{4}$"
REGISTRATION_PATTERN = r"^\S.{2,58} [0-9]{4}$"


class Candidate(Part):
    """Somebody whom the pleno decided about: competent (K), or not yet (BK)."""

    name: Text = PERSONAL
    national_id: NationalId = PERSONAL
    competent: bool


class BlankRequest(Request):
    """The request for blanks (surat permohonan) with the minutes of the pleno (berita acara) and all its candidates."""

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


class Given(Part):
    """The numbers that BNSP gave one competent candidate; the registration number's form varies, a year ends it."""

    holder_name: Text = PERSONAL
    national_id: NationalId = PERSONAL
    certificate_number: Annotated[str, StringConstraints(pattern=CERTIFICATE_PATTERN)]
    registration_number: Annotated[str, StringConstraints(pattern=REGISTRATION_PATTERN)]


class BlanksResult(Result):
    """BNSP gave numbers (`issued`), or `refused` with its reason."""

    outcome: Literal["issued", "refused"]
    issued_on: date | None = None
    given: tuple[Given, ...] = ()

    @model_validator(mode="after")
    def _numbers_or_reason(self) -> Self:
        if self.outcome == "refused" and (self.given or not self.reason):
            raise ValueError("a refusal has a reason and no numbers")
        if self.outcome == "issued" and not (self.given and self.issued_on):
            raise ValueError("what is issued has numbers and a date")
        return self

    def of(self, national_id: str) -> Given | None:
        """Return what one person was given."""
        return next((one for one in self.given if one.national_id == national_id), None)


class Bnsp(Protocol):
    """An adapter to BNSP. Its calls are synchronous and leave nothing behind in this process."""

    @property
    def name(self) -> str:
        """A short name for the ledger's `source`."""

    def request(self, request: BlankRequest) -> BlanksResult | ByHand:
        """Hand in once. Raise TryLater, EndUnknown, CannotTell, WrongPerson or RefusedOutside."""

    def look_up(self, reference: str) -> BlanksResult | None:
        """Say what became of a request; None means that surely none was handed in under this reference."""


class ManualBnsp:
    """BNSP without a machine's way in: an officer asks for the blanks and records the numbers on them."""

    name = "bnsp-by-hand"

    def request(self, request: BlankRequest) -> ByHand:
        """Ask for a person, always."""
        return ByHand(
            "Ajukan permohonan blanko ke BNSP dengan berita acara pleno dan daftar semua asesi (K dan BK, dengan NIK). "
            "Lalu catat nomor sertifikat dan nomor registrasi tiap asesi kompeten, dan unggah berkasnya."
        )

    def look_up(self, reference: str) -> None:
        """Raise CannotTell: only a person can ask BNSP here."""
        raise CannotTell(
            f"an earlier attempt at {reference} may have gone through, and there is no machine's way into BNSP",
            for_people="Permohonan blanko terdahulu mungkin sudah masuk. Tanyakan kepada BNSP sebelum mengajukan lagi.",
        )


def request_once(bnsp: Bnsp, request: BlankRequest, earlier_attempt_unknown: bool) -> BlanksResult | ByHand:
    """Ask, and never twice: see `outside.once.once`, which says what is raised and what the next attempt passes."""
    return once(
        lambda: bnsp.request(request),
        lambda: bnsp.look_up(request.reference),
        lambda result: for_these(request, result),
        earlier_attempt_unknown,
    )


def for_these(request: BlankRequest, result: BlanksResult) -> BlanksResult:
    """Return `result` where each competent candidate, and nobody else, has numbers of their own.

    Raise WrongPerson for numbers of somebody else's or of one who is not yet competent; CannotTell where somebody has
    none, where a number is given twice, or where its year is not that of its issue.
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
