"""Sign-in with the account's token, and the cookie that keeps it."""

from __future__ import annotations

from fastapi.testclient import TestClient

from tests.scheduling.small_office import SmallOffice


def test_a_login_with_the_token_opens_the_desk(small: SmallOffice, client: TestClient, case: str) -> None:
    """The cookie is for this site's own requests only, and scripts can't read it."""
    assert client.get("/desk").headers["location"] == "/login"
    token = small.token("budi")["Authorization"].removeprefix("Bearer ")
    answer = client.post("/login", data={"token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert token not in answer.headers["set-cookie"]
    desk = client.get("/desk")
    assert case in desk.text
    assert "Periksa kelengkapan berkas" in desk.text


def test_a_wrong_token_or_a_forged_cookie_opens_nothing(small: SmallOffice, client: TestClient) -> None:
    """The form again, with what is wrong; a new token ends the sessions of the old one."""
    assert client.post("/login", data={"token": "wrong"}).status_code == 401
    assert client.post("/login", data={}).status_code == 401
    client.cookies.set("jalur", "1.99999999999.0000")
    assert client.get("/desk").status_code == 303
    client.cookies.clear()
    token = small.token("budi")["Authorization"].removeprefix("Bearer ")
    client.post("/login", data={"token": token})
    assert client.get("/desk").status_code == 200
    small.token("budi")
    assert client.get("/desk").status_code == 303
