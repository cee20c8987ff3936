"""OSS over HTTP: the adapter, and the strict reading of OSS's own bodies."""

from __future__ import annotations

import re
from datetime import date
from functools import partial
from typing import Literal

from outside.errors import CannotTell
from outside.http_adapter import HttpAdapter, Reading
from outside.http_answers import Answer, Body, HeldPaper, checked_holder, checked_pdf, parse_body, reasons_of
from outside.oss import Filing, FilingResult
from outside.submission import Fault, checked_result


class Registered(HeldPaper):
    """A NIB and its holder."""

    nib: str
    issued_on: date
    region_code: str | None = None


class AlreadyRegistered(Body):
    """The person holds a NIB already; nothing was filed."""

    code: Literal["already_registered"]
    registration: Registered


class FoundBusinesses(Body):
    """The NIBs that a person holds: none or one, by law."""

    businesses: list[Registered]


class HttpOss(HttpAdapter):
    """OSS through an HTTP gateway.

    Beyond the bodies that all services share:

    ================================  =======  ==========================================================
    call                              status   body
    ================================  =======  ==========================================================
    `POST /filings`                   409      `AlreadyRegistered`
    `POST /searches`                  200      `FoundBusinesses`, asked with `{"national_id": …}`
    ================================  =======  ==========================================================
    """

    name = "oss"
    label = "OSS"

    def file(self, filing: Filing) -> FilingResult:
        """Hand in a filing under its own reference.

        Raises:
            TryLater, EndUnknown, CannotTell, WrongPerson, RefusedOutside: see `outside.errors`.
        """

        def registered_before(body: bytes) -> FilingResult | None:
            holds = parse_body(AlreadyRegistered, body)
            return None if holds is None else self._held(holds.registration, filing.national_id)

        reading = self._reading(filing.national_id)
        result = self._hand_in("/filings", filing, reading, {409: registered_before})
        return checked_result(filing.owner_name, result, filing.reference)

    def look_up(self, reference: str, national_id: str) -> FilingResult | None:
        """Return the result of a filing, or the person's NIB; None where surely there is neither.

        `file_once` compares the names; this look-up knows a NIK only.

        Raises:
            TryLater: also while OSS has not decided yet.
            CannotTell, WrongPerson: see `outside.errors`.
            ValueError: the reference may not stand in an address.
        """
        filed = self._look_up("/filings", reference, self._reading(national_id))
        if filed is not None:
            return filed
        asked = {"national_id": national_id}
        held = self._search_one(
            "/searches", asked, FoundBusinesses, lambda found: found.businesses, about=reference, what="NIB"
        )
        return None if held is None else self._held(held, national_id)

    def _held(self, registration: Registered, national_id: str) -> FilingResult:
        return registered_result(
            registration, national_id=national_id, outcome="already_registered", source=self.source
        )

    def _reading(self, national_id: str) -> Reading[Registered, FilingResult]:
        issued = partial(registered_result, national_id=national_id, outcome="issued", source=self.source)
        return Reading(Answer[Registered], issued, partial(refused_result, source=self.source))


def registered_result(
    registration: Registered,
    *,
    national_id: str,
    outcome: Literal["issued", "already_registered"],
    source: str,
) -> FilingResult:
    """Return the result of a registration, with its evidence.

    Raises:
        WrongPerson: the holder has another NIK.
        CannotTell: the NIB has not 13 digits, or the PDF is broken.
    """
    holder = checked_holder(registration, national_id, source=source, what="NIB")
    if not re.fullmatch(r"[0-9]{13}", registration.nib):
        raise CannotTell(
            f"{source} answered with a NIB of {len(registration.nib)} characters; a NIB has 13 digits",
            for_people="Nomor NIB dari OSS tidak terdiri dari 13 angka. Petugas perlu memeriksanya di laman OSS.",
        )
    return FilingResult(
        outcome=outcome,
        source=source,
        nib=registration.nib,
        issued_on=registration.issued_on,
        holder_name=holder,
        region_code=registration.region_code,
        pdf=checked_pdf(registration, source=source, what="NIB", where="OSS"),
    )


def refused_result(faults: list[Fault], *, source: str) -> FilingResult | None:
    """Return a refusal with all its reasons in one sentence; None where there is no reason."""
    reasons = reasons_of(faults)
    if reasons is None:
        return None
    return FilingResult(outcome="refused", source=source, reason=reasons[0], faults=reasons[1])
