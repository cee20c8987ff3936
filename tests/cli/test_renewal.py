"""The command line contract of `renew`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from tests.cli.test_contract import Jalur
from tests.cli.test_contract import jalur as jalur
from tests.cli.test_contract import run as run


def test_renew_opens_and_reminds_once(
    jalur: Jalur, run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is due, opened, reminded of, skipped, and failed with the reason; run again it does nothing."""
    nothing = {"due": 0, "opened": 0, "reminded": 0, "skipped": 0, "failed": []}
    assert jalur("renew") == nothing
    scan = tmp_path / "sertifikat.pdf"
    scan.write_bytes(b"%PDF-1.4\n")
    jalur("user", "add", "admin", "--role", "administrator")
    person = jalur("person", "add", "Sri Purnomo", "--data", '{"national_id": "3508166904956220"}')["person"]
    number = ("--number", "62019 2513 6 0011111 2023", "--since", "2023-08-01", "--until", "2026-07-11")
    kept = ("--source", "BNSP", "--evidence", scan, "--by", "admin")
    jalur("person", "certificate", person, "companion", *number, *kept)
    assert jalur("renew") == {**nothing, "due": 1, "opened": 1}
    assert jalur("renew") == nothing
    shown = jalur("case", "show", "LSP-2026-000001")
    assert [(letter["letter"], letter["to"]) for letter in shown["letters"]] == [("renewal_opened", "Sri Purnomo")]
    told = jalur("case", "history", "LSP-2026-000001")
    assert [(entry["key"], entry["actor"]) for entry in told] == [("opened#1", "jalur"), ("renewal_opened", "jalur")]
    monkeypatch.setenv("JALUR_NOW", "2026-04-13T09:00:00+07:00")
    assert "reminded" in run("renew").output
    assert jalur("renew") == nothing
    assert len(jalur("case", "show", "LSP-2026-000001")["letters"]) == 2
    assert jalur("audit", "verify")["intact"] is True
