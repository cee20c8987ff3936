"""What the office signs can be checked by anybody, and whoever changes it is found out."""

import asyncio
import zlib
from datetime import datetime, timedelta
from io import BytesIO

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from documents.errors import DocumentError, UnusableKey
from documents.render import render
from documents.signing import (
    DEMO_SUBJECT,
    DemoKey,
    LocalSigner,
    Signer,
    create_demo_key,
    load_certificates,
)
from documents.verifying import INTACT, READABLE, TRUSTED, UNCHANGED, Verification, verify_pdf
from tests.documents.conftest import AT, read, sample

REASON = "Sertifikat Legalisasi Usaha LEG-2026-000123"


@pytest.fixture(scope="module")
def signed(certificate: bytes, office: LocalSigner) -> bytes:
    """The certificate with the office's signature."""
    return office.sign(certificate, reason=REASON, at=AT)


def failed(verification: Verification) -> list[str]:
    return [check.name for check in verification.checks if not check.passed]


def test_what_the_office_signed_verifies(signed: bytes, office_key: DemoKey) -> None:
    """With the signer's name, the second, and the facts that were signed."""
    found = verify_pdf(signed, load_certificates(office_key.certificate))
    assert found.valid and [check.name for check in found.checks] == [INTACT, TRUSTED, UNCHANGED, READABLE]
    assert (found.signed_by, found.signed_at) == (DEMO_SUBJECT, AT)
    assert found.facts == sample("certificate_of_legalization")


def test_signing_twice_gives_the_same_bytes(certificate: bytes, signed: bytes, office: LocalSigner) -> None:
    """So that a document lost between signing and storing is made again as it was."""
    assert isinstance(office, Signer)
    assert office.sign(certificate, reason=REASON, at=AT) == signed
    assert office.sign(certificate, reason=REASON, at=AT + timedelta(seconds=1)) != signed


def test_the_signature_keeps_the_files_claims(signed: bytes) -> None:
    """PDF 1.7, still PDF/A; the field stands in the form, in the page and in the structure tree."""
    root = read(signed).trailer["/Root"]
    field = root["/AcroForm"]["/Fields"][0].get_object()
    numbers = root["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    element = numbers[numbers.index(field["/StructParent"]) + 1].get_object()
    assert signed.startswith(b"%PDF-1.7") and "/Version" not in root
    assert element["/S"] == "/Form" and field["/V"]["/SubFilter"] == "/ETSI.CAdES.detached"
    assert b"pdfaid:part" in root["/Metadata"].get_data()


@pytest.mark.parametrize("place", [1000, 20000, 40000])
def test_a_changed_byte_breaks_the_signature(signed: bytes, place: int, office_key: DemoKey) -> None:
    """Wherever it is."""
    changed = signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :]
    assert INTACT in failed(verify_pdf(changed, load_certificates(office_key.certificate)))


def test_what_is_added_after_signing_is_named(signed: bytes, office_key: DemoKey) -> None:
    """The signature itself stays whole, as PDF allows: it is the other check that fails."""
    writer = IncrementalPdfFileWriter(BytesIO(signed))
    page = writer.root["/Pages"]["/Kids"][0]
    drawing = writer.add_object(generic.StreamObject(stream_data=b"BT /F 9 Tf (LUNAS) Tj ET"))
    page["/Contents"] = generic.ArrayObject([page.raw_get("/Contents"), drawing])
    writer.update_container(page)
    out = BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]
    assert failed(verify_pdf(out.getvalue(), load_certificates(office_key.certificate))) == [UNCHANGED]


def test_a_strangers_signature_is_named(
    certificate: bytes, office_key: DemoKey, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Even when the stranger's certificate bears the office's name."""
    other = create_demo_key(tmp_path_factory.mktemp("stranger"), now=AT, environment="demo")
    forged = LocalSigner.from_pem(other.key, other.certificate).sign(certificate, reason=REASON, at=AT)
    found = verify_pdf(forged, load_certificates(office_key.certificate))
    assert failed(found) == [TRUSTED]


def test_an_expired_certificate_does_not_sign(certificate: bytes, office: LocalSigner, office_key: DemoKey) -> None:
    """What is dated outside of its years is not trusted."""
    late = office.sign(certificate, reason=REASON, at=AT + timedelta(days=4000))
    assert failed(verify_pdf(late, load_certificates(office_key.certificate))) == [TRUSTED]


@pytest.mark.parametrize("rubbish", [b"", b"halo", b"%PDF-1.7\n%%EOF", zlib.compress(b"x" * 999)])
def test_rubbish_is_answered_and_never_raises(rubbish: bytes) -> None:
    """Anybody may upload anything to the check page."""
    found = verify_pdf(rubbish, [], language="en")
    assert not found.valid and len(found.checks) == 4 and found.checks[0].detail


def test_an_unsigned_document_says_so(certificate: bytes) -> None:
    """Its facts are readable all the same."""
    assert failed(verify_pdf(certificate, [])) == [INTACT, TRUSTED, UNCHANGED]


def test_a_signed_document_is_not_signed_again(signed: bytes, office: LocalSigner) -> None:
    """A second signature would be a change."""
    with pytest.raises(DocumentError, match="signed already"):
        office.sign(signed, reason=REASON, at=AT)


def test_it_signs_and_verifies_inside_a_running_event_loop(
    certificate: bytes, office: LocalSigner, office_key: DemoKey
) -> None:
    """The web app's handlers are coroutines."""

    async def handler() -> bool:
        pdf = office.sign(certificate, reason=REASON, at=AT)
        return verify_pdf(pdf, load_certificates(office_key.certificate)).valid

    assert asyncio.run(handler())


def test_a_paper_without_a_prepared_field_can_be_signed(office: LocalSigner, office_key: DemoKey) -> None:
    """A receipt has no check address and so no field; pyHanko makes one."""
    name = "nib_legalization/documents/receipt"
    paper = render(name, sample("receipt"), language="id", at=AT, check_url=None, title=None)
    pdf = office.sign(paper, reason="Tanda terima", at=AT)
    assert verify_pdf(pdf, load_certificates(office_key.certificate)).valid


def test_a_demos_clock_may_be_turned_back(certificate: bytes, office: LocalSigner, office_key: DemoKey) -> None:
    """What the demo signs in a year before its key was made is the office's own all the same."""
    signed = office.sign(certificate, reason="demo", at=AT - timedelta(days=400))
    assert failed(verify_pdf(signed, load_certificates(office_key.certificate))) == []


def test_a_demo_key_is_made_only_for_demo_and_test(tmp_path_factory: pytest.TempPathFactory) -> None:
    """And says DEMO, is kept once made, and is readable by its owner only."""
    folder = tmp_path_factory.mktemp("production")
    with pytest.raises(UnusableKey, match="demo or test"):
        create_demo_key(folder, now=AT, environment="production")
    assert list(folder.iterdir()) == []
    made = create_demo_key(folder, now=AT, environment="demo")
    before = made.key.read_bytes()
    assert create_demo_key(folder, now=AT, environment="demo").key.read_bytes() == before
    assert made.key.stat().st_mode & 0o077 == 0
    assert "DEMO" in x509.load_pem_x509_certificate(made.certificate.read_bytes()).subject.rfc4514_string()


def test_pkcs12_works_and_a_wrong_pair_is_refused(
    office_key: DemoKey, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A key file that cannot sign is named before the first document, not at it."""
    folder = tmp_path_factory.mktemp("p12")
    key = serialization.load_pem_private_key(office_key.key.read_bytes(), None)
    certificate = x509.load_pem_x509_certificate(office_key.certificate.read_bytes())
    assert isinstance(key, rsa.RSAPrivateKey)
    secret = serialization.BestAvailableEncryption(b"rahasia")
    bundle = serialization.pkcs12.serialize_key_and_certificates(b"kantor", key, certificate, None, secret)
    (folder / "office.p12").write_bytes(bundle)
    assert LocalSigner.from_pkcs12(folder / "office.p12", b"rahasia").certificate == certificate
    with pytest.raises(UnusableKey):
        LocalSigner.from_pkcs12(folder / "office.p12", b"salah")
    with pytest.raises(UnusableKey, match="does not belong"):
        LocalSigner(rsa.generate_private_key(65537, 2048), certificate)
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "ec.pem").write_bytes(curve)
    with pytest.raises(UnusableKey, match="RSA"):
        LocalSigner.from_pem(folder / "ec.pem", office_key.certificate)


def test_a_naive_time_is_refused(certificate: bytes, office: LocalSigner) -> None:
    """A signature's second is the same on every machine."""
    with pytest.raises(ValueError, match="time zone"):
        office.sign(certificate, reason=REASON, at=datetime(2026, 11, 24))
