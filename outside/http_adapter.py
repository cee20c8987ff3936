"""Base of the adapters over HTTP: requests, look-ups, and the judgment of every way to end."""

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
from outside.http_answers import Answer, AnyBody, NoSuchFiling, Refusal, parse_body
from outside.submission import Fault, Request, checked_reference

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
_LONGEST_PAUSE = timedelta(days=1)
ADMINISTRATOR_PAUSE = timedelta(hours=1)
"""Pause before the next attempt where the administrator must correct a setting."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Reading(Generic[T, R]):
    """The shape of an `Answer`, and functions from its registration or faults to a result."""

    shape: type[Answer[T]]
    issued: Callable[[T], R]
    refused: Callable[[list[Fault]], R | None]


@dataclass(frozen=True)
class _Response:
    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)


class HttpAdapter:
    """An outside body through an HTTP gateway; `close` it, or use `with`.

    Threads may share an instance.

    An end is unknown unless it is surely a success or surely without effect. A look-up never has an effect:

    ====================================  ============================  ===========================
    end                                   of a request                  of a look-up
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

    name: ClassVar[str]
    """A short name, as the ledger's `source`."""
    label: ClassVar[str]
    """The body's name for people."""

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
        TLS certificates are always verified; `tls` may name other authorities. Proxies and certificates
        are never taken from the environment.

        Raises:
            ValueError: the address is not https (http is for this machine alone), the token can't stand in a
                header, or `tls` does not verify certificates.
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
            # A request on a kept connection that the server has closed would end unknown although it
            # never left; a handshake is cheaper than a look-up.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def __repr__(self) -> str:
        """Return class and address, without the token."""
        return f"{type(self).__name__}({self._base!r})"

    def __enter__(self) -> Self:
        """Return this adapter; the end of the block closes it."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the connections."""
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
        """Hand in a request under its own reference; `others` reads statuses of this body alone."""
        response = self._send("POST", path, request.model_dump_json(), key=request.reference)
        result: R | None = None
        if response.status in (200, 201):
            answer = self._parse_answer(reading.shape, response.body, request.reference)
            if answer is not None and answer.status == "issued" and answer.registration is not None:
                result = reading.issued(answer.registration)
        elif response.status == 422:
            refusal = parse_body(Refusal, response.body)
            result = reading.refused(refusal.faults) if refusal is not None else None
        elif others and response.status in others:
            result = others[response.status](response.body)
        elif response.status != 202:
            raise self._error_of(response, handed_in=True)
        if result is None:
            raise EndUnknown(
                f"{self.source} answered {response.status} to {request.reference}, but its end is not to be read"
            )
        return result

    def _look_up(self, path: str, reference: str, reading: Reading[T, R]) -> R | None:
        """Return the result of a request; None where the body says that it never took one.

        Raises:
            TryLater: also while the request is not decided yet.
            CannotTell, WrongPerson: see `outside.errors`.
            ValueError: the reference may not stand in an address.
        """
        response = self._send("GET", f"{path}/{quote(checked_reference(reference), safe='')}")
        if response.status == 200:
            result: R | None = None
            answer = self._parse_answer(reading.shape, response.body, reference)
            if answer is not None and answer.status == "pending":
                raise TryLater(f"{self.source} has {reference}, and has not decided yet")
            if answer is not None and answer.status == "refused":
                result = reading.refused(answer.faults)
            elif answer is not None and answer.registration is not None:
                result = reading.issued(answer.registration)
            if result is None:
                raise CannotTell(f"{self.source} answered the look-up of {reference} in a form that is not understood")
            return result
        if response.status == 404:
            unknown = parse_body(NoSuchFiling, response.body)
            if unknown is not None and unknown.reference == reference:
                return None
        raise self._error_of(response, handed_in=False)

    def _search_one(
        self,
        path: str,
        asked: Mapping[str, Any],
        shape: type[AnyBody],
        listed: Callable[[AnyBody], list[T]],
        *,
        about: str,
        what: str,
    ) -> T | None:
        """Search for the one paper that a person holds; return None where there is none.

        Raises:
            CannotTell: the person holds more than one, or the body is not understood.
            TryLater: the service did not answer.
        """
        response = self._send("POST", path, json.dumps(asked))
        if response.status != 200:
            raise self._error_of(response, handed_in=False)
        body = parse_body(shape, response.body)
        if body is None:
            raise CannotTell(f"{self.source} answered the search for {about} in a form that is not understood")
        found = listed(body)
        if len(found) > 1:
            raise CannotTell(
                f"{self.source} knows {len(found)} {what}s of the applicant of {about}; it should be one",
                for_people=f"{self.label} mencatat lebih dari satu {what} untuk pemilik ini. Petugas perlu memeriksanya.",
            )
        return found[0] if found else None

    def _parse_answer(self, shape: type[Answer[T]], body: bytes, asked: str) -> Answer[T] | None:
        answer = parse_body(shape, body)
        if answer is not None and answer.reference != asked:
            raise WrongPerson(f"{self.source} answered {asked} with another request's answer")
        return answer

    def _send(self, method: str, path: str, content: str | None = None, *, key: str | None = None) -> _Response:
        """Send one request and read its whole answer; a `key` marks a request that has an effect."""
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
                    return _Response(response.status_code, response.headers, bytes(body))
        except httpx.TransportError as error:
            sent, lost = not isinstance(error, _NEVER_SENT), type(error).__name__
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                note = "its TLS certificate is not trusted here"
        # Raised outside of the except clause: httpx's exception holds the request, and with it the NIK.
        if too_large and key is None:
            raise CannotTell(f"{self.source} answered with more than {self._largest} bytes")
        lost = lost or f"more than {self._largest} bytes"
        if sent and key is not None:
            raise EndUnknown(f"{self.source} took {key}, but no whole answer came back: {lost}")
        raise TryLater(f"{self.source} does not answer: {lost}", note=note)

    def _error_of(self, response: _Response, *, handed_in: bool) -> OutsideError:
        """Return the error of an answer that is neither a success nor a refusal of the request."""
        who, status = self.source, response.status
        pause = _retry_after(response.headers)
        if status == 429 or (status == 503 and (pause is not None or not handed_in)):
            return TryLater(f"{who} is busy ({status})", pause)
        if status in (401, 403):
            words = f"{self.label} menolak kunci akses kantor ini. Administrator perlu memperbaruinya; permohonan aman."
            note = "the administrator must renew it"
            return TryLater(f"{who} refused our token ({status})", ADMINISTRATOR_PAUSE, for_people=words, note=note)
        if status in (404, 405, 410):
            note = f"check the address of {self.label}"
            return TryLater(f"{who} has no such door ({status})", ADMINISTRATOR_PAUSE, note=note)
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
    """Read Retry-After (RFC 9110, 10.2.3), a date counted from the server's; a day at most."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:9]), int(_LONGEST_PAUSE.total_seconds())))
    try:
        pause = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return min(max(pause, timedelta()), _LONGEST_PAUSE)
