"""An open case finishes under the version it began with: its code must be there, and must not change under its number.

``flows/versions.json`` holds a fingerprint of each version's process and forms. A test goes red when one changes without a
new version; ``scripts/lock-versions`` writes the file for a version that no case has been opened under.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import sys

from sqlmodel import Session, col, func, select

from engine.errors import Refused
from engine.registry import Appeal, Pipeline, all_versions
from models import Case, CaseStatus


def fingerprint(pipeline: Pipeline | Appeal) -> str:
    """Return SHA-256 over the process (its module without comments and docstrings) and the schemas of its forms."""
    tree = ast.parse(inspect.getsource(sys.modules[pipeline.module]))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    forms = {name: question.form.model_json_schema() for name, question in sorted(pipeline.own_questions.items())}
    for schema in forms.values():
        _without_descriptions(schema)
    said = ast.dump(tree) + json.dumps(forms, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def must_have_code(session: Session) -> None:
    """Refuse to start when an open case's version is not there. Raises `Refused` with what to restore."""
    known = {(pipeline.name, pipeline.version) for pipeline in all_versions()}
    used = session.exec(
        select(Case.pipeline, Case.version, func.count())
        .where(col(Case.status) != CaseStatus.CLOSED)
        .group_by(Case.pipeline, Case.version)  # type: ignore[arg-type]
    )
    missing = [
        f"{name} version {version} ({count} open)" for name, version, count in used if (name, version) not in known
    ]
    if missing:
        raise Refused(
            f"Open cases need code that is not here: {', '.join(missing)}. Restore it to flows/past/, or migrate the cases"
        )


def _without_descriptions(schema: object) -> None:
    if isinstance(schema, dict):
        schema.pop("description", None)
        schema.pop("title", None)
        for part in schema.values():
            _without_descriptions(part)
    elif isinstance(schema, list):
        for part in schema:
            _without_descriptions(part)
