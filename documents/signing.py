"""Signatures of the office on documents: PAdES baseline B (ETSI EN 319 142-1), RSA PKCS#1.

RSA, because pyHanko raises the file to PDF 2.0 for an EC key, and PDF/A-3 forbids that. The same file, key and second
give the same bytes: a document that was signed but not stored before a crash is remade identically.
"""

import asyncio
import hashlib
import logging
import os
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar, runtime_checkable

import asn1crypto.x509
from asn1crypto import keys, pem
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers.pdf_signer import PdfSigningSession
from pyhanko_certvalidator.registry import SimpleCertificateStore

from documents.errors import DocumentError, UnusableKey
from documents.finishing import SIGNATURE_FIELD

logging.getLogger("pyhanko").setLevel(logging.ERROR)

TEN_YEARS = timedelta(days=3650)
DEMO_SUBJECT = "Dinas Koperasi dan UKM Provinsi Jawa Timur (DEMO)"

T = TypeVar("T")


@runtime_checkable
class Signer(Protocol):
    """A signer of the office's documents: a local key, or a certified provider's adapter."""

    def sign(self, pdf: bytes, *, reason: str, at: datetime) -> bytes:
        """Return the file with the office's signature added, dated `at`.

        Raises:
            DocumentError: the file is signed already.
            ValueError: `at` has no time zone.
        """
        ...


class LocalSigner:
    """Signs with a key on this machine, parsed once; threads may share an instance."""

    def __init__(self, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
        if certificate.public_key() != key.public_key():
            raise UnusableKey("the certificate does not belong to the key")
        self.certificate = certificate
        ours = asn1crypto.x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
        self._signer = _ParsedKeySigner(key, ours)
        # Hexadecimal digits reserved for the signature; without this pyHanko signs twice to find the number.
        self._room = 2 * (len(ours.dump()) + key.key_size // 8 + 2000)

    @classmethod
    def from_pem(cls, key_file: Path, certificate_file: Path, password: bytes | None = None) -> "LocalSigner":
        """Read the key and its certificate from PEM files.

        Raises:
            UnusableKey: the files do not hold an RSA key and its certificate.
        """
        try:
            key = serialization.load_pem_private_key(key_file.read_bytes(), password)
            certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        except (OSError, ValueError, TypeError) as problem:
            raise UnusableKey(f"{key_file.name} and {certificate_file.name} cannot be read: {problem}") from problem
        return cls(_rsa(key), certificate)

    @classmethod
    def from_pkcs12(cls, file: Path, password: bytes | None = None) -> "LocalSigner":
        """Read the key and its certificate from a PKCS #12 file.

        Raises:
            UnusableKey: the file does not hold an RSA key and its certificate.
        """
        try:
            key, certificate, _ = pkcs12.load_key_and_certificates(file.read_bytes(), password)
        except (OSError, ValueError) as problem:
            raise UnusableKey(f"{file.name} cannot be read: {problem}") from problem
        if certificate is None:
            raise UnusableKey(f"{file.name} holds no certificate")
        return cls(_rsa(key), certificate)

    def sign(self, pdf: bytes, *, reason: str, at: datetime) -> bytes:
        """Return the file with the office's signature added: see `Signer.sign`."""
        if at.tzinfo is None:
            raise ValueError("a signature's time needs a time zone")
        reader = PdfFileReader(BytesIO(pdf))
        if reader.embedded_signatures:
            raise DocumentError("the document is signed already; sign what was rendered, not what was signed")
        meta = signers.PdfSignatureMetadata(
            field_name=SIGNATURE_FIELD,
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            reason=reason,
            name=common_name(self.certificate),
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
        )
        signer = _DatedSigner(meta, self._signer, at.replace(microsecond=0))
        output = BytesIO()
        writer = _ReproducibleWriter.from_reader(reader)
        run_coroutine(signer.async_sign_pdf(writer, bytes_reserved=self._room, output=output))
        return output.getvalue()


class _ParsedKeySigner(signers.SimpleSigner):
    """Keeps the parsed key: pyHanko's own signer parses it for each signature, which is slow."""

    def __init__(self, key: rsa.RSAPrivateKey, certificate: asn1crypto.x509.Certificate) -> None:
        self._key = key
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register(certificate)
        no_key = keys.PrivateKeyInfo({})
        super().__init__(signing_cert=certificate, signing_key=no_key, cert_registry=store)

    def sign_raw(self, data: bytes, digest_algorithm: str) -> bytes:
        if digest_algorithm != "sha256":
            raise UnusableKey(f"the office signs with SHA-256, not {digest_algorithm}")
        return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())


class _DatedSigner(signers.PdfSigner):
    """Signs at a given second instead of the machine's time."""

    def __init__(self, meta: signers.PdfSignatureMetadata, signer: signers.Signer, at: datetime) -> None:
        super().__init__(meta, signer=signer)
        self._at = at

    def init_signing_session(self, pdf_out: BasePdfFileWriter, existing_fields_only: bool = False) -> PdfSigningSession:
        session = super().init_signing_session(pdf_out, existing_fields_only)
        session.system_time = self._at
        return session


class _ReproducibleWriter(IncrementalPdfFileWriter):
    """Appends the signature, without new dates and without a random file id."""

    @classmethod
    def _handle_id(cls, prev: PdfFileReader) -> generic.ArrayObject:
        first, second = prev.trailer["/ID"]
        seconds = hashlib.md5(bytes(second.original_bytes), usedforsecurity=False).digest()
        return generic.ArrayObject([generic.ByteStringObject(first.original_bytes), generic.ByteStringObject(seconds)])

    def _update_meta(self) -> None:
        """Keep the document's dates: the second at which its number was reserved."""


@dataclass(frozen=True)
class DemoKey:
    """The files of a demo key."""

    key: Path
    certificate: Path


def create_demo_key(folder: Path, *, now: datetime, environment: str) -> DemoKey:
    """Make an office key and a self-signed certificate that says DEMO; keep an existing pair.

    The certificate is valid for ten years before and after `now`, since a demo's clock is turned back and forth.

    Raises:
        UnusableKey: `environment` (JALUR_ENV) is neither demo nor test; a real office's certificate is a provider's.
    """
    if environment not in {"demo", "test"}:
        raise UnusableKey(f"a demo key is made only where JALUR_ENV is demo or test, not {environment!r}")
    made = DemoKey(folder / "office-demo.key.pem", folder / "office-demo.cert.pem")
    if made.key.exists() and made.certificate.exists():
        return made
    folder.mkdir(parents=True, exist_ok=True)
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    certificate = _self_signed(key, now)
    unencrypted = serialization.NoEncryption()
    encoded = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted)
    with _private_file(made.key) as file:
        file.write(encoded)
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return made


def run_coroutine(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine of pyHanko to its result; inside an event loop, on another thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()


def load_certificates(file: Path) -> list[asn1crypto.x509.Certificate]:
    """Return the certificates of a PEM file, for `verify_pdf`."""
    content = file.read_bytes()
    return [asn1crypto.x509.Certificate.load(der) for _, _, der in pem.unarmor(content, multiple=True)]


def common_name(certificate: x509.Certificate) -> str:
    """Return the subject's name of a certificate."""
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def _rsa(key: object) -> rsa.RSAPrivateKey:
    if not isinstance(key, rsa.RSAPrivateKey):
        raise UnusableKey("the office's key must be an RSA key: others make the file PDF 2.0, which PDF/A-3 forbids")
    return key


def _private_file(path: Path) -> IO[bytes]:
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _self_signed(key: rsa.RSAPrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "ID"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, DEMO_SUBJECT),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - TEN_YEARS)
        .not_valid_after(now + TEN_YEARS)
        .add_extension(usage, critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
