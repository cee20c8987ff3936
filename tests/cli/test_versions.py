"""The command line contract of `case migrate`, `migrate-cases` and `shadow`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import Result

from engine.definition import registry
from tests.cli.test_contract import ROOT, Jalur, advance
from tests.cli.test_contract import jalur as jalur
from tests.cli.test_contract import opened as opened
from tests.cli.test_contract import run as run


@pytest.fixture
def second_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second version of NIB legalization, that does the same."""
    registry.load_pipelines()
    again = replace(registry.pipeline_named("nib-legalization", 1), version=2)
    monkeypatch.setattr(registry, "_pipelines", {**registry._pipelines, (again.name, 2): again})


def test_open_cases_are_migrated_one_by_one_or_all_and_back(
    jalur: Jalur,
    run: Callable[..., Result],
    opened: list[str],
    second_version: None,
    database_url: str,
    tmp_path: Path,
) -> None:
    """A dry run says what would be moved; a move prints the case, or in bulk what was moved and what was not, and why."""
    advance(database_url, tmp_path)
    jalur("user", "add", "admin", "--role", "administrator")
    why = ("--by", "admin", "--reason", "versi 2")
    assert jalur("case", "migrate", opened[0], *why, "--dry-run") == {"movable": opened[:1], "moved": [], "refused": []}
    assert jalur("case", "show", opened[0])["pipeline_version"] == 1
    shown = jalur("case", "migrate", opened[0], *why)
    assert (shown["number"], shown["pipeline_version"], shown["status"]) == (opened[0], 2, "waiting")
    again = jalur("case", "migrate", opened[0], *why, code=1)
    assert "under version 2 and the rules of 2026-01-12 already" in again["error"]
    assert again["for_people"] == (
        f"Permohonan {opened[0]} tetap seperti semula: permohonan sudah memakai versi 2 dan aturan tanggal 2026-01-12."
    )
    assert jalur("case", "migrate", opened[0], *why, "--undo")["pipeline_version"] == 1
    assert jalur("case", "migrate", opened[0], *why, "--rules-on", "2026-01-09")["pipeline_version"] == 2
    rest = opened[1:]
    assert jalur("migrate-cases", "nib-legalization", *why, "--dry-run")["movable"] == rest
    assert jalur("migrate-cases", "nib-legalization", *why) == {"movable": rest, "moved": rest, "refused": []}
    moved_by = jalur("case", "history", rest[0])[-1]
    assert (moved_by["key"], moved_by["actor"], moved_by["reason"]) == ("migrated", "admin", "versi 2")
    undo = ("--undo", moved_by["run"])
    assert jalur("migrate-cases", "nib-legalization", *why, *undo, "--dry-run")["movable"] == rest
    assert jalur("migrate-cases", "nib-legalization", *why, *undo)["moved"] == rest
    refused = jalur("migrate-cases", "nib-legalization", *why, *undo, code=1)["refused"]
    assert [set(one) for one in refused] == [{"case", "reason"}] * 4
    assert "moved no case" in jalur("migrate-cases", "nib-legalization", *why, "--undo", "x", code=1)["error"]
    assert run("case", "migrate", opened[0], "--by", "admin").exit_code == 2
    assert run("case", "migrate", opened[0], *why, "--rules-on", "besok").exit_code == 2
    assert run("case", "migrate", opened[0], *why, "--undo", "--to", 1).exit_code == 2
    assert run("migrate-cases", "nib-legalization", *why, *undo, "--to", 1).exit_code == 2
    assert jalur("audit", "verify")["intact"] is True


def test_a_dry_run_asks_for_nobodys_name_and_a_move_says_how_to_undo_it(
    jalur: Jalur, run: Callable[..., Result], opened: list[str], second_version: None, database_url: str, tmp_path: Path
) -> None:
    """As README has it; the run that is to be named for the undo is on standard error, and whole in the table of runs."""
    advance(database_url, tmp_path)
    jalur("user", "add", "admin", "--role", "administrator")
    assert jalur("migrate-cases", "nib-legalization", "--dry-run")["movable"] == opened
    assert jalur("case", "migrate", opened[0], "--dry-run")["movable"] == opened[:1]
    assert run("migrate-cases", "nib-legalization", "--reason", "versi 2").exit_code == 2
    assert run("migrate-cases", "nib-legalization", "--by", "admin").exit_code == 2
    said = run("migrate-cases", "nib-legalization", "--by", "admin", "--reason", "versi 2").stderr
    moved_by = jalur("case", "history", opened[0])[-1]["run"]
    assert f"--undo {moved_by} " in said
    assert moved_by in run("runs").output


def test_a_case_is_moved_only_where_there_are_rules_and_a_version(
    jalur: Jalur, run: Callable[..., Result], opened: list[str], database_url: str, tmp_path: Path
) -> None:
    """By the rules of 1999 its next question could not be asked; those of next year bind nobody yet; versions are named."""
    advance(database_url, tmp_path)
    jalur("user", "add", "admin", "--role", "administrator")
    move = ("case", "migrate", opened[0], "--by", "admin", "--reason", "coba")
    assert "is in force on 1999-01-01" in jalur(*move, "--rules-on", "1999-01-01", code=1)["error"]
    nowhere = jalur(*move, "--undo", code=1)["for_people"]
    assert nowhere.endswith("permohonan tidak pernah dipindahkan, atau sudah dipindahkan lagi.")
    assert "the rules of 2026-01-13 are not in force yet" in jalur(*move, "--rules-on", "2026-01-13", code=1)["error"]
    assert jalur(*move, "--to", "9", code=1)["error"].endswith("version 9; there are: 1")
    assert jalur(*move[:-1], " ", code=1)["error"] == "Say why, in words: --reason"
    assert [entry["key"] for entry in jalur("case", "history", opened[0]) if "migrat" in entry["key"]] == []
    assert run("shadow", "nib-legalization", "--limit", "-1").exit_code == 2


def test_shadow_lists_what_would_have_gone_otherwise(
    jalur: Jalur, run: Callable[..., Result], opened: list[str], database_url: str, tmp_path: Path
) -> None:
    """Nobody admitted: what was withdrawn would have been refused. A folder without rules is refused; a table for people."""
    jalur("case", "withdraw", opened[0], "--by", "owner-1", "--reason", "pindah")
    advance(database_url, tmp_path)
    assert jalur("shadow", "nib-legalization") == {"cases": 1, "same": 1, "different": []}
    folder = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", folder)
    rules = folder / "nib_legalization.toml"
    rules.write_text(rules.read_text().replace('value = ["micro", "small"]', "value = []"))
    seen = jalur("shadow", "nib-legalization", "--rules", folder, "--limit", 5)
    assert (seen["cases"], seen["same"]) == (1, 0)
    assert set(seen["different"][0]) == {"case", "was", "would", "first_difference"}
    assert opened[0] in run("shadow", "nib-legalization", "--rules", folder).output
    assert "There is no common.toml" in jalur("shadow", "nib-legalization", "--rules", tmp_path, code=1)["error"]
    assert "There is no pipeline sago" in jalur("shadow", "sago", code=1)["error"]
