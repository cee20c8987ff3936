"""Every document and letter of every pipeline, filled with its sample facts: what `make preview` writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.documents.letters import write
from engine.documents.preview import previews, sample_facts
from engine.documents.templating import TEMPLATES
from engine.registry import current

LANGUAGES = ("id", "en")


def preview_all(folder: Path) -> Iterator[Path]:
    """Write PDFs and letters below ``folder``, by pipeline; yield each file as it is written."""
    for pipeline in current():
        out = folder / pipeline.slug
        out.mkdir(parents=True, exist_ok=True)
        for kind, language, pdf in previews(TEMPLATES / pipeline.slug):
            file = out / f"{kind}.{language}.pdf"
            file.write_bytes(pdf)
            yield file
        for letter in pipeline.letters:
            template = f"{pipeline.slug}/letters/{letter}"
            facts = sample_facts(TEMPLATES / template)
            for language in LANGUAGES:
                file = out / f"letter-{letter}.{language}.txt"
                written = write(template, facts, language)
                file.write_text(f"{written.subject}\n\n{written.text}", encoding="utf-8")
                yield file
