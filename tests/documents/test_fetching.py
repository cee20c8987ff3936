"""A document reads our templates and itself; every other way to a file or an address stops it."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from weasyprint import CSS, Attachment
from weasyprint.text.fonts import FontConfiguration

from documents.errors import DocumentError
from documents.fetching import ForbiddenAddress, TemplateFetcher
from documents.render import render
from documents.templating import TEMPLATES
from tests.documents.conftest import AT

SECRET = "rahasia-kantor"

OwnTemplates = Callable[[str], Path]

WAYS = {
    "img": "<img alt='x' src='{url}'>",
    "embed": "<embed src='{url}'>",
    "object": "<object data='{url}'></object>",
    "stylesheet": "<link rel='stylesheet' href='{url}'>",
    "attachment": "<link rel='attachment' href='{url}'>",
    "anchor": "<a rel='attachment' href='{url}'>x</a>",
    "import": "<style>@import url({url});</style>",
    "background": "<style>p {{ background: url({url}) }}</style>",
    "page": "<style>@page {{ background: url({url}) }}</style>",
    "content": "<style>p::before {{ content: url({url}) }}</style>",
    "font": "<style>@font-face {{ font-family: X; src: url({url}) }} p {{ font-family: X }}</style>",
    "base": "<base href='{folder}/'><img alt='x' src='{name}'>",
}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A readable file outside of the templates, shaped like a picture so that only the fetcher can refuse it."""
    file = tmp_path / "secret.svg"
    file.write_text(f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><text>{SECRET}</text></svg>")
    return file


def document(root: Path) -> bytes:
    return render("doc", {}, language="id", at=AT, check_url=None, title="Uji", root=root)


@pytest.mark.parametrize("way", sorted(WAYS))
@pytest.mark.parametrize("scheme", ["file://", "FILE://", "file://localhost", "http://", "https://", "ftp://"])
def test_no_way_leads_out(way: str, scheme: str, own_templates: OwnTemplates, secret: Path) -> None:
    """Neither to a file, nor to a host, from no element and no style."""
    url = f"{scheme}{secret}" if scheme.lower().startswith("file") else f"{scheme}127.0.0.1:9/x.svg"
    folder, name = url.rsplit("/", 1)
    body = WAYS[way].format(url=url, folder=folder, name=name)
    root = own_templates(f"<html lang='id'><body><p>Halo</p>{body}</body></html>")
    try:
        pdf = document(root)
    except DocumentError as refusal:
        assert "may not" in str(refusal)
    else:
        pytest.fail(f"{way} was let through ({len(pdf)} bytes)")


@pytest.mark.parametrize(
    "path",
    ["../secret.svg", "doc/../../secret.svg", "%2e%2e/secret.svg", "..%2fsecret.svg", "link.svg", "folder/secret.svg"],
)
def test_neither_dots_nor_links_lead_out(path: str, own_templates: OwnTemplates, secret: Path) -> None:
    """The path is resolved first, and judged then."""
    root = own_templates(f"<html lang='id'><body><img alt='x' src='{path}'></body></html>")
    (root / "link.svg").symlink_to(secret)
    (root / "folder").symlink_to(secret.parent)
    with pytest.raises(DocumentError, match=r"may not|does not exist"):
        document(root)


def test_a_template_is_not_a_picture(own_templates: OwnTemplates) -> None:
    """Beneath templates/ too, only pictures, styles and fonts are served: no sample facts, no letters."""
    root = own_templates("<html lang='id'><body><link rel='attachment' href='doc/id.html'></body></html>")
    with pytest.raises(DocumentError, match="not a picture"):
        document(root)


def test_a_missing_picture_stops_the_document(own_templates: OwnTemplates) -> None:
    """A paper without its emblem is not sent out."""
    root = own_templates("<html lang='id'><body><img alt='x' src='gone.svg'></body></html>")
    with pytest.raises(DocumentError, match="does not exist"):
        document(root)


def test_a_picture_inside_a_picture_does_not_lead_out(own_templates: OwnTemplates, secret: Path) -> None:
    """WeasyPrint swallows what goes wrong inside an SVG; then the picture is empty, and the file was not read."""
    inner = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><image href='{secret.as_uri()}'/></svg>"
    data = base64.b64encode(inner.encode()).decode()
    root = own_templates(
        f"<html lang='id'><body><p>Halo</p><img alt='x' src='data:image/svg+xml;base64,{data}'></body></html>"
    )
    try:
        assert SECRET.encode() not in document(root)
    except DocumentError as refusal:
        assert "may not" in str(refusal)


def test_the_guard_holds_for_styles_and_attachments_by_themselves(secret: Path) -> None:
    """They take a fetcher of their own, and are given ours."""
    fetcher = TemplateFetcher([TEMPLATES])
    with pytest.raises(ForbiddenAddress):
        CSS(string=f"@import url({secret.as_uri()})", url_fetcher=fetcher, font_config=FontConfiguration())
    with pytest.raises(ForbiddenAddress), Attachment(url=secret.as_uri(), url_fetcher=fetcher).source:
        pass


def test_our_own_files_and_data_are_served() -> None:
    """The emblem, the fonts, and what a document carries in itself."""
    fetcher = TemplateFetcher([TEMPLATES])
    assert fetcher.fetch((TEMPLATES / "emblem.svg").as_uri()).read().startswith(b"<svg")
    assert fetcher.fetch("data:text/plain,halo").read() == b"halo"
