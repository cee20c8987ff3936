"""Verification of a PDF: four checks of signature and facts, each with a sentence.

The file comes from the public, so a damaged one gives failed checks, never an exception.
"""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

import asn1crypto.x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation.pdf_embedded import (
    EmbeddedPdfSignature,
    async_validate_pdf_signature,
)
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext

from documents.enclosure import JSON
from documents.render import FACTS_FILE
from documents.signing import run_coroutine

logging.getLogger("pyhanko_certvalidator").setLevel(logging.ERROR)

INTACT, TRUSTED, UNCHANGED, READABLE = "signature_intact", "signer_trusted", "unchanged_since_signing", "facts_readable"

_WORDS = {
    "id": {
        "not_pdf": "Berkas ini bukan PDF yang dapat dibaca",
        "unsigned": "Berkas ini tidak memuat tanda tangan elektronik",
        "broken": "Tanda tangan tidak cocok dengan isi berkas",
        INTACT: "Tanda tangan cocok dengan isi berkas",
        TRUSTED: "Ditandatangani oleh {name}, yang dikenal kantor ini",
        "untrusted": "Ditandatangani oleh {name}, yang tidak dikenal kantor ini",
        "doubtful": "Penandatangan tidak dapat dipastikan, karena tanda tangannya tidak cocok",
        UNCHANGED: "Tidak ada yang diubah sesudah ditandatangani",
        "changed": "Isi berkas diubah sesudah ditandatangani",
        READABLE: "Data perkara di dalam berkas dapat dibaca",
        "factless": "Data perkara di dalam berkas tidak ada atau rusak",
    },
    "en": {
        "not_pdf": "This file is not a PDF that can be read",
        "unsigned": "This file bears no electronic signature",
        "broken": "The signature does not match the file's contents",
        INTACT: "The signature matches the file's contents",
        TRUSTED: "Signed by {name}, whom this office knows",
        "untrusted": "Signed by {name}, whom this office does not know",
        "doubtful": "Who signed it cannot be told, because the signature does not match",
        UNCHANGED: "Nothing was changed after signing",
        "changed": "The file was changed after it was signed",
        READABLE: "The facts inside the file can be read",
        "factless": "The facts inside the file are missing or damaged",
    },
}


@dataclass(frozen=True)
class Check:
    """One check of a file: its stable name, whether it passed, and the reason in a sentence."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Verification:
    """The result of all checks; `enclosed` is the JSON inside the file ("template", "facts", …)."""

    checks: tuple[Check, ...]
    signed_by: str | None
    signed_at: datetime | None
    enclosed: dict[str, JSON] | None

    @property
    def valid(self) -> bool:
        """True where every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def facts(self) -> dict[str, JSON]:
        """The document's facts; empty when they cannot be read."""
        facts = (self.enclosed or {}).get("facts")
        return facts if isinstance(facts, dict) else {}


def verify_pdf(pdf: bytes, trusted: Iterable[asn1crypto.x509.Certificate], *, language: str = "id") -> Verification:
    """Run the four checks, in a fixed order; `trusted` are all the office's certificates.

    A certificate must have been valid at the signature's own time; one that has expired since still counts. Revocation
    is not looked up: leave a revoked certificate out of `trusted`.
    """
    words = _WORDS[language]
    try:
        reader = PdfFileReader(BytesIO(pdf))
        signatures = reader.embedded_regular_signatures
    except Exception:  # a file from the public may break a reader anywhere
        return _unreadable(words["not_pdf"])
    enclosed = read_enclosed(reader)
    readable = Check(READABLE, enclosed is not None, words[READABLE if enclosed else "factless"])
    if not signatures:
        unsigned = tuple(Check(name, False, words["unsigned"]) for name in (INTACT, TRUSTED, UNCHANGED))
        return Verification((*unsigned, readable), None, None, enclosed)
    try:
        status = _status(signatures[0], list(trusted))
        name = _name(status.signing_cert)
    except Exception:  # a signature that cannot be parsed is not intact
        broken = tuple(Check(check, False, words["broken"]) for check in (INTACT, TRUSTED, UNCHANGED))
        return Verification((*broken, readable), None, None, enclosed)
    intact = bool(status.intact and status.valid)
    known = bool(intact and status.trusted and _was_valid(status.signing_cert, signatures[0]))
    same = bool(intact and status.docmdp_ok and _is_unchanged(status) and len(signatures) == 1)
    checks = (
        Check(INTACT, intact, words[INTACT if intact else "broken"]),
        Check(TRUSTED, known, words[_trust_word(intact, known)].format(name=name)),
        Check(UNCHANGED, same, words[UNCHANGED if same else "changed"]),
        readable,
    )
    return Verification(checks, name, signatures[0].self_reported_timestamp, enclosed)


def number_within(pdf: bytes) -> str | None:
    """Return the document number in the facts inside a file; None where they can't be read."""
    try:
        enclosed = read_enclosed(PdfFileReader(BytesIO(pdf)))
    except Exception:  # a damaged file may break a reader anywhere
        return None
    number = (enclosed or {}).get("facts", {}).get("document_number")  # type: ignore[union-attr]
    return str(number) if number else None


def read_enclosed(reader: PdfFileReader) -> dict[str, JSON] | None:
    """Return the JSON that `render` put into the file, or None where it is missing or damaged."""
    try:
        listed: Any = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
        files = {str(name): listed[index + 1] for index, name in enumerate(listed) if index % 2 == 0}
        stream = files[FACTS_FILE]["/EF"]["/F"]
        if not isinstance(stream, generic.StreamObject):
            return None
        enclosed = json.loads(stream.data)
    except Exception:  # any damage means the same: it cannot be read
        return None
    return enclosed if isinstance(enclosed, dict) and isinstance(enclosed.get("facts"), dict) else None


def _status(signature: EmbeddedPdfSignature, trusted: list[asn1crypto.x509.Certificate]) -> PdfSignatureStatus:
    context = ValidationContext(
        trust_roots=trusted,
        moment=signature.self_reported_timestamp,
        allow_fetching=False,
        revocation_mode="soft-fail",
    )
    return run_coroutine(async_validate_pdf_signature(signature, signer_validation_context=context))


def _was_valid(certificate: asn1crypto.x509.Certificate, signature: EmbeddedPdfSignature) -> bool:
    """Return whether the certificate was valid at signing; pyHanko skips this for a trust root."""
    at = signature.self_reported_timestamp
    return at is not None and bool(certificate.not_valid_before <= at <= certificate.not_valid_after)


def _is_unchanged(status: PdfSignatureStatus) -> bool:
    """Return whether nothing but time stamps and revocation data was added after signing."""
    level = status.modification_level
    return level is not None and level <= ModificationLevel.LTA_UPDATES


def _trust_word(intact: bool, known: bool) -> str:
    if not intact:
        return "doubtful"
    return TRUSTED if known else "untrusted"


def _name(certificate: asn1crypto.x509.Certificate) -> str:
    return str(certificate.subject.native.get("common_name") or certificate.subject.human_friendly)


def _unreadable(detail: str) -> Verification:
    checks = tuple(Check(name, False, detail) for name in (INTACT, TRUSTED, UNCHANGED, READABLE))
    return Verification(checks, None, None, None)
