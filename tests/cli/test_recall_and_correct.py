"""The command line contract of `case recall` and `case correct`: each prints the case as `show` does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from tests.cli.test_contract import Jalur, advance
from tests.cli.test_contract import jalur as jalur
from tests.cli.test_contract import opened as opened
from tests.cli.test_contract import run as run


def test_an_answer_is_taken_back_and_asked_again(
    jalur: Jalur, run: Callable[..., Result], opened: list[str], database_url: str, tmp_path: Path
) -> None:
    """The case as in show; who is refused is told why with exit code 1; without a reason it is wrong usage."""
    for name in ("budi", "tuti"):
        jalur("user", "add", name, "--role", "officer")
    advance(database_url, tmp_path)
    number, why = opened[0], ("--reason", "salah tekan")
    assert "Nobody has answered" in jalur("case", "recall", number, "--by", "budi", *why, code=1)["error"]
    jalur("answer", number, "dossier_check#1", "--by", "budi", "--data", '{"decision": "complete"}')
    assert "tuti did not give" in jalur("case", "recall", number, "--by", "tuti", *why, code=1)["error"]
    assert "There is no user hantu" in jalur("case", "recall", number, "--by", "hantu", *why, code=1)["error"]
    assert "Say why" in jalur("case", "recall", number, "--by", "budi", "--reason", "", code=1)["error"]
    assert jalur("case", "recall", number, "--by", "budi", *why)["status"] == "ready"
    advance(database_url, tmp_path)
    (waiting,) = jalur("case", "show", number)["waiting_for"]
    assert (waiting["question"], waiting["role"]) == ("dossier_check#2", "officer")
    taken_back = jalur("case", "history", number)[-1]
    assert (taken_back["key"], taken_back["outcome"], taken_back["reason"]) == ("recall#1", "recalled", "salah tekan")
    assert jalur("audit", "verify", "--case", number)["intact"] is True
    assert run("case", "recall", number, "--by", "budi").exit_code == 2


def test_a_name_is_corrected_and_its_papers_are_made_anew(
    jalur: Jalur, run: Callable[..., Result], opened: list[str], database_url: str, tmp_path: Path
) -> None:
    """The receipt is replaced, and the old one is known as such; a field that is unknown names those that are not."""
    jalur("user", "add", "budi", "--role", "officer")
    advance(database_url, tmp_path)
    number, why = opened[0], ("--by", "budi", "--reason", "salah ketik")
    old = jalur("case", "show", number)["documents"][0]
    scan = tmp_path / "ktp.pdf"
    scan.write_bytes(b"%PDF-1.4 KTP")
    shown = jalur("case", "correct", number, *why, "--data", '{"owner.name": "Sri Rejeki"}', "--evidence", f"@{scan}")
    assert [(one["kind"], one["status"]) for one in shown["documents"]] == [
        (old["kind"], "replaced"),
        (old["kind"], "ready"),
    ]
    assert shown["letters"][-1]["letter"] == "document_corrected"
    assert shown["letters"][-1]["to"] == "Sri Rejeki"
    verdict = jalur("verify", old["path"], code=1)
    assert (verdict["valid"], verdict["status"]) == (False, "replaced")
    assert jalur("verify", shown["documents"][1]["path"])["valid"] is True
    wrong = jalur("case", "correct", number, *why, "--data", '{"shoe_size": "42"}', code=1)["error"]
    assert "shoe_size" in wrong and "owner.national_id" in wrong
    region = jalur("case", "correct", number, *why, "--data", '{"region_code": "3201"}', code=1)["error"]
    assert "applied for anew" in region
    nobody_says_why = jalur(
        "case", "correct", number, "--by", "budi", "--reason", "", "--data", '{"phone": "081234567890"}', code=1
    )
    assert nobody_says_why["error"].startswith("Say why")
    assert run("case", "correct", number, *why, "--data", "[1]").exit_code == 2


def test_what_is_refused_is_said_in_indonesian_too(jalur: Jalur, opened: list[str]) -> None:
    """A case that waits for nobody yet, and that is not parked; an empty number is no case."""
    jalur("user", "add", "tuti", "--role", "supervisor")
    asked = jalur("case", "reassign", opened[0], "--by", "tuti", "--to", "nobody", "--reason", "coba", code=1)
    assert asked["for_people"].endswith("tidak sedang menunggu siapa pun. Yang sedang ditunggu: tidak ada.")
    assert "tidak sedang terhenti" in jalur("case", "retry", opened[0], "--by", "tuti", code=1)["for_people"]
    assert "There is no case" in jalur("audit", "verify", "--case", "", code=1)["error"]
