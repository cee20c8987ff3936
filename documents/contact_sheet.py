"""A sheet with page 1 of many documents in small, for the office to compare them."""

import shutil
import subprocess
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

from weasyprint import HTML

from documents.enclosure import JSON
from documents.errors import DocumentError
from documents.fetching import TemplateFetcher
from documents.templating import TEMPLATES, fill

DRAWS_PAGES = "pdftoppm"
DOTS_PER_INCH = 110  # 32 mm wide on the sheet: headings can be read when it is magnified


def can_be_made() -> bool:
    """Return whether pdftoppm, which draws the pages, is installed."""
    return shutil.which(DRAWS_PAGES) is not None


def contact_sheet(groups: Mapping[str, Sequence[Path]]) -> bytes:
    """Make the sheet as a PDF: a heading for each group, the file's name beneath each page.

    Raises:
        DocumentError: pdftoppm cannot draw one of the files.
    """
    pipelines: list[JSON] = [
        {"name": group, "pages": [{"name": file.stem, "picture": _first_page(file)} for file in files]}
        for group, files in groups.items()
    ]
    html = fill("contact_sheet.html", {"pipelines": pipelines})
    base = (TEMPLATES.resolve() / "_").as_uri()
    sheet: bytes = HTML(string=html, base_url=base, url_fetcher=TemplateFetcher([TEMPLATES])).write_pdf()
    return sheet


def _first_page(file: Path) -> str:
    """Draw page 1 and return the picture as a `data:` URI."""
    words = [DRAWS_PAGES, "-jpeg", "-r", str(DOTS_PER_INCH), "-f", "1", "-l", "1", "-singlefile", str(file)]
    drawn = subprocess.run(words, capture_output=True, check=False)
    if drawn.returncode != 0 or not drawn.stdout:
        raise DocumentError(f"{DRAWS_PAGES} can't draw {file}: {drawn.stderr.decode(errors='replace').strip()}")
    return f"data:image/jpeg;base64,{b64encode(drawn.stdout).decode()}"
