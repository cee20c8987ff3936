"""Rendering of a document: Jinja2 → WeasyPrint → PDF/A-3a and PDF/UA-1, with facts as JSON.

Equal facts, template and second give equal bytes: every date in the file is `at`, its /ID is a hash of its contents,
and the fonts are packaged. A process keeps fonts and the parsed style sheet; a page then takes some 40 ms.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any
from unicodedata import normalize

from weasyprint import CSS, HTML, Attachment, Document
from weasyprint.images import SVGImage
from weasyprint.text.fonts import FontConfiguration

from documents.alphabet import printable_letters
from documents.enclosure import JSON, enclose, iso_utc
from documents.errors import DocumentError, ReservedFact, UnprintableText
from documents.fetching import ForbiddenAddress, TemplateFetcher
from documents.finishing import Finisher, claim_accessibility
from documents.packing import Enclosed
from documents.qr import QrCode
from documents.templating import TEMPLATES, fill

FACTS_FILE = "facts.json"
RESERVED = frozenset({"language", "title", "check_url", "check_qr", "mark"})
_FIELD_LABEL = {"id": "Tanda tangan elektronik kantor", "en": "Electronic signature of the office"}


def render(
    template: str,
    facts: Mapping[str, JSON],
    *,
    language: str,
    at: datetime,
    check_url: str | None,
    title: str | None,
    mark: str | None = None,
    files: Sequence[Enclosed] = (),
    root: Path = TEMPLATES,
) -> bytes:
    """Render a document as a PDF.

    `template` is a folder beneath `root` ("nib_legalization/documents/receipt") that holds `<language>.html`;
    `title` is the document's title for readers, None for the template's own; `mark` is written across each page
    (samples, drafts); `files` are embedded beside the facts. With a `check_url` the page gets a QR code of it and the
    file an empty signature field.
    Personal numbers must come masked: the facts are embedded as they are given.

    Raises:
        MissingFact: the template prints a fact that is missing, null or of the wrong shape.
        ReservedFact: a fact bears a name that the renderer fills in.
        UnprintableText: the packaged fonts lack a character.
        DocumentError: the template does not exist, has no title, or reads a forbidden file.
    """
    name = f"{template}/{language}.html"
    if taken := sorted(RESERVED & facts.keys()):
        raise ReservedFact(name, taken)
    code = QrCode(check_url) if check_url else None
    chrome: dict[str, JSON] = {
        "language": language,
        "title": title,
        "check_url": check_url,
        "check_qr": code.uri if code else None,
        "mark": mark,
        "document_number": None,
        "replaces": None,
        "provisional": [],
    }
    html = normalize("NFC", fill(name, {**chrome, **facts}, root=root))
    with _lock:
        renderer = _renderer(root)
        if strange := "".join(sorted(set(html) - printable_letters())):
            raise UnprintableText(name, strange)
        try:
            document = renderer.lay_out(html, code)
            shown_title = title or document.metadata.title
            if not shown_title:
                raise DocumentError(f"{name} has no title")
            embedded = enclose(
                facts, template=template, language=language, at=at, check_url=check_url, title=shown_title
            )
            facts_file = Enclosed(FACTS_FILE, "The facts of this document, for machines", embedded)
            document.metadata.title = shown_title
            document.metadata.created = document.metadata.modified = iso_utc(at)
            framed = document.metadata.custom.pop("frame", None) == "guilloche"
            claim_accessibility(document)
            pdf: bytes = document.write_pdf(
                pdf_variant="pdf/a-3a",
                attachments=[
                    renderer.attach(facts_file, at, "Data"),
                    *(renderer.attach(one, at, "Supplement") for one in files),
                ],
                finisher=Finisher(frame=framed, field=_FIELD_LABEL[language] if check_url else None),
            )
        except ForbiddenAddress as problem:
            raise DocumentError(f"{name}: {problem}") from problem
    return pdf


class _HouseStyle:
    """Fonts and style sheet, read once per process.

    Hold `_lock` while using one: Pango's font map serves one thread at a time.
    """

    def __init__(self) -> None:
        self.fonts = FontConfiguration()
        self.styles = CSS(
            string=(TEMPLATES / "house.css").read_text(encoding="utf-8"),
            base_url=(TEMPLATES.resolve() / "house.css").as_uri(),
            url_fetcher=TemplateFetcher([TEMPLATES]),
            font_config=self.fonts,
        )


class _Renderer:
    """Renders the templates of one folder in the house style."""

    def __init__(self, root: Path) -> None:
        self._house_style = _house_style()
        self._fetcher = TemplateFetcher([root, TEMPLATES])
        self._base = (root.resolve() / "_").as_uri()
        self._pictures: dict[str, Any] = {}

    def lay_out(self, html: str, code: QrCode | None) -> Document:
        """Lay out the pages of this HTML; keep the packaged drawings for the next document."""
        pictures = {**self._pictures, code.uri: code} if code else dict(self._pictures)
        page = HTML(string=html, base_url=self._base, url_fetcher=self._fetcher)
        document = page.render(
            font_config=self._house_style.fonts,
            stylesheets=[self._house_style.styles],
            cache=pictures,
            pdf_variant="pdf/a-3a",
        )
        ours = {url: picture for url, picture in pictures.items() if url.startswith("file:")}
        self._pictures |= {url: picture for url, picture in ours.items() if isinstance(picture, SVGImage)}
        return document

    def attach(self, file: Enclosed, at: datetime, relationship: str) -> Attachment:
        return Attachment(
            file_obj=BytesIO(file.content),
            name=file.name,
            description=file.title,
            created=_utc(at),
            modified=_utc(at),
            relationship=relationship,
            url_fetcher=self._fetcher,
        )


def _utc(at: datetime) -> datetime:
    return datetime.fromisoformat(iso_utc(at))


_lock = Lock()


@lru_cache(maxsize=1)
def _house_style() -> _HouseStyle:
    return _HouseStyle()


@lru_cache(maxsize=8)
def _renderer(root: Path) -> _Renderer:
    return _Renderer(root)
