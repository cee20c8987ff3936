"""What holds on every address: health, headers, errors in words, and nothing personal in the log."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlmodel import update

from engine.sweeps.sweep import sweep
from models import Wait, metadata
from tests.scheduling.small_office import NATIONAL_ID, PHONE, SmallOffice


def test_health_says_what_works(client: TestClient) -> None:
    """It serves without Prefect, and says so."""
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json()["database"] == "ok"
    assert answer.json()["prefect"] == "unreachable"


def test_health_says_when_nobody_sweeps(small: SmallOffice, client: TestClient, case: str) -> None:
    """Something is due and nobody came by: it serves all the same, and says so; a sweep makes it well again."""
    whole = client.get("/health").json()
    assert (whole["last_sweep"], whole["sweep_stale"]) == (None, False)
    with small.office.db.writing() as session:
        session.execute(update(Wait).values(next_due_at=small.office.clock.now() - timedelta(days=1)))
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["last_sweep"], answer.json()["sweep_stale"]) == (200, None, True)
    with small.office.run("flow", by="test") as run:
        sweep(small.office, run)
    swept = client.get("/health").json()
    assert swept["sweep_stale"] is False
    assert datetime.fromisoformat(swept["last_sweep"]) <= small.office.clock.now()


def test_health_fails_without_a_database(small: SmallOffice, client: TestClient) -> None:
    """A load balancer must look elsewhere."""
    metadata.drop_all(small.office.db.engine)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["status"] == "failed"


@pytest.mark.parametrize("address", ["/health", "/login", "/check/LEG-2026-000001", "/api/v1/inbox", "/nowhere"])
def test_every_answer_bears_the_security_headers(client: TestClient, address: str) -> None:
    """No frames, no sniffing, no scripts, no referrer."""
    headers = client.get(address).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_the_api_describes_itself(client: TestClient) -> None:
    """OpenAPI 3.1, and no documentation page that loads from elsewhere."""
    described = client.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert "/api/v1/cases/{number}/answers/{key}" in described["paths"]
    assert client.get("/docs").status_code == client.get("/redoc").status_code == 404


def test_pages_load_nothing_from_elsewhere(client: TestClient) -> None:
    """No address of another host, no script."""
    for address in ("/login", "/check/LEG-2026-000001", "/nowhere"):
        text = client.get(address).text
        assert not re.search(r"(src|href)=\"(https?:)?//", text)
        assert "<script" not in text
        assert '<html lang="id">' in text
    assert client.get("/static/page.css").status_code == 200


def test_an_unknown_address_is_told_in_words_or_as_a_problem(client: TestClient) -> None:
    """People get a page, programs get RFC 9457."""
    assert "Alamat ini tidak ada" in client.get("/nowhere").text
    problem = client.get("/api/v2/nowhere")
    assert problem.status_code == 404
    assert problem.headers["content-type"] == "application/problem+json"


def test_a_failure_of_ours_tells_nothing_of_its_inside(
    small: SmallOffice, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    """500 in words; the log has the error with numbers masked."""
    headers = small.token("budi")
    small.office.clock.now = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    answer = client.get("/api/v1/pipelines", headers=headers)
    assert answer.status_code == 500
    assert "ZeroDivisionError" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_personal_numbers_reach_neither_answer_nor_log(
    small: SmallOffice, client: TestClient, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is asked, whoever asks: masked or absent."""
    headers = small.token("budi")
    bodies = ""
    with caplog.at_level(logging.DEBUG):
        for address in (f"/api/v1/cases/{case}", f"/api/v1/cases/{case}/history", "/api/v1/inbox", f"/check/{case}"):
            bodies += client.get(address, headers=headers).text
        for address in (f"/check/{NATIONAL_ID}", f"/api/v1/cases/{NATIONAL_ID}", f"/check/{PHONE}"):
            bodies += client.get(address, headers=headers).text
        reason = {"reason": f"salah orang, NIK {NATIONAL_ID}"}
        bodies += client.post(f"/api/v1/cases/{case}/withdrawal", json=reason, headers=headers).text
    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("http"))
    for secret in (NATIONAL_ID, PHONE.removeprefix("+"), "Jl. Santoso", "sri@contoh.example"):
        assert secret not in bodies
        assert secret not in ours
    assert "/check/350816********20" in ours
