"""Puts new values, and the documents that replaced others, where facts and letters of a corrected case still say the old.

A number that a process was given stands in the ledger, and a replay gives it again: see `Recorder.up_to_date`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import escape
from sqlmodel import Session, col, select

from models import Document
from models.privacy import masked

# What a correction is about: the kinds of subject, and of a person the numbers that are also said masked.
KINDS = ("person", "business", "product")
NUMBERS = ("national_id", "tax_id", "phone")
# A fact of this name says what somebody or something is called, and nobody else: an owner and a business may have one name.
CALLED = {"applicant_name": "person", "owner_name": "person", "business_name": "business", "product_name": "product"}


@dataclass(frozen=True)
class Change:
    """One value put right: where it stands in the facts, whose it is, and both values."""

    path: str
    kind: str
    field: str
    old: str | None
    new: str | None


class Rewriting:
    """Replaces old values by new ones in the texts of a JSON value, as whole words, masked numbers too.

    A longer value of the facts that holds an old one (a business that bears its owner's name) is left as it is.
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
        """Replace this too: the number of a document that was made anew."""
        self._numbers[old] = self._anywhere[old] = new

    def enclose(self, key: str, sha256: str | None, new_key: str) -> None:
        """Put the document ``new_key``, whose file may not be made yet, where a bundle encloses ``key`` or its file."""
        self._parts[key] = new_key
        if sha256:
            self._parts[sha256] = new_key

    def numbers(self, text: str | None) -> str | None:
        """Return the text with the new numbers of documents, and nothing else, in it."""
        return _replaced(text, self._numbers, ()) if text else text

    def __call__(self, value: Any, name: str | None = None) -> Any:
        """Return the value with what is new in it; ``name`` is that of the fact."""
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
    """Return the text with the old words of ``pairs`` replaced, the longest first, and ``kept`` ones left alone."""
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
class Successors:
    """The newest document's key by the key of each that it replaced, and the same for numbers and files in facts."""

    keys: dict[str, str]
    rewriting: Rewriting


def _newest(documents: Iterable[Document]) -> dict[str, Document]:
    """Return the last of the documents that followed each replaced one, by the replaced one's key."""
    followed_by = {one.replaces: one for one in documents if one.replaces}
    newest = {}
    for old, new in followed_by.items():
        while new.key in followed_by:
            new = followed_by[new.key]
        newest[old] = new
    return newest


def successors_in(session: Session, case_id: int | None) -> Successors:
    """Return what took the place of the documents of a case that were replaced, the last of several."""
    documents = {one.key: one for one in session.exec(select(Document).where(Document.case_id == case_id))}
    found = Successors({}, Rewriting({}, []))
    for old, new in _newest(documents.values()).items():
        found.keys[old] = new.key
        found.rewriting.enclose(old, documents[old].sha256, new.key)
        if documents[old].number:
            found.rewriting.add(documents[old].number or "", new.number or "")
    return found


def replacement_of(session: Session, document: Document) -> Document | None:
    """Return the document that took the place of this one, the last of several; None where it was never replaced."""
    replacing = select(Document).where(Document.case_id == document.case_id, col(Document.replaces).is_not(None))
    return _newest(session.exec(replacing)).get(document.key)
