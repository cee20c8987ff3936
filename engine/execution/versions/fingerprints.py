"""Fingerprints: the code of a version stays, unchanged, while a case is open under it.

``flows/versions.json`` holds a fingerprint of each version's process and forms. A test goes red when one changes without a
new version; ``scripts/lock-versions`` writes the file for a version that no case has been opened under.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from sqlmodel import Session, col, func, select

from engine.cases.ledger import LODGED
from engine.definition.registry import Appeal, Pipeline, all_appeals, all_versions, pipeline_named
from engine.errors import Refused
from models import Answer, CaseFile, CaseStatus, LedgerEntry


def fingerprint(pipeline: Pipeline | Appeal) -> str:
    """Return SHA-256 (hex) over a process and the schemas of its forms.

    The process is its module without comments, docstrings and imports: imports say where a word stands, not what the
    process does.
    """
    file = inspect.getsourcefile(pipeline.body)
    assert file is not None
    tree = _WithoutImports().visit(ast.parse(Path(file).read_text("utf-8")))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    forms = {name: question.form.model_json_schema() for name, question in sorted(pipeline.own_questions.items())}
    for schema in forms.values():
        _without_descriptions(schema)
    said = ast.dump(tree) + json.dumps(forms, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


class _WithoutImports(ast.NodeTransformer):
    """Takes import statements out of a tree, at any depth."""

    def visit_Import(self, node: ast.Import) -> None:
        """Drop ``import x``."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Drop ``from x import y``."""


def is_same_step(pipeline: Pipeline, version: int, step: str) -> bool:
    """Return whether a step of that version has the code that it has in ``pipeline``.

    All that it calls of ours counts. Return False where the code of one of them is gone.
    """
    try:
        steps = [one.steps[step] for one in (pipeline, pipeline_named(pipeline.name, version))]
    except (Refused, KeyError):
        return False
    return _meaning(steps[0], set()) == _meaning(steps[1], set())


def _meaning(work: Callable[..., Any], seen: set[str]) -> object:
    """Return what a function does, to be compared: its bytecode, and what its names stand for."""
    function = inspect.unwrap(work)
    if not isinstance(function, FunctionType) or function.__qualname__ in seen:
        return getattr(function, "__qualname__", repr(function))
    seen.add(function.__qualname__)
    ours = function.__module__.split(".")[0] + "."
    means: dict[str, object] = {}
    for name in _names(function.__code__):
        value = function.__globals__.get(name)
        if isinstance(value, FunctionType) and value.__module__.startswith(ours):
            means[name] = _meaning(value, seen)
        elif not isinstance(value, FunctionType | ModuleType | type):
            means[name] = repr(value)
    return _plain(function.__code__), means


def _names(code: CodeType) -> set[str]:
    inner = [part for part in code.co_consts if isinstance(part, CodeType)]
    return {*code.co_names}.union(*map(_names, inner))


def _plain(code: CodeType) -> object:
    return code.co_code, code.co_names, [_plain(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]


def must_have_code(session: Session) -> None:
    """Check that the version of each open case, and of each open appeal, is there.

    Raises:
        Refused: one is missing, with what to restore.
    """
    known = {(pipeline.name, pipeline.version) for pipeline in all_versions()}
    known |= {(appeal.name, appeal.version) for appeal in all_appeals()}
    used = session.exec(
        select(CaseFile.pipeline, CaseFile.version, func.count())
        .where(col(CaseFile.status) != CaseStatus.CLOSED)
        .group_by(CaseFile.pipeline, CaseFile.version)  # type: ignore[arg-type]
    )
    counts = {(name, version): count for name, version, count in used}
    counts |= _open_appeals(session)
    missing = [
        f"{name} version {version} ({count} open)"
        for (name, version), count in counts.items()
        if (name, version) not in known
    ]
    if missing:
        raise Refused(
            f"Open cases need code that is not here: {', '.join(missing)}. Restore it to flows/past/, or migrate the cases",
            for_people="Ada permohonan berjalan yang kodenya tidak tersedia: "
            f"{', '.join(missing)}. Kembalikan kodenya ke flows/past/, atau pindahkan permohonannya.",
        )


def _open_appeals(session: Session) -> Counter[tuple[str, int]]:
    """Return how many open cases go on in which version of which appeal's process."""
    lodged = session.exec(
        select(LedgerEntry.result)
        .join(CaseFile, col(CaseFile.id) == col(LedgerEntry.case_id))
        .join(Answer, (col(Answer.case_id) == col(CaseFile.id)) & (col(Answer.key) == col(LedgerEntry.key)))
        .where(col(CaseFile.status) != CaseStatus.CLOSED, Answer.key == LODGED)
    )
    return Counter((entry["appeal"], entry["version"]) for entry in lodged)


def _without_descriptions(schema: object) -> None:
    if isinstance(schema, dict):
        schema.pop("description", None)
        schema.pop("title", None)
        for part in schema.values():
            _without_descriptions(part)
    elif isinstance(schema, list):
        for part in schema:
            _without_descriptions(part)
