"""One office key for the session, and the sample facts that lie beside the templates."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from documents.enclosure import JSON
from documents.preview import sample_facts
from documents.render import render
from documents.signing import DemoKey, LocalSigner, create_demo_key
from documents.templating import TEMPLATES

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PIPELINE = TEMPLATES / "nib_legalization"
CHECK = "https://periksa.contoh.example/check/LEG-2026-000123"

Facts = dict[str, JSON]


def sample(kind: str, folder: str = "documents") -> Facts:
    """The sample facts of a document kind or a letter."""
    return sample_facts(PIPELINE / folder / kind)


def read(pdf: bytes) -> Any:
    """The file as pypdf reads it; Any, since a PDF's parts have no types worth naming."""
    return PdfReader(BytesIO(pdf))


@pytest.fixture(scope="session")
def office_key(tmp_path_factory: pytest.TempPathFactory) -> DemoKey:
    """A demo key, made once: RSA keys take a while."""
    return create_demo_key(tmp_path_factory.mktemp("keys"), now=AT, environment="test")


@pytest.fixture(scope="session")
def office(office_key: DemoKey) -> LocalSigner:
    """The office that signs."""
    return LocalSigner.from_pem(office_key.key, office_key.certificate)


@pytest.fixture(scope="session")
def certificate() -> bytes:
    """The certificate of legalization from its sample facts, unsigned."""
    return render(
        "nib_legalization/documents/certificate_of_legalization",
        sample("certificate_of_legalization"),
        language="id",
        at=AT,
        check_url=CHECK,
        title=None,
    )


@pytest.fixture
def own_templates(tmp_path: Path) -> Callable[[str], Path]:
    """Write a template `doc/id.html` of one's own, and get the folder to render it from."""

    def write(source: str) -> Path:
        (tmp_path / "own" / "doc").mkdir(parents=True, exist_ok=True)
        (tmp_path / "own" / "doc" / "id.html").write_text(source, encoding="utf-8")
        return tmp_path / "own"

    return write
