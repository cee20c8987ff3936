"""Verification of a document: its signature and facts, and our own record of its hash."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from engine.cases.replaced_documents import replacement_of
from engine.errors import Refused
from engine.reports.audit.case_audit import audit_document
from engine.reports.audit.case_records import read_cases
from engine.runtime.file_store import DamagedFile
from engine.runtime.office import Office
from models import CaseFile, Document, DocumentStatus


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
        try:
            return _verdict(office, session, office.store.get(document.path), document)
        except (FileNotFoundError, DamagedFile):
            return _result(document, None, [_check("file", False, "Berkas di penyimpanan kantor hilang atau rusak.")])


def agrees(office: Office, session: Session, document: Document) -> bool:
    """Return whether row, ledger, stored file and signed facts name the same document.

    Whoever can write to the database can point a row to another's file, or renumber it; the entries of its case tell.
    """
    from documents.verifying import number_within  # pyHanko takes half a second

    if not is_as_issued(session, document):
        return False
    if document.path is None:
        return document.sha256 is None
    try:
        content = office.store.get(document.path)
    except (FileNotFoundError, DamagedFile):
        return False
    if sha256(content).hexdigest() != document.sha256:
        return False
    return number_within(content) in (None, document.number)  # a paper has none; its hash is in the ledger all the same


def is_as_issued(session: Session, document: Document) -> bool:
    """Return whether a document's row is what its case's entries say, in a whole chain."""
    number = session.exec(select(CaseFile.number).where(CaseFile.id == document.case_id)).first()
    records = next(read_cases(session, [number or ""]), None)
    return records is not None and not audit_document(records, document.key)


def _verdict(office: Office, session: Session, pdf: bytes, asked: Document | None = None) -> dict[str, Any]:
    from documents.verifying import verify_pdf  # pyHanko takes half a second

    found = verify_pdf(pdf, office.trusted_certificates)
    claimed = found.facts.get("document_number")
    digest = sha256(pdf).hexdigest()
    document = asked or _recorded(session, digest, claimed)
    checks = [_check(one.name, one.passed, one.detail) for one in found.checks]
    if document is not None and document.number is None:
        checks = [one for one in checks if one["name"] == "facts"]
    checks.append(_check("recorded", *_is_recorded(session, document, digest, claimed)))
    return _result(document, found.signed_by, checks, str(claimed) if claimed else None)


def _recorded(session: Session, digest: str, claimed: object) -> Document | None:
    """Return the document whose file has that hash, preferably under the signed number."""
    found = session.exec(
        select(Document).where(Document.sha256 == digest).order_by(col(Document.number).is_(None))
    ).all()
    return next((one for one in found if one.number == claimed), found[0] if found else None)


def _is_recorded(session: Session, document: Document | None, digest: str, claimed: object) -> tuple[bool, str]:
    """Return whether that very file is recorded as a document in force, and the reason."""
    if document is None:
        return False, "Hash berkas ini tidak ada dalam catatan kantor."
    if document.sha256 != digest or not is_as_issued(session, document):
        return False, "Catatan dokumen ini tidak sesuai dengan buku besar perkaranya. Laporkan kepada administrator."
    if claimed is not None and document.number != claimed:
        return False, f"Nomor pada berkas ({claimed}) bukan nomor yang tercatat ({document.number})."
    if document.status == DocumentStatus.READY:
        return True, "Hash berkas tercatat dan berlaku."
    if document.status == DocumentStatus.REPLACED and (newer := replacement_of(session, document)):
        return False, f"Dokumen ini sudah diganti dengan {newer.number or 'dokumen yang baru'}."
    return False, f"Dokumen ini tercatat dengan status {document.status}."


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
