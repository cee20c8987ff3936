"""Previews: every document of a pipeline, rendered from sample facts."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from documents.enclosure import JSON
from documents.errors import DocumentError
from documents.formats import LANGUAGES
from documents.render import render

SAMPLE = "sample.json"
SAMPLE_AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SAMPLE_CHECK = "https://periksa.contoh.example/check/"
_MARK = {"id": "CONTOH", "en": "SAMPLE"}


def document_kinds(pipeline_folder: Path) -> list[str]:
    """List the document kinds of a pipeline: the folders beneath `documents/`, sorted."""
    return sorted(folder.name for folder in (pipeline_folder / "documents").iterdir() if folder.is_dir())


def letter_kinds(folder: Path) -> list[str]:
    """List the letters of a pipeline or of the office: the folders beneath `letters/`, sorted."""
    return sorted(one.name for one in (folder / "letters").iterdir() if one.is_dir())


def sample_facts(folder: Path) -> dict[str, JSON]:
    """Read the sample facts beside a template, merged over those of the folder above it.

    Raises:
        DocumentError: there are no sample facts, or they are not JSON.
    """
    common = folder.parent / SAMPLE
    return {**(_facts_in(common) if common.exists() else {}), **_facts_in(folder / SAMPLE)}


def _facts_in(file: Path) -> dict[str, JSON]:
    try:
        facts: dict[str, JSON] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise DocumentError(f"{file} does not hold sample facts: {problem}") from problem
    return facts


def sample_check_url(facts: dict[str, JSON]) -> str | None:
    """Return the sample check address of a numbered document, None for a paper without a number."""
    number = facts.get("document_number")
    return f"{SAMPLE_CHECK}{number}" if number else None


def previews(pipeline_folder: Path, *, marked: bool = True) -> Iterator[tuple[str, str, bytes]]:
    """Yield (kind, language, PDF) of each template; `marked` writes SAMPLE on each page."""
    root = pipeline_folder.parent
    for kind in document_kinds(pipeline_folder):
        facts = sample_facts(pipeline_folder / "documents" / kind)
        for language in LANGUAGES:
            pdf = render(
                f"{pipeline_folder.name}/documents/{kind}",
                facts,
                language=language,
                at=SAMPLE_AT,
                check_url=sample_check_url(facts),
                title=None,
                mark=_MARK[language] if marked else None,
                root=root,
            )
            yield kind, language, pdf
