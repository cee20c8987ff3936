"""The command line's own frame: which file holds which command, and what its help wakes."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer.main

from cli.commands import FILES, app_in
from tests.cli.test_contract import ROOT


@pytest.mark.parametrize("file", FILES)
def test_each_file_registers_the_commands_that_the_table_names(file: str) -> None:
    """A command that is in no table can't be called; a name without a command would fail when it is."""
    assert set(typer.main.get_group(app_in(file)).commands) == set(FILES[file])


def test_each_file_of_commands_is_in_the_table() -> None:
    """A file that registers commands and is not named would be read by nobody."""
    files = {f"cli.{file.stem}" for file in (ROOT / "cli").glob("*.py") if "\napp = typer.Typer()" in file.read_text()}
    assert files == set(FILES)


@pytest.mark.parametrize("words", [["--help"], ["case", "--help"], ["case", "show", "--help"], ["sago"]])
def test_help_and_wrong_usage_wake_nothing_heavy(words: list[str]) -> None:
    """Neither the engine nor what it needs is imported before a command runs."""
    heavy = "print([m for m in ('prefect', 'weasyprint', 'sqlmodel', 'engine', 'babel') if m in sys.modules])"
    code = f"import cli, sys\ntry: cli.app({words!r})\nexcept SystemExit: {heavy}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_command_imports_its_own_file_alone() -> None:
    """`jalur case show --help` makes nothing of the other files."""
    code = "import cli, sys\ntry: cli.app(['case', 'show', '--help'])\nexcept SystemExit: print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(FILES) & set(done.stdout.split()) == {"cli.cases"}
