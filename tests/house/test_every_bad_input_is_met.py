"""Each bad input of the domain's lists has a test that bears its number in the list: ``test_3_8_04_…``."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

FLOWS = Path(__file__).parents[1] / "stories"

# Section of the domain facts: whose stories they are, and how many items the list has.
LISTS = {
    "2_8": ("nib_legalization", 12),
    "3_8": ("halal_self_declare", 15),
    "4_5": ("halal_regular", 12),
    "5_7": ("lsp_competency_test", 15),
    "6_5": ("product_curation", 15),
}


@pytest.mark.parametrize("section", LISTS)
def test_every_item_of_the_list_has_a_test_and_no_test_has_a_number_beyond_it(section: str) -> None:
    """The files are read, not run: a test that is renamed or deleted turns this red."""
    slug, count = LISTS[section]
    numbers = {number for file in (FLOWS / slug).glob("test_*.py") for number in numbered(file, section)}
    assert sorted(numbers) == list(range(1, count + 1))


def numbered(file: Path, section: str) -> set[int]:
    """Return the numbers that the names of a file's tests bear."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and (match := re.match(rf"test_{section}_(\d\d)_\w", node.name)):
            found.add(int(match[1]))
    return found
