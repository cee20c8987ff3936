"""Markup, SQL, line breaks, fields and arguments that nobody asked for: all stay what they are, text."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from engine.runtime.office import Office
from models import Business, LedgerEntry, Run, User
from tests.engine.together import everything_stored
from tests.people import PAPER
from tests.scheduling.small_office import TO_THE_END, SmallOffice
from tests.web.conftest import advance
from tests.web.conftest import case as case
from tests.web.conftest import client as client

pytestmark = pytest.mark.usefixtures("blank_papers")

SQL = (
    "' OR '1'='1",
    "'; DROP TABLE ledger_entry; --",
    '" OR ""="',
    "1) UNION SELECT api_token_hash FROM account --",
    "%' ESCAPE '\\",
    "$1; SELECT pg_sleep(9)",
    ":number",
    "NIB-2026-%",
)


@pytest.fixture
def small(office: Office) -> Iterator[SmallOffice]:
    """The small office on each of the two databases."""
    office.store.put(PAPER)
    small = SmallOffice(office)
    small._settle_in(3)
    yield small


def test_a_name_that_is_markup_is_shown_letter_by_letter(small: SmallOffice, client: TestClient) -> None:
    """On the check of a certificate and on the desk: what the owner or the administrator typed runs nowhere."""
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"
    with small.office.db.writing() as session:
        for business in session.exec(select(Business)):
            business.name = f"{evil} {business.id}"
            session.add(business)
    [case] = small.open()
    advance(small)
    with small.office.db.writing() as session:
        budi = session.exec(select(User).where(User.name == "budi")).one()
        budi.name = "<b>budi</b>"
        session.add(budi)
    token = small.token("<b>budi</b>")["Authorization"].removeprefix("Bearer ")
    client.post("/login", data={"token": token})
    desk = client.get("/desk").text
    assert "&lt;b&gt;budi&lt;/b&gt;" in desk and "<b>budi" not in desk
    for key, by, data in TO_THE_END:
        small.answer(case, key, {"budi": "<b>budi</b>"}.get(by, by), data)
        advance(small)
    checked = client.get("/check/LEG-2026-000001").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in checked
    assert "<script" not in checked and "<img src=x" not in checked


def stored(office: Office) -> list[tuple[str, str, str]]:
    """Return every value that is stored, but for the count of wrong tokens."""
    return [(table, column, repr(value)) for table, column, value in everything_stored(office) if table != "attempt"]


@pytest.mark.parametrize("typed", SQL)
def test_what_looks_like_sql_asks_nothing(small: SmallOffice, client: TestClient, case: str, typed: str) -> None:
    """In an address, an argument, a token, a name and a reason: nothing more is found, and nothing is gone."""
    budi, owner = small.token("budi"), small.token("owner-1")
    before = stored(small.office)
    for address in (f"/api/v1/cases/{typed}", f"/api/v1/cases/{typed}/history", f"/check/{typed}"):
        assert client.get(address, headers=budi).status_code == 404
    assert client.get("/api/v1/inbox", params={"case": typed}, headers=budi).status_code == 404
    assert client.get("/api/v1/inbox", params={"role": typed}, headers=budi).status_code == 422
    assert client.get("/api/v1/inbox", headers={"Authorization": f"Bearer {typed}"}).status_code == 401
    assert client.post("/login", data={"token": typed}).status_code == 401
    assert stored(small.office) == before
    taken = client.post(f"/api/v1/cases/{case}/withdrawal", json={"reason": f"batal {typed}"}, headers=owner)
    assert taken.status_code == 200
    with small.office.db.reading() as session:
        reasons = session.exec(select(LedgerEntry.reason).where(col(LedgerEntry.outcome) == "withdrawn")).all()
    assert f"batal {typed}" in reasons


def test_a_line_break_in_an_address_makes_no_line_in_the_log(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Who reads the log sees one line a request, whatever was asked for."""
    with caplog.at_level(logging.DEBUG):
        for forged in ("%0aGET /desk 200 1 ms", "%0d%0aERROR all is lost", "%1b[2J", "%e2%80%a8x"):
            assert client.get(f"/check/{forged}").status_code in (400, 404)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("web")]
    assert len(ours) == 4
    assert [line for line in ours if not line.isprintable()] == []


@pytest.mark.parametrize(
    "more",
    [
        {"by": "tuti"},
        {"at": "2020-01-01T00:00:00Z"},
        {"role": "head_of_office"},
        {"on_behalf_of": "tuti"},
        {"_by": "tuti"},
        {"case": "NIB-2026-000002"},
        {"__class__": "Form"},
    ],
)
def test_a_field_that_the_form_does_not_ask_for_is_refused(
    small: SmallOffice, client: TestClient, case: str, more: dict[str, Any]
) -> None:
    """Who answers, when, and for whom comes from the token and the clock, never from the body."""
    path, budi = f"/api/v1/cases/{case}/answers/dossier_check%231", small.token("budi")
    refused = client.post(path, json={"decision": "complete", **more}, headers=budi)
    assert refused.status_code == 422
    assert [fault["field"] for fault in refused.json()["fields"]] == list(more)
    assert client.post(path, json={"decision": "complete"}, headers=budi).status_code == 201
    entry = client.get(f"/api/v1/cases/{case}/history", headers=budi).json()[3]
    assert (entry["actor"], entry["role"], entry["on_behalf_of"]) == ("budi", "officer", None)


def test_an_argument_that_is_given_twice_shows_nobody_elses_case(small: SmallOffice, client: TestClient) -> None:
    """One value is checked and used: what is asked for beside it, in the address or in the body, counts for nothing."""
    mine, theirs = small.open(2)
    advance(small)
    owner = small.token("owner-1")
    both = [("case", theirs), ("case", mine)]
    shown = client.get("/api/v1/inbox", params=both, headers=owner)
    assert theirs not in shown.text
    turned = client.get("/api/v1/inbox", params=both[::-1], headers=owner)
    assert (turned.status_code, theirs in str(turned.json().get("questions"))) == (404, False)
    posted = client.request("GET", f"/api/v1/cases/{mine}", params={"number": theirs}, headers=owner)
    assert (posted.json()["number"], posted.status_code) == (mine, 200)


def test_who_may_not_is_on_record_by_name(small: SmallOffice, client: TestClient, case: str) -> None:
    """A refused attempt is a run of its caller, with the reason: an answer for another role, and a case of somebody else."""
    for by, status in (("owner-1", 403), ("owner-2", 404)):
        path = f"/api/v1/cases/{case}/answers/dossier_check%231"
        assert client.post(path, json={"decision": "complete"}, headers=small.token(by)).status_code == status
        with small.office.db.reading() as session:
            [run] = session.exec(select(Run).where(Run.by == by, Run.kind == "web")).all()
        assert run.state == "refused"
        assert case in (run.error or "") or "dossier_check#1" in (run.error or "")


def test_a_new_database_has_no_account_and_a_token_is_kept_nowhere(office: Office) -> None:
    """Nobody can sign in before an administrator makes the first account; of a token only a hash is kept."""
    with office.db.reading() as session:
        assert session.exec(select(User)).all() == []
    small = SmallOffice(office)
    small._settle_in(2)
    tokens = {small.token("budi")["Authorization"].removeprefix("Bearer ") for _ in range(8)}
    assert len(tokens) == 8 and min(map(len, tokens)) >= 43, "256 bits in base64"
    kept = " ".join(str(value) for _, _, value in everything_stored(office))
    assert [token for token in tokens if token in kept] == []
