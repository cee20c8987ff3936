"""The contract of reassigning, delegating and extending."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from tests.cli.test_contract import Jalur, advance
from tests.cli.test_contract import jalur as jalur
from tests.cli.test_contract import opened as opened
from tests.cli.test_contract import run as run

WHY = ("--reason", "cuti tahunan")


@pytest.fixture
def number(jalur: Jalur, opened: list[str], database_url: str, tmp_path: Path) -> str:
    """A case that waits for its dossier to be checked; two officers, a companion and an administrator."""
    for name, role in (("budi", "officer"), ("tuti", "officer"), ("ani", "companion"), ("admin", "administrator")):
        jalur("user", "add", name, "--role", role)
    advance(database_url, tmp_path)
    return opened[0]


def test_a_question_is_reassigned_freed_and_spread(jalur: Jalur, number: str) -> None:
    """The changed case as in show; in bulk a result for each question; a refusal in words."""
    given = jalur("case", "reassign", number, "dossier_check#1", "--to", "budi", "--by", "admin", *WHY)
    assert (given["number"], given["waiting_for"][0]["holder"]) == (number, "budi")
    assert (
        "which ani does not hold"
        in jalur("case", "reassign", number, "--to", "ani", "--by", "budi", *WHY, code=1)["error"]
    )
    spread = ("reassign", "--from", "budi", "--to", "tuti", "--by", "admin", *WHY)
    done = jalur(*spread)
    assert done == {"reassigned": [{"case": number, "question": "dossier_check#1", "to": "tuti"}], "refused": []}
    assert jalur(*spread) == {"reassigned": [], "refused": []}
    nameless = jalur("case", "reassign", number, "--to", "", "--by", "tuti", *WHY, code=1)
    assert "There is no user" in nameless["error"], "a name that was left out by mistake frees nothing"
    freed = jalur("case", "reassign", number, "--to", "nobody", "--by", "tuti", *WHY)
    assert freed["waiting_for"][0]["holder"] is None
    told = [(entry["key"], entry["actor"], entry["outcome"]) for entry in jalur("case", "history", number)]
    assert told[-3:] == [("reassigned", name, "reassigned") for name in ("admin", "admin", "tuti")]


def test_who_is_away_lets_another_answer(jalur: Jalur, number: str) -> None:
    """The inbox of who stands in names who is away, and so does the ledger; a revoked one is worth nothing."""
    days = ("--since", "2026-01-12", "--until", "2026-01-16", "--by", "budi", *WHY)
    made = jalur("delegate", "budi", "ani", *days, "--role", "officer")
    assert {name: made[name] for name in ("from", "to", "role", "since", "until")} == {
        "from": "budi",
        "to": "ani",
        "role": "officer",
        "since": "2026-01-12",
        "until": "2026-01-16",
    }
    assert {one["on_behalf_of"] for one in jalur("inbox", "--for", "ani")} == {"budi"}
    assert {one["on_behalf_of"] for one in jalur("inbox", "--for", "tuti")} == {None}
    assert "has delegated that" in jalur("delegate", "budi", "tuti", *days, code=1)["error"]
    assert jalur("delegate", "budi", "ani", "--revoke", "--by", "budi")["revoked"] == 1
    assert jalur("inbox", "--for", "ani") == []
    one = ("--from", "budi", "--to", "ani", "--until", "2026-01-16", "--by", "admin", *WHY)
    assert jalur("case", "delegate", number, *one)["number"] == number
    assert [(one["case"], one["on_behalf_of"]) for one in jalur("inbox", "--for", "ani")] == [(number, "budi")]
    jalur("answer", number, "dossier_check#1", "--by", "ani", "--data", '{"decision": "complete"}')
    entry = jalur("case", "history", number)[-1]
    assert (entry["actor"], entry["role"], entry["on_behalf_of"]) == ("ani", "officer", "budi")


def test_a_date_is_extended_as_agreed(jalur: Jalur, number: str) -> None:
    """The changed case as in show, with its new date; a second one while it runs is refused."""
    agreed = ("--by", "admin", "--agreed-with", "owner-1", "--reason", "menunggu surat RT")
    assert jalur("case", "show", number)["waiting_for"][0]["due_on"] == "2026-01-15"
    extended = jalur("case", "extend", number, "dossier_check#1", "--until", "2026-01-20", *agreed)
    assert extended["waiting_for"][0]["due_on"] == "2026-01-20"
    assert (
        "is extended until 2026-01-20"
        in jalur("case", "extend", number, "--until", "2026-01-22", *agreed, code=1)["error"]
    )


def test_a_day_that_is_none_is_wrong_usage_and_no_run_failed(
    jalur: Jalur, run: Callable[..., Result], number: str, tmp_path: Path
) -> None:
    """Exit code 2 before anything is begun: a typing mistake reaches no administrator as a failure."""
    paper = tmp_path / "surat.pdf"
    paper.write_bytes(b"%PDF-1.4")
    who, about = ("--by", "admin", "--until", "31-01-2026"), ("--agreed-with", "owner-1", *WHY)
    for words in (
        ("case", "extend", number, *who, *about),
        ("case", "delegate", number, "--from", "budi", "--to", "ani", *who, *WHY),
        ("delegate", "budi", "ani", *who, *WHY),
        ("conflict", "declare", "budi", "--kind", "family", "--person", "1", *who),
        ("mandate", "add", "owner-1", "ani", "--paper", str(paper), *who),
    ):
        wrong = run(*words)
        assert wrong.exit_code == 2 and "is no date: write YYYY-MM-DD" in wrong.output.replace("\n", " "), words
    assert jalur("runs", "--failed") == []


def test_what_ends_a_delegation_takes_only_what_counts(jalur: Jalur, run: Callable[..., Result], number: str) -> None:
    """One role of two ends; what belongs to a new one is wrong usage, and nothing has ended."""
    jalur("user", "add", "budi", "--role", "officer", "--role", "companion")
    for role in ("officer", "companion"):
        jalur("delegate", "budi", "ani", "--until", "2026-01-16", "--role", role, "--by", "budi", *WHY)
    end = ("delegate", "budi", "ani", "--by", "budi", "--revoke")
    for more in (("--until", "2026-01-16"), ("--since", "2026-01-12")):
        assert run(*end, *more).exit_code == 2
    ended = jalur(*end, "--role", "officer", "--reason", "pulang lebih awal")
    assert ended == {"from": "budi", "to": "ani", "role": "officer", "revoked": 1}
    assert "is for: companion" in jalur(*end, "--role", "officer", code=1)["error"]
    assert jalur(*end)["revoked"] == 1
