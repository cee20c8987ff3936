"""Personal data and codes on the command line: every user of the machine sees it, so they are read or come from a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner, Result

from cli import app
from engine.people.accounts import add_user, give_token
from engine.runtime.office import Office
from tests.attacks.test_command_line_actors import CommandLine

NIK = "3578016904500101"
PERSON = {"national_id": NIK, "phone": "081162319252", "region": "35.78"}
# The options that take personal data or codes, by command.
TAKING = {
    ("answer", "--data"),
    ("open", "--facts"),
    ("person add", "--data"),
    ("case correct", "--data"),
}
# What each is called with before the option itself.
BEFORE = {
    "answer": ("answer", "NIB-2026-000001", "statement#1", "--by", "adi"),
    "open": ("open", "nib-legalization", "--business", "1"),
    "person add": ("person", "add", "Wati"),
    "case correct": ("case", "correct", "NIB-2026-000001", "--by", "adi", "--reason", "salah"),
}
SECRETS = (
    {"own_code": "12345678"},
    {"national_id": NIK},
    {"owner.phone": "0811"},
    {"note": f"NIK {NIK}"},
    {"deep": [{"email": "x"}]},
    {"address": "Jl. Santoso No. 179"},
)


def commands(command: Any, *words: str) -> Iterator[tuple[str, Any]]:
    """Yield every command of the command line with the words that call it."""
    yield " ".join(words), command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, *words, name)


def typed(line: CommandLine, *words: str, text: str | None = None) -> Result:
    """Run a command with something on its standard input."""
    return CliRunner().invoke(app, [*words, "--json"], input=text)


@pytest.fixture
def jalur(office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    """A command line in production, signed in as the administrator."""
    add_user(office, "adi", ["administrator"])
    line = CommandLine(office, monkeypatch, tmp_path)
    line.signed_in(give_token(office, "adi"))
    return line


def test_each_option_that_takes_them_says_how() -> None:
    """Options of JSON read - or @FILE, and their help says so; a new one fails here until it is in the list above."""
    found = {
        (name, option): parameter.help
        for name, command in commands(typer.main.get_command(app))
        for parameter in command.params
        for option in parameter.opts
        if "JSON" in (parameter.help or "") and option not in ("--json",)
    }
    assert set(found) == TAKING
    assert [one for one, help_ in found.items() if "@FILE" not in help_ or "- reads it" not in help_] == []


@pytest.mark.parametrize("secret", SECRETS, ids=lambda one: next(iter(one)))
@pytest.mark.parametrize("taking", sorted(TAKING), ids=" ".join)
def test_in_production_they_never_stand_on_the_command_line(
    jalur: CommandLine, taking: tuple[str, str], secret: dict[str, Any]
) -> None:
    """Wrong usage before anything is opened; what was typed is not said again."""
    command, option = taking
    refused = typed(jalur, *BEFORE[command], option, json.dumps(secret))
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "holds personal data or a code" in " ".join(refused.stderr.replace("│", " ").split())
    assert NIK not in refused.stderr and "12345678" not in refused.stderr


def test_they_are_read_from_standard_input_and_from_a_file(jalur: CommandLine, tmp_path: Path) -> None:
    """Both ways the same person; the name may come along."""
    made = typed(jalur, "person", "add", "-", "--data", "-", text=json.dumps({**PERSON, "name": "Wati"}))
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout) == {"person": 1, "name": "Wati", "account": "owner-1"}
    file = tmp_path / "orang.json"
    file.write_text(json.dumps(PERSON))
    assert json.loads(typed(jalur, "person", "add", "Wati", "--data", f"@{file}").stdout)["person"] == 1


def test_a_file_that_is_not_there_or_is_no_json_is_wrong_usage(jalur: CommandLine, tmp_path: Path) -> None:
    """Exit code 2, with the file's name and not its content."""
    file = tmp_path / "bukan.json"
    file.write_text(f"national_id: {NIK}")
    for source, said in ((f"@{tmp_path / 'tidak-ada.json'}", "can't be read"), (f"@{file}", "is not JSON")):
        refused = typed(jalur, "person", "add", "Wati", "--data", source)
        assert refused.exit_code == 2
        assert said in " ".join(refused.stderr.replace("│", " ").split())
        assert NIK not in refused.stderr


def test_what_is_no_secret_may_be_typed(jalur: CommandLine) -> None:
    """A decision is no personal datum: the command goes on to the case, which is unknown here."""
    refused = typed(jalur, *BEFORE["answer"], "--data", '{"decision": "complete"}')
    assert refused.exit_code == 1
    assert "There is no case" in json.loads(refused.stdout)["error"]
