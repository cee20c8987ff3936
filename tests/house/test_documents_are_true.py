"""What the documents say is so: the drawing, every file, symbol and command that they name."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml  # type: ignore[import-untyped]

import engine.pipeline
from cli import app

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cli", "demo", "documents", "engine", "flows", "models", "outside", "rules", "scheduling", "web")


def tracked() -> list[Path]:
    """List the files of the repository."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def test_the_drawing_of_the_rooms_is_what_the_imports_say() -> None:
    """`scripts/draw-rooms` draws docs/architecture.svg anew when a room, a module or an import between rooms came or went."""
    drawing = [sys.executable, str(ROOT / "scripts" / "draw-rooms"), "--check"]
    done = subprocess.run(drawing, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def tables(page: str) -> list[list[list[str]]]:
    """Return the tables of a page: their rows below the head, each with its cells."""
    lines = [*(ROOT / page).read_text("utf-8").splitlines(), ""]
    found: list[list[list[str]]] = []
    rows: list[list[str]] = []
    for line in lines:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif rows:
            found.append(rows[2:])
            rows = []
    return found


def symbols_of(file: Path) -> set[str]:
    """Return what a module defines: functions, classes with their methods as `Class.method`, and names at its top."""
    names: set[str] = set()
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            methods = node.body if isinstance(node, ast.ClassDef) else []
            names |= {f"{node.name}.{one.name}" for one in methods if isinstance(one, ast.FunctionDef)}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def not_there(files: list[str], symbols: list[str]) -> list[str]:
    """Return the files that do not exist, and the symbols that none of the Python files defines."""
    lost = [file for file in files if not (ROOT / file).exists()]
    sources = [ROOT / file for file in files if file.endswith(".py") and file not in lost]
    defined = set().union(*map(symbols_of, sources))
    return lost + [symbol for symbol in symbols if symbol not in defined]


WALK, WHERE = tables("docs/architecture.md")


@pytest.mark.parametrize("row", WALK, ids=lambda row: f"step-{row[0]}")
def test_each_step_of_the_walk_is_where_the_page_says(row: list[str]) -> None:
    """docs/architecture.md walks with one case number from the command to the letter; its files and symbols exist."""
    _, happens, files, symbols = row
    assert happens and in_code(files) and in_code(symbols)
    assert not_there(in_code(files), in_code(symbols)) == []


@pytest.mark.parametrize("row", WHERE, ids=lambda row: row[0].replace(" ", "-"))
def test_what_is_to_be_opened_is_there(row: list[str]) -> None:
    """The lines "to do X, open Y" name files that exist, and symbols that these files define."""
    wanted, files, symbols = row
    assert wanted and in_code(files)
    assert not_there(in_code(files), in_code(symbols)) == []


def test_the_page_has_twenty_lines_at_least_and_bites() -> None:
    """A file or a symbol that is gone is found."""
    assert len(WHERE) >= 20 and len(WALK) >= 10
    assert not_there(["cli/gone.py", "cli/work.py"], ["give_answer", "Gone"]) == ["cli/gone.py", "Gone"]


def in_code(cell: str) -> list[str]:
    """Return what stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)


PAGES = sorted(str(file.relative_to(ROOT)) for file in tracked() if file.suffix == ".md")


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_exists(page: str) -> None:
    """Links, and paths between backticks; what holds a placeholder, as in `<pipeline>/letters`, is an example."""
    text = (ROOT / page).read_text("utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    lost = [link for link in links if link and not ((ROOT / page).parent / link).exists()]
    named = [name for name in in_code(text) if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", name) and "/" in name]
    ours = [name for name in named if (ROOT / name.partition("/")[0]).exists()]
    assert lost + [name for name in ours if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_name_in_the_code_that_a_page_gives_exists(page: str) -> None:
    """`engine.deadlines.clock.is_over`, `flows.deployed`: modules, and what they define."""
    text = (ROOT / page).read_text("utf-8")
    named = [name for name in in_code(text) if re.fullmatch(rf"({'|'.join(PACKAGES)})(\.\w+)+", name)]
    assert [name for name in named if not defined(name)] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_class_that_a_page_names_exists(page: str) -> None:
    """`LedgerMisfit`, `Recorder.up_to_date`: each part is a name of the source."""
    named = [
        name for name in in_code((ROOT / page).read_text("utf-8")) if re.fullmatch(r"([A-Z]\w*[a-z]\w*\.)?\w+", name)
    ]
    classes = [name for name in named if "." in name or re.fullmatch(r"([A-Z][a-z]+){2,}", name)]
    assert [name for name in classes if not set(name.split(".")) <= names()] == []


@cache
def names() -> set[str]:
    """List what our modules define or say: classes, functions, attributes, parameters."""
    trees = [ast.parse(file.read_text("utf-8")) for folder in PACKAGES for file in (ROOT / folder).rglob("*.py")]
    fields = ("name", "attr", "id", "arg")
    return {str(getattr(node, field, "")) for tree in trees for node in ast.walk(tree) for field in fields}


def defined(name: str) -> bool:
    """Return whether a dotted name is a module of ours, or a name that one defines."""
    path = ROOT / name.replace(".", "/")
    if path.is_dir() or path.with_suffix(".py").exists():
        return True
    module, _, symbol = name.rpartition(".")
    file = (ROOT / module.replace(".", "/")).with_suffix(".py")
    package = file.with_suffix("") / "__init__.py"
    source = file if file.exists() else package
    return source.exists() and symbol in symbols_of(source)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_every_command_that_a_page_shows_is_a_real_one(page: str) -> None:
    """Each `jalur …` with its options, each `make …`, each script."""
    text = (ROOT / page).read_text("utf-8").replace("\\|", "|")
    shown = [line for code in in_code(text) + blocks(text) for line in code.splitlines()]
    commands = [line.partition("#")[0].strip().removeprefix(".venv/bin/") for line in shown]
    assert {command: fault for command in commands if (fault := wrong(command))} == {}


def wrong(command: str) -> str:
    """Return what is wrong with a command line of ours; nothing where it is right, or no command of ours."""
    program, *words = command.split() or [""]
    if program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        return "" if not words or words[0] in targets else f"no target {words[0]}"
    if program == "jalur":
        return wrong_words(typer.main.get_command(app), words)
    return "" if not program.startswith("scripts/") or (ROOT / program).exists() else "no such script"


def wrong_words(command: Any, words: list[str]) -> str:
    """Return which word after `jalur` is neither a command of this group nor an option of this command."""
    if hasattr(command, "commands"):
        if not words:
            return ""
        inner = [command.commands.get(word) for word in words[0].split("|")]
        return "; ".join(wrong_words(one, words[1:]) if one else f"no command {words[0]}" for one in inner).strip("; ")
    known = {option for parameter in command.params for option in parameter.opts}
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in {*known, "--help"}]
    return ", ".join(unknown)


def blocks(text: str) -> list[str]:
    """Return the blocks of code of a page, fenced or indented."""
    return re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL) + re.findall(
        r"^    (.+)$", text, re.MULTILINE
    )


def test_the_words_of_a_pipeline_are_those_that_its_door_has() -> None:
    """The table of README.md names what `engine.pipeline` hands to pipelines, and what works inside a step."""
    [words] = [rows for rows in tables("README.md") if rows[0][0] == "`@step`"]
    heads = [re.findall(r"\w+", code)[0] for row in words for code in in_code(row[0])]
    inside = [code.partition(".")[0] for code in in_code(words[0][1]) if "#" not in code]
    assert {*heads, *inside} - set(engine.pipeline.__all__) == set()


def test_a_command_that_does_not_exist_is_found() -> None:
    """The check of commands bites."""
    assert wrong("jalur inbox --role officer") == wrong("jalur calendar add|cancel") == wrong("make test") == ""
    assert (
        wrong("jalur inbix") and wrong("jalur case shown X") and wrong("jalur inbox --roles x") and wrong("make tests")
    )


def test_the_hooks_run_what_make_check_runs() -> None:
    """.pre-commit-config.yaml has the commands of `make check`, in its order, and downloads nothing."""
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert recipe
    checks = [line.strip().removeprefix("@").replace("$(BIN)", ".venv/bin") for line in recipe[1].splitlines()]
    [local] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert local["repo"] == "local"
    assert [hook["entry"] for hook in local["hooks"]] == checks
    for hook in local["hooks"]:
        assert (hook["language"], hook["always_run"], hook["pass_filenames"]) == ("system", True, False)


def test_every_file_is_written_as_the_editors_are_told() -> None:
    """.editorconfig: UTF-8, one kind of line end, no white space before it, a line end after the last line."""
    wrongly = []
    for file in tracked():
        content = file.read_bytes()
        if b"\0" in content or file.suffix in (".xz", ".woff2", ".pdf", ".png") or file.name.endswith("-excel.csv"):
            continue
        content.decode("utf-8")
        if b"\r" in content or re.search(rb"[ \t]\n", content) or (content and not content.endswith(b"\n")):
            wrongly.append(str(file.relative_to(ROOT)))
    assert wrongly == []
