"""Makes the documents of a corrected case anew: each gets its own row, a new number where it was issued, and the old one stays.

A paper that is not made yet is made with the new values; what was handed out is marked replaced, stays in the store and can be
checked. The new files are made like any paper, after the transaction: see engine/papers.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select, update

from engine.book import Book
from engine.corrected_facts import Rewriting
from engine.dossiers import Dossier
from engine.issuing import draw_for
from engine.office import Office
from models import Document, DocumentStatus, Letter, LetterStatus, Standing

UNSENT = (LetterStatus.WAITING, LetterStatus.QUEUED)
UNMADE = (DocumentStatus.PENDING, DocumentStatus.RESERVED)


@dataclass(frozen=True)
class Remade:
    """The old documents and the new ones by name (their numbers, else their keys), and the keys of the new ones."""

    names: dict[str, str]
    keys: list[str]


def remake(office: Office, session: Session, book: Book, dossier: Dossier, rewriting: Rewriting) -> Remade:
    """Write the rows of what is to be made anew into ``book``; return what that is.

    Standings that name an old number, and letters that have not left and attach an old paper, name the new one.
    """
    wanted = select(Document).where(Document.case_id == dossier.row.id).order_by(col(Document.seq), col(Document.key))
    documents = list(session.exec(wanted))
    facts = {one.key: office.vault.unseal(dossier.key, one.facts) for one in documents}
    handed_out = [one for one in documents if one.status == DocumentStatus.READY]
    issued = [one for one in handed_out if one.number and rewriting(facts[one.key]) != facts[one.key]]
    now = office.clock.now().replace(microsecond=0)
    numbers = draw_for(session, [dossier.pipeline.paper(one.kind) for one in issued], now) if issued else []
    drawn = {one.key: number for one, number in zip(issued, numbers, strict=True)}
    for one in issued:
        rewriting.add(one.number or "", drawn[one.key])
    names: dict[str, str] = {}
    keys: dict[str, str] = {}
    for one in documents:
        corrected = rewriting(facts[one.key])
        if corrected == facts[one.key]:
            continue
        if one.status in UNMADE:
            one.facts, one.leased_until, one.attempt = office.vault.seal(dossier.key, corrected), None, 0
            session.add(one)
        elif one.status == DocumentStatus.READY and (one.number is None or one.key in drawn):
            number, keys[one.key] = drawn.get(one.key), _next_key(one.key, documents)
            names[one.number or one.key] = number or keys[one.key]
            if number:
                corrected = {**corrected, "replaces": one.number}
            book.write(
                Document,
                case_id=one.case_id,
                key=keys[one.key],
                pipeline=one.pipeline,
                seq=dossier.row.last_seq + 1,
                kind=one.kind,
                number=number,
                language=one.language,
                facts=office.vault.seal(dossier.key, corrected),
                at=now,
                status=DocumentStatus.PENDING,
                replaces=one.key,
            )
            one.status = DocumentStatus.REPLACED
            session.add(one)
    _point_to_the_new(session, dossier.row.id or 0, issued, drawn, keys)
    return Remade(names, list(keys.values()))


def replacement_of(session: Session, document: Document) -> Document | None:
    """Return the document that took the place of this one, the last of several."""
    found = None
    while document := session.exec(  # type: ignore[assignment]
        select(Document).where(Document.case_id == document.case_id, Document.replaces == document.key)
    ).first():
        found = document
    return found


def _next_key(key: str, documents: Iterable[Document]) -> str:
    first = key.split("~")[0]
    return f"{first}~{sum(one.key.split('~')[0] == first for one in documents) + 1}"


def _point_to_the_new(
    session: Session, case_id: int, issued: Iterable[Document], drawn: dict[str, str], keys: dict[str, str]
) -> None:
    for one in issued:
        session.execute(
            update(Standing)
            .where(col(Standing.case_id) == case_id, col(Standing.reference) == one.number)
            .values(reference=drawn[one.key])
        )
    for letter in session.exec(select(Letter).where(Letter.case_id == case_id, col(Letter.status).in_(UNSENT))):
        attached = [keys.get(key, key) for key in letter.attachments]
        if attached != letter.attachments:
            letter.attachments, letter.status = attached, LetterStatus.WAITING
            session.add(letter)


def rewritten(office: Office, dossier: Dossier, sealed: bytes | None, rewriting: Rewriting) -> bytes | None:
    """Return what is sealed with a wait (what is known already, or the facts of a document), with the new values."""
    if sealed is None:
        return None
    plain: Any = office.vault.unseal(dossier.key, sealed)
    return office.vault.seal(dossier.key, rewriting(plain))
