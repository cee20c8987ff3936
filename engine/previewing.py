"""Every document and letter of every pipeline, filled with its sample facts: what `make preview` writes.

When all are written, page 1 of every document stands on one contact sheet, where there is a program that draws pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.documents.contact_sheet import can_be_made, contact_sheet
from engine.documents.letters import write
from engine.documents.preview import previews, sample_facts
from engine.documents.templating import TEMPLATES
from engine.registry import all_appeals, current

LANGUAGES = ("id", "en")
CONTACT_SHEET = "contact-sheet.pdf"


def preview_all(folder: Path) -> Iterator[Path]:
    """Write PDFs and letters below ``folder``, by pipeline, and the contact sheet; yield each file as it is written."""
    documents: dict[str, list[Path]] = {}
    sheet = folder / CONTACT_SHEET
    sheet.unlink(missing_ok=True)  # an old one would show what is no longer so
    for pipeline in [*current(), *all_appeals()]:
        out = folder / pipeline.slug
        out.mkdir(parents=True, exist_ok=True)
        for kind, language, pdf in previews(TEMPLATES / pipeline.slug):
            file = out / f"{kind}.{language}.pdf"
            file.write_bytes(pdf)
            documents.setdefault(pipeline.name, []).append(file)
            yield file
        for letter in pipeline.letters:
            template = f"{pipeline.slug}/letters/{letter}"
            facts = sample_facts(TEMPLATES / template)
            for language in LANGUAGES:
                file = out / f"letter-{letter}.{language}.txt"
                written = write(template, facts, language)
                file.write_text(f"{written.subject}\n\n{written.text}", encoding="utf-8")
                yield file
    if can_be_made():
        sheet.write_bytes(contact_sheet(documents))
        yield sheet
