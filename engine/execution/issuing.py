"""Issuing: documents get numbers without gaps, and no worker holds a counter meanwhile.

The three moves stand at `issue_waiting`.
"""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, insert, select, update

from engine.cases.dossier import Dossier, fetch_readable, lock_rows
from engine.cases.ledger import SYSTEM
from engine.cases.waits import mark_settled, put_off, write_settlement
from engine.deadlines.clock import local_date
from engine.definition.declarations import Paper
from engine.execution.claims import claim_waits
from engine.execution.document_files import DOCUMENTED, StoredFile, make_and_store
from engine.execution.parking import park
from engine.runtime.leases import backoff, lease, renew_lease
from engine.runtime.number_series import draw
from engine.runtime.office import Office, RunHandle
from models import Document, DocumentStatus, EntryKind, Wait, WaitKind
from models.privacy import without_personal_numbers

log = logging.getLogger(__name__)

BATCH = 25
# A template or a fact that is wrong stays wrong: after so many attempts somebody must look.
ATTEMPTS_BEFORE_PARKED = 5


def issue_waiting(office: Office, run: RunHandle, pipeline: str, only: Iterable[int] | None) -> int:
    """Issue the documents that wait, up to a batch; return how many were taken up.

    1. A short transaction draws the numbers of all, series in sorted order, and records facts, number and second as
       *reserved*.
    2. Outside any transaction each document is rendered, signed and stored.
    3. A short transaction for each records hash and path, settles the wait and makes the document visible.

    A worker that dies after the first move leaves a reserved number; the next one makes that same document: the same facts
    at the same second are the same bytes. A document that can't be made keeps its number and is tried again later; after
    some attempts its case is parked.
    """
    reserved, unreadable = _reserve(office, pipeline, only)
    for wait, error in unreadable:
        _put_off(office, run, wait, error)
    for wait, document, dossier in reserved:
        if not renew_lease(office, wait):
            continue
        try:
            _publish(office, run, wait, document, make_and_store(office, dossier, document))
        except Exception as error:
            trace = without_personal_numbers(traceback.format_exc())
            log.error("The document %s of %s could not be made: %s", document.number, dossier.case.number, trace)
            _put_off(office, run, wait, error)
    return len(reserved) + len(unreadable)


def _put_off(office: Office, run: RunHandle, wait: Wait, error: Exception) -> None:
    """Try again later, or park the case with the error. The document keeps its number."""
    said = without_personal_numbers(f"{type(error).__name__}: {error}")[:500]
    with office.db.writing() as session:
        later = office.clock.now() + backoff(wait.attempt)
        put_off(session, wait, until=later, note=said)
    if wait.attempt >= ATTEMPTS_BEFORE_PARKED:
        park(office, run, wait.case_id, f"{wait.key} could not be issued: {said}")


Reserved = list[tuple[Wait, Document, Dossier]]


def _reserve(
    office: Office, pipeline: str, only: Iterable[int] | None
) -> tuple[Reserved, list[tuple[Wait, Exception]]]:
    """Lease waits and number their documents; return them, and the waits that can't be served.

    A document that another worker reserved keeps its number. Each wait that can't be served comes with its error.
    """
    now = office.clock.now()
    with office.db.writing() as session:
        waits = claim_waits(office, session, pipeline, WaitKind.ISSUE, only, BATCH)
        if not waits:
            return [], []
        for wait in waits:
            lease(session, wait, now)
        dossiers, failures = fetch_readable(office, session, {wait.case_id for wait in waits}, history=False)
        errors = [
            (wait, failures.get(wait.case_id) or _why_not(office, dossiers[wait.case_id], wait)) for wait in waits
        ]
        waits = [wait for wait, error in errors if error is None]
        reserved = select(Document).where(
            col(Document.case_id).in_(list(dossiers)), Document.status == DocumentStatus.RESERVED
        )
        documents = {(document.case_id, document.key): document for document in session.exec(reserved)}
        new = [wait for wait in waits if (wait.case_id, wait.key) not in documents]
        for document in _insert_numbered(office, session, new, dossiers):
            documents[document.case_id, document.key] = document
        return (
            [(wait, documents[wait.case_id, wait.key], dossiers[wait.case_id]) for wait in waits],
            [(wait, error) for wait, error in errors if error is not None],
        )


def _why_not(office: Office, dossier: Dossier, wait: Wait) -> LookupError | None:
    """Return the error where the case's pipeline no longer hands out what the wait is for."""
    try:
        dossier.pipeline.paper(_request(office, dossier, wait)["kind"])
    except LookupError:
        return LookupError(f"{dossier.pipeline.name} hands out no {wait.key} any more")
    return None


def _insert_numbered(
    office: Office, session: Session, waits: list[Wait], dossiers: dict[int, Dossier]
) -> list[Document]:
    now = office.clock.now().replace(microsecond=0)
    requests = [(wait, dossiers[wait.case_id], _request(office, dossiers[wait.case_id], wait)) for wait in waits]
    papers: list[Paper] = [dossier.pipeline.paper(request["kind"]) for _, dossier, request in requests]
    rows: list[dict[str, Any]] = []
    for (wait, dossier, request), number in zip(requests, draw_document_numbers(session, papers, now), strict=True):
        rows.append(
            {
                "case_id": wait.case_id,
                "key": wait.key,
                "pipeline": wait.pipeline,
                "seq": dossier.row.last_seq + 1,
                "kind": request["kind"],
                "number": number,
                "language": dossier.case.applicant.language,
                "facts": office.vault.encrypt(dossier.key, request["facts"]),
                "at": now,
                "status": str(DocumentStatus.RESERVED),
                "attempt": 0,
            }
        )
    if rows:
        session.execute(insert(Document), rows)
    return [Document(**row) for row in rows]


def draw_document_numbers(session: Session, papers: Iterable[Paper], now: datetime) -> list[str]:
    """Draw a number for each document of these kinds, in their order.

    Locks: the counters of their series, until the caller's transaction ends.
    """
    year = local_date(now).year
    series = [f"{paper.series}-{year}" for paper in papers]
    numbers = {name: iter(drawn) for name, drawn in draw(session, Counter(series)).items()}
    return [f"{name}-{next(numbers[name]):06d}" for name in series]


def _request(office: Office, dossier: Dossier, wait: Wait) -> dict[str, Any]:
    request: dict[str, Any] = office.vault.decrypt(dossier.key, wait.request or b"")
    return request


def _publish(office: Office, run: RunHandle, wait: Wait, document: Document, file: StoredFile) -> None:
    """Settle the wait with its document, and make the document visible.

    Do neither where somebody else settled the wait.
    """
    with office.work(run) as work:
        row = lock_rows(work, [wait.case_id])[wait.case_id]
        issued_on = local_date(document.at)
        if not mark_settled(work, [wait], "answered", work.now):
            return
        published = work.session.execute(
            update(Document)
            .where(col(Document.case_id) == document.case_id, col(Document.key) == document.key)
            .values(status=str(DocumentStatus.READY), seq=row.last_seq + 1, **file._asdict())
            .returning(*DOCUMENTED)
        ).one()
        work.rows.note(Document, published._asdict())
        write_settlement(
            work,
            row,
            wait,
            kind=EntryKind.MACHINE,
            actor=SYSTEM,
            outcome="issued",
            result={"key": document.key, "number": document.number, "sha256": file.sha256, "issued_on": str(issued_on)},
        )
        work.session.add(row)
