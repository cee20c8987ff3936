"""The contract of ``jalur case appeal``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_contract import Jalur, advance
from tests.cli.test_contract import jalur as jalur
from tests.cli.test_contract import opened as opened
from tests.cli.test_contract import run as run


def test_an_ending_is_contested_and_the_case_goes_on(
    jalur: Jalur, opened: list[str], database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The changed case as in show, with its evidence kept; refused in words where it is open, contested before, or too late."""
    jalur("user", "add", "budi", "--role", "officer")
    advance(database_url, tmp_path)
    scan = tmp_path / "surat.pdf"
    scan.write_bytes(b"%PDF-1.4 a letter")
    words = ("--by", "owner-1", "--reason", "alamat saya benar", "--evidence", f"@{scan}")
    assert (
        "is not closed; it is waiting for: dossier_check#1"
        in jalur("case", "appeal", opened[0], *words, code=1)["error"]
    )
    rejected = '{"decision": "reject", "reason": "tidak berada di alamat"}'
    for number in opened[:2]:
        jalur("answer", number, "dossier_check#1", "--by", "budi", "--data", rejected)
    advance(database_url, tmp_path)
    contested = jalur("case", "appeal", opened[0], *words)
    assert (contested["number"], contested["status"], contested["outcome"]) == (opened[0], "ready", None)
    advance(database_url, tmp_path)
    shown = jalur("case", "show", opened[0])
    assert (shown["status"], shown["waiting_for"][0]["question"]) == ("waiting", "objection_ruling#1")
    told = [(entry["key"], entry["actor"]) for entry in jalur("case", "history", opened[0])]
    assert told[-3:] == [("closed#1", "jalur"), ("appeal_lodged#1", "owner-1"), ("receive_objection#1", "jalur")]
    assert "can be only once" in jalur("case", "appeal", opened[0], *words, code=1)["error"]
    monkeypatch.setenv("JALUR_NOW", "2026-03-12T09:00:00+07:00")
    late = ("--by", "owner-2", "--reason", "alamat saya benar")
    assert "The time to contest NIB-2026-000002 ended on" in jalur("case", "appeal", opened[1], *late, code=1)["error"]
    nib = next(one for one in jalur("pipelines") if one["name"] == "nib-legalization")
    assert {"name": "objection_ruling", "role": "division_head", "budget": {"days": 10, "unit": "working_days"}} in nib[
        "questions"
    ]
    assert "objection_decision" in nib["documents"]
