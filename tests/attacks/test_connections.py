"""Connections that say nothing, or say it slowly, or say that they come from elsewhere."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from fastapi import Request

from engine.runtime.settings import Settings
from tests.attacks.served import Served, is_cut, read_all, served, status_in
from tests.scheduling.small_office import SmallOffice
from web.common.access import address_of
from web.common.bodies import READ_WITHIN
from web.connections import Connection

HELLO = b"GET /static/page.css HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallOffice]:
    """An office without businesses."""
    small = SmallOffice.at(tmp_path, businesses=2)
    yield small
    small.office.close()


@pytest.fixture
def site(small: SmallOffice) -> Iterator[Served]:
    """The web app behind a socket."""
    with served(small.office) as site:
        yield site


@pytest.fixture
def site_with_tls(small: SmallOffice, signer_folder: Path) -> Iterator[Served]:
    """The web app behind TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(signer_folder / "office-demo.cert.pem", signer_folder / "office-demo.key.pem")
    with served(small.office, context) as site:
        yield site


def test_the_limits_are_what_is_promised() -> None:
    """Two hundred connections without headers, ten seconds for headers, half a minute for what a form holds."""
    assert (Connection.MOST_WITHOUT_HEADERS, Connection.HEADERS_WITHIN, READ_WITHIN) == (200, 10, 30)


def test_headers_that_never_end_are_cut(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing at all, half a line, or a letter now and then: after the time for headers the connection ends."""
    monkeypatch.setattr(Connection, "HEADERS_WITHIN", 0.3)
    for begun in (b"", b"GET / HT", HELLO):
        with site.connect() as connection:
            connection.sendall(begun)
            assert is_cut(connection)
    with site.connect() as connection:
        connection.sendall(HELLO)
        began = time.monotonic()
        with suppress(ConnectionError):
            while time.monotonic() - began < 5:
                connection.sendall(b"x-a: b\r\n")
                time.sleep(0.02)
        assert time.monotonic() - began < 3
    assert site.is_well()


def test_the_second_request_of_a_connection_has_no_more_time(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was served once is no more trusted: half a second request is cut as well."""
    monkeypatch.setattr(Connection, "HEADERS_WITHIN", 0.3)
    with site.connect() as connection:
        connection.sendall(HELLO + b"\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(HELLO)
        began = time.monotonic()
        read_all(connection)
        assert time.monotonic() - began < 3


def test_answers_that_nobody_reads_are_cut(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for a long page a hundred times on one connection, and reads nothing, does not hold it for ever."""
    monkeypatch.setattr(Connection, "READ_WITHIN", 0.3)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", site.port))
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200)
        eventually(lambda: site.server.server_state.connections)
        eventually(lambda: not site.server.server_state.connections)
    assert site.is_well()


def test_two_hundred_connections_without_headers_are_all_there_are(site: Served) -> None:
    """Of 260 silent ones the oldest 60 are cut, and whoever speaks is served."""
    with ExitStack() as open_ones:
        silent = [open_ones.enter_context(site.connect()) for _ in range(260)]
        assert all(is_cut(one) for one in silent[:60])
        assert site.is_well()  # which cuts one more, and is itself none of them any more
        for one in silent[61:]:
            one.setblocking(False)
            with pytest.raises(BlockingIOError):
                one.recv(1)
        assert len(site.server.server_state.connections) <= 200
    eventually(lambda: not site.server.server_state.connections)
    assert not Connection._without_headers


def test_connections_that_were_served_are_not_counted(site: Served) -> None:
    """A browser's open connections between two requests take nobody's place."""
    with ExitStack() as open_ones:
        for _ in range(20):
            connection = open_ones.enter_context(site.connect())
            connection.sendall(HELLO + b"\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        assert len(Connection._without_headers) == 0
        assert len(site.server.server_state.connections) == 20


def test_a_handshake_counts_as_no_headers(site_with_tls: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind TLS, silence before the handshake or after it is cut as elsewhere."""
    monkeypatch.setattr(Connection, "MOST_WITHOUT_HEADERS", 10)
    anybody = ssl._create_unverified_context()
    with ExitStack() as open_ones:
        silent = [open_ones.enter_context(site_with_tls.connect()) for _ in range(12)]
        assert is_cut(silent[0]) and is_cut(silent[1])
        assert len(Connection._without_headers) == 10
    eventually(lambda: not Connection._without_headers)
    monkeypatch.setattr(Connection, "HEADERS_WITHIN", 0.3)
    with site_with_tls.connect() as plain, anybody.wrap_socket(plain) as connection:
        connection.sendall(HELLO)
        began = time.monotonic()
        with suppress(OSError):
            read_all(connection)
        assert time.monotonic() - began < 3
    monkeypatch.setattr(Connection, "HEADERS_WITHIN", 10)
    with site_with_tls.connect() as plain, anybody.wrap_socket(plain) as connection:
        connection.sendall(HELLO + b"Connection: close\r\n\r\n")
        assert status_in(read_all(connection)) == 200


def test_a_request_in_the_middle_of_another_is_no_smuggling(site: Served) -> None:
    """A length beside chunks, two lengths, or a space before the colon: 400, and the connection ends."""
    for odd in (
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Content-Length : 4\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
    ):
        with site.connect() as connection:
            connection.sendall(b"POST /login HTTP/1.1\r\nHost: localhost\r\n" + odd + b"\r\n0\r\n\r\n")
            connection.sendall(HELLO + b"Connection: close\r\n\r\n")
            answer = read_all(connection)
        assert answer.count(b"HTTP/1.1 200") == 0 or answer.startswith(b"HTTP/1.1 4")
    assert site.is_well()


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address", "scheme"),
    [
        ("", "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n", "127.0.0.1", "http"),
        ("10.0.0.2", "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n", "127.0.0.1", "http"),
        ("127.0.0.1", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n", "203.0.113.9", "https"),
        ("127.0.0.0/8, 10.0.0.2", "X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.0.0.2\r\n", "203.0.113.9", "http"),
        ("127.0.0.1", "Forwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n", "127.0.0.1", "http"),
    ],
)
def test_an_address_comes_from_trusted_proxies_alone(
    small: SmallOffice, monkeypatch: pytest.MonkeyPatch, trusted: str, forwarded: str, address: str, scheme: str
) -> None:
    """Without JALUR_TRUSTED_PROXIES no header is believed, whatever uvicorn is told; with it, the last stranger counts."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    small.office.settings = small.office.settings.model_copy(update={"trusted_proxies": trusted})
    with served(small.office) as site:
        seen: list[tuple[str, str]] = []

        @site.app.get("/probe")
        def probe(request: Request) -> None:
            seen.append((address_of(request), request.url.scheme))

        status = site.status_of(
            f"GET /probe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{forwarded}\r\n".encode()
        )
    assert (status, seen) == (200, [(address, scheme)])


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_an_address_is_the_same_on_a_socket_for_both_kinds(small: SmallOffice) -> None:
    """Listening on :: is no way around the proxies, and does not put the whole of IPv4 into one household."""
    small.office.settings = small.office.settings.model_copy(update={"trusted_proxies": "127.0.0.1"})
    with served(small.office, host="::") as site:
        seen: list[str] = []

        @site.app.get("/probe")
        def probe(request: Request) -> None:
            seen.append(address_of(request))

        for more in ("", "X-Forwarded-For: 203.0.113.9\r\n"):
            site.status_of(f"GET /probe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n".encode())
    assert seen == ["127.0.0.1", "203.0.113.9"]


@pytest.mark.parametrize("named", ["*", "proxy.example", "10.0.0.1/8", "127.0.0.1 10.0.0.2"])
def test_a_proxy_is_named_by_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    """Everybody, a name that somebody else may resolve, or half a network are no proxies."""
    monkeypatch.setenv("JALUR_TRUSTED_PROXIES", named)
    with pytest.raises(ValueError, match="trusted_proxies"):
        Settings(home=tmp_path)


def eventually(look: object) -> None:
    """Wait until something holds."""
    assert callable(look)
    until = time.monotonic() + 5
    while not look():
        assert time.monotonic() < until
        time.sleep(0.01)
