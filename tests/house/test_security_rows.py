"""docs/security.md answers each requirement of OWASP ASVS 5.0, levels 1 and 2, and names tests that exist."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
# Ids and levels alone: the words of the standard are under CC BY-SA, ours stand in the page.
REQUIREMENTS = dict(line.split() for line in (Path(__file__).parent / "asvs_5_0.txt").read_text().splitlines())
ROW = re.compile(r"^\| (V\d+\.\d+\.\d+) \| ([12]) \| (.+?) \| (test|reason|open) \| (.+) \|$", re.MULTILINE)
NODE = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
# Issues that were open when the page was written, this one among them.
ISSUES = range(14, 21)
LONGEST = 430


class Row(NamedTuple):
    """A requirement, and our answer to it."""

    id: str
    level: str
    asked: str
    answer: str
    where: str


ROWS = [Row(*found) for found in ROW.findall(PAGE)]


def faults(row: Row) -> list[str]:
    """Return what is wrong with a row; nothing where its answer is one."""
    found = [
        f"there is no test {file}::{name}" for file, name in NODE.findall(row.where) if name not in defined_in(file)
    ]
    words = len(re.sub(r"`[^`]*`", "", row.where).split())
    issues = [int(number) for number in re.findall(r"(?<!\w)#(\d+)\b", row.where)]
    if row.answer == "test" and not NODE.search(row.where):
        found.append("it names no test")
    if row.answer == "reason" and not words:
        found.append("it gives no reason")
    if row.answer == "open" and not issues and "no issue" not in row.where:
        found.append("it names neither an issue nor says that there is none")
    return found + [f"there is no issue #{number}" for number in issues if number not in ISSUES]


@cache
def defined_in(file: str) -> frozenset[str]:
    """Return the tests at the top of a module beneath tests/; none where there is no such module."""
    path = ROOT / "tests" / file
    if not (path.is_file() and path.name.startswith("test_")):
        return frozenset()
    body = ast.parse(path.read_text("utf-8")).body
    return frozenset(one.name for one in body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"))


def test_every_requirement_stands_in_the_page_once() -> None:
    """None is left out, none stands twice, none is made up; each with the level that the standard gives it."""
    assert len(REQUIREMENTS) == 253 and Counter(REQUIREMENTS.values()) == {"1": 70, "2": 183}
    assert [row.id for row in ROWS] == list(REQUIREMENTS)
    assert {row.id: row.level for row in ROWS} == REQUIREMENTS
    like_a_row = re.findall(r"^\| (V\d+\.\d+\.\d+)", PAGE, re.MULTILINE)
    assert len(like_a_row) == len(ROWS), "a row that is not in the form is not read"


def test_each_row_is_held_by_a_test_reasoned_or_open() -> None:
    """A test that is renamed or deleted turns its rows red; an open row says which issue brings it."""
    assert {row.id: found for row in ROWS if (found := faults(row))} == {}


def test_the_page_counts_its_rows_and_stays_short() -> None:
    """The sentence above the tables is what the tables say."""
    counted = Counter(row.answer for row in ROWS)
    sentence = (
        f"{len(ROWS)} requirements: {counted['test']} held by a test, {counted['reason']} with a reason, "
        f"{counted['open']} open."
    )
    print(sentence)
    assert sentence in PAGE
    assert len(PAGE.splitlines()) <= LONGEST


def test_a_row_that_claims_too_much_is_found() -> None:
    """The check bites: no test, a test that is gone, an empty reason, an open row without an issue, an issue of nobody."""
    good = ROWS[0]
    assert good.answer == "test" and faults(good) == []
    bad = {
        "it names no test": good._replace(where="surely"),
        "there is no test web/test_app.py::test_gone": good._replace(where="`web/test_app.py::test_gone`"),
        "there is no test web/gone.py::test_gone": good._replace(where="`web/gone.py::test_gone`"),
        "it gives no reason": good._replace(answer="reason", where="`web/app.py`"),
        "it names neither an issue nor says that there is none": good._replace(answer="open", where="later"),
        "there is no issue #99": good._replace(answer="open", where="#99"),
    }
    assert {fault: faults(row) for fault, row in bad.items()} == {fault: [fault] for fault in bad}


@pytest.mark.slow
def test_pytest_collects_every_test_that_is_named() -> None:
    """As pytest itself finds them, parameters aside: a module that can't be imported holds nothing."""
    named = sorted({f"tests/{file}::{name}" for row in ROWS for file, name in NODE.findall(row.where)})
    asked = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:xdist", *named]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    collected = {line.partition("[")[0] for line in done.stdout.splitlines() if "::" in line}
    assert len(named) > 60
    assert collected == set(named)
