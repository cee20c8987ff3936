"""An OSS that misbehaves on demand: a real HTTP server on loopback, for tests of adapters and of the engine.

    with MisbehavingOss() as server:
        server.next(Mood.LATE)                        # for the next filing; later ones are honest
        server.next_look_up(Mood.HANG)                # for the next GET or search
        oss = HttpOss(server.url, server.token, timeout=0.2)
        ...
        assert server.nibs_of(person) == {nib}        # the server's own count

It keeps what it took. By default it remembers references, and gives one NIB a person. With
`forgetful=True` it does neither, so a client that files twice is found out by the server's own count.

There is no `__init__.py` in this folder: it would shadow our package `outside`.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import json
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote

PDF = b"%PDF-1.7\n% NIB of a made-up business\n%%EOF\n"
FAULT = {"field": "national_id", "text": "NIK 3578014107900001 tidak sesuai dengan data Dukcapil"}
STRANGER = {"national_id": "3573014107900002", "name": "Orang Lain"}


class Mood(enum.Enum):
    """How the next call is treated. Those marked (filed) have filed when the client loses patience."""

    HONEST = "honest"
    LATE = "answers after the client's time-out (filed)"
    HANG = "takes the request, never files, never answers"
    FAIL_BEFORE = "500, not filed"
    FAIL_AFTER = "500 (filed)"
    CUT_OFF = "half an answer, then the line breaks (filed)"
    DRIP = "an answer byte by byte, without end (filed)"
    HUGE = "an answer without end, quickly (filed)"
    TWICE = "answers, then the same request is delivered again by some gateway (filed)"
    STRANGER = "another person's NIB (filed)"
    NAMESAKE = "the NIB of somebody of the same name, with another NIK (filed)"
    OTHER_NAME = "the right NIK, another name (filed)"
    CROSSED = "another filing's answer (filed)"
    SHORT_NIB = "a NIB of 12 digits (filed)"
    TORN_PDF = "a PDF that doesn't fit its hash (filed)"
    GARBAGE = "an HTML page with status 200 (filed)"
    CHATTY = "an answer with a field that nobody knows (filed)"
    PENDING = "202, decides later (filed)"
    REDIRECT = "sends the client elsewhere (not filed)"
    BUSY = "429 with Retry-After (not filed)"
    CLOSED = "503 with Retry-After (not filed)"
    LOCKED = "401 (not filed)"
    LOST = "404 of a proxy, in HTML (not filed)"
    REFUSE = "422, quoting the NIK (not filed)"


_SPOILED = frozenset(mood for mood in Mood if mood.value.endswith("(filed)")) - {Mood.TWICE}
_DECLINED: dict[Mood, tuple[int, dict[str, str]]] = {
    Mood.FAIL_BEFORE: (500, {}),
    Mood.REDIRECT: (307, {"Location": "/oss/elsewhere"}),
    Mood.BUSY: (429, {"Retry-After": "120"}),
    Mood.CLOSED: (503, {"Retry-After": "Mon, 02 Mar 2026 01:30:00 GMT"}),
    Mood.LOCKED: (401, {}),
    Mood.LOST: (404, {}),
}


@dataclass(frozen=True)
class Taken:
    """One NIB that the server gave."""

    reference: str
    national_id: str
    name: str
    nib: str


@dataclass
class MisbehavingOss:
    """The server. Its counts may be read at any time; `close` it, or use `with`."""

    forgetful: bool = False
    token: str = "a-token-for-tests"
    today: date = date(2026, 3, 2)
    filings_heard: int = 0
    look_ups_heard: int = 0
    taken: list[Taken] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._moods: deque[Mood] = deque()
        self._look_up_moods: deque[Mood] = deque()
        self._released = threading.Event()
        self._given, self._redelivered = threading.Event(), threading.Event()
        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._httpd.daemon_threads = True
        self._httpd.block_on_close = False
        self.url = f"http://127.0.0.1:{self._httpd.server_port}/oss"
        threading.Thread(target=self._httpd.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of whoever hangs, and stop."""
        self._released.set()
        self._httpd.shutdown()
        self._httpd.server_close()

    def next(self, *moods: Mood) -> None:
        """Treat the next filings so, one each; after them the server is honest."""
        self._moods.extend(moods)

    def next_look_up(self, *moods: Mood) -> None:
        """Treat the next look-ups so (a GET and a search count each)."""
        self._look_up_moods.extend(moods)

    def register(self, national_id: str, name: str, nib: str = "0203260000001") -> str:
        """Let the person hold a NIB that was not filed by us, as from years ago."""
        self.taken.append(Taken("", national_id, name, nib))
        return nib

    def nibs_of(self, national_id: str) -> set[str]:
        """All the NIBs that this person was given: more than one is a double filing."""
        return {one.nib for one in self.taken if one.national_id == national_id}

    def nibs_for(self, reference: str) -> set[str]:
        """All the NIBs given for this reference: more than one is a double filing."""
        return {one.nib for one in self.taken if one.reference == reference}

    def wait_until_taken(self) -> None:
        """Wait until some NIB was given: a client that lost patience may be ahead of a busy server."""
        assert self._given.wait(5), "no NIB was given"

    def wait_for_redelivery(self) -> None:
        """Wait until the second delivery of a `TWICE` is done."""
        assert self._redelivered.wait(5), "nothing was delivered twice"

    def _file(self, filing: dict[str, Any], key: str | None) -> tuple[int, dict[str, Any]]:
        with self._lock:
            if not self.forgetful:
                for one in self.taken:
                    if key is not None and one.reference == key:
                        return 200, self._issued(one)
                    if one.national_id == filing["national_id"]:
                        return 409, {"code": "already_registered", "registration": self._registration(one)}
            nib = f"020326{len(self.taken) + 1:07d}"
            one = Taken(filing["reference"], filing["national_id"], filing["owner_name"].upper(), nib)
            self.taken.append(one)
            self._given.set()
            return 201, self._issued(one)

    def _issued(self, one: Taken) -> dict[str, Any]:
        return {"reference": one.reference, "status": "issued", "registration": self._registration(one)}

    def _registration(self, one: Taken) -> dict[str, Any]:
        return {
            "nib": one.nib,
            "issued_on": self.today.isoformat(),
            "holder": {"national_id": one.national_id, "name": one.name},
            "region_code": "35.78",
            "pdf": base64.b64encode(PDF).decode(),
            "pdf_sha256": hashlib.sha256(PDF).hexdigest(),
        }

    def _find(self, reference: str) -> tuple[int, dict[str, Any]]:
        with self._lock:
            for one in self.taken:
                if one.reference == reference:
                    return 200, self._issued(one)
        return 404, {"code": "no_such_filing", "reference": reference}

    def _search(self, national_id: str) -> tuple[int, dict[str, Any]]:
        with self._lock:
            held = [self._registration(one) for one in self.taken if one.national_id == national_id]
        return 200, {"businesses": held}

    def _mood(self, moods: deque[Mood]) -> Mood:
        with self._lock:
            return moods.popleft() if moods else Mood.HONEST

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # `self` is the handler below
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.look_ups_heard += 1
                self.answer(server._mood(server._look_up_moods), b"")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                filing = self.path.endswith("/filings")
                server.filings_heard += filing
                server.look_ups_heard += not filing
                self.answer(server._mood(server._moods if filing else server._look_up_moods), body)

            def answer(self, mood: Mood, body: bytes) -> None:
                server.addresses.append(self.path)
                server.keys.append(self.headers["Idempotency-Key"])
                if self.headers["Authorization"] != f"Bearer {server.token}":
                    mood = Mood.LOCKED
                try:
                    if not self.declined(mood):
                        status, said = self.carry_out(body)
                        if mood in _SPOILED:
                            self.spoil(mood, status, said)
                        else:
                            self.say(status, said)
                        if mood is Mood.TWICE:
                            self.carry_out(body)
                            server._redelivered.set()
                except OSError:
                    self.close_connection = True  # the client lost patience, as it should

            def carry_out(self, body: bytes) -> tuple[int, dict[str, Any]]:
                if self.command == "GET":
                    return server._find(unquote(self.path.rpartition("/")[2]))
                asked = json.loads(body)
                if self.path.endswith("/searches"):
                    return server._search(asked["national_id"])
                return server._file(asked, self.headers["Idempotency-Key"])

            def declined(self, mood: Mood) -> bool:
                """Treat the moods that do nothing; say whether it was one."""
                if mood is Mood.HANG:
                    server._released.wait(10)
                    self.close_connection = True
                elif mood in _DECLINED:
                    status, headers = _DECLINED[mood]
                    self.say(status, b"<h1>Not now, not here</h1>", **headers)
                elif mood is Mood.REFUSE:
                    self.say(422, {"code": "refused", "faults": [FAULT]})
                else:
                    return False
                return True

            def spoil(self, mood: Mood, status: int, said: dict[str, Any]) -> None:
                """Answer what was carried out, badly."""
                found: list[dict[str, Any]] = said.get("businesses", [])
                registration = said.get("registration") or (found[0] if found else {})
                if mood is Mood.STRANGER:
                    registration["holder"] = STRANGER
                elif mood is Mood.NAMESAKE:
                    registration["holder"]["national_id"] = STRANGER["national_id"]
                elif mood is Mood.OTHER_NAME:
                    registration["holder"]["name"] = STRANGER["name"]
                elif mood is Mood.CROSSED:
                    said["reference"] = "NIB-2026-999999/oss_filing#1"
                elif mood is Mood.SHORT_NIB:
                    registration["nib"] = registration["nib"][:12]
                elif mood is Mood.TORN_PDF:
                    registration["pdf_sha256"] = "0" * 64
                elif mood is Mood.CHATTY:
                    said["revoked"] = True
                if mood is Mood.LATE:
                    server._released.wait(0.6)
                if mood in (Mood.FAIL_AFTER, Mood.PENDING, Mood.GARBAGE):
                    garbled = {Mood.FAIL_AFTER: 500, Mood.PENDING: 202}.get(mood, 200)
                    self.say(garbled, b"<html>Selamat datang</html>")
                elif mood in (Mood.CUT_OFF, Mood.DRIP, Mood.HUGE):
                    self.never_end(mood, status)
                else:
                    self.say(status, said)

            def never_end(self, mood: Mood, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "1000000000")
                self.end_headers()
                self.close_connection = True
                while mood is not Mood.CUT_OFF and not server._released.wait(0.05 if mood is Mood.DRIP else 0):
                    self.wfile.write(b" " if mood is Mood.DRIP else b" " * 65536)

            def say(self, status: int, said: dict[str, Any] | bytes, **headers: str) -> None:
                body = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return "Mon, 02 Mar 2026 01:00:00 GMT"

            def log_message(self, format: str, *args: Any) -> None:
                """Keep quiet: a test's output is for its failure."""

        return Handler
