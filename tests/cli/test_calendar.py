"""`jalur calendar add|cancel`: their JSON, what they refuse, and what only people are shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import col, update
from typer.testing import Result

from engine.runtime.office import Office
from models import CaseFile
from tests.cli.test_contract import Jalur, advance
from tests.cli.test_contract import jalur as jalur
from tests.cli.test_contract import opened as opened
from tests.cli.test_contract import run as run


def test_a_day_that_the_office_decides_about_moves_open_clocks(
    jalur: Jalur, run: Callable[..., Result], opened: list[str], database_url: str, tmp_path: Path
) -> None:
    """Added and cancelled: the list, the dates of the inbox, what is refused, and what is no date."""
    advance(database_url, tmp_path)
    moved = jalur("calendar", "add", "2026-01-14", "banjir di kantor")["moved"]
    first = {"case": opened[0], "question": "dossier_check#1", "from": "2026-01-15", "to": "2026-01-19"}
    assert len(moved) == 5
    assert first in moved
    assert {one["due_on"] for one in jalur("inbox")} == {"2026-01-19"}
    assert {"date": "2026-01-14", "name": "banjir di kantor", "kind": "office"} in jalur("calendar", "--year", 2026)
    assert "is no working day already" in jalur("calendar", "add", "2026-01-14", "lagi", code=1)["error"]
    jalur("user", "add", "rini", "--role", "division_head")
    back = jalur("calendar", "cancel", "2026-01-14", "air surut", "--by", "rini")["moved"]
    assert first | {"from": "2026-01-19", "to": "2026-01-15"} in back
    assert "weekend" in jalur("calendar", "cancel", "2026-01-17", "x", code=1)["error"]
    assert "not on the list" in jalur("calendar", "cancel", "2026-01-13", "x", code=1)["error"]
    assert jalur("calendar", "add", "2027-12-01", "rapat kerja") == {"moved": []}
    assert run("calendar", "add", "besok", "x").exit_code == 2
    keys = [(entry["key"], entry["actor"]) for entry in jalur("case", "history", opened[0])]
    assert keys[-1] == ("dossier_check#1/moved", "rini")


def test_only_people_read_that_a_date_is_provisional(
    jalur: Jalur, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """2027 has no decree on record: the table says so, the JSON keeps its shape."""
    monkeypatch.setenv("JALUR_LANGUAGE", "id")
    assert "sementara" in run("calendar", "--year", "2027").stdout
    assert "sementara" not in run("calendar", "--year", "2026").stdout
    assert {"date", "name", "kind"} == set(jalur("calendar", "--year", "2027")[0])


def test_years_of_which_nothing_is_known_are_refused_and_impossible_ones_are_wrong_usage(
    jalur: Jalur, run: Callable[..., Result]
) -> None:
    """An empty list would say that nobody has a day off in 1900; year 0 is not this year."""
    for year in (1900, 9999):
        assert f"known for {year}" in jalur("calendar", "--year", year, code=1)["error"]
    for wrong in ("0", "-1", "10000", "abc"):
        result = run("calendar", "--year", wrong, "--json")
        assert (result.exit_code, result.stdout) == (2, "")
    for day in ("0001-01-01", "9999-12-31"):
        assert "is known for" in jalur("calendar", "add", day, "x", code=1)["error"]
    for day in ("2026-02-30", "2026-13-01", "31-12-2026", "20260114", "2026-W03-3"):
        assert run("calendar", "add", day, "x", "--json").exit_code == 2
    assert jalur("calendar", "--year", 2026) == jalur("calendar")


def test_a_decision_needs_words(jalur: Jalur) -> None:
    """A day off has a name; a cancellation has a reason; nothing is recorded without."""
    before = jalur("calendar", "--year", 2026)
    assert "in words" in jalur("calendar", "add", "2026-01-14", " ", code=1)["error"]
    assert "in words" in jalur("calendar", "cancel", "2026-03-20", "", code=1)["error"]
    assert jalur("calendar", "--year", 2026) == before


def test_a_named_account_decides_only_where_it_is_a_heads_or_an_administrators(jalur: Jalur) -> None:
    """Without --by whoever runs the machine decides; an officer, an LSP's head or nobody's account changes nothing."""
    for name, role in (
        ("budi", "officer"),
        ("wati", "lsp_head"),
        ("kepala", "office_head"),
        ("admin", "administrator"),
    ):
        jalur("user", "add", name, "--role", role)
    before = jalur("calendar", "--year", 2026)
    for name in ("budi", "wati"):
        refused = jalur("calendar", "add", "2026-01-14", "banjir", "--by", name, code=1)
        assert f"{name} may not decide" in refused["error"]
        assert "tidak berwenang menetapkan hari kerja" in refused["for_people"]
    assert "no user hantu" in jalur("calendar", "cancel", "2026-03-20", "buka", "--by", "hantu", code=1)["error"]
    assert jalur("calendar", "--year", 2026) == before
    assert jalur("calendar", "add", "2026-01-14", "banjir", "--by", "kepala") == {"moved": []}
    assert jalur("calendar", "cancel", "2026-01-14", "surut", "--by", "admin") == {"moved": []}
    assert jalur("calendar", "--year", 2026) == before


def test_of_decisions_about_one_day_the_newest_counts(
    jalur: Jalur, opened: list[str], database_url: str, tmp_path: Path
) -> None:
    """In the past, cancelled, added again, cancelled again: each moves the same five clocks there or back, or none."""
    advance(database_url, tmp_path)
    assert jalur("calendar", "add", "2026-01-09", "listrik padam") == {"moved": []}
    there = {(one["case"], one["from"], one["to"]) for one in jalur("calendar", "add", "2026-01-15", "banjir")["moved"]}
    assert there == {(number, "2026-01-15", "2026-01-19") for number in opened}
    for what in ("cancel", "add", "cancel"):
        moved = jalur("calendar", what, "2026-01-15", "lagi")["moved"]
        back = {(one["case"], one["to"], one["from"]) for one in moved}
        assert (back if what == "cancel" else {(case, to, since) for case, since, to in back}) == there
    assert jalur("calendar", "cancel", "2026-01-16", "tetap buka") == {"moved": []}


def test_a_case_whose_code_is_gone_is_logged_and_the_others_move(
    jalur: Jalur,
    run: Callable[..., Result],
    opened: list[str],
    database_url: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The JSON stays one value, and has the four that moved."""
    advance(database_url, tmp_path)
    office = Office.open()
    with office.db.writing() as session:
        session.execute(update(CaseFile).where(col(CaseFile.number) == opened[0]).values(version=99))
    office.close()
    result = run("calendar", "add", "2026-01-14", "banjir", "--json")
    assert (result.exit_code, [one["case"] for one in json.loads(result.stdout)["moved"]]) == (0, opened[1:])
    assert f"The clock of case {opened[0]} was not derived again" in caplog.text
    assert {one["due_on"] for one in jalur("inbox", "--case", opened[0])} == {"2026-01-15"}


def test_a_date_in_a_year_without_a_decree_is_marked(
    jalur: Jalur, opened: list[str], database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five working days from 30 December 2026 end on 8 January 2027, as far as anybody knows by now."""
    advance(database_url, tmp_path)
    assert {(one["due_on"], one["provisional"]) for one in jalur("inbox")} == {("2026-01-15", False)}
    jalur("user", "add", "budi", "--role", "officer")
    monkeypatch.setenv("JALUR_NOW", "2026-12-30T09:00:00+07:00")
    jalur("answer", opened[0], "dossier_check#1", "--by", "budi", "--data", '{"decision": "complete"}')
    advance(database_url, tmp_path)
    [asked] = jalur("case", "show", opened[0])["waiting_for"]
    assert (asked["due_on"], asked["provisional"]) == ("2027-01-08", True)


def test_people_read_it_in_the_inbox_and_of_what_moved(
    jalur: Jalur,
    run: Callable[..., Result],
    opened: list[str],
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A table that shows such a date has a column that says so; one without has none."""
    monkeypatch.setenv("JALUR_LANGUAGE", "id")
    advance(database_url, tmp_path)
    assert "sementara" not in run("inbox").stdout
    jalur("user", "add", "budi", "--role", "officer")
    monkeypatch.setenv("JALUR_NOW", "2026-12-30T09:00:00+07:00")
    jalur("answer", opened[0], "dossier_check#1", "--by", "budi", "--data", '{"decision": "complete"}')
    advance(database_url, tmp_path)
    [row] = [line for line in run("inbox").stdout.splitlines() if "2027-01-08" in line]
    assert "sementara" in row
    shown = run("calendar", "add", "2027-01-06", "banjir").stdout
    assert "sementara" in next(line for line in shown.splitlines() if "2027-01-11" in line)
    assert "standing" not in jalur("calendar", "cancel", "2027-01-06", "surut")["moved"][0]
