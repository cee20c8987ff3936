"""Makes the documents of a corrected case anew: each gets its own row, a new number where it was issued, and the old one stays.

A paper that is not made yet is made with the new values; what was handed out is marked replaced, stays in the store and can be
checked. A bundle that encloses one of them is made anew too, and names its new part by its key until that has a file. The new files
are made like any paper, after the transaction: see engine/execution/document_files.py.
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
class Remade:
    """The old documents and the new ones by name (their numbers, else their keys), and what of the new ones goes to the applicant.

    A bundle does not: it may be larger than what a mail server takes, and its parts are sent.
    """

    names: dict[str, str]
    keys: list[str]


def remake(work: Work, dossier: Dossier, rewriting: Rewriting) -> Remade:
    """Write the rows of what is to be made anew into the book; return what that is.

    Standings that name an old number name the new one. Letters that have not left say what is right, and attach the new papers.
    Raises `Refused` where the version that the case is under no longer hands out what would have to be made anew.
    """
    wanted = select(Document).where(Document.case_id == dossier.row.id).order_by(col(Document.seq), col(Document.key))
    documents = list(work.session.exec(wanted))
    facts = {one.key: work.vault.decrypt(dossier.key, one.facts) for one in documents}
    keys: dict[str, str] = {}
    _find_out_of_date(documents, facts, rewriting, keys)
    issued = [one for one in documents if one.number and one.key in keys]
    now = work.now.replace(microsecond=0)
    numbers = draw_document_numbers(work.session, [_kind(dossier, one) for one in issued], now) if issued else []
    drawn = {one.key: number for one, number in zip(issued, numbers, strict=True)}
    for one in issued:
        rewriting.add(one.number or "", drawn[one.key])
    # Papers that say one of these numbers; an issued document that only says one is as right as on its day.
    _find_out_of_date([one for one in documents if one.number is None], facts, rewriting, keys)
    names: dict[str, str] = {}
    for one in documents:
        corrected = rewriting(facts[one.key])
        if one.status in UNMADE and corrected != facts[one.key]:
            one.facts, one.leased_until, one.attempt = work.vault.encrypt(dossier.key, corrected), None, 0
            work.session.add(one)
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
    _point_to_the_new(work, dossier, rewriting, keys)
    bundles = {keys[one.key] for one in documents if one.key in keys and _kind(dossier, one).bundle}
    return Remade(names, [key for key in keys.values() if key not in bundles])


def _find_out_of_date(
    documents: Iterable[Document], facts: Mapping[str, Any], rewriting: Rewriting, keys: dict[str, str]
) -> None:
    """Give a new key to each document that was handed out and says something old, or encloses one that does."""
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


def _point_to_the_new(work: Work, dossier: Dossier, rewriting: Rewriting, keys: Mapping[str, str]) -> None:
    case_id = dossier.row.id
    for standing in work.session.exec(select(Standing).where(Standing.case_id == case_id)):
        standing.reference = rewriting.numbers(standing.reference)
        work.session.add(standing)
    for letter in work.session.exec(select(Letter).where(Letter.case_id == case_id, col(Letter.status).in_(UNSENT))):
        letter.sealed = rewritten(work, dossier, letter.sealed, rewriting) or letter.sealed
        letter.subject = rewriting(letter.subject)
        if letter.to_person_id == dossier.case.applicant.person_id:
            letter.to_name = rewriting(letter.to_name, "applicant_name")
        attached = [keys.get(key, key) for key in letter.attachments]
        if attached != letter.attachments:
            letter.attachments, letter.status = attached, LetterStatus.WAITING
        work.session.add(letter)


def rewritten(work: Work, dossier: Dossier, sealed: bytes | None, rewriting: Rewriting) -> bytes | None:
    """Return what is sealed with a wait (what is known already, or the facts of a document), with the new values."""
    if sealed is None:
        return None
    plain: Any = work.vault.decrypt(dossier.key, sealed)
    return work.vault.encrypt(dossier.key, rewriting(plain))
