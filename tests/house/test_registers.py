"""Registers that other cases go by are changed through words, so that the ledger names each change."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOWS = sorted((ROOT / "flows").rglob("*.py"))
WRITES = {"add", "add_all", "merge", "delete", "execute", "flush"}


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_pipeline_changes_rows_through_words_only(file: Path) -> None:
    """Pipelines read with ``this_step.session``; `enter_in_register`, `amend_in_register` and `strike_from_register` write."""
    found = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Standing":
            found.append(ast.unparse(node))
        if isinstance(node, ast.Attribute):
            on_session = isinstance(node.value, ast.Attribute) and node.value.attr == "session"
            if on_session and node.attr in WRITES:
                found.append(ast.unparse(node))
            if (
                isinstance(node.ctx, ast.Store | ast.Del) and ast.unparse(node) != "run.cases"
            ):  # a run counts its own cases
                found.append(ast.unparse(node))
    assert found == []
