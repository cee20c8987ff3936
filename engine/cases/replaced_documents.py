"""Replaced documents of a corrected case, and the rewriting of texts with old values.

A document number that a process was given stands in the ledger, and a replay gives the old one again;
`Recorder.up_to_date` replaces it by the new one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import escape
from sqlmodel import Session, col, select

from engine.cases.subject_facts import KINDS
from models import Document
from models.privacy import masked

# Fields of a person whose numbers are also shown masked.
NUMBERS = ("national_id", "tax_id", "phone")
# Facts that name one kind of subject only: an owner and a business may bear the same name.
CALLED = {"applicant_name": "person", "owner_name": "person", "business_name": "business", "product_name": "product"}


@dataclass(frozen=True)
class Change:
    """One corrected value: its path in the facts, the kind of its subject, old and new value."""

    path: str
    kind: str
    field: str
    old: str | None
    new: str | None


class Rewriting:
    """Replaces old values by new ones, as whole words, in the texts of a JSON value.

    A longer value of the facts that contains an old one (a business that bears its owner's name) stays as it is.
    """

    def __init__(self, facts: Mapping[str, Any], changes: Iterable[Change]) -> None:
        self._named = {kind: dict[str, str]() for kind in KINDS}
        self._anywhere: dict[str, str] = {}
        for change in changes:
            if not change.old:
                continue
            where = self._named[change.kind] if change.field == "name" else self._anywhere
            where[change.old] = change.new or "-"
            if change.field in NUMBERS:
                where[masked(change.old)] = masked(change.new) if change.new else "-"
        self._kept = {text for text in _texts(facts)}
        self._numbers: dict[str, str] = {}
        self._parts: dict[str, str] = {}

    def add(self, old: str, new: str) -> None:
        """Replace the number of a reissued document, too."""
        self._numbers[old] = self._anywhere[old] = new

    def enclose(self, key: str, sha256: str | None, new_key: str) -> None:
        """Name document ``new_key`` wherever a bundle encloses ``key`` or its file.

        The new document's file may not exist yet.
        """
        self._parts[key] = new_key
        if sha256:
            self._parts[sha256] = new_key

    def numbers(self, text: str | None) -> str | None:
        """Return the text with old document numbers replaced, and nothing else."""
        return _replaced(text, self._numbers, ()) if text else text

    def __call__(self, value: Any, name: str | None = None) -> Any:
        """Return the JSON value with old values replaced; ``name`` is the name of the fact."""
        if isinstance(value, dict):
            told = {inner: self(one, inner) for inner, one in value.items()}
            return self._with_new_part(told) if name == "files" else told
        if isinstance(value, list):
            return [self(one, name) for one in value]
        if not isinstance(value, str):
            return value
        pairs = dict(self._anywhere)
        for kind, named in self._named.items():
            if CALLED.get(name or "", kind) == kind:
                pairs |= named
        kept = {text for text in self._kept if any(old in text and old != text for old in pairs)}
        if name == "html":
            return _replaced(
                value, {str(escape(old)): str(escape(new)) for old, new in pairs.items()}, map(str, map(escape, kept))
            )
        return _replaced(value, pairs, kept)

    def _with_new_part(self, file: dict[str, Any]) -> dict[str, Any]:
        new_key = self._parts.get(file.get("document") or file.get("sha256") or "")
        if new_key is None:
            return file
        return {**{name: one for name, one in file.items() if name != "sha256"}, "document": new_key}


def _replaced(text: str, pairs: Mapping[str, str], kept: Iterable[str]) -> str:
    """Return the text with the keys of ``pairs`` replaced by their values.

    Longer ones are replaced first; words in ``kept`` stay.
    """
    if not pairs:
        return text
    found = "|".join(re.escape(one) for one in sorted({*pairs, *kept}, key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{found})(?!\w)", lambda match: pairs.get(match[0], match[0]), text)


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, str) and value:
        yield value


@dataclass(frozen=True)
class Replacements:
    """The newest document's key by the keys of replaced ones, and the rewriting of facts."""

    keys: dict[str, str]
    rewriting: Rewriting


def _newest(documents: Iterable[Document]) -> dict[str, Document]:
    """Return the newest document by the key of each that it replaced, directly or not."""
    followed_by = {one.replaces: one for one in documents if one.replaces}
    newest = {}
    for old, new in followed_by.items():
        while new.key in followed_by:
            new = followed_by[new.key]
        newest[old] = new
    return newest


def replacements_in(session: Session, case_id: int | None) -> Replacements:
    """Return the newest replacements of all replaced documents of a case."""
    documents = {one.key: one for one in session.exec(select(Document).where(Document.case_id == case_id))}
    found = Replacements({}, Rewriting({}, []))
    for old, new in _newest(documents.values()).items():
        found.keys[old] = new.key
        found.rewriting.enclose(old, documents[old].sha256, new.key)
        if documents[old].number:
            found.rewriting.add(documents[old].number or "", new.number or "")
    return found


def replacement_of(session: Session, document: Document) -> Document | None:
    """Return the newest replacement of a document; None where it was never replaced."""
    replacing = select(Document).where(Document.case_id == document.case_id, col(Document.replaces).is_not(None))
    return _newest(session.exec(replacing)).get(document.key)
