"""OSS over HTTP: `http_office` says how an end is judged, `oss_answers` how an answer is read."""

from __future__ import annotations

from functools import partial

from outside.http_answers import understood
from outside.http_office import HttpOffice, Reading
from outside.once import in_their_name
from outside.oss import Filing, FilingResult
from outside.oss_answers import AlreadyRegistered, FilingAnswer, Found, Registered, refused_result, registered_result


class HttpOss(HttpOffice):
    """OSS through an HTTP gateway."""

    name = "oss"
    label = "OSS"

    def file(self, filing: Filing) -> FilingResult:
        """File under the filing's own reference. See `http_office` for what it raises, and WrongPerson."""

        def registered_before(body: bytes) -> FilingResult | None:
            holds = understood(AlreadyRegistered, body)
            return None if holds is None else self._held(holds.registration, filing.national_id)

        reading = self._reading(filing.national_id)
        result = self._hand_in("/filings", filing, reading, {409: registered_before})
        return in_their_name(filing.owner_name, result, filing.reference)

    def look_up(self, reference: str, national_id: str) -> FilingResult | None:
        """Ask for the filing, then for the person's NIB; None where surely there is neither.

        Names are not compared here (`file_once` does): it is asked with a NIK only. Raise CannotTell,
        TryLater (also while OSS is still at it), WrongPerson, or ValueError for a bad reference.
        """
        filed = self._look_up("/filings", reference, self._reading(national_id))
        if filed is not None:
            return filed
        asked = {"national_id": national_id}
        held = self._the_only_one(
            "/searches", asked, Found, lambda found: found.businesses, about=reference, what="NIB"
        )
        return None if held is None else self._held(held, national_id)

    def _held(self, registration: Registered, national_id: str) -> FilingResult:
        return registered_result(
            registration, national_id=national_id, outcome="already_registered", source=self.source
        )

    def _reading(self, national_id: str) -> Reading[Registered, FilingResult]:
        issued = partial(registered_result, national_id=national_id, outcome="issued", source=self.source)
        return Reading(FilingAnswer, issued, partial(refused_result, source=self.source))
