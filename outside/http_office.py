"""An office over HTTP, distrusted: what is not surely a success and not surely without effect is unknown.

How an end is judged, for a request that is handed in and for a look-up (which never has an effect):

====================================  ============================  ===========================
what came back                        after a request               after a look-up
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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Generic, Self, TypeVar
from urllib.parse import quote

import httpx

from outside.errors import CannotTell, EndUnknown, OutsideError, RefusedOutside, TryLater, WrongPerson
from outside.http_answers import Answer, AnyBody, NoSuchFiling, Refusal, understood
from outside.once import Fault, Request, checked_reference

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
_LONGEST_PAUSE = timedelta(days=1)
ADMINISTRATOR = timedelta(hours=1)
"""How long to leave a door alone that only the administrator can open."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Reading(Generic[T, R]):
    """How an `Answer` becomes a result: its shape, and what to make of a registration and of faults."""

    shape: type[Answer[T]]
    issued: Callable[[T], R]
    refused: Callable[[list[Fault]], R | None]


@dataclass(frozen=True)
class _Heard:
    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)


class HttpOffice:
    """An office through an HTTP gateway. One instance may serve several threads; `close` it, or use `with`."""

    name: ClassVar[str]
    """A short name for the ledger's `source`."""
    label: ClassVar[str]
    """How people call it."""

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
            raise ValueError(f"{self.label} is spoken to over https only")
        if url.userinfo or url.query or url.fragment:
            raise ValueError(f"the address of {self.label} may hold no password, query or fragment")
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError(f"the token for {self.label} is empty, or holds characters that can't stand in a header")
        if tls is not None and tls.verify_mode is not ssl.CERT_REQUIRED:
            raise ValueError(f"TLS certificates of {self.label} are always verified")
        self.source = f"{self.name} ({url.host})"
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
            # request that never left; a handshake is cheaper than a look-up.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def __repr__(self) -> str:
        """Name the address, and no token."""
        return f"{type(self).__name__}({self._base!r})"

    def __enter__(self) -> Self:
        """Return this adapter, to be closed at the end of the block."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the connections, however the block ended."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _hand_in(
        self,
        path: str,
        request: Request,
        reading: Reading[T, R],
        others: Mapping[int, Callable[[bytes], R | None]] | None = None,
    ) -> R:
        """Hand in under the request's own reference; `others` reads the statuses that only this office knows."""
        heard = self._send("POST", path, request.model_dump_json(), key=request.reference)
        result: R | None = None
        if heard.status in (200, 201):
            answer = self._understood(reading.shape, heard.body, request.reference)
            if answer is not None and answer.status == "issued" and answer.registration is not None:
                result = reading.issued(answer.registration)
        elif heard.status == 422:
            refusal = understood(Refusal, heard.body)
            result = reading.refused(refusal.faults) if refusal is not None else None
        elif others and heard.status in others:
            result = others[heard.status](heard.body)
        elif heard.status != 202:
            raise self._judged(heard, handed_in=True)
        if result is None:
            raise EndUnknown(
                f"{self.source} answered {heard.status} to {request.reference}, but its end is not to be read"
            )
        return result

    def _look_up(self, path: str, reference: str, reading: Reading[T, R]) -> R | None:
        """Say what became of a request; None where the office says that it never took it.

        Raise TryLater also while the office is still at it, CannotTell, WrongPerson, or ValueError for a bad reference.
        """
        heard = self._send("GET", f"{path}/{quote(checked_reference(reference), safe='')}")
        if heard.status == 200:
            result: R | None = None
            answer = self._understood(reading.shape, heard.body, reference)
            if answer is not None and answer.status == "pending":
                raise TryLater(f"{self.source} has {reference}, and has not decided yet")
            if answer is not None and answer.status == "refused":
                result = reading.refused(answer.faults)
            elif answer is not None and answer.registration is not None:
                result = reading.issued(answer.registration)
            if result is None:
                raise CannotTell(f"{self.source} answered the look-up of {reference} in a form that is not understood")
            return result
        if heard.status == 404:
            unknown = understood(NoSuchFiling, heard.body)
            if unknown is not None and unknown.reference == reference:
                return None
        raise self._judged(heard, handed_in=False)

    def _the_only_one(
        self,
        path: str,
        asked: Mapping[str, Any],
        shape: type[AnyBody],
        listed: Callable[[AnyBody], list[T]],
        *,
        about: str,
        what: str,
    ) -> T | None:
        """Search for what a person holds: it is one, or None. Raise CannotTell where the office knows more of them."""
        heard = self._send("POST", path, json.dumps(asked))
        if heard.status != 200:
            raise self._judged(heard, handed_in=False)
        body = understood(shape, heard.body)
        if body is None:
            raise CannotTell(f"{self.source} answered the search for {about} in a form that is not understood")
        found = listed(body)
        if len(found) > 1:
            raise CannotTell(
                f"{self.source} knows {len(found)} {what}s of the applicant of {about}; it should be one",
                for_people=f"{self.label} mencatat lebih dari satu {what} untuk pemilik ini. Petugas perlu memeriksanya.",
            )
        return found[0] if found else None

    def _understood(self, shape: type[Answer[T]], body: bytes, asked: str) -> Answer[T] | None:
        answer = understood(shape, body)
        if answer is not None and answer.reference != asked:
            raise WrongPerson(f"{self.source} answered {asked} with another request's answer")
        return answer

    def _send(self, method: str, path: str, content: str | None = None, *, key: str | None = None) -> _Heard:
        """Send one request and hear its answer out. Only what is handed in bears a `key`, so only it has effects."""
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
            raise CannotTell(f"{self.source} answered with more than {self._largest} bytes")
        lost = lost or f"more than {self._largest} bytes"
        if sent and key is not None:
            raise EndUnknown(f"{self.source} took {key}, but no whole answer came back: {lost}")
        raise TryLater(f"{self.source} does not answer: {lost}", note=note)

    def _judged(self, heard: _Heard, *, handed_in: bool) -> OutsideError:
        """Return what an answer means that is neither the one hoped for nor a refusal of what was handed in."""
        who, status = self.source, heard.status
        pause = _retry_after(heard.headers)
        if status == 429 or (status == 503 and (pause is not None or not handed_in)):
            return TryLater(f"{who} is busy ({status})", pause)
        if status in (401, 403):
            words = f"{self.label} menolak kunci akses kantor ini. Administrator perlu memperbaruinya; permohonan aman."
            note = "the administrator must renew it"
            return TryLater(f"{who} refused our token ({status})", ADMINISTRATOR, for_people=words, note=note)
        if status in (404, 405, 410):
            note = f"check the address of {self.label}"
            return TryLater(f"{who} has no such door ({status})", ADMINISTRATOR, note=note)
        if status in (400, 413, 415):
            words = f"{self.label} tidak menerima bentuk permohonan ini. Administrator perlu memeriksanya."
            reason = f"{who} did not accept the form of our request ({status})"
            return RefusedOutside(reason, for_people=words, note="report this")
        if handed_in:
            return EndUnknown(f"{who} answered {status} to a filing, which says nothing of its end")
        if status >= 500 or status == 408:
            return TryLater(f"{who} answered {status} to a look-up", pause)
        return CannotTell(f"{who} answered {status} to a look-up")


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
