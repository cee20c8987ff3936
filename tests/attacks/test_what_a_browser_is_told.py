"""What other sites, frames, caches and stolen cookies get out of a browser that is signed in."""

from __future__ import annotations

import re
import ssl
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlmodel import select

from models import User
from tests.attacks.served import Served, served
from tests.scheduling.small_office import SmallOffice
from tests.web.conftest import case as case
from tests.web.conftest import client as client
from tests.web.conftest import small as small
from web import serving
from web.common import login_cookie

READ = ("/health", "/login", "/desk", "/check/LEG-2026-000001", "/api/v1/inbox", "/openapi.json", "/static/page.css")
ELSEWHERE = "https://elsewhere.example"


def routes(client: TestClient) -> Iterator[tuple[str, str]]:
    """Yield method and address of every route, with made-up values for what stands in braces."""
    described = client.get("/openapi.json").json()["paths"]
    for path, methods in described.items():
        for method in methods:
            yield method.upper(), re.sub(r"\{\w+\}", "X", path)


@pytest.mark.parametrize("address", [*READ, "/nowhere"])
def test_the_policy_lets_nothing_be_loaded_framed_or_guessed(client: TestClient, address: str) -> None:
    """No script, no object, no base, no frame, no other site's form; no type is guessed, and no address leaks on."""
    headers = client.get(address).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert {name: policy[name] for name in ("default-src", "base-uri", "frame-ancestors", "form-action")} == {
        "default-src": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "form-action": "'self'",
    }
    assert not {"script-src", "object-src"} & set(policy), "the default, which is none, holds for scripts and objects"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("address", READ)
def test_no_other_site_may_read_an_answer(client: TestClient, address: str) -> None:
    """Neither an answer nor a preflight says that another origin may."""
    asked = {"Origin": ELSEWHERE, "Access-Control-Request-Method": "GET"}
    for answer in (client.get(address, headers=asked), client.options(address, headers=asked)):
        assert [name for name in answer.headers if name.startswith("access-control-")] == []


def test_a_cookie_alone_opens_no_door_of_the_api(small: SmallOffice, client: TestClient, case: str) -> None:
    """A page elsewhere that posts with the browser's cookie posts as nobody: the API knows tokens only."""
    token = small.token("budi")["Authorization"].removeprefix("Bearer ")
    client.post("/login", data={"token": token})
    assert client.get("/desk").status_code == 200
    tried = 0
    for method, path in routes(client):
        if path.startswith("/api/"):
            kind = {"Content-Type": "text/plain", "Origin": ELSEWHERE}
            answer = client.request(method, path.replace("X", case, 1), content='{"reason": "batal"}', headers=kind)
            assert (method, path, answer.status_code) == (method, path, 401)
            tried += 1
    print(f"{tried} routes of the API were tried with a cookie alone")
    assert tried >= 7


def test_what_changes_something_is_posted(client: TestClient) -> None:
    """A picture, a link or a scanner that fetches an address changes nothing; TRACE tells nobody their own headers."""
    posted = [path for method, path in routes(client) if method != "GET"] + ["/logout"]
    assert len(posted) >= 4
    for path in posted:
        for method in ("GET", "HEAD"):
            assert (path, client.request(method, path).status_code) == (path, 405)
    for path in (*posted, *READ, "/"):
        answer = client.request("TRACE", path, headers={"X-Secret": "kata-sandi"})
        assert (path, answer.status_code in (404, 405), "kata-sandi" in answer.text) == (path, True, False)


@pytest.mark.parametrize("address", [*READ, "/nowhere", "/api/v1/nowhere"])
def test_every_answer_says_what_it_is(client: TestClient, address: str) -> None:
    """A type that fits the body; of text the character set, too."""
    answer = client.get(address)
    if not answer.content:
        assert answer.status_code == 303
        return
    kind = answer.headers["content-type"]
    if kind.startswith("text/"):
        assert kind.endswith("charset=utf-8")
        assert answer.text.lstrip().lower().startswith("<!doctype html>") == kind.startswith("text/html")
    else:
        assert kind in ("application/json", "application/problem+json")
        assert answer.json()


@pytest.mark.parametrize(
    "address",
    [
        "/static",
        "/static/",
        "/static/../web/app.py",
        "/static/..%2f..%2fpyproject.toml",
        "/.git/config",
        "/var",
        "/docs",
    ],
)
def test_no_folder_and_no_file_of_ours_is_served(client: TestClient, address: str) -> None:
    """One style sheet is served, by name: there is no folder to list or to climb out of."""
    answer = client.get(address)
    assert answer.status_code == 404
    assert "FastAPI" not in answer.text and "[project]" not in answer.text


def test_a_session_ends_with_its_hours_and_opens_nothing_else(small: SmallOffice, client: TestClient) -> None:
    """A rightly signed cookie of yesterday is over; a good one is no token, and a token is no cookie."""
    token = small.token("budi")["Authorization"].removeprefix("Bearer ")
    client.post("/login", data={"token": token})
    [(name, good)] = client.cookies.items()

    def opens(value: str) -> bool:
        client.cookies.clear()
        desk: Response = client.get("/desk", headers={"Cookie": f"{name}={value}"})
        return desk.status_code == 200

    with small.office.db.reading() as session:
        budi = session.exec(select(User).where(User.name == "budi")).one()
    until = int(good.split(".")[1])
    assert 0 < until - time.time() <= login_cookie.LASTS <= 12 * 60 * 60
    assert login_cookie._value(small.office, budi, until) == good and opens(good)
    over = login_cookie._value(small.office, budi, int(time.time()) - 1)
    assert not opens(over)
    assert not opens(good.replace(str(until), str(until + 86_400))), "the hours are signed along"
    assert not opens(token)
    assert client.get("/api/v1/inbox", headers={"Authorization": f"Bearer {good}"}).status_code == 401


def test_every_page_behind_the_sign_in_has_the_way_out(small: SmallOffice, client: TestClient) -> None:
    """One button, by post, on the page; afterwards the browser holds no cookie."""
    token = small.token("budi")["Authorization"].removeprefix("Bearer ")
    client.post("/login", data={"token": token})
    assert '<form method="post" action="/logout">' in client.get("/desk").text
    client.post("/logout")
    assert client.get("/desk").headers["location"] == "/login"


def test_a_token_may_be_pasted_and_is_not_shown(client: TestClient) -> None:
    """The field hides what is typed, lets password managers fill it in, and asks for no kind of letter."""
    [field] = re.findall(r'<input id="token"[^>]*>', client.get("/login").text)
    assert 'type="password"' in field and 'autocomplete="current-password"' in field
    assert not re.search(r"pattern|maxlength|onpaste|minlength", field)


def test_nothing_older_than_tls_1_2_is_spoken(small: SmallOffice, signer_folder: Path) -> None:
    """With a key of its own `serve` speaks the newest version that both know; whoever knows old ones only gets nothing."""
    pair = {
        "tls_key": signer_folder / "office-demo.key.pem",
        "tls_certificate": signer_folder / "office-demo.cert.pem",
    }
    context = serving._tls(small.office.settings.model_copy(update=pair))
    with served(small.office, context) as site:
        assert spoken(site, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
        assert spoken(site, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
        with pytest.raises(OSError):  # what an SSLError is, and a connection that is reset
            spoken(site, ssl.TLSVersion.TLSv1_1)


def spoken(site: Served, newest: ssl.TLSVersion) -> str | None:
    """Return the version that is agreed on with a browser that knows none newer, and minds nothing."""
    browser = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    browser.check_hostname, browser.verify_mode = False, ssl.CERT_NONE
    browser.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):  # of the old versions
        browser.minimum_version = ssl.TLSVersion.TLSv1
        browser.maximum_version = newest
    with site.connect() as plain, browser.wrap_socket(plain) as connection:
        return connection.version()
