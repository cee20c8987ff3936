"""An office that misbehaves on demand: a real HTTP server on loopback, for tests of adapters and of the engine.

    with MisbehavingOss() as server:
        server.next(Mood.LATE)                        # for the next request; later ones are honest
        server.next_look_up(Mood.HANG)                # for the next GET or search
        oss = HttpOss(server.url, server.token, timeout=0.2)
        ...
        assert server.nibs_of(person) == {nib}        # the server's own count

It keeps what it took. By default it remembers references. With `forgetful=True` it does not, so a client that
hands in twice is found out by the server's own count. What an office gives out, its subclass says.

There is no `__init__.py` in this folder: it would shadow our package `outside`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar
from urllib.parse import unquote

from tests.outside.moods import DECLINED, SPOILED, Mood

PDF = b"%PDF-1.7\n% NIB of a made-up business\n%%EOF\n"
PAPER = {"pdf": base64.b64encode(PDF).decode(), "pdf_sha256": hashlib.sha256(PDF).hexdigest()}
FAULT = {"field": "national_id", "text": "NIK 3578014107900001 tidak sesuai dengan data Dukcapil"}
STRANGER = {"national_id": "3573014107900002", "name": "Orang Lain"}
Said = dict[str, Any]


class UnderReference(Protocol):
    """Something that was taken under a reference of ours."""

    @property
    def reference(self) -> str:
        """Our reference."""


T = TypeVar("T", bound=UnderReference)


@dataclass
class MisbehavingOffice(Generic[T]):
    """The server. Its counts may be read at any time; `close` it, or use `with`."""

    address: ClassVar[str]
    unknown: ClassVar[str] = "no_such_filing"
    named: ClassVar[str] = "reference"
    forgetful: bool = False
    token: str = "a-token-for-tests"
    today: date = date(2026, 3, 2)
    filings_heard: int = 0
    look_ups_heard: int = 0
    taken: list[T] = field(default_factory=list)
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
        self.url = f"http://127.0.0.1:{self._httpd.server_port}{self.address}"
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
        """Treat the next requests so, one each; after them the server is honest."""
        self._moods.extend(moods)

    def next_look_up(self, *moods: Mood) -> None:
        """Treat the next look-ups so (a GET and a search count each)."""
        self._look_up_moods.extend(moods)

    def wait_until_taken(self) -> None:
        """Wait until something was taken: a client that lost patience may be ahead of a busy server."""
        assert self._given.wait(5), "nothing was taken"

    def wait_for_redelivery(self) -> None:
        """Wait until the second delivery of a `TWICE` is done."""
        assert self._redelivered.wait(5), "nothing was delivered twice"

    # -- what an office is -------------------------------------------------------------------------------------------

    def take(self, asked: Said) -> T:
        """Take a request and give it its numbers."""
        raise NotImplementedError

    def registration(self, one: T) -> Said:
        """Return what was given, as it is told."""
        raise NotImplementedError

    def told(self, one: T) -> Said:
        """Return what became of a request that was taken."""
        return {self.named: one.reference, "status": "issued", "registration": self.registration(one)}

    def search(self, asked: Said, path: str) -> Said:
        """Return what somebody holds."""
        raise NotImplementedError

    def never_taken(self, asked: Said) -> tuple[int, Said] | None:
        """Return why this can't be taken by any office of the kind."""
        return None

    def refused_by_law(self, asked: Said) -> tuple[int, Said] | None:
        """Return why this can't be taken, for an office that is not forgetful."""
        return None

    def held_in(self, registration: Said) -> Said:
        """Return what one person holds in what was given."""
        return registration

    def bad_number(self, held: Said) -> None:
        """Put a number in it that can't be one."""
        raise NotImplementedError

    # -- how it answers ----------------------------------------------------------------------------------------------

    def _file(self, asked: Said, key: str | None) -> tuple[int, Said]:
        with self._lock:
            if refused := self.never_taken(asked):
                return refused
            if not self.forgetful:
                for one in self.taken:
                    if key is not None and one.reference == key:
                        return 200, self.told(one)
                if refused := self.refused_by_law(asked):
                    return refused
            one = self.take(asked)
            self.taken.append(one)
            self._given.set()
            return 201, self.told(one)

    def _find(self, reference: str) -> tuple[int, Said]:
        with self._lock:
            for one in self.taken:
                if one.reference == reference:
                    return 200, self.told(one)
        return 404, {"code": self.unknown, self.named: reference}

    def _mood(self, moods: deque[Mood]) -> Mood:
        with self._lock:
            return moods.popleft() if moods else Mood.HONEST

    def _spoil(self, mood: Mood, said: Said) -> None:
        """Make of an honest answer one that is wrong."""
        found = next((value for value in said.values() if isinstance(value, list)), [])
        registration = said.get("registration") or (found[0] if found else {})
        held = self.held_in(registration)
        if mood is Mood.STRANGER:
            held["holder"] = STRANGER
        elif mood is Mood.NAMESAKE:
            held.setdefault("holder", {})["national_id"] = STRANGER["national_id"]
        elif mood is Mood.OTHER_NAME:
            held.setdefault("holder", {})["name"] = STRANGER["name"]
        elif mood is Mood.CROSSED and self.named not in said:
            held["receipt_number"] = "STTD-2026-9999999"
        elif mood is Mood.CROSSED:
            said[self.named] = "NIB-2026-999999/oss_filing#1"
        elif mood is Mood.BAD_NUMBER and held:
            self.bad_number(held)
        elif mood is Mood.TORN_PDF:
            registration["pdf_sha256"] = "0" * 64
        elif mood is Mood.CHATTY:
            said["revoked"] = True

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # `self` is the handler below
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.look_ups_heard += 1
                self.answer(server._mood(server._look_up_moods), b"")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                filing = not self.path.endswith("/searches")
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
                        if mood in SPOILED:
                            self.spoiled(mood, status, said)
                        else:
                            self.say(status, said)
                        if mood is Mood.TWICE:
                            self.carry_out(body)
                            server._redelivered.set()
                except OSError:
                    self.close_connection = True  # the client lost patience, as it should

            def carry_out(self, body: bytes) -> tuple[int, Said]:
                if self.command == "GET":
                    return server._find(unquote(self.path.rpartition("/")[2]))
                asked = json.loads(body)
                if self.path.endswith("/searches"):
                    with server._lock:
                        return 200, server.search(asked, self.path)
                return server._file(asked, self.headers["Idempotency-Key"])

            def declined(self, mood: Mood) -> bool:
                """Treat the moods that do nothing; say whether it was one."""
                if mood is Mood.HANG:
                    server._released.wait(10)
                    self.close_connection = True
                elif mood in DECLINED:
                    status, headers = DECLINED[mood]
                    self.say(status, b"<h1>Not now, not here</h1>", **headers)
                elif mood is Mood.REFUSE:
                    self.say(422, {"code": "refused", "faults": [FAULT]})
                else:
                    return False
                return True

            def spoiled(self, mood: Mood, status: int, said: Said) -> None:
                """Answer what was carried out, badly."""
                server._spoil(mood, said)
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

            def say(self, status: int, said: Said | bytes, **headers: str) -> None:
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
