"""The sixth pipeline is one file in flows/, one folder in templates/ and one stanza in prefect.yaml, and nothing else.

A copy of the project gets exactly these three; then its command line, a real server, a real worker and the deployment carry
one case to its certificate and let another lapse in silence.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.runtime.office import Office
from engine.runtime.settings import Environment, Settings
from scheduling.server import environment, started
from tests.scheduling.conftest import ROOT, PrefectApi, eventually, program, running

pytestmark = [pytest.mark.prefect, pytest.mark.slow]

COPIED = (
    "cli",
    "prefect.yaml",
    "documents",
    "engine",
    "flows",
    "models",
    "outside",
    "rules",
    "scheduling",
    "templates",
    "web",
)
STANZA = """
  - name: advance
    entrypoint: flows.deployed.organic_farm
    tags: [organic-farm]
    work_pool: *pool
"""
PAGE = """{% extends "base.id.html" %}
{% block title %}Dokumen {{ case_number }}{% endblock %}
{% block heading %}Kebun organik{% endblock %}
{% block lead %}{{ business_name }}{% endblock %}
{% block body %}<p>{{ applicant_name }}</p>{% endblock %}
"""
LETTER = "Subject: Kebun Anda bersertifikat\n\nYth. {{ applicant_name }}, nomornya {{ number }}.\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with the sixth pipeline: three additions, no change to any other file."""
    copy = tmp_path / "project"
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            copy.mkdir(exist_ok=True)
            shutil.copy(source, copy / name)
    shutil.copy(Path(__file__).parent / "sixth" / "organic_farm.py", copy / "flows")
    for folder, suffix, text in (
        ("documents/findings", "html", PAGE),
        ("documents/farm_certificate", "html", PAGE),
        ("letters/farewell", "txt", LETTER),
    ):
        place = copy / "templates" / "organic_farm" / folder
        place.mkdir(parents=True)
        for language in ("id", "en"):
            (place / f"{language}.{suffix}").write_text(text)
    with open(copy / "prefect.yaml", "a") as file:
        file.write(STANZA)
    return copy


def test_the_sixth_pipeline_is_a_file_a_folder_and_a_stanza(project: Path, tmp_path: Path) -> None:
    """A question, a silence, a paper, an issued document and a letter, carried through a real deployment."""
    home = tmp_path / "home"
    settings = Settings(env=Environment.DEMO, home=home)
    base = {"JALUR_HOME": str(home), "JALUR_ENV": "demo", "PYTHONPATH": str(project)}
    jalur = command_line(project, base)
    jalur("migrate")
    jalur("user", "add", "budi", "--role", "officer")
    jalur("import", ROOT / "examples" / "businesses-excel.csv")
    [sound] = jalur("open", "organic-farm", "--business", "1")["opened"]
    [faulty] = jalur("open", "organic-farm", "--business", "2")["opened"]
    assert (sound, faulty) == (f"OFM-{datetime.now(UTC).year}-000001", f"OFM-{datetime.now(UTC).year}-000002")
    assert "organic-farm" in [pipeline["name"] for pipeline in jalur("pipelines")]

    office = Office.open(settings)
    with started(settings) as url:
        api = PrefectApi(office, url)
        env = {**base, **environment(settings, url), "PREFECT_WORKER_QUERY_SECONDS": "1"}
        worker = [program("prefect"), "worker", "start", "--pool", "jalur", "--type", "process"]
        with running(worker, env, tmp_path / "worker.log", cwd=tmp_path):
            eventually(lambda: api.get("/work_pools/jalur"), 60, "the worker makes its pool")
            deployed = subprocess.run(
                [program("prefect"), "--no-prompt", "deploy", "--all"],
                env={**os.environ, **env},
                cwd=project,
                capture_output=True,
                text=True,
            )
            assert deployed.returncode == 0, deployed.stdout + deployed.stderr

            def advance() -> None:
                assert api.ended(api.trigger("organic-farm/advance"))["state"]["type"] == "COMPLETED"

            advance()
            assert [item["question"] for item in jalur("inbox")] == ["inspection#1", "inspection#1"]
            jalur("answer", sound, "inspection#1", "--by", "budi", "--data", '{"decision": "sound"}')
            found = '{"decision": "findings", "findings": ["pagar"]}'
            jalur("answer", faulty, "inspection#1", "--by", "budi", "--data", found)
            advance()
            later = (datetime.now(UTC) + timedelta(days=40)).isoformat()
            assert command_line(project, {**base, "JALUR_NOW": later})("escalate")["silent"] == 1
            advance()
    office.close()

    certified, lapsed = jalur("case", "show", sound), jalur("case", "show", faulty)
    assert (certified["outcome"], lapsed["outcome"]) == ("certified", "lapsed")
    assert certified["documents"][0]["number"] == f"ORG-{datetime.now(UTC).year}-000001"
    assert Path(certified["documents"][0]["path"]).read_bytes().startswith(b"%PDF")
    assert [document["kind"] for document in lapsed["documents"]] == ["findings"]
    assert certified["letters"][0]["subject"] == "Kebun Anda bersertifikat"
    assert jalur("verify", certified["documents"][0]["number"])["valid"] is True
    assert jalur("audit", "verify")["intact"] is True


def command_line(project: Path, env: dict[str, str]) -> Callable[..., Any]:
    """Return the `jalur` of the copied project, as a function that gives its JSON."""

    def jalur(*words: object) -> Any:
        command = [sys.executable, "-m", "cli", *map(str, words), "--json"]
        done = subprocess.run(command, env={**os.environ, **env}, cwd=project, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    return jalur
