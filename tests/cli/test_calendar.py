"""`jalur calendar add|cancel`: their JSON, what they refuse, and what only people are shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

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
    back = jalur("calendar", "cancel", "2026-01-14", "air surut", "--by", "rini")["moved"]
    assert first | {"from": "2026-01-19", "to": "2026-01-15"} in back
    assert "weekend" in jalur("calendar", "cancel", "2026-01-17", "x", code=1)["error"]
    assert "not on the list" in jalur("calendar", "cancel", "2026-01-13", "x", code=1)["error"]
    assert jalur("calendar", "add", "2027-12-01", "rapat kerja") == {"moved": []}
    assert run("calendar", "add", "besok", "x").exit_code == 2
    keys = [(entry["key"], entry["actor"]) for entry in jalur("case", "history", opened[0])]
    assert keys[-1] == ("dossier_check#1/moved", "rini")


def test_only_people_read_that_a_date_is_provisional(jalur: Jalur, run: Callable[..., Result]) -> None:
    """2027 has no decree on record: the table says so, the JSON keeps its shape."""
    assert "sementara" in run("calendar", "--year", "2027").stdout
    assert "sementara" not in run("calendar", "--year", "2026").stdout
    assert {"date", "name", "kind"} == set(jalur("calendar", "--year", "2027")[0])
