"""The conventions of this house. A convention that is not a test is dropped."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer.main
import yaml  # type: ignore[import-untyped]

from cli import app
from documents.templating import SHARED, TEMPLATES, offences
from engine.definition.registry import PREFECT_MODULES, all_appeals, all_versions, current
from engine.execution.versions.fingerprints import fingerprint

ROOT = Path(__file__).resolve().parents[2]
OURS = ("cli", "demo", "documents", "engine", "flows", "models", "outside", "rules", "scheduling", "web", "tests")
SOURCES = sorted(
    file
    for folder in OURS
    for file in (ROOT / folder).rglob("*.py")
    if "migrations/versions" not in str(file) and "__pycache__" not in str(file)
)
RACES = [file for file in SOURCES if re.search(r"import .*\bat_once$", file.read_text("utf-8"), re.MULTILINE)]


def test_imports_point_in_one_direction() -> None:
    """cli → web → flows → engine → outside → models; rules, models and templates import nothing of ours."""
    done = subprocess.run(
        ["lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, env=_path()
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_module_holds_more_than_one_idea(file: Path) -> None:
    """A module is 500 lines long at most: what is longer holds two ideas."""
    assert len(file.read_text("utf-8").splitlines()) <= 500


@pytest.mark.parametrize("file", RACES, ids=lambda file: str(file.relative_to(ROOT)))
def test_what_runs_at_once_is_tried_on_both_databases_every_day(file: Path) -> None:
    """Other tests leave PostgreSQL to CI; where two meet in the same moment, what the database does is the point."""
    module = ast.parse(file.read_text("utf-8"))
    tests = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    races = [test for test in tests if "at_once(" in ast.unparse(test)]
    everyday = [test.name for test in races if "both_databases" in " ".join(map(ast.unparse, test.decorator_list))]
    assert everyday == [test.name for test in races]


def test_no_module_is_a_drawer() -> None:
    """No utils, helpers, managers or services: a name says what is inside."""
    drawers = re.compile(r"(utils?|helpers?|managers?|services?|common|misc)\.py$")
    assert [str(file) for file in SOURCES if drawers.search(file.name)] == []


def test_every_command_has_help() -> None:
    """Every command, argument and option of the command line says what it is for."""
    silent = []

    def look(command: object, path: str) -> None:
        if not getattr(command, "help", None):
            silent.append(path)
        for parameter in getattr(command, "params", []):
            if not getattr(parameter, "help", None) and parameter.name != "help":
                silent.append(f"{path} {parameter.name}")
        for name, inner in getattr(command, "commands", {}).items():
            look(inner, f"{path} {name}")

    look(typer.main.get_command(app), "jalur")
    assert silent == []


def test_the_command_line_wakes_nothing_heavy() -> None:
    """`jalur --help` imports neither Prefect nor WeasyPrint nor the engine."""
    asked = "import cli, sys; print([m for m in ('prefect', 'weasyprint', 'sqlmodel', 'engine', 'documents') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_engine_and_commands_need_no_prefect() -> None:
    """Opening, answering and showing do not pay for Prefect's import: only what runs a flow does."""
    asked = (
        "import sys, engine.actions.answer, engine.reports.case_views, engine.sweeps.sweep, scheduling.run_here;"
        "from engine.definition.registry import load_pipelines; load_pipelines(); print('prefect' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("pipeline", [*current(), *all_appeals()], ids=lambda pipeline: pipeline.name)
def test_every_pipeline_has_templates_and_samples_for_what_it_hands_out(pipeline: object) -> None:
    """Each paper and letter is there in Indonesian and English, with sample facts, and nothing lies there unused."""
    for kind, declared, files in (
        ("documents", pipeline.papers, ("id.html", "en.html", "sample.json")),  # type: ignore[attr-defined]
        ("letters", pipeline.letters, ("id.txt", "en.txt", "sample.json")),  # type: ignore[attr-defined]
    ):
        for one in declared.values():
            folder = TEMPLATES / (one.folder or pipeline.slug)  # type: ignore[attr-defined]
            for file in files:
                places = [folder] if file == "sample.json" else [folder, TEMPLATES / SHARED]
                there = [(place / kind / one.name / file).exists() for place in places]
                assert any(there), f"{kind}/{one.name}/{file}"


def test_templates_have_no_logic() -> None:
    """A template prints finished facts: no set, no calls, no comparisons."""
    pages = [file for file in TEMPLATES.rglob("*") if file.suffix in (".html", ".txt") and "OFL" not in file.name]
    assert pages
    assert {str(file): found for file in pages if (found := offences(file.read_text("utf-8")))} == {}


def test_every_pipeline_is_deployed() -> None:
    """prefect.yaml has a stanza with the dotted entrypoint of each registered pipeline."""
    text = (ROOT / "prefect.yaml").read_text()
    for pipeline in current():
        assert f"entrypoint: flows.deployed.{pipeline.slug}" in text


def test_every_scheduled_flow_is_deployed_and_is_no_pipeline() -> None:
    """What imports Prefect in flows/ stands where no pipelines are looked for, and has a stanza with its entrypoint."""
    stanzas = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    entrypoints = {stanza["entrypoint"] for stanza in stanzas}
    scheduled = [file for file in (ROOT / "flows" / "scheduled").glob("*.py") if file.name != "__init__.py"]
    flows = [file.stem for file in scheduled]
    assert {"delivery", "escalation", "intake", "renewal"} <= set(flows)
    for name in flows:
        assert f"flows.scheduled.{name}.{name}" in entrypoints
    importing = {file for file in (ROOT / "flows").rglob("*.py") if re.search("^from prefect", file.read_text(), re.M)}
    assert importing == set(scheduled)
    assert PREFECT_MODULES == ("deployed", "scheduled")
    [renewal] = [stanza for stanza in stanzas if stanza["entrypoint"] == "flows.scheduled.renewal.renewal"]
    assert [(one["cron"], one["timezone"]) for one in renewal["schedules"]] == [("20 6 * * *", "Asia/Jakarta")]


@pytest.mark.parametrize("file", sorted((ROOT / "rules").glob("*.toml")), ids=lambda file: file.name)
def test_every_rule_says_what_it_is_and_where_it_stands(file: Path) -> None:
    """A rule has a value, a unit, a date, a citation, and is law, policy or unconfirmed."""
    for row in tomllib.loads(file.read_text("utf-8")).get("rule", []):
        assert {"name", "value", "unit", "since", "citation", "standing"} <= row.keys(), row
        assert row["standing"] in ("law", "policy", "unconfirmed"), row["name"]
        assert row["citation"], row["name"]


# Days from which a law or decree applied that were found in a source: 22/2023, PP 42/2024, PP 28/2025, 146/2025 (domain facts).
DAYS_READ = ("2023-03-18", "2024-10-17", "2025-06-05", "2025-07-08")


@pytest.mark.parametrize("file", sorted((ROOT / "rules").glob("*.toml")), ids=lambda file: file.name)
def test_a_date_of_a_law_was_read_or_is_said_to_be_ours(file: Path) -> None:
    """A row of standing `law` whose date is in no source says so in `remark`, which `jalur rules` shows."""
    unsaid = [
        f"{row['name']} since {row['since']}: add remark = 'Tanggal mulai menurut bacaan kantor, …'"
        for row in tomllib.loads(file.read_text("utf-8")).get("rule", [])
        if row["standing"] == "law" and str(row["since"]) not in DAYS_READ
        if not row.get("remark", "").startswith("Tanggal mulai menurut bacaan kantor")
    ]
    assert unsaid == []


@pytest.mark.parametrize("pipeline", current(), ids=lambda pipeline: pipeline.name)
def test_every_budget_of_a_question_is_a_rule(pipeline: object) -> None:
    """What `due` and `silent_after` name is in the rule book, in days of one kind or the other."""
    from datetime import date

    for question in pipeline.questions.values():  # type: ignore[attr-defined]
        for name in filter(None, (question.due, question.silent_after)):
            rule = pipeline.rules.at(name, date(2026, 11, 22))  # type: ignore[attr-defined]
            assert rule.unit in ("working_days", "calendar_days")
        if question.silent_after and not question.holds:  # of several who may answer, a silent one is replaced
            assert str(question.of) == "applicant", "an office's silence never lapses an applicant's case"


def test_no_host_and_no_path_of_a_machine_is_in_a_file() -> None:
    """Registry hosts and folders of the machine it was built on stay out of the repository."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    machine = re.compile(r"(^|[^A-Za-z.])/(work|farm)/|pypi\.org|files\.pythonhosted|deb\.debian\.org|registry\.npmjs")
    found = []
    for name in listed:
        file = ROOT / name
        if file.suffix in (".py", ".toml", ".md", ".yaml", ".html", ".txt", ".lock", "") and file.is_file():
            text = file.read_text("utf-8", errors="ignore")
            found += [name] if machine.search(text) and name != str(Path(__file__).relative_to(ROOT)) else []
    assert found == []


def _path() -> dict[str, str]:
    import os

    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@pytest.mark.parametrize(
    "pipeline", [*all_versions(), *all_appeals()], ids=lambda pipeline: f"{pipeline.name}-{pipeline.version}"
)
def test_no_version_changes_under_its_number(pipeline: object) -> None:
    """Process or forms changed: give it a new version and move the old one to flows/past/ (or scripts/lock-versions)."""
    import json

    known = json.loads((ROOT / "flows" / "versions.json").read_text())
    assert known.get(f"{pipeline.name} {pipeline.version}") == fingerprint(pipeline)  # type: ignore[attr-defined, arg-type]
