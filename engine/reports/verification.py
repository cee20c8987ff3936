"""Verification of a document: its signature and facts, and our own record of its hash."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from engine.cases.replaced_documents import replacement_of
from engine.errors import Refused
from engine.runtime.office import Office
from models import Document, DocumentStatus


def check_document(office: Office, what: str) -> dict[str, Any]:
    """Check a PDF file, or a document of ours by number; return the verdict of ``jalur verify``.

    A paper without a number (a receipt, a notice) is unsigned: our record of its hash is its proof.

    Raises:
        Refused: ``what`` is neither a file nor the number of a document.
    """
    path = Path(what)
    with office.db.reading() as session:
        if path.suffix.lower() == ".pdf" or path.is_file():
            if not path.is_file():
                raise Refused(f"There is no file {what}", for_people=f"Berkas {what} tidak ditemukan.")
            return _verdict(office, session, path.read_bytes())
        document = session.exec(select(Document).where(Document.number == what)).first()
        if document is None:
            raise Refused(
                f"No document bears the number {what}. Check it letter by letter",
                for_people=f"Tidak ada dokumen bernomor {what}. Periksa kembali nomornya huruf demi huruf.",
            )
        if document.path is None:
            return _result(document, None, [_check("file", False, "Berkasnya belum selesai dibuat.")])
        return _verdict(office, session, office.store.get(document.path))


def _verdict(office: Office, session: Session, pdf: bytes) -> dict[str, Any]:
    from documents.verifying import verify_pdf  # pyHanko takes half a second

    digest = sha256(pdf).hexdigest()
    document = session.exec(
        select(Document).where(Document.sha256 == digest).order_by(col(Document.number).is_(None))
    ).first()
    found = verify_pdf(pdf, office.trusted_certificates)
    checks = [_check(one.name, one.passed, one.detail) for one in found.checks]
    if document is not None and document.number is None:
        checks = [one for one in checks if one["name"] == "facts"]
    known = document is not None and document.status == DocumentStatus.READY
    detail = "Hash berkas tercatat dan berlaku." if known else "Hash berkas ini tidak ada dalam catatan kantor."
    if document is not None and not known:
        detail = f"Dokumen ini tercatat dengan status {document.status}."
        if document.status == DocumentStatus.REPLACED and (newer := replacement_of(session, document)):
            detail = f"Dokumen ini sudah diganti dengan {newer.number or 'dokumen yang baru'}."
    checks.append(_check("recorded", known, detail))
    claimed = found.facts.get("document_number")
    return _result(document, found.signed_by, checks, str(claimed) if claimed else None)


def _result(
    document: Document | None, signed_by: str | None, checks: list[dict[str, Any]], claimed: str | None = None
) -> dict[str, Any]:
    return {
        "valid": all(one["passed"] for one in checks),
        "kind": document.kind if document else None,
        "number": document.number if document else claimed,
        "status": document.status if document else "unknown",
        "signed_by": signed_by,
        "checks": checks,
    }


def _check(name: str, passed: bool, detail: str) -> dict[str, Any]:
    return {"name": name, "passed": passed, "detail": detail}
