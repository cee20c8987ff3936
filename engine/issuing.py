"""`issue` in three moves, so that numbers have no gaps and no worker holds a counter while a PDF is made:

1. a short transaction draws the numbers for all that wait, series in sorted order, and records facts, number and second
   as *reserved*;
2. outside any transaction the documents are rendered, signed and stored;
3. a short transaction each records hash and path, settles the wait and makes the document visible.

A worker that dies after the first move leaves a reserved number; the next one finishes that same document, and since
same facts at the same second are the same bytes, it is the same document.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlmodel import Session, col, insert, select, update

from engine.claiming import LEASE, free
from engine.clock import local_date
from engine.dossiers import Dossier, fetch
from engine.numbering import draw
from engine.office import Office, RunHandle
from engine.papers import check_url, make
from engine.registry import Paper
from engine.settling import settle
from models import Document, DocumentStatus, EntryKind, Wait, WaitKind

BATCH = 25


def issue_waiting(office: Office, run: RunHandle, pipeline: str, only: Iterable[int] | None) -> int:
    """Issue the documents that wait, up to a batch; return how many were taken up."""
    reserved = _reserve(office, pipeline, only)
    for wait, document, dossier in reserved:
        paper = dossier.pipeline.papers[document.kind]
        pdf = make(office, dossier, document, paper)
        sha256, path = office.store.put(pdf)
        _publish(office, run, wait, document, sha256, path, len(pdf))
    return len(reserved)


def _reserve(office: Office, pipeline: str, only: Iterable[int] | None) -> list[tuple[Wait, Document, Dossier]]:
    now = office.clock.now()
    with office.db.writing() as session:
        wanted = (
            select(Wait)
            .where(
                Wait.pipeline == pipeline,
                Wait.kind == WaitKind.ISSUE,
                col(Wait.settled_at).is_(None),
                free(Wait.leased_until, now),
                free(Wait.next_attempt_at, now + timedelta(microseconds=1)),
            )
            .order_by(col(Wait.case_id))
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        if only is not None:
            wanted = wanted.where(col(Wait.case_id).in_(list(only)))
        waits = list(session.exec(wanted))
        if not waits:
            return []
        dossiers = {dossier.row.id or 0: dossier for dossier in fetch(office, session, {w.case_id for w in waits})}
        documents = {
            (document.case_id, document.key): document
            for document in session.exec(
                select(Document).where(
                    col(Document.case_id).in_(list(dossiers)), Document.status == DocumentStatus.RESERVED
                )
            )
        }
        new = [wait for wait in waits if (wait.case_id, wait.key) not in documents]
        for document in _number(office, session, new, dossiers):
            documents[document.case_id, document.key] = document
        for wait in waits:
            wait.leased_until = now + LEASE
            wait.attempt += 1
            session.add(wait)
        return [(wait, documents[wait.case_id, wait.key], dossiers[wait.case_id]) for wait in waits]


def _number(
    office: Office, session: Session, waits: list[Wait], dossiers: dict[int, Dossier]
) -> list[Document]:
    now = office.clock.now().replace(microsecond=0)
    year = local_date(now).year
    requests = [(wait, dossiers[wait.case_id], _request(office, dossiers[wait.case_id], wait)) for wait in waits]
    papers: list[Paper] = [dossier.pipeline.papers[request["kind"]] for _, dossier, request in requests]
    series = [f"{paper.series}-{year}" for paper in papers]
    numbers = {name: iter(drawn) for name, drawn in draw(session, Counter(series)).items()}
    rows: list[dict[str, Any]] = []
    for (wait, dossier, request), name in zip(requests, series, strict=True):
        rows.append(
            {
                "case_id": wait.case_id,
                "key": wait.key,
                "pipeline": wait.pipeline,
                "seq": dossier.row.last_seq + 1,
                "kind": request["kind"],
                "number": f"{name}-{next(numbers[name]):06d}",
                "language": dossier.case.applicant.language,
                "facts": office.vault.seal(dossier.key, request["facts"]),
                "at": now,
                "status": str(DocumentStatus.RESERVED),
                "attempt": 0,
            }
        )
    if rows:
        session.execute(insert(Document), rows)
    return [Document(**row) for row in rows]


def _request(office: Office, dossier: Dossier, wait: Wait) -> dict[str, Any]:
    request: dict[str, Any] = office.vault.unseal(dossier.key, wait.request or b"")
    return request


def _publish(
    office: Office, run: RunHandle, wait: Wait, document: Document, sha256: str, path: str, size: int
) -> None:
    with office.db.writing() as session:
        dossier = fetch(office, session, [wait.case_id], lock=True)[0]
        issued_on = local_date(document.at)
        won = settle(
            office,
            run,
            session,
            dossier.row,
            wait,
            settled_as="answered",
            kind=EntryKind.MACHINE,
            actor="jalur",
            outcome="issued",
            result={"key": document.key, "number": document.number, "sha256": sha256, "issued_on": str(issued_on)},
        )
        if won is None:
            return
        session.execute(
            update(Document)
            .where(col(Document.case_id) == document.case_id, col(Document.key) == document.key)
            .values(status=str(DocumentStatus.READY), seq=won, sha256=sha256, path=path, size=size)
        )


__all__ = ["check_url", "issue_waiting"]
