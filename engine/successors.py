"""What took the place of documents of a case that were corrected: its later papers, letters and bundles are to name that.

A number that a process was given stands in the ledger, and a replay gives it again: see `Recorder.up_to_date`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session, select

from engine.corrected_facts import Rewriting
from models import Document


@dataclass(frozen=True)
class Successors:
    """The newest document's key by the key of each that it replaced, and the same for numbers and files in facts."""

    keys: dict[str, str]
    rewriting: Rewriting


def successors_in(session: Session, case_id: int | None) -> Successors:
    """Return what took the place of the documents of a case that were replaced, the last of several."""
    documents = {one.key: one for one in session.exec(select(Document).where(Document.case_id == case_id))}
    followed_by = {one.replaces: key for key, one in documents.items() if one.replaces}
    found = Successors({}, Rewriting({}, []))
    for old in followed_by:
        new = old
        while new in followed_by:
            new = followed_by[new]
        found.keys[old] = new
        found.rewriting.enclose(old, documents[old].sha256, new)
        if documents[old].number:
            found.rewriting.add(documents[old].number or "", documents[new].number or "")
    return found
