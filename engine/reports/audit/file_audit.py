"""The audit of kept files: whatever a row, an answer or an entry names is there, unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlmodel import Session, col, select

from engine.reports.audit import sentences
from engine.reports.audit.findings import Finding, found
from engine.runtime.file_store import DamagedFile, Store
from models import CaseFile, Document, Mandate, RecordedCertificate


def audit_files(
    store: Store, session: Session, evidence: Iterable[tuple[str | None, str]], numbers: Iterable[str] | None
) -> Iterator[Finding]:
    """Yield the files that are gone, were changed, or are not the one that their document names.

    ``evidence`` are pairs of a case and the hash of a file that it names.
    """
    wanted = select(CaseFile.number, Document.key, Document.path, Document.sha256).join(
        Document, col(Document.case_id) == col(CaseFile.id)
    )
    if numbers is not None:
        wanted = wanted.where(col(CaseFile.number).in_(list(numbers)))
    for number, key, path, sha256 in session.exec(wanted.where(col(Document.path).is_not(None))):
        path = path or ""
        if path.rsplit("/", 1)[-1].split(".")[0] != sha256:
            yield found("file", number, sentences.FILE_LINK, key=key, path=path)
        elif fault := _fault(store, path):
            yield found("file", number, fault, path=path)
    named = list(evidence)
    if numbers is None:
        named += [(None, mandate.paper_sha256) for mandate in session.exec(select(Mandate))]
        named += [(None, one.evidence_sha256) for one in session.exec(select(RecordedCertificate))]
    for case, hashed in sorted(set(named), key=str):
        kept = store.find(hashed)
        if kept is None:
            yield found("file", case, sentences.FILE_GONE, path=hashed)
        elif fault := _fault(store, kept):
            yield found("file", case, fault, path=kept)


def _fault(store: Store, path: str) -> str | None:
    try:
        store.get(path)
    except FileNotFoundError:
        return sentences.FILE_GONE
    except DamagedFile:
        return sentences.FILE_CHANGED
    return None
