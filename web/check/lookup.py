"""The public check: the status of a document or a case by its number, for anybody."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlmodel import Session, select

from documents.formats import day_in_words
from engine.cases.replaced_documents import replacement_of
from engine.deadlines.clock import local_date
from engine.definition.registry import pipeline_named
from engine.reports.verification import agrees
from engine.runtime.encryption import Erased
from engine.runtime.office import Office
from models import CaseFile, CaseStatus, Document, DocumentStatus, Person, PersonKey
from web.common.access import OfficeDep
from web.common.pages import page

router = APIRouter()

# The form of our numbers. Any other text is neither looked up nor repeated on the page: it may be a personal number.
NUMBER = re.compile(r"[A-Z]{2,8}(-[A-Z]{2,8})*-\d{4}-\d{6,9}")

DOCUMENT_WORDS = {
    DocumentStatus.READY: "Berlaku. Dokumen ini tercatat di kantor kami.",
    DocumentStatus.REPLACED: "Tidak berlaku lagi: dokumen ini sudah diganti dengan yang baru.",
    DocumentStatus.VOIDED: "Tidak berlaku: dokumen ini dibatalkan.",
}
DISAGREES = (
    "Tidak dapat dipastikan: catatan dokumen ini tidak sesuai dengan buku besar kami. Hubungi kantor kami sebelum "
    "memakai dokumen ini."
)
CASE_WORDS = {
    CaseStatus.OPEN: "Sedang diproses.",
    CaseStatus.PARKED: "Sedang diproses.",
    CaseStatus.CLOSED: "Selesai. Hasilnya disampaikan dalam surat kepada pemohon.",
}


@dataclass(frozen=True)
class Known:
    """The facts of the page: number, kind, status, and for a document its business and date."""

    number: str
    what: str
    status: str
    good: bool
    business: str | None = None
    date: str | None = None


@router.get(
    "/check/{number}", response_class=HTMLResponse, tags=["public"], responses={404: {"description": "Unknown"}}
)
def check(number: str, office: OfficeDep) -> HTMLResponse:
    """Show the public status of a document or a case."""
    number = number.strip().upper()
    known = look_up(office, number) if NUMBER.fullmatch(number) else None
    if known is None:
        return page("unknown.html", 404, number=number if NUMBER.fullmatch(number) else None)
    return page("check.html", **asdict(known))


def look_up(office: Office, number: str) -> Known | None:
    """Return the facts known under ``number``; None without a finished document or a case."""
    with office.db.reading() as session:
        return _document(office, session, number) or _case(session, number)


def _document(office: Office, session: Session, number: str) -> Known | None:
    found = session.exec(
        select(Document, CaseFile).join(CaseFile).where(Document.number == number)  # its foreign key joins
    ).first()
    if found is None or found[0].status not in DOCUMENT_WORDS:
        return None
    document, case = found
    if document.status != DocumentStatus.VOIDED and not agrees(office, session, document):
        return Known(number=number, what="Dokumen", status=DISAGREES, good=False)
    kind = pipeline_named(case.pipeline, case.version).paper(document.kind)
    words = DOCUMENT_WORDS[DocumentStatus(document.status)]
    newer = replacement_of(session, document) if document.status == DocumentStatus.REPLACED else None
    return Known(
        number=number,
        what=kind.title,
        status=f"{words} Nomor penggantinya: {newer.number}." if newer else words,
        good=document.status == DocumentStatus.READY,
        business=_business(office, session, document, case),
        date=day_in_words(local_date(document.at), "id"),
    )


def _business(office: Office, session: Session, document: Document, case: CaseFile) -> str | None:
    """Return the business's name on the document; None where its owner was erased."""
    person = session.get_one(Person, case.person_id)
    try:
        facts = office.vault.decrypt(session.get(PersonKey, person.key_id), document.facts)
    except Erased:
        return None
    name = facts.get("business_name")
    return str(name) if name else None


def _case(session: Session, number: str) -> Known | None:
    case = session.exec(select(CaseFile).where(CaseFile.number == number)).first()
    if case is None:
        return None
    return Known(
        number=number,
        what=f"Permohonan {pipeline_named(case.pipeline, case.version).title}",
        status=CASE_WORDS[CaseStatus(case.status)],
        good=case.status != CaseStatus.PARKED,
    )
