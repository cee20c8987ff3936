"""A document is its facts: nothing missing, nothing executed, and the same bytes each time."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from documents.alphabet import printable_letters
from documents.errors import DocumentError, MissingFact, ReservedFact, UnprintableText
from documents.render import render
from documents.templating import TEMPLATES
from tests.documents.conftest import AT, CHECK, Facts, read, sample

ROOT = TEMPLATES.parent
CERTIFICATE = "nib_legalization/documents/certificate_of_legalization"
RECEIPT = "nib_legalization/documents/receipt"

OwnTemplates = Callable[[str], Path]


def receipt(facts: Facts, *, at: datetime = AT, language: str = "id") -> bytes:
    return render(RECEIPT, facts, language=language, at=at, check_url=None, title=None)


def text_of(pdf: bytes) -> str:
    return " ".join("\n".join(page.extract_text() for page in read(pdf).pages).split())


def test_same_facts_and_second_give_the_same_bytes_whatever_was_rendered_before(certificate: bytes) -> None:
    """Also between documents of another kind, and with the facts in another order."""
    receipt(sample("receipt"))
    facts = sample("certificate_of_legalization")
    turned = dict(reversed(facts.items()))
    again = render(CERTIFICATE, turned, language="id", at=AT, check_url=CHECK, title=None)
    assert again == certificate


@pytest.mark.slow
def test_another_process_makes_the_same_bytes(certificate: bytes) -> None:
    """With another hash seed, and with nothing rendered before."""
    program = (
        "import hashlib, sys; from tests.documents.conftest import *;"
        "pdf = render('nib_legalization/documents/certificate_of_legalization', sample('certificate_of_legalization'),"
        "language='id', at=AT, check_url=CHECK, title=None); print(hashlib.sha256(pdf).hexdigest())"
    )
    environment = {"PYTHONHASHSEED": "4711", "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    run = [sys.executable, "-c", program]
    output = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert output.strip() == hashlib.sha256(certificate).hexdigest()


def test_another_second_is_another_file() -> None:
    """The second is part of what the file says."""
    assert receipt(sample("receipt")) != receipt(sample("receipt"), at=AT + timedelta(seconds=1))


def test_the_facts_travel_inside_the_file(certificate: bytes) -> None:
    """As given, with what the document is and when it was made."""
    reader = read(certificate)
    enclosed = json.loads(reader.attachments["facts.json"][0])
    assert enclosed["facts"] == sample("certificate_of_legalization")
    assert (enclosed["at"], enclosed["language"], enclosed["check_url"]) == ("2026-11-24T03:00:00Z", "id", CHECK)
    assert [file.get_object()["/AFRelationship"] for file in reader.trailer["/Root"]["/AF"]] == ["/Data"]


@pytest.mark.parametrize("fact", sorted(sample("certificate_of_legalization").keys() - {"case_number"}))
def test_a_missing_fact_stops_the_document(fact: str) -> None:
    """Whichever it is; only the case's number is not printed, since the certificate shows its own."""
    facts = sample("certificate_of_legalization")
    del facts[fact]
    with pytest.raises(MissingFact, match="cannot be written"):
        render(CERTIFICATE, facts, language="id", at=AT, check_url=CHECK, title=None)


@pytest.mark.parametrize("unfinished", [None, True, 1.5, ["Sri"], {"name": "Sri"}])
def test_an_unfinished_fact_is_not_printed(unfinished: Facts) -> None:
    """None, lists and fractions are not words that anybody should read."""
    with pytest.raises(MissingFact):
        receipt({**sample("receipt"), "applicant_name": unfinished})


def test_a_fact_may_not_take_the_renderers_own_names() -> None:
    """Or a caller could replace the QR code."""
    with pytest.raises(ReservedFact, match="check_qr"):
        receipt({**sample("receipt"), "check_qr": "data:,"})


@pytest.mark.parametrize(
    "evil", ["{{7*7}}", "{% for x in y %}", "<script>alert(1)</script>", "<img src='file:///etc/passwd'>", "a & b"]
)
def test_what_people_write_stays_text(evil: str) -> None:
    """A name is printed letter by letter, whatever it looks like."""
    shown = text_of(receipt({**sample("receipt"), "business_name": evil}))
    assert evil in shown


def test_letters_that_we_cannot_draw_are_refused_by_name() -> None:
    """Instead of being drawn in whatever font the machine has, or as boxes."""
    with pytest.raises(UnprintableText, match=r"U\+1F600"):
        receipt({**sample("receipt"), "business_name": "Sari 😀"})
    assert {"é", "Ł", "’", "·"} < printable_letters()


def test_the_characters_of_the_fonts_are_read_without_weasyprint() -> None:
    """A form with an unusual letter does not pay for the import of WeasyPrint."""
    asked = "import sys, documents.alphabet as a; print(len(a.printable_letters()) > 0, 'weasyprint' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True False"


@pytest.mark.parametrize("mark", ["\u202e", "\u200b", "\u00ad", "\ufeff", "\x00"])
def test_marks_that_nobody_sees_are_refused(mark: str) -> None:
    """A name that turns its letters around, or hides some, could pass for another."""
    with pytest.raises(UnprintableText, match=f"U\\+{ord(mark):04X}"):
        receipt({**sample("receipt"), "business_name": f"Sari{mark}gnp"})


def test_names_beyond_plain_latin_are_drawn_in_our_own_fonts() -> None:
    """Ł, ğ and a decomposed ó: fonts are never taken by luck from the machine."""
    pdf = receipt({**sample("receipt"), "business_name": "Łódź Yağmur So\u0301to"})
    assert "Łódź Yağmur Sóto" in text_of(pdf)
    assert all(font.split("+")[1].startswith("Jalur-") for font in fonts_in(pdf))


def fonts_in(pdf: bytes) -> set[str]:
    found = set()
    for page in read(pdf).pages:
        for font in page["/Resources"]["/Font"].values():
            descendant = font.get_object()["/DescendantFonts"][0].get_object()
            assert "/FontFile2" in descendant["/FontDescriptor"]
            found.add(str(font.get_object()["/BaseFont"]))
    return found


def test_it_claims_pdfa_and_accessibility_and_is_a_sound_file(certificate: bytes, tmp_path: Path) -> None:
    """PDF/A-3a and PDF/UA-1: tagged, titled, with a language, an output intent and one metadata block."""
    reader = read(certificate)
    root = reader.trailer["/Root"]
    metadata = root["/Metadata"].get_data().decode()
    assert 'pdfaid:part="3"' in metadata and 'pdfaid:conformance="A"' in metadata
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata and metadata.count("<rdf:RDF") == 1
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == "id" and "/OutputIntents" in root
    assert root["/StructTreeRoot"]["/K"] and root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata and reader.metadata.title == "Sertifikat Legalisasi Usaha LEG-2026-000123"
    file = tmp_path / "certificate.pdf"
    file.write_bytes(certificate)
    assert subprocess.run(["qpdf", "--check", str(file)], capture_output=True, check=False).returncode == 0


def test_every_picture_has_words_for_those_who_cannot_see(certificate: bytes) -> None:
    """The QR code is the only figure; frame and emblem are decoration."""
    figures = [item for item in structure(certificate) if item.get("/S") == "/Figure"]
    assert [figure["/Alt"] for figure in figures] == ["Kode QR ke halaman periksa keaslian"]


def structure(pdf: bytes) -> list[Any]:
    waiting = list(read(pdf).trailer["/Root"]["/StructTreeRoot"]["/K"])
    found = []
    while waiting:
        item = waiting.pop().get_object()
        if isinstance(item, dict):
            found.append(item)
            waiting.extend(kid for kid in item.get("/K", []) if not isinstance(kid, int))
    return found


def test_a_template_without_a_title_is_refused(own_templates: OwnTemplates) -> None:
    """A reader program announces the title; an empty one is a fault in the template."""
    root = own_templates("<html lang='id'><p>Halo</p></html>")
    with pytest.raises(DocumentError, match="no title"):
        render("doc", {}, language="id", at=AT, check_url=None, title=None, root=root)
    assert render("doc", {}, language="id", at=AT, check_url=None, title="Salam", root=root)


def test_a_time_without_a_zone_is_refused() -> None:
    """It would mean another second on another machine."""
    with pytest.raises(ValueError, match="time zone"):
        receipt(sample("receipt"), at=datetime(2026, 11, 24, 3))
    in_jakarta = AT.astimezone(timezone(timedelta(hours=7)))
    assert receipt(sample("receipt"), at=in_jakarta) == receipt(sample("receipt"))


@pytest.mark.parametrize("kind", ["receipt", "risk_sheet", "refusal", "certificate_of_legalization"])
def test_tables_are_tables_and_say_what_their_headers_head(kind: str) -> None:
    """What is only laid out side by side is no table (PDF/UA-1, 7.5); each header names its row or its column."""
    url = CHECK if "document_number" in sample(kind) else None
    name = f"nib_legalization/documents/{kind}"
    tags = structure(render(name, sample(kind), language="id", at=AT, check_url=url, title=None))
    scopes = [dict(tag.get("/A", {})).get("/Scope") for tag in tags if tag.get("/S") == "/TH"]
    assert set(scopes) <= {"/Row", "/Column"}
    assert bool(scopes) is any(tag.get("/S") == "/Table" for tag in tags)
