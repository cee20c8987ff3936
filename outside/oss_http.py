"""OSS over HTTP, distrusted: what is not surely a success and not surely without effect is unknown.

How an end is judged, for a filing and for a look-up (which never has an effect):

====================================  ============================  ===========================
what came back                        after a filing                after a look-up
====================================  ============================  ===========================
no connection                         TryLater                      TryLater
time-out, cut off, 500, 502, 504      EndUnknown                    TryLater
429; 503 with Retry-After             TryLater, after that long     TryLater, after that long
503 without it                        EndUnknown                    TryLater
401, 403, wrong address (404, 405)    TryLater, administrator       TryLater, administrator
400, 413, 415                         RefusedOutside                RefusedOutside
a body that is not understood         EndUnknown                    CannotTell
redirects, anything else              EndUnknown                    CannotTell
====================================  ============================  ===========================
"""

from __future__ import annotations

import json
import ssl
import time
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Self
from urllib.parse import quote

import httpx

from outside.errors import CannotTell, EndUnknown, OutsideError, RefusedOutside, TryLater, WrongPerson
from outside.oss import Filing, FilingResult, checked_reference, must_be_theirs
from outside.oss_answers import (
    AlreadyRegistered,
    FilingAnswer,
    Found,
    NoSuchFiling,
    Refusal,
    refused_result,
    registered_result,
    understood,
)

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
_LONGEST_PAUSE = timedelta(days=1)
_ADMINISTRATOR = timedelta(hours=1)
"""How long to leave a door alone that only the administrator can open."""


@dataclass(frozen=True)
class _Heard:
    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)


class HttpOss:
    """OSS through an HTTP gateway. One instance may serve several threads; `close` it, or use `with`."""

    name = "oss"

    def __init__(
        self,
        base_url: str,
        token: str,
        timeout: float = 20.0,
        *,
        largest_answer: int = 10_000_000,
        tls: ssl.SSLContext | None = None,
        proxy: str | None = None,
    ) -> None:
        """Take the gateway's address and our token there.

        `timeout` is in seconds, for each wait and for an answer as a whole; `largest_answer` is in bytes.
        TLS certificates are always verified: `tls` may name other authorities, it can't switch that off.
        Proxies and certificates are never taken from the environment. Raise ValueError for an address
        that is not https (http is for this machine alone) and for a token that can't stand in a header.
        """
        url = httpx.URL(base_url)
        if url.scheme != "https" and not (url.scheme == "http" and url.host in {"127.0.0.1", "::1", "localhost"}):
            raise ValueError("OSS is spoken to over https only")
        if url.userinfo or url.query or url.fragment:
            raise ValueError("the address of OSS may hold no password, query or fragment")
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError("the token for OSS is empty, or holds characters that can't stand in a header")
        if tls is not None and tls.verify_mode is not ssl.CERT_REQUIRED:
            raise ValueError("TLS certificates of OSS are always verified")
        self._where = url.host
        self._base = str(url).rstrip("/")
        self._timeout = timeout
        self._largest = largest_answer
        self._client = httpx.Client(
            # "identity": the size limit is then one on what is unpacked, too.
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=timeout,
            verify=tls if tls is not None else True,
            proxy=proxy,
            trust_env=False,
            follow_redirects=False,
            # A kept connection that the server has closed meanwhile would make an unknown end of a
            # filing that never left; a handshake is cheaper than a look-up.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def __repr__(self) -> str:
        """Name the address, and no token."""
        return f"HttpOss({self._base!r})"

    def __enter__(self) -> Self:
        """Return this adapter, to be closed at the end of the block."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the connections, however the block ended."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def file(self, filing: Filing) -> FilingResult:
        """File under the filing's own reference. See the table above for what it raises, and WrongPerson."""
        source = f"{self.name} ({self._where})"
        heard = self._send("POST", "/filings", filing.model_dump_json(), key=filing.reference)
        result: FilingResult | None = None
        if heard.status in (200, 201):
            answer = understood(FilingAnswer, heard.body)
            if answer is not None and answer.status == "issued" and answer.registration is not None:
                _same_reference(answer.reference, filing.reference, source)
                result = registered_result(
                    answer.registration, national_id=filing.national_id, outcome="issued", source=source
                )
        elif heard.status == 409:
            holds = understood(AlreadyRegistered, heard.body)
            if holds is not None:
                result = registered_result(
                    holds.registration, national_id=filing.national_id, outcome="already_registered", source=source
                )
        elif heard.status == 422:
            refusal = understood(Refusal, heard.body)
            result = refused_result(refusal.faults, source=source) if refusal is not None else None
        elif heard.status != 202:
            raise self._judged(heard, a_filing=True)
        if result is None:
            raise EndUnknown(f"{source} answered {heard.status} to {filing.reference}, but its end is not to be read")
        return must_be_theirs(filing, result)

    def look_up(self, reference: str, national_id: str) -> FilingResult | None:
        """Ask for the filing, then for the person's NIB; None where surely there is neither.

        Names are not compared here (`file_once` does): it is asked with a NIK only. Raise CannotTell,
        TryLater (also while OSS is still at it), WrongPerson, or ValueError for a bad reference.
        """
        source = f"{self.name} ({self._where})"
        heard = self._send("GET", f"/filings/{quote(checked_reference(reference), safe='')}")
        if heard.status == 200:
            answer = understood(FilingAnswer, heard.body)
            if answer is not None:
                _same_reference(answer.reference, reference, source)
                if answer.status == "pending":
                    raise TryLater(f"{source} has {reference}, and has not decided yet")
                result = refused_result(answer.faults, source=source) if answer.status == "refused" else None
                if answer.status == "issued" and answer.registration is not None:
                    result = registered_result(
                        answer.registration, national_id=national_id, outcome="issued", source=source
                    )
                if result is not None:
                    return result
            raise CannotTell(f"{source} answered the look-up of {reference} in a form that is not understood")
        if heard.status == 404:
            unknown = understood(NoSuchFiling, heard.body)
            if unknown is not None and unknown.reference == reference:
                return self._registration_of(national_id, reference, source)
        raise self._judged(heard, a_filing=False)

    def _registration_of(self, national_id: str, reference: str, source: str) -> FilingResult | None:
        heard = self._send("POST", "/searches", json.dumps({"national_id": national_id}))
        if heard.status != 200:
            raise self._judged(heard, a_filing=False)
        found = understood(Found, heard.body)
        if found is None:
            raise CannotTell(f"{source} answered the search for {reference} in a form that is not understood")
        if len(found.businesses) > 1:
            raise CannotTell(
                f"{source} knows {len(found.businesses)} NIBs of the applicant of {reference}; by law it is one",
                for_people="OSS mencatat lebih dari satu NIB untuk pemilik ini. Petugas perlu memeriksanya.",
            )
        if not found.businesses:
            return None
        return registered_result(
            found.businesses[0], national_id=national_id, outcome="already_registered", source=source
        )

    def _send(self, method: str, path: str, content: str | None = None, *, key: str | None = None) -> _Heard:
        """Send one request and hear its answer out. Only a filing bears a `key`, so only it has effects."""
        headers = {"Content-Type": "application/json"} if content is not None else {}
        if key is not None:
            headers["Idempotency-Key"] = key
        ends_at = time.monotonic() + self._timeout
        sent, lost, note, too_large = True, "", None, False
        try:
            with self._client.stream(method, self._base + path, content=content, headers=headers) as response:
                body = bytearray()
                for piece in response.iter_raw():
                    body += piece
                    if time.monotonic() > ends_at:
                        raise httpx.ReadTimeout("the answer came too slowly")
                    if len(body) > self._largest:
                        too_large = True
                        break
                if not too_large:
                    return _Heard(response.status_code, response.headers, bytes(body))
        except httpx.TransportError as error:
            sent, lost = not isinstance(error, _NEVER_SENT), type(error).__name__
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                note = "its TLS certificate is not trusted here"
        # Raised outside of the except clause: the library's exception holds the request, and that the NIK.
        if too_large and key is None:
            raise CannotTell(f"{self.name} ({self._where}) answered with more than {self._largest} bytes")
        lost = lost or f"more than {self._largest} bytes"
        if sent and key is not None:
            raise EndUnknown(f"{self.name} ({self._where}) took {key}, but no whole answer came back: {lost}")
        raise TryLater(f"{self.name} ({self._where}) does not answer: {lost}", note=note)

    def _judged(self, heard: _Heard, *, a_filing: bool) -> OutsideError:
        """Return what an answer means that is neither the one hoped for nor a refusal of the filing."""
        who, status = f"{self.name} ({self._where})", heard.status
        pause = _retry_after(heard.headers)
        if status == 429 or (status == 503 and (pause is not None or not a_filing)):
            return TryLater(f"{who} is busy ({status})", pause)
        if status in (401, 403):
            words = "OSS menolak kunci akses kantor ini. Administrator perlu memperbaruinya; permohonan aman."
            return TryLater(
                f"{who} refused our token ({status})",
                _ADMINISTRATOR,
                for_people=words,
                note="the administrator must renew it",
            )
        if status in (404, 405, 410):
            return TryLater(f"{who} has no such door ({status})", _ADMINISTRATOR, note="check the address of OSS")
        if status in (400, 413, 415):
            words = "OSS tidak menerima bentuk permohonan ini. Administrator perlu memeriksanya."
            return RefusedOutside(
                f"{who} did not accept the form of our request ({status})", for_people=words, note="report this"
            )
        if a_filing:
            return EndUnknown(f"{who} answered {status} to a filing, which says nothing of its end")
        if status >= 500 or status == 408:
            return TryLater(f"{who} answered {status} to a look-up", pause)
        return CannotTell(f"{who} answered {status} to a look-up")


def _same_reference(answered: str, asked: str, source: str) -> None:
    if answered != asked:
        raise WrongPerson(f"{source} answered {asked} with another filing's answer")


def _retry_after(headers: httpx.Headers) -> timedelta | None:
    """Read Retry-After (RFC 9110, 10.2.3): seconds, or a date counted from the server's own Date; a day at most."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:9]), int(_LONGEST_PAUSE.total_seconds())))
    try:
        pause = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return min(max(pause, timedelta()), _LONGEST_PAUSE)
