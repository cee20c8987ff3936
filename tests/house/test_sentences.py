"""How docstrings read: a first line that a stranger understands without the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.test_rules_of_the_house import ROOT, SOURCES

FIRST_LINE = 90
MODULE = 5
# A relative clause as the subject of a sentence: "Who got a question is reminded", "What is due …".
RELATIVE = re.compile(r"(What|Whatever|Who|Whoever|Whom|Whose|Which|Where|When|That which) ", re.IGNORECASE)
OF_THE_PRODUCT = [file for file in SOURCES if file.relative_to(ROOT).parts[0] != "tests"]


def docstrings(file: Path) -> Iterator[tuple[str, str]]:
    """Return each docstring of a file with the name of its owner."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if documented and (words := ast.get_docstring(node)):  # type: ignore[arg-type]
            yield getattr(node, "name", file.stem), words


@pytest.mark.parametrize("file", OF_THE_PRODUCT, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_first_line_is_short_and_names_its_subject(file: Path) -> None:
    """At most 90 characters, and no relative clause as the subject. Ruff holds it to the imperative (D401, D205)."""
    firsts = [(name, words.splitlines()[0]) for name, words in docstrings(file)]
    assert [(name, line) for name, line in firsts if len(line) > FIRST_LINE] == []
    assert [(name, line) for name, line in firsts if RELATIVE.match(line)] == []


@pytest.mark.parametrize("file", OF_THE_PRODUCT, ids=lambda file: str(file.relative_to(ROOT)))
def test_reasons_that_need_more_room_stand_in_a_decision(file: Path) -> None:
    """A module's docstring is five lines long at most; the page of docs/decisions has room."""
    told = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    assert len([line for line in told.splitlines() if line]) <= MODULE, told
