"""Bodies without an end, without a length, without a token, or too intricate: cut before they cost anything."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from engine.execution.drain import drain
from models.privacy import without_personal_numbers
from tests.attacks.served import Served, read_all, served, status_in
from tests.scheduling.small_office import PIPELINE, SmallOffice
from web.api import v1
from web.app import create_app
from web.common import bodies, login

CHUNK = b"10000\r\n" + b"0" * 65536 + b"\r\n"
ENOUGH = 1000  # chunks: 64 MB
MULTIPART = "Content-Type: multipart/form-data; boundary=x\r\n"
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
JSON = "Content-Type: application/json\r\n"
ANSWER, IMPORTS = "POST /api/v1/cases/{case}/answers/dossier_check", "POST /api/v1/imports"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallOffice]:
    """An office with three businesses."""
    small = SmallOffice.at(tmp_path)
    yield small
    small.office.close()


@pytest.fixture
def case(small: SmallOffice) -> str:
    """A case that waits for its first check."""
    number = small.open()[0]
    with small.office.run("cli", by="test") as run:
        drain(small.office, run, PIPELINE)
    return number


@pytest.fixture
def site(small: SmallOffice) -> Iterator[Served]:
    """The web app behind a socket."""
    with served(small.office) as site:
        yield site


@pytest.fixture
def client(small: SmallOffice) -> Iterator[TestClient]:
    """The web app without a socket."""
    with TestClient(create_app(small.office, advance=False), raise_server_exceptions=False) as client:
        yield client


def headers(line: str, *more: str) -> bytes:
    return "".join([f"{line} HTTP/1.1\r\nHost: localhost\r\n", *more, "\r\n"]).encode()


def bearer(small: SmallOffice, name: str) -> str:
    return f"Authorization: {small.token(name)['Authorization']}\r\n"


def pour(connection: socket.socket, chunk: bytes) -> tuple[int, bytes]:
    """Pour chunks in, whatever is answered, until the other side ends it; return how many, and the answer."""
    answers: list[bytes] = []
    reader = threading.Thread(target=lambda: answers.append(read_all(connection)))
    reader.start()
    sent = 0
    with suppress(ConnectionError, TimeoutError):
        while sent < ENOUGH:
            connection.sendall(chunk)
            sent += 1
        connection.sendall(b"0\r\n\r\n")
    reader.join(15)
    return sent, b"".join(answers)


@pytest.mark.parametrize(
    ("line", "who", "kind", "status"),
    [
        (ANSWER, None, JSON, 401),
        (IMPORTS, None, MULTIPART, 401),
        (IMPORTS, "ani", MULTIPART, 403),
        ("POST /login", None, FORM, 413),
        ("POST /login", None, MULTIPART, 413),
        (ANSWER, "budi", JSON, 413),
        ("POST /api/v1/cases/{case}/withdrawal", "owner-1", JSON, 413),
        (IMPORTS, "budi", MULTIPART, 413),
        ("POST /logout", None, FORM, 303),
        ("POST /nowhere", None, FORM, 404),
        ("GET /health", None, JSON, 200),
        ("PUT /api/v1/inbox", None, JSON, 405),
    ],
)
def test_a_body_without_an_end_is_cut(
    small: SmallOffice, site: Served, case: str, line: str, who: str | None, kind: str, status: int
) -> None:
    """No length is declared and 64 MB are poured in: the answer comes at the route's limit, and then the connection ends."""
    preamble = b""
    if kind == MULTIPART:
        part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        preamble = f"{len(part):x}\r\n".encode() + part + b"\r\n"
    with site.connect() as connection:
        proof = [bearer(small, who)] if who else []
        connection.sendall(headers(line.format(case=case), kind, *proof, "Transfer-Encoding: chunked\r\n") + preamble)
        sent, answer = pour(connection, CHUNK)
    assert status_in(answer) == status
    assert sent < ENOUGH
    assert site.is_well()


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("ani", 403), ("budi", 413)])
def test_a_body_that_is_too_large_is_not_even_asked_for(
    small: SmallOffice, site: Served, who: str | None, status: int
) -> None:
    """Whoever asks first whether to send a gigabyte is told the end of it, not to go on."""
    proof = [bearer(small, who)] if who else []
    asking = headers(IMPORTS, MULTIPART, *proof, "Content-Length: 1000000000\r\n", "Expect: 100-continue\r\n")
    with site.connect() as connection:
        connection.sendall(asking)
        assert status_in(read_all(connection)) == status


def test_a_length_that_is_no_number_of_bytes_is_refused(site: Served) -> None:
    """It is no HTTP, and costs one line."""
    assert site.status_of(headers("POST /login", FORM, "Content-Length: 1e9\r\n")) == 400
    assert site.is_well()


def test_a_body_that_comes_too_slowly_is_given_up(
    small: SmallOffice, site: Served, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of it came, and the rest never: 408, and the connection ends; a byte now and then changes nothing."""
    monkeypatch.setattr(bodies, "READ_WITHIN", 0.3)
    for line, who, kind in ((ANSWER, "budi", JSON), ("POST /login", None, FORM)):
        proof = [bearer(small, who)] if who else []
        with site.connect() as connection:
            connection.sendall(headers(line.format(case=case), kind, *proof, "Content-Length: 1000\r\n"))
            for _ in range(8):
                try:
                    connection.sendall(b"x")
                except ConnectionError:
                    break
                time.sleep(0.05)
            assert status_in(read_all(connection)) == 408
    assert site.is_well()


def test_every_route_that_reads_a_body_has_its_limit() -> None:
    """A new route can't forget it: what takes a body is made by `bounded`, and the API knows the caller first."""
    for route in (*v1.router.routes, *login.router.routes):
        assert isinstance(route, APIRoute)
        assert type(route).__qualname__.startswith("bounded.")
    paths = create_app.__globals__
    for module in (paths["health"], paths["lookup"], paths["tasks"]):
        assert all(one.methods == {"GET"} for one in module.router.routes if isinstance(one, APIRoute))


DEEP = '{"a":' * 3000 + "1" + "}" * 3000
TOO_INTRICATE = {
    "deep": DEEP,
    "deeper than any stack": "[" * 100_000,
    "not very deep": "[" * 30 + "]" * 30,
    "digits": '{"decision": ' + "9" * 5000 + "}",
    "digits of a fraction": '{"decision": 0.' + "9" * 5000 + "}",
    "no finite number": '{"decision": 1e999}',
    "no number": '{"decision": NaN}',
    "many keys": json.dumps({f"k{number}": 1 for number in range(20_000)}),
    "many items": json.dumps({"decision": [0] * 60_000}),
    "a long key": json.dumps({"k" * 200_000: 1}),
}


@pytest.mark.parametrize("body", TOO_INTRICATE.values(), ids=TOO_INTRICATE.keys())
def test_json_that_no_form_looks_like_is_refused_in_one_line(
    small: SmallOffice, client: TestClient, case: str, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    """400 as a problem before anything is validated; the log has one line of it and no traceback."""
    given = small.token("budi") | {"Content-Type": "application/json"}
    for path in (f"/api/v1/cases/{case}/answers/dossier_check", f"/api/v1/cases/{case}/withdrawal"):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            answer = client.post(path, content=body, headers=given)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
        assert answer.json()["detail"].startswith("Isi permintaan ")
        assert len(answer.content) < 1000
        [line] = [one for one in caplog.records if not one.name.startswith("http")]
        assert line.exc_info is None
        assert " 400 " in line.getMessage()


def test_bytes_that_are_no_text_are_refused(small: SmallOffice, client: TestClient, case: str) -> None:
    """Latin-1, or half a letter: 400."""
    given = small.token("budi") | {"Content-Type": "application/json"}
    answer = client.post(
        f"/api/v1/cases/{case}/answers/dossier_check", content=b'{"decision": "\xff\xfe"}', headers=given
    )
    assert answer.status_code == 400


def test_at_most_twenty_faults_are_told(small: SmallOffice, client: TestClient, case: str) -> None:
    """Three hundred unknown fields are three hundred faults; nobody reads more than twenty."""
    wrong: dict[str, Any] = {f"isian_{number}": 1 for number in range(300)}
    path = f"/api/v1/cases/{case}/answers/dossier_check"
    answer = client.post(path, json={"decision": "complete", **wrong}, headers=small.token("budi"))
    assert answer.status_code == 422
    assert 0 < len(answer.json()["fields"]) <= 20


@pytest.mark.slow
def test_others_are_served_while_large_bodies_are_read(small: SmallOffice, site: Served, case: str) -> None:
    """Ten bodies of the largest size with 100,000 keys each: a page takes less than a second all the while."""
    body = json.dumps({f"k{number}": 1 for number in range(20_000)}).encode()
    start = headers(ANSWER.format(case=case), JSON, bearer(small, "budi"), f"Content-Length: {len(body)}\r\n")
    senders = [threading.Thread(target=site.status_of, args=[start + body]) for _ in range(10)]
    for sender in senders:
        sender.start()
    slowest = 0.0
    while any(sender.is_alive() for sender in senders):
        began = time.monotonic()
        assert site.is_well()
        slowest = max(slowest, time.monotonic() - began)
        if slowest > 5:
            break
    for sender in senders:
        sender.join()
    assert slowest < 1


def test_masking_takes_no_longer_than_reading(small: SmallOffice) -> None:
    """The longest text that comes in, in the shapes that cost most: each is masked in less than a second."""
    for text in ("a" * 256_000, "a." * 128_000, "1 " * 128_000, "a@" * 128_000, "0" * 256_000, "a@" + "b-" * 127_000):
        began = time.monotonic()
        without_personal_numbers(text)
        assert time.monotonic() - began < 1
