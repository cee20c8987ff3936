"""`case reassign`, `extend` and `delegate` give the changed case; `reassign` a result for each; `delegate` is revocable."""

from __future__ import annotations

from pathlib import Path

from tests.cli.test_contract import Jalur, advance
from tests.cli.test_contract import jalur as jalur
from tests.cli.test_contract import opened as opened
from tests.cli.test_contract import run as run


def test_a_question_goes_from_hand_to_hand(jalur: Jalur, opened: list[str], database_url: str, tmp_path: Path) -> None:
    """Each command prints what the contract says; what is refused says why, with exit code 1."""
    advance(database_url, tmp_path)
    for name, role in (("rini", "division_head"), ("tuti", "officer"), ("dewi", "officer")):
        jalur("user", "add", name, "--role", role)
    first, *_ = opened
    why = ("--by", "rini", "--reason", "beban kerja")
    shown = jalur("case", "reassign", first, "dossier_check", "--to", "tuti", *why)
    assert [(one["question"], one["holder"]) for one in shown["waiting_for"]] == [("dossier_check#1", "tuti")]
    due = shown["waiting_for"][0]["due_on"]
    assert "with tuti already" in jalur("case", "reassign", first, "--to", "tuti", *why, code=1)["error"]
    done = jalur("reassign", "--from", "tuti", "--to", "dewi", *why)
    assert done == {"reassigned": [{"case": first, "question": "dossier_check#1", "to": "dewi"}], "refused": []}
    later = jalur("case", "extend", first, "--until", "2026-01-22", "--agreed-with", "dewi", *why)
    assert (due, later["waiting_for"][0]["due_on"]) == ("2026-01-15", "2026-01-22")
    stand_in = ("--from", "dewi", "--to", "tuti", "--until", "2026-01-20", "--by", "dewi", "--reason", "cuti")
    assert jalur("case", "delegate", first, *stand_in)["number"] == first
    assert jalur("case", "history", first)[-1]["key"] == "delegated"
    jalur("answer", first, "dossier_check#1", "--by", "tuti", "--data", '{"decision": "complete"}')
    answered = jalur("case", "history", first)[-1]
    assert (answered["actor"], answered["on_behalf_of"]) == ("tuti", "dewi")
    assert jalur("delegate", "dewi", "tuti", "--revoke", "--by", "rini") == {"revoked": 1}
    made = jalur("delegate", "dewi", "tuti", "--until", "2026-01-20", "--by", "dewi", "--reason", "cuti")
    assert set(made) == {"delegation"}
