"""The command line contract of `jalur report`: what an administrator and a program read of legal time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from tests.cli.test_contract import Jalur, advance
from tests.cli.test_contract import jalur as jalur
from tests.cli.test_contract import opened as opened
from tests.cli.test_contract import run as run


@pytest.fixture
def five_days_later(
    jalur: Jalur, opened: list[str], database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Five dossiers wait for a check that was due on Thursday; it is Monday evening."""
    jalur("user", "add", "budi", "--role", "officer")
    advance(database_url, tmp_path)
    monkeypatch.setenv("JALUR_NOW", "2026-01-19T20:00:00+07:00")
    return opened


def test_report_time_has_the_shape_of_the_contract(jalur: Jalur, five_days_later: list[str]) -> None:
    """Every pipeline; Tuesday, Wednesday, Thursday lay with the office, Friday 16 January was a holiday, today is not over."""
    told = jalur("report", "time")
    assert set(told) == {"pipelines"}
    rows = {row["pipeline"]: row for row in told["pipelines"]}
    assert set(rows) == {pipeline["name"] for pipeline in jalur("pipelines")}
    days = {"office_days": 15, "applicant_days": 0, "outside_days": 0}
    assert rows["nib-legalization"] == {"pipeline": "nib-legalization", "open": 5, "late": 5, **days}
    assert rows["halal-regular"] == {"pipeline": "halal-regular", "open": 0, "late": 0, **dict.fromkeys(days, 0)}
    assert jalur("report", "time", "--pipeline", "nib-legalization") == {"pipelines": [rows["nib-legalization"]]}
    offices = jalur("report", "time", "--by-office")["offices"]
    assert sum(row["office_days"] for row in offices) == 15
    one = jalur("report", "time", "--case", five_days_later[0])
    assert (one["case"], one["office_days"], len(one["stretches"])) == (five_days_later[0], 3, 1)


def test_report_time_refuses_what_it_does_not_know(jalur: Jalur, run: Callable[..., Result]) -> None:
    """A pipeline or case that is not there; a case beside other words is wrong usage."""
    assert "There is no pipeline sago" in jalur("report", "time", "--pipeline", "sago", code=1)["error"]
    assert "no case NIB-2026-999999" in jalur("report", "time", "--case", "NIB-2026-999999", code=1)["error"]
    assert run("report", "time", "--case", "NIB-2026-000001", "--by-office").exit_code == 2
    assert run("report", "forecast", "--within", "-1").exit_code == 2


def test_report_forecast_names_cases_offices_and_officers(jalur: Jalur, five_days_later: list[str]) -> None:
    """What is late by now is listed as such; nobody has a pace yet."""
    told = jalur("report", "forecast")
    assert set(told) == {"cases", "by_office", "by_officer"}
    assert told["cases"][0] == {
        "case": five_days_later[0],
        "question": "dossier_check#1",
        "holder": None,
        "due_on": "2026-01-15",
        "expected_on": "2026-01-19",
        "breaches": True,
    }
    assert {"officer", "open", "late", "will_breach", "pace_days"} == set(told["by_officer"][0])
    assert sum(one["late"] for one in told["by_office"]) == 5


def test_people_read_tables_of_both(run: Callable[..., Result], five_days_later: list[str]) -> None:
    """Without --json: a row a pipeline, and the cases that will be late."""
    assert "nib-legalization" in run("report", "time").output
    forecast = run("report", "forecast").output
    assert five_days_later[0] in forecast and "2026-01-15" in forecast


def test_escalate_says_that_nobody_watched(run: Callable[..., Result], five_days_later: list[str]) -> None:
    """On standard error, so that the JSON stays one value; the second time somebody did."""
    assert "Nobody has swept since" in run("escalate", "--json").stderr
    assert run("escalate", "--json").stderr == ""
