"""Files of documents: made from facts, stored, and published for papers that wait for them."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import col, select, update

from documents.packing import Enclosed, pack
from engine.cases.dossier import Dossier, fetch_readable, lock_rows
from engine.cases.ledger import SYSTEM, write_remark
from engine.deadlines.clock import local_date
from engine.definition.declarations import Paper
from engine.runtime.leases import backoff, claim, lease
from engine.runtime.links import check_url
from engine.runtime.office import Office, RunHandle
from models import Document, DocumentStatus
from models.privacy import without_personal_numbers

log = logging.getLogger(__name__)

BATCH = 25
DOCUMENTED = list(Document.__table__.c)  # type: ignore[attr-defined]


class StoredFile(NamedTuple):
    """A file in the store: its SHA-256 in hex, its path, its size in bytes."""

    sha256: str
    path: str
    size: int


def make_pending_files(office: Office, run: RunHandle, pipeline: str, only: Iterable[int] | None) -> int:
    """Make the files of pending papers, up to a batch; return how many were taken up.

    A paper with a number is the reissue of an issued document that was corrected: it is signed, and a remark bears its hash.
    A bundle comes after its parts: it is left for the next batch while one of them is in this one.
    A paper that can't be made keeps its error, is shown with it, and is tried again later; its letters wait for it.
    """
    now = office.clock.now()
    with office.db.writing() as session:
        pending = select(Document).where(Document.pipeline == pipeline, Document.status == DocumentStatus.PENDING)
        papers: list[Document] = claim(session, pending.order_by(col(Document.case_id)), Document, now, BATCH, only)
        dossiers, unreadable = fetch_readable(office, session, {paper.case_id for paper in papers}, history=False)
        batch = {(paper.case_id, paper.key) for paper in papers}
        papers = [paper for paper in papers if not batch & _parts(office, dossiers.get(paper.case_id), paper)]
        for document in papers:
            lease(session, document, now)
    results = [(document, _attempt(office, document, {**dossiers, **unreadable}, now)) for document in papers]
    if results:
        _publish(office, run, results)
    return len(results)


def _attempt(
    office: Office, document: Document, found: Mapping[int, Dossier | Exception], now: datetime
) -> dict[str, Any]:
    """Make one file; return the new columns of its document: those of the file, or the error."""
    try:
        dossier = found[document.case_id]
        if isinstance(dossier, Exception):
            raise dossier
        file = make_and_store(office, dossier, document)
    except Exception as error:
        trace = without_personal_numbers(traceback.format_exc())
        log.error("The paper %s of case %d could not be made: %s", document.key, document.case_id, trace)
        said = without_personal_numbers(f"{type(error).__name__}: {error}")[:1000]
        return {"error": said, "leased_until": now + backoff(document.attempt)}
    return {"status": str(DocumentStatus.READY), **file._asdict(), "error": None, "leased_until": None}


def _publish(office: Office, run: RunHandle, results: Sequence[tuple[Document, dict[str, Any]]]) -> None:
    """Write what came of each document, with a remark for one that was reissued.

    Locks: the cases of documents that were made.
    """
    with office.work(run) as work:
        cases = lock_rows(work, {one.case_id for one, values in results if not values["error"]})
        for document, values in results:
            published = work.session.execute(
                update(Document)
                .where(
                    col(Document.case_id) == document.case_id,
                    col(Document.key) == document.key,
                    col(Document.status) == DocumentStatus.PENDING,
                    col(Document.leased_until) == document.leased_until,  # or its facts were corrected meanwhile
                )
                .values(**values)
                .returning(*DOCUMENTED)
            ).first()
            if published and not values["error"]:
                work.rows.note(Document, published._asdict())
            if published and document.number and not values["error"]:
                hashed = {"number": document.number, "sha256": values["sha256"]}
                write_remark(work, cases[document.case_id], document.key, SYSTEM, None, outcome="issued", result=hashed)


def make_and_store(office: Office, dossier: Dossier, document: Document) -> StoredFile:
    """Make the file of a document and put it into the store.

    Raises:
        LookupError: its pipeline has no such paper any more, or its facts lack one that the template prints.
        FileNotFoundError: a file that it encloses is not there.
    """
    paper = dossier.pipeline.paper(document.kind)
    content = make_file(office, dossier, document, paper)
    sha256, path = office.store.put(content, paper.suffix)
    return StoredFile(sha256, path, len(content))


def make_file(office: Office, dossier: Dossier, document: Document, paper: Paper) -> bytes:
    """Return the file of a document; an issued one is signed.

    The same facts at the same second are the same bytes.
    """
    from documents.render import render  # WeasyPrint takes half a second, which only those who print pay

    facts = office.vault.decrypt(dossier.key, document.facts)
    template = f"{paper.folder or dossier.pipeline.slug}/documents/{document.kind}"
    at = document.at.replace(microsecond=0)
    if paper.bundle:
        facts = {**facts, "files": [_named_by_hash(office, document, one) for one in facts["files"]]}
    files = [_enclosed(office, one) for one in facts["files"]] if paper.bundle else []
    url = None
    if document.number is not None:
        facts = {**facts, "document_number": document.number, "date": local_date(at).isoformat()}
        url = check_url(office, document.number)
    embedded = files if paper.bundle == "pdf" else ()
    language = paper.language or document.language
    pdf = render(template, facts, language=language, at=at, check_url=url, title=None, files=embedded)
    if url is not None:
        pdf = office.signer.sign(pdf, reason=paper.title, at=at)
    return pack(pdf, facts, files, at) if paper.bundle == "zip" else pdf


def _parts(office: Office, dossier: Dossier | None, document: Document) -> set[tuple[int, str]]:
    """Return the documents that a bundle encloses and names by key: those that were reissued.

    Return none where its facts can't be read: the error is told where its file is made, and stops no other.
    """
    try:
        if dossier is None or not dossier.pipeline.paper(document.kind).bundle:
            return set()
        files = office.vault.decrypt(dossier.key, document.facts)["files"]
    except (LookupError, ValueError):
        return set()
    return {(document.case_id, file["document"]) for file in files if "document" in file}


def _named_by_hash(office: Office, bundle: Document, file: dict[str, str]) -> dict[str, str]:
    """Return a file of a bundle by its hash, also one that is named by the key of a document.

    Raises:
        FileNotFoundError: that document has no file yet; the bundle is tried again later.
    """
    if "document" not in file:
        return file
    with office.db.reading() as session:
        part = session.get(Document, (bundle.case_id, file["document"]))
    if part is None or part.sha256 is None:
        raise FileNotFoundError(f"{file['document']}, which goes into {bundle.key}, is not made yet")
    return {"name": file["name"], "title": file["title"], "sha256": part.sha256}


def _enclosed(office: Office, file: dict[str, str]) -> Enclosed:
    """Return a file that facts name, from the store.

    Raises:
        FileNotFoundError: the store does not have it.
    """
    path = office.store.find(file["sha256"])
    if path is None:
        raise FileNotFoundError(f"the store has no {file['name']} ({file['sha256']})")
    return Enclosed(f"{file['name']}.{path.rsplit('.', 1)[1]}", file["title"], office.store.get(path))
