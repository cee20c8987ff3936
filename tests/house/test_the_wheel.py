"""Jalur as a wheel: what is in it, and what can be done with it where there is no checkout.

The wheel is built from the files of the repository and installed into a fresh environment, without a network. The packages that
it depends on come from the running environment by a plain line of a .pth file, which no editable install can pass.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from documents.templating import SHARED, TEMPLATES
from engine.definition.registry import current
from engine.runtime.office import Office
from engine.runtime.settings import Environment, Settings
from scheduling.server import free_port
from tests.scheduling.conftest import PrefectApi, eventually, running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
# Folders for those who work on Jalur; any other folder of the repository is part of the product.
FOR_DEVELOPERS = {".ci", "docs", "examples", "scripts", "tests"}
# Files of no package that the product needs all the same.
BESIDE_THE_PACKAGES = {"prefect.yaml", "examples/businesses.csv"}
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]


@dataclass
class Installed:
    """A fresh environment with Jalur in it, and a folder to work in that is no checkout."""

    wheel: Path
    environment: Path
    cwd: Path

    @property
    def packages(self) -> Path:
        """Where the environment keeps its packages."""
        return Path(sysconfig.get_path("purelib", vars={"base": str(self.environment)}))

    def run(self, *words: object, code: int = 0, **settings: object) -> str:
        """Run a program of the environment with just these settings; return what it prints."""
        program, *rest = map(str, words)
        env = self.settings(**settings)
        command = [str(self.environment / "bin" / program), *rest]
        done = subprocess.run(command, env=env, cwd=self.cwd, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def jalur(self, *words: object, code: int = 0, **settings: object) -> Any:
        """Run a command with --json; return its one JSON value."""
        return json.loads(self.run("jalur", *words, "--json", code=code, **settings))

    @staticmethod
    def settings(**settings: object) -> dict[str, str]:
        """Return the environment's variables with no way back to the checkout."""
        ours = re.compile("PYTHON|JALUR_|PREFECT_")
        return {name: value for name, value in os.environ.items() if not ours.match(name)} | {
            f"JALUR_{name}".upper(): str(value) for name, value in settings.items()
        }


def tracked() -> set[str]:
    """Return the files of the repository, with those that are not committed yet."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return {name for name in names if (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel of a copy, so that nothing built before gets into it, and install it."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in tracked():
        copy = folder / "source" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy)
    build = [*PIP, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder), "."]
    built = subprocess.run(build, cwd=folder / "source", env=Installed.settings(), capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    shutil.rmtree(folder / "source")
    [wheel] = folder.glob("jalur-*.whl")
    fresh = Installed(wheel, folder / "environment", folder / "elsewhere")
    fresh.cwd.mkdir()
    venv.create(fresh.environment, with_pip=False)
    (fresh.packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    python = str(fresh.environment / "bin" / "python")
    install = [*PIP, "--python", python, "install", "--no-deps", "--no-index", "--no-warn-script-location", str(wheel)]
    done = subprocess.run(install, cwd=fresh.cwd, env=Installed.settings(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return fresh


def test_the_wheel_holds_every_file_of_the_product_and_no_other(installed: Installed) -> None:
    """A package, a template, a table of rules or a migration that is forgotten, or a file too many, is named."""
    names = zipfile.ZipFile(installed.wheel).namelist()
    held = {re.sub(r"^jalur-[^/]*\.data/data/share/jalur/", "", name) for name in names if ".dist-info/" not in name}
    top = {name: name.split("/")[0] for name in tracked()}
    product = {name for name in top if "/" in name and top[name] not in FOR_DEVELOPERS}
    product |= {name for name in top if "/" not in name and name.endswith(".py")} | BESIDE_THE_PACKAGES
    assert (sorted(product - held), sorted(held - product)) == ([], [])


def test_nothing_of_a_checkout_is_seen_from_it(installed: Installed) -> None:
    """Every package of ours comes from the fresh environment, and no path leads elsewhere but to the dependencies."""
    names = sorted({name.split("/")[0].removesuffix(".py") for name in zipfile.ZipFile(installed.wheel).namelist()})
    names = [name for name in names if not name.startswith("jalur-")]
    assert {"cli", "engine", "flows", "models", "outside", "rules", "templates", "web"} <= set(names)
    asked = (
        "import importlib, json, sys;"
        f"print(json.dumps([[importlib.import_module(n).__file__ for n in {names}], sys.path, str(sys.meta_path)]))"
    )
    files, path, finders = json.loads(installed.run("python", "-c", asked))
    assert [file for file in files if not Path(file).is_relative_to(installed.packages)] == []
    assert not {(installed.cwd / one).resolve() for one in path} & {ROOT, ROOT / "tests"}
    assert "ditable" not in finders


def test_what_needs_no_home_works_without_one_and_the_rest_is_refused_by_name(installed: Installed) -> None:
    """Nobody guesses where an office's papers are kept: site-packages is no place for them."""
    assert "migrate" in installed.run("jalur", "--help")
    names = [pipeline["name"] for pipeline in installed.jalur("pipelines")]
    assert names == [pipeline.name for pipeline in current()]
    assert {row["pipeline"] for row in installed.jalur("rules")} == set(names)
    refused = installed.jalur("migrate", code=1, env="demo")
    assert refused["error"].startswith("JALUR_HOME is not set: ")
    assert refused["for_people"].startswith("JALUR_HOME belum diatur. ")
    for command in ("serve", "demo"):
        installed.run("jalur", command, code=1, env="demo")
    assert list(installed.cwd.iterdir()) == []
    assert not (installed.packages / "var").exists()


def test_every_page_can_be_looked_at(installed: Installed, tmp_path: Path) -> None:
    """`jalur preview` finds templates, fonts, letters and samples."""
    files = {Path(name).relative_to(tmp_path).as_posix() for name in installed.jalur("preview", tmp_path)["files"]}
    papers = kinds("documents")
    letters = kinds("letters")
    assert {f"{paper.parts[0]}/{paper.name}.id.pdf" for paper in papers} <= files
    assert {f"{letter.parts[0]}/letter-{letter.name}.id.txt" for letter in letters} <= files
    assert "contact-sheet.pdf" in files
    assert {file for file in files if not (tmp_path / file).stat().st_size} == set()


def kinds(room: str) -> set[Path]:
    """Return the folder of each kind of paper or letter below templates/; shared/ holds frames and no kinds of its own."""
    folders = {file.relative_to(TEMPLATES) for file in TEMPLATES.glob(f"*/{room}/*") if file.is_dir()}
    return {folder for folder in folders if folder.parts[0] != SHARED}


@pytest.mark.prefect
def test_a_case_comes_to_its_end_and_the_scheduled_flows_run(installed: Installed, tmp_path: Path) -> None:
    """Made, served, imported, opened, answered, refused by a signed decision that is genuine, and the letters sent."""
    home, port = tmp_path / "home", free_port()
    office_settings: dict[str, Any] = {"home": home, "env": "demo", "web_port": port}

    def jalur(*words: object) -> Any:
        return installed.jalur(*words, **office_settings)

    def served() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
        except httpx.TransportError:
            return False

    def waiting() -> str | None:
        return next((one["question"] for one in jalur("inbox")), None)

    def closed() -> dict[str, Any] | None:
        case: dict[str, Any] = jalur("case", "show", number)
        return case if case["status"] == "closed" and case["documents"][-1]["status"] == "ready" else None

    head, *rows = (ROOT / "examples" / "businesses-excel.csv").read_bytes().splitlines()
    few = tmp_path / "few.csv"
    few.write_bytes(head + b"\n" + next(row for row in rows if b"@" in row))
    assert jalur("migrate")["revision"] == max(file.name[:4] for file in ROOT.glob("models/migrations/versions/0*.py"))
    jalur("user", "add", "budi", "--role", "officer", "--region", "35")
    assert jalur("import", few)["accepted"] == 1
    [number] = jalur("open", "nib-legalization", "--imported")["opened"]

    serve = [str(installed.environment / "bin" / "jalur"), "serve"]
    env = installed.settings(**office_settings)
    with running(serve, {**env, "PYTHONPATH": ""}, tmp_path / "serve.log", cwd=installed.cwd):
        assert eventually(served, 120, (tmp_path / "serve.log").read_text())
        assert eventually(waiting, 60, "the served office advances the case to its first question") == "dossier_check#1"
        reject = {"decision": "reject", "reason": "Usaha tidak ditemukan di alamat yang ditulis"}
        jalur("answer", number, "dossier_check#1", "--by", "budi", "--data", json.dumps(reject))
        case = eventually(closed, 60, "the case is refused")
        office = Office.open(Settings(home=home, env=Environment.DEMO))
        prefect = PrefectApi(office, json.loads((home / "var/prefect/server.json").read_text())["url"])
        eventually(lambda: prefect.get("/deployments/name/delivery/send"), 60, "the deployments are there")
        state = prefect.ended(prefect.trigger("delivery/send"))["state"]
        office.close()

    assert state["type"] == "COMPLETED"
    assert case["outcome"] == "refused"
    refusal = case["documents"][-1]
    assert Path(refusal["path"]).is_relative_to(home)
    assert Path(refusal["path"]).read_bytes().startswith(b"%PDF")
    assert jalur("verify", refusal["number"])["valid"] is True
    assert jalur("audit", "verify")["intact"] is True
    assert list((home / "var" / "letters").iterdir()) != []
