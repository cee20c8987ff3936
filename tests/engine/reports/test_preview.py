"""What `jalur preview` leaves: every document and letter, and one contact sheet of all documents."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from documents import contact_sheet as module
from documents.errors import DocumentError
from engine.definition.declarations import OFFICE, OFFICE_PAPERS
from engine.definition.registry import all_appeals, current
from engine.reports import preview
from engine.reports.preview import CONTACT_SHEET, LANGUAGES, preview_all
from tests.documents.test_rendering import text_of


@pytest.mark.slow
def test_every_registered_document_is_on_the_contact_sheet(tmp_path: Path) -> None:
    """By pipeline, in both languages, with its name under it: as many pictures as names."""
    files = list(preview_all(tmp_path))
    assert files[-1] == tmp_path / CONTACT_SHEET
    told = text_of(files[-1].read_bytes()).split()
    processes = [*current(), *all_appeals()]
    kinds = [*(kind for one in processes for kind in one.papers), *OFFICE_PAPERS]
    names = [f"{kind}.{language}" for kind in kinds for language in LANGUAGES]
    assert sorted(word for word in told if re.fullmatch(r"\w+\.(id|en)", word)) == sorted(names)
    folders = [*(one.name for one in processes), OFFICE]
    assert [word for word in told if word in folders] == folders
    listed = subprocess.run(["pdfimages", "-list", files[-1]], capture_output=True, text=True, check=True).stdout
    assert len(listed.splitlines()) - 2 == len(names)
    letters = {
        f"letter-{letter}.{language}.txt" for one in processes for letter in one.letters for language in LANGUAGES
    }
    assert letters <= {file.name for file in files}
    of_the_office = {file.name for file in files if file.parent == tmp_path / OFFICE}
    assert {"letter-reminder.id.txt", "letter-reminder.en.txt", "digest.id.txt", "digest.id.html"} <= of_the_office


def one_paper(folder: Path) -> Iterator[tuple[str, str, bytes]]:
    """Stand in for the documents of a pipeline: one that no program can draw."""
    yield "receipt", "id", b"%PDF-1.7\n%%EOF\n"


def test_without_the_program_that_draws_pages_the_rest_is_written_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sheet alone needs pdftoppm: no old sheet is left to be taken for a new one, and the package is named."""
    monkeypatch.setattr(preview, "previews", one_paper)
    monkeypatch.setattr("shutil.which", lambda program: None)
    (tmp_path / CONTACT_SHEET).write_bytes(b"of last year")
    done = CliRunner().invoke(app, ["preview", str(tmp_path)])
    assert done.exit_code == 0
    assert "pdftoppm is missing" in done.stderr and "poppler-utils" in done.stderr
    assert not (tmp_path / CONTACT_SHEET).exists()
    assert (tmp_path / "nib_legalization" / "receipt.id.pdf").exists()


def test_a_page_that_cannot_be_drawn_is_named(tmp_path: Path) -> None:
    """A broken file is an error with its name, not a gap on the sheet."""
    broken = tmp_path / "receipt.id.pdf"
    broken.write_bytes(b"no document")
    with pytest.raises(DocumentError, match=r"receipt\.id\.pdf"):
        module.contact_sheet({"nib-legalization": [broken]})
