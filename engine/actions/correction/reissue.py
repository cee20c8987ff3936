"""Reissue the documents of a corrected case: a new row each, and a new number if it had one.

A paper without a file yet is made with the new values. A handed-out document is marked replaced and can still be checked. A bundle
that encloses one is reissued too; it names its new part by key until that has a file. Files are made after the transaction, like
those of any paper: engine/execution/document_files.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from engine.cases.dossier import Dossier
from engine.cases.replaced_documents import Rewriting
from engine.definition.declarations import Paper
from engine.errors import Refused
from engine.execution.issuing import draw_document_numbers
from engine.runtime.office import Work
from models import Document, DocumentStatus, Letter, LetterStatus, Standing

UNSENT = (LetterStatus.WAITING, LetterStatus.QUEUED)
UNMADE = (DocumentStatus.PENDING, DocumentStatus.RESERVED)


@dataclass(frozen=True)
class Reissued:
    """The old and new documents by number (else key), and the keys to send to the applicant.

    A bundle is not sent: it may be larger than a mail server takes, and its parts are sent.
    """

    names: dict[str, str]
    keys: list[str]


def reissue(work: Work, dossier: Dossier, rewriting: Rewriting) -> Reissued:
    """Write the rows of the documents to be reissued; return their names and keys.

    Standings that name an old number name the new one. Unsent letters get the new values and attach the new papers.

    Raises:
        Refused: The case's version no longer hands out a document that would have to be reissued.

    Mutates: the rows of documents, standings and letters, and ``rewriting`` with the new numbers.
    """
    wanted = select(Document).where(Document.case_id == dossier.row.id).order_by(col(Document.seq), col(Document.key))
    documents = list(work.session.exec(wanted))
    facts = {one.key: work.vault.decrypt(dossier.key, one.facts) for one in documents}
    keys: dict[str, str] = {}
    _mark_outdated(documents, facts, rewriting, keys)
    issued = [one for one in documents if one.number and one.key in keys]
    now = work.now.replace(microsecond=0)
    numbers = draw_document_numbers(work.session, [_kind(dossier, one) for one in issued], now) if issued else []
    drawn = {one.key: number for one, number in zip(issued, numbers, strict=True)}
    for one in issued:
        rewriting.add(one.number or "", drawn[one.key])
    # Papers that name a replaced number are outdated too; an issued document that merely names one stays as it was issued.
    _mark_outdated([one for one in documents if one.number is None], facts, rewriting, keys)
    names: dict[str, str] = {}
    for one in documents:
        corrected = rewriting(facts[one.key])
        if one.status in UNMADE and corrected != facts[one.key]:
            one.facts, one.leased_until, one.attempt = work.vault.encrypt(dossier.key, corrected), None, 0
            work.session.add(one)
            work.rows.note(Document, one.model_dump())
        elif one.key in keys:
            number = drawn.get(one.key)
            names[one.number or one.key] = number or keys[one.key]
            if number:
                corrected = {**corrected, "replaces": one.number}
            work.rows.write(
                Document,
                case_id=one.case_id,
                key=keys[one.key],
                pipeline=one.pipeline,
                seq=dossier.row.last_seq + 1,
                kind=one.kind,
                number=number,
                language=one.language,
                facts=work.vault.encrypt(dossier.key, corrected),
                at=now,
                status=DocumentStatus.PENDING,
                replaces=one.key,
            )
            one.status = DocumentStatus.REPLACED
            work.session.add(one)
            work.rows.note(Document, one.model_dump())
    _refer_to_new(work, dossier, rewriting, keys)
    bundles = {keys[one.key] for one in documents if one.key in keys and _kind(dossier, one).bundle}
    return Reissued(names, [key for key in keys.values() if key not in bundles])


def _mark_outdated(
    documents: Iterable[Document], facts: Mapping[str, Any], rewriting: Rewriting, keys: dict[str, str]
) -> None:
    """Give a new key to each handed-out document with an old value, or that encloses such a one.

    Mutates: ``keys`` and ``rewriting``.
    """
    handed_out = [one for one in documents if one.status == DocumentStatus.READY]
    while stale := [one for one in handed_out if one.key not in keys and rewriting(facts[one.key]) != facts[one.key]]:
        for one in stale:
            keys[one.key] = _next_key(one.key, facts)
            rewriting.enclose(one.key, one.sha256, keys[one.key])


def _kind(dossier: Dossier, document: Document) -> Paper:
    try:
        return dossier.pipeline.paper(document.kind)
    except LookupError:
        number, version = dossier.case.number, dossier.pipeline.version
        raise Refused(
            f"Version {version} hands out no {document.kind} any more, so {document.number or document.key} of case {number} can't "
            f"be made anew. Move the case back first: jalur case migrate {number} --undo",
            for_people=f"Dokumen {document.number or document.key} tidak lagi dibuat pada versi ini. Hubungi administrator.",
            case=number,
        ) from None


def _next_key(key: str, known: Iterable[str]) -> str:
    first = key.split("~")[0]
    return f"{first}~{sum(one.split('~')[0] == first for one in known) + 1}"


def _refer_to_new(work: Work, dossier: Dossier, rewriting: Rewriting, keys: Mapping[str, str]) -> None:
    case_id = dossier.row.id
    for standing in work.session.exec(select(Standing).where(Standing.case_id == case_id)):
        standing.reference = rewriting.numbers(standing.reference)
        work.session.add(standing)
        work.rows.note(Standing, standing.model_dump())
    for letter in work.session.exec(select(Letter).where(Letter.case_id == case_id, col(Letter.status).in_(UNSENT))):
        letter.sealed = rewrite_encrypted(work, dossier, letter.sealed, rewriting) or letter.sealed
        letter.subject = rewriting(letter.subject)
        if letter.to_person_id == dossier.case.applicant.person_id:
            letter.to_name = rewriting(letter.to_name, "applicant_name")
        attached = [keys.get(key, key) for key in letter.attachments]
        if attached != letter.attachments:
            letter.attachments, letter.status = attached, LetterStatus.WAITING
        work.session.add(letter)
        work.rows.note(Letter, letter.model_dump())


def rewrite_encrypted(work: Work, dossier: Dossier, encrypted: bytes | None, rewriting: Rewriting) -> bytes | None:
    """Return the encrypted JSON of a wait or letter with the new values; None for None."""
    if encrypted is None:
        return None
    plain: Any = work.vault.decrypt(dossier.key, encrypted)
    return work.vault.encrypt(dossier.key, rewriting(plain))
