"""BNSP over HTTP: `http_office` says how an end is judged, `http_answers` what all answers share.

================================  ========================
call                              body
================================  ========================
`POST /blanks`                    `Answer` with `Blanks`
`GET /blanks/{reference}`         `Answer` with `Blanks`
================================  ========================
"""

from __future__ import annotations

from datetime import date

from pydantic import ValidationError

from outside.bnsp import BlankRequest, BlanksResult, Given, for_these
from outside.errors import CannotTell
from outside.http_answers import Answer, Body, Holder, Paper, evidence, reasons_of
from outside.http_office import HttpOffice, Reading
from outside.once import Fault


class Blank(Body):
    """The numbers on the blank of one person."""

    holder: Holder
    certificate_number: str
    registration_number: str


class Blanks(Paper):
    """All blanks of one pleno, with BNSP's letter."""

    issued_on: date
    blanks: list[Blank]


class HttpBnsp(HttpOffice):
    """BNSP through an HTTP gateway."""

    name = "bnsp"
    label = "BNSP"

    def request(self, request: BlankRequest) -> BlanksResult:
        """Hand in under the request's own reference. See `http_office` for what it raises, and WrongPerson."""
        return for_these(request, self._hand_in("/blanks", request, self._reading()))

    def look_up(self, reference: str) -> BlanksResult | None:
        """Ask for the request; None where BNSP says that it never took it. For whom it is, `request_once` checks."""
        return self._look_up("/blanks", reference, self._reading())

    def _reading(self) -> Reading[Blanks, BlanksResult]:
        return Reading(Answer[Blanks], self._issued, self._refused)

    def _issued(self, answered: Blanks) -> BlanksResult:
        broken = False
        given: list[Given] = []
        try:
            for one in answered.blanks:
                numbers = {"certificate_number": one.certificate_number, "registration_number": one.registration_number}
                given.append(Given(holder_name=one.holder.name, national_id=one.holder.national_id, **numbers))
            result = BlanksResult(
                outcome="issued",
                source=self.source,
                issued_on=answered.issued_on,
                given=tuple(given),
                pdf=evidence(answered, source=self.source, what="blanko", where=self.label),
            )
        except ValidationError:
            broken = True
        # Raised outside of the except clause: pydantic's exception holds the NIK.
        if broken:
            raise CannotTell(
                f"{self.source} answered with numbers that can't be a certificate's",
                for_people="Nomor sertifikat atau nomor registrasi dari BNSP tidak sesuai bentuknya. Petugas perlu "
                "memeriksanya.",
            )
        return result

    def _refused(self, faults: list[Fault]) -> BlanksResult | None:
        reasons = reasons_of(faults)
        if reasons is None:
            return None
        return BlanksResult(outcome="refused", source=self.source, reason=reasons[0], faults=reasons[1])
