"""Previews: all documents and letters of pipelines and office, with sample facts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from documents.contact_sheet import can_be_made, contact_sheet
from documents.letters import write_letter
from documents.preview import letter_kinds, previews, sample_facts
from documents.templating import TEMPLATES
from engine.definition.declarations import ALERT, DIGEST, OFFICE
from engine.definition.registry import all_appeals, current

LANGUAGES = ("id", "en")
CONTACT_SHEET = "contact-sheet.pdf"


def preview_all(folder: Path) -> Iterator[Path]:
    """Write PDFs and letters below ``folder``, by pipeline; yield each file as it is written.

    The contact sheet comes last: page 1 of every document, where a program that draws pages is installed.
    """
    documents: dict[str, list[Path]] = {}
    sheet = folder / CONTACT_SHEET
    sheet.unlink(missing_ok=True)  # an old sheet would show old documents
    folders = [(one.name, one.slug) for one in [*current(), *all_appeals()]]
    for name, slug in [*folders, (OFFICE, OFFICE)]:
        out = folder / slug
        out.mkdir(parents=True, exist_ok=True)
        for kind, language, pdf in previews(TEMPLATES / slug):
            file = out / f"{kind}.{language}.pdf"
            file.write_bytes(pdf)
            documents.setdefault(name, []).append(file)
            yield file
        for letter in letter_kinds(TEMPLATES / slug):
            for language in LANGUAGES:
                yield from _letter(f"{slug}/letters/{letter}", language, out / f"letter-{letter}.{language}")
    for name in (DIGEST, ALERT):
        yield from _letter(name, "id", folder / f"{name}.id")
    if can_be_made():
        sheet.write_bytes(contact_sheet(documents))
        yield sheet


def _letter(template: str, language: str, file: Path) -> Iterator[Path]:
    """Write the text of a letter, and its HTML where it has a template for it."""
    written = write_letter(template, sample_facts(TEMPLATES / template), language)
    text = file.with_name(f"{file.name}.txt")
    text.write_text(f"{written.subject}\n\n{written.text}", encoding="utf-8")
    yield text
    if (TEMPLATES / template / f"{language}.html").exists():
        page = file.with_name(f"{file.name}.html")
        page.write_text(written.html, encoding="utf-8")
        yield page
