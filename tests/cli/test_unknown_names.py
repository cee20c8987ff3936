"""A name that there is not is refused with those that there are: nothing found would say that nothing waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_contract import Jalur, advance
from tests.cli.test_contract import jalur as jalur
from tests.cli.test_contract import opened as opened
from tests.cli.test_contract import run as run

WHY = ("--reason", "cuti tahunan")


@pytest.fixture
def number(jalur: Jalur, opened: list[str], database_url: str, tmp_path: Path) -> str:
    """A case that waits for its dossier to be checked; two officers."""
    for name in ("budi", "tuti"):
        jalur("user", "add", name, "--role", "officer")
    advance(database_url, tmp_path)
    return opened[0]


def test_a_pipeline_that_there_is_not_has_no_runs(jalur: Jalur, opened: list[str]) -> None:
    """Refused with the pipelines that there are; both spellings of a name find its runs."""
    refused = jalur("runs", "--pipeline", "sago", code=1)
    assert "There is no pipeline sago; there are: " in refused["error"]
    assert "Tidak ada alur sago. Yang ada: " in refused["for_people"]
    found = jalur("runs", "--pipeline", "nib-legalization")
    assert [run["cases"] for run in found] == [len(opened)]
    jalur("open", "nib_legalization", "--imported")
    assert (
        len(jalur("runs", "--pipeline", "nib_legalization"))
        == len(jalur("runs", "--pipeline", "nib-legalization"))
        == 2
    )


@pytest.mark.parametrize(
    "words",
    [
        ("inbox", "--role", "sultan"),
        ("reassign", "--from", "budi", "--to", "tuti", "--by", "budi", "--role", "sultan", *WHY),
        ("delegate", "budi", "tuti", "--until", "2026-01-20", "--by", "budi", "--role", "sultan", *WHY),
        ("delegate", "budi", "tuti", "--revoke", "--by", "budi", "--role", "sultan"),
        ("user", "add", "wati", "--role", "sultan"),
    ],
)
def test_a_role_that_there_is_not_is_refused_everywhere_in_the_same_words(
    jalur: Jalur, number: str, words: tuple[str, ...]
) -> None:
    """In English for logs, in Indonesian for people."""
    refused = jalur(*words, code=1)
    assert refused["error"].startswith("There is no role sultan; there are: applicant, ")
    assert refused["for_people"].startswith("Tidak ada peran sultan. Yang ada: applicant, ")


def test_both_spellings_of_a_name_mean_the_same(jalur: Jalur, number: str) -> None:
    """`nib_legalization` as its rules are called and `nib-legalization`; `division-head` and `division_head`."""
    assert jalur("user", "add", "rini", "--role", "division-head")["roles"] == ["division_head"]
    jalur("case", "reassign", number, "--to", "budi", "--by", "rini", *WHY)
    assert jalur("inbox", "--role", "division-head") == jalur("inbox", "--role", "lsp-head") == []
    spread = ("--from", "budi", "--to", "tuti", "--by", "rini", *WHY)
    assert len(jalur("reassign", *spread, "--pipeline", "nib_legalization")["reassigned"]) == 1


def test_who_withdraws_for_an_owner_says_why(jalur: Jalur, number: str, opened: list[str]) -> None:
    """An officer, told by the owner, leaves the reason in the ledger; owners owe none."""
    refused = jalur("case", "withdraw", number, "--by", "budi", code=1)
    assert (refused["error"], refused["for_people"]) == ("Say why, in words: --reason", "Tuliskan alasannya.")
    assert [one["question"] for one in jalur("case", "show", number)["waiting_for"]] == ["dossier_check#1"]
    jalur("case", "withdraw", number, "--by", "budi", "--reason", "diminta pemilik lewat telepon")
    entry = jalur("case", "history", number)[-1]
    assert (entry["actor"], entry["on_behalf_of"], entry["reason"]) == (
        "budi",
        "owner-1",
        "diminta pemilik lewat telepon",
    )
    jalur("case", "withdraw", opened[1], "--by", "owner-2")
    assert jalur("case", "history", opened[1])[-1]["outcome"] == "withdrawn"
