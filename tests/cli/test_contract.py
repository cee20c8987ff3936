"""The command line contract: each command's JSON, its exit code, and what it says when it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from cli import app

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "examples" / "businesses-excel.csv"

Jalur = Callable[..., Any]

command_of = cache(get_command)  # typer makes the whole tree of commands anew at each call, 40 ms


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command as a user would, in a home of the test's own."""
    monkeypatch.setattr("typer.testing._get_command", command_of)
    for name, value in {
        "JALUR_HOME": str(tmp_path),
        "JALUR_ENV": "test",
        "JALUR_LANGUAGE": "en",
        "JALUR_DATABASE_URL": database_url,
        "JALUR_NOW": "2026-01-12T09:00:00+07:00",
    }.items():
        monkeypatch.setenv(name, value)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def jalur(run: Callable[..., Result]) -> Jalur:
    """Run a command with --json and return its one JSON value; the exit code must be ``code``."""

    def call(*words: object, code: int = 0) -> Any:
        result = run(*words, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    return call


@pytest.fixture
def opened(jalur: Jalur, tmp_path: Path) -> list[str]:
    """A small drive: five businesses imported, their cases open."""
    few = tmp_path / "few.csv"
    few.write_bytes(b"\n".join(SAMPLE.read_bytes().split(b"\n")[:6]))
    jalur("import", few)
    numbers: list[str] = jalur("open", "nib-legalization", "--imported")["opened"]
    return numbers


def advance(database_url: str, tmp_path: Path) -> None:
    """Advance without Prefect: what `jalur advance` adds is Prefect's alone, and is tested with a real server."""
    from engine.execution.drain import drain
    from engine.runtime.office import Office

    office = Office.open()
    with office.run("flow", by="test") as run:
        drain(office, run, "nib-legalization")
    office.close()


def test_migrate_says_the_revision(jalur: Jalur) -> None:
    """A database that is there already is at the newest revision."""
    assert re.fullmatch(r"\d{4}", jalur("migrate")["revision"])


def test_pipelines_lists_steps_questions_documents_and_outcomes(jalur: Jalur) -> None:
    """What can be known of a pipeline before anything runs."""
    (nib,) = [pipeline for pipeline in jalur("pipelines") if pipeline["name"] == "nib-legalization"]
    assert set(nib) == {"name", "title", "version", "steps", "questions", "documents", "outcomes"}
    assert {"name": "dossier_check", "role": "officer", "budget": {"days": 3, "unit": "working_days"}} in nib[
        "questions"
    ]
    assert {"code": "legalized", "title": "NIB tercatat, usaha dilegalkan"} in nib["outcomes"]
    assert "certificate_of_legalization" in nib["documents"]


def test_rules_say_what_is_law_policy_or_unconfirmed(jalur: Jalur, run: Callable[..., Result]) -> None:
    """Every row with its dates and source; on a day only what is in force; a date that is not the law's says so."""
    rows = jalur("rules")
    assert {row["pipeline"] for row in rows} == {pipeline["name"] for pipeline in jalur("pipelines")}
    assert {row["standing"] for row in rows} == {"law", "policy", "unconfirmed"}
    for row in rows:
        assert set(row) == {"pipeline", "name", "value", "unit", "since", "until", "citation", "standing"}

    def criteria(*words: str) -> list[tuple[str, str | None, str, int]]:
        found = [row for row in jalur("rules", "halal-self-declare", *words) if row["name"] == "criteria"]
        return [(row["since"], row["until"], row["standing"], row["value"]["sales"]) for row in found]

    assert criteria() == [
        ("2022-01-01", "2023-03-17", "unconfirmed", 500_000_000),
        ("2023-03-18", "2025-07-07", "law", 500_000_000),
        ("2025-07-08", None, "law", 15_000_000_000),
    ]
    assert criteria("--on", "2025-07-07") == criteria()[1:2]
    assert criteria("--on", "2021-06-01") == []
    (objection,) = [row for row in jalur("rules", "nib_legalization") if row["name"] == "objection_time"]
    assert objection["citation"].startswith("UU 30/2014 Pasal 77. Tanggal mulai menurut bacaan kantor")
    table = run("rules", "halal-self-declare", "--on", "2026-01-12").output
    assert "unconfirmed" in table and "preservation_limit" in table
    assert run("rules", "--on", "besok").exit_code == 2
    assert "There is no pipeline sago" in jalur("rules", "sago", code=1)["error"]


def test_user_add_gives_roles(jalur: Jalur) -> None:
    """An account holds several roles; adding another keeps the first."""
    assert jalur("user", "add", "budi", "--role", "officer") == {"name": "budi", "roles": ["officer"]}
    more = jalur("user", "add", "budi", "--role", "supervisor", "--region", "35.78", "--unit", "legal")
    assert more == {"name": "budi", "roles": ["officer", "supervisor"]}
    assert "There is no role wizard" in jalur("user", "add", "tuti", "--role", "wizard", code=1)["error"]


def test_import_names_line_and_column_and_changes_nothing_the_second_time(jalur: Jalur) -> None:
    """Refusals name line, column and reason; the same file again adds nothing; a dry run adds nothing either."""
    dry = jalur("import", SAMPLE, "--dry-run")
    first = jalur("import", SAMPLE)
    assert dry["accepted"] == first["accepted"] == 98
    assert set(first) == {"accepted", "refused", "warnings"}
    assert {"line", "column", "reason"} == set(first["refused"][0])
    again = jalur("import", SAMPLE)
    assert again["accepted"] == 0
    assert again["refused"] == first["refused"]
    assert len(jalur("open", "nib-legalization", "--imported")["opened"]) == 98


def test_open_numbers_cases_and_refuses_what_is_open(jalur: Jalur, opened: list[str]) -> None:
    """Numbers rise without gaps; a subject with an open case is refused with the reason, and nothing else."""
    assert opened == [f"NIB-2026-{n:06d}" for n in range(1, 6)]
    assert jalur("open", "nib-legalization", "--imported") == {"opened": [], "refused": []}
    refused = jalur("open", "nib-legalization", "--business", "1", code=1)
    assert refused["opened"] == []
    assert "NIB-2026-000001" in refused["refused"][0]["reason"]
    assert (
        "no business 99999" in jalur("open", "nib-legalization", "--business", "99999", code=1)["refused"][0]["reason"]
    )


def test_inbox_answer_show_and_history_tell_one_story(
    jalur: Jalur, opened: list[str], database_url: str, tmp_path: Path
) -> None:
    """What the inbox lists can be answered; the answer stands in the history; the case shows what it waits for next."""
    jalur("user", "add", "budi", "--role", "officer")
    advance(database_url, tmp_path)
    number = opened[0]
    (waiting,) = jalur("inbox", "--case", number)
    assert {"case", "question", "role", "holder", "due_on", "form"} <= set(waiting)
    assert (waiting["question"], waiting["role"], waiting["due_on"]) == ("dossier_check#1", "officer", "2026-01-15")
    assert waiting["form"]["properties"]["decision"]
    assert len(jalur("inbox", "--role", "officer")) == 5
    done = jalur("answer", number, "dossier_check#1", "--by", "budi", "--data", '{"decision": "complete"}')
    assert done == {"case": number, "question": "dossier_check#1", "entry": 4}
    advance(database_url, tmp_path)
    shown = jalur("case", "show", number)
    whole = {
        "number",
        "pipeline",
        "pipeline_version",
        "status",
        "outcome",
        "waiting_for",
        "documents",
        "letters",
        "clock",
    }
    assert whole <= set(shown)
    assert shown["waiting_for"][0]["question"] == "classification#1"
    assert {"kind", "number", "path", "sha256"} <= set(shown["documents"][0])
    assert Path(shown["documents"][0]["path"]).read_bytes().startswith(b"%PDF")
    assert {"to", "letter", "status", "subject"} == set(shown["letters"][0])
    assert {"budget_days", "used_days", "running", "holder"} == set(shown["clock"])
    entries = jalur("case", "history", number)
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    assert entries[3]["actor"] == "budi"
    assert entries[3]["previous_hash"] == entries[2]["hash"]
    assert set(entries[0]) == {
        "seq", "at", "key", "actor", "role", "on_behalf_of", "outcome", "reason", "rule_versions",
        "pipeline_version", "run", "flow_run_id", "hash", "previous_hash",
    }  # fmt: skip


def test_a_refused_answer_says_what_is_wrong_and_the_next_move(
    jalur: Jalur, opened: list[str], database_url: str, tmp_path: Path
) -> None:
    """Exit code 1 with the reason: an unknown case, a question that is not open, a form that is not filled in."""
    jalur("user", "add", "budi", "--role", "officer")
    advance(database_url, tmp_path)
    data = ("--by", "budi", "--data", '{"decision": "complete"}')
    assert (
        "There is no case NIB-2026-999999"
        in jalur("answer", "NIB-2026-999999", "dossier_check#1", *data, code=1)["error"]
    )
    wrong = jalur("answer", opened[0], "fatwa_ruling#1", *data, code=1)["error"]
    assert f"Case {opened[0]} is not waiting for 'fatwa_ruling#1'; it is waiting for: dossier_check#1" in wrong
    bad = jalur("answer", opened[0], "dossier_check#1", "--by", "budi", "--data", '{"decision": "perhaps"}', code=1)
    assert "decision" in bad["error"]
    assert jalur("case", "history", opened[0])[-1]["key"] == "examine#1"


def test_wrong_usage_is_exit_code_two(run: Callable[..., Result]) -> None:
    """A missing argument, JSON that is none, an option that does not exist."""
    assert run("open", "nib-legalization").exit_code == 2
    assert run("answer", "X", "y#1", "--by", "budi", "--data", "{not json").exit_code == 2
    assert run("advance", "--no-such-option").exit_code == 2


def test_withdraw_escalate_deliver_runs_and_audit(
    jalur: Jalur, opened: list[str], database_url: str, tmp_path: Path
) -> None:
    """The smaller commands: each prints its shape, and doing it twice does nothing more."""
    advance(database_url, tmp_path)
    gone = jalur("case", "withdraw", opened[0], "--by", "owner-1", "--reason", "pindah")
    assert gone["number"] == opened[0]
    nothing = {"due": 0, "reminded": 0, "escalated": 0, "silent": 0, "failed": []}
    assert jalur("escalate") == nothing
    sent = jalur("deliver")
    assert sent["sent"] + sent["by_hand"] == 5
    assert set(jalur("deliver").values()) == {0}
    recorded = jalur("runs")
    assert {"run", "kind", "flow_run_id", "started_at", "seconds", "state", "by", "cases", "error"} == set(recorded[0])
    assert jalur("runs", "--failed") == []
    audit = jalur("audit", "verify")
    assert audit == {"entries": 5 * 3 + 1, "seals": 0, "intact": True, "first_bad": None, "findings": []}
    assert jalur("audit", "verify", "--case", opened[1])["entries"] == 3
    assert "not parked" in jalur("case", "retry", opened[1], code=1)["error"]


def test_verify_tells_a_paper_of_ours_from_a_stranger(
    jalur: Jalur, opened: list[str], database_url: str, tmp_path: Path
) -> None:
    """A receipt that we made is known by its hash; with one byte changed it is not."""
    advance(database_url, tmp_path)
    receipt = Path(jalur("case", "show", opened[0])["documents"][0]["path"])
    known = jalur("verify", receipt)
    assert known["valid"] is True
    assert {"valid", "kind", "number", "status", "signed_by", "checks"} == set(known)
    forged = tmp_path / "forged.pdf"
    forged.write_bytes(receipt.read_bytes() + b" ")
    assert jalur("verify", forged, code=1)["valid"] is False
    assert "LEG-2026-999999" in jalur("verify", "LEG-2026-999999", code=1)["error"]


def test_calendar_lists_holidays_and_joint_leave(jalur: Jalur) -> None:
    """National holidays of the year, each with its name and kind."""
    days = jalur("calendar", "--year", "2026")
    assert {"date": "2026-08-17", "kind": "public"}.items() <= next(
        d for d in days if d["date"] == "2026-08-17"
    ).items()
    assert {day["kind"] for day in days} == {"public", "joint_leave"}


def test_the_clock_can_not_be_turned_in_production(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """JALUR_NOW is refused unless JALUR_ENV is demo or test."""
    monkeypatch.setenv("JALUR_ENV", "production")
    result = run("inbox", "--json")
    assert result.exit_code == 1
    assert "JALUR_NOW is refused in production" in result.output


def test_people_read_tables(run: Callable[..., Result], opened: list[str]) -> None:
    """Without --json a person reads a table."""
    assert opened[0] in run("case", "show", opened[0]).output
    assert "opened#1" in run("case", "history", opened[0]).output


def test_persons_products_and_conflicts_are_registered(
    jalur: Jalur, run: Callable[..., Result], opened: list[str], tmp_path: Path
) -> None:
    """What imports do not bring: candidates, products, and who is not impartial."""
    data = {"national_id": "3578016904500101", "region": "35.78", "email": "wati@contoh.example"}
    made = jalur("person", "add", "Wati", "--data", json.dumps(data))
    assert made == {"person": made["person"], "name": "Wati", "account": f"owner-{made['person']}"}
    assert run("person", "add", "Wati", "--data", '{"nik": "1"}').exit_code == 2
    assert jalur("product", "add", 1, "Keripik", "--cluster", "makanan")["product"] == 1
    assert "no business 99" in run("product", "add", 99, "Keripik", "--cluster", "makanan", "--json").stderr
    for name in ("ani", "admin"):
        jalur("user", "add", name, "--role", "companion")
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF-1.4 a certificate")
    words = ("--number", "MET.000.004772 2024", "--since", "2024-02-01", "--until", "2027-01-31", "--source", "BNSP")
    recorded = jalur("person", "certificate", made["person"], "assessor", *words, "--evidence", scan, "--by", "admin")
    assert recorded["certificate"] == 1
    declared = jalur("conflict", "declare", "ani", "--kind", "family", "--business", 1, "--by", "admin")
    assert declared == {"conflict": 1, "name": "ani", "kind": "family"}
