"""BNSP over HTTP: the adapter, and the strict reading of BNSP's own bodies."""

from __future__ import annotations

from datetime import date

from pydantic import ValidationError

from outside.bnsp import BlankNumbers, BlankRequest, BlanksResult, checked_numbers
from outside.errors import CannotTell
from outside.http_adapter import HttpAdapter, Reading
from outside.http_answers import Answer, Body, Holder, Paper, checked_pdf, reasons_of
from outside.submission import Fault


class Blank(Body):
    """The numbers on the blank of one person."""

    holder: Holder
    certificate_number: str
    registration_number: str


class Blanks(Paper):
    """All blanks of one pleno, with BNSP's letter."""

    issued_on: date
    blanks: list[Blank]


class HttpBnsp(HttpAdapter):
    """BNSP through an HTTP gateway.

    ================================  ========================
    call                              body
    ================================  ========================
    `POST /blanks`                    `Answer` with `Blanks`
    `GET /blanks/{reference}`         `Answer` with `Blanks`
    ================================  ========================
    """

    name = "bnsp"
    label = "BNSP"

    def request(self, request: BlankRequest) -> BlanksResult:
        """Hand in a request under its own reference.

        Raises:
            TryLater, EndUnknown, CannotTell, WrongPerson, RefusedOutside: see `outside.errors`.
        """
        return checked_numbers(request, self._hand_in("/blanks", request, self._reading()))

    def look_up(self, reference: str) -> BlanksResult | None:
        """Return the result of a request; None where BNSP says that it never took one.

        The candidates are checked by `request_once`.

        Raises:
            TryLater, CannotTell, WrongPerson: see `outside.errors`.
        """
        return self._look_up("/blanks", reference, self._reading())

    def _reading(self) -> Reading[Blanks, BlanksResult]:
        return Reading(Answer[Blanks], self._issued, self._refused)

    def _issued(self, answered: Blanks) -> BlanksResult:
        broken = False
        given: list[BlankNumbers] = []
        try:
            for one in answered.blanks:
                numbers = {"certificate_number": one.certificate_number, "registration_number": one.registration_number}
                given.append(BlankNumbers(holder_name=one.holder.name, national_id=one.holder.national_id, **numbers))
            result = BlanksResult(
                outcome="issued",
                source=self.source,
                issued_on=answered.issued_on,
                given=tuple(given),
                pdf=checked_pdf(answered, source=self.source, what="blanko", where=self.label),
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
