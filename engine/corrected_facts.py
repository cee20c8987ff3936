"""Which names and numbers of a case can be put right, how each is checked, and how an old value is replaced in words.

What decides the way of a case (region, industry code, money, cluster) is no slip of the pen: who stated it wrong applies anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import escape

from engine.errors import Refused
from engine.intake.cleaning import Fault
from engine.intake.fields import CLEANERS, Cleaner, Text
from models.privacy import masked

NUMBERS = ("national_id", "tax_id", "phone")
_PERSON = ("national_id", "tax_id", "phone", "email", "address")
# What may be corrected of each kind of subject, with the cleaner that an import uses for it.
FIELDS: dict[str, dict[str, Cleaner]] = {
    "person": {"name": CLEANERS["owner_name"], **{name: CLEANERS[name] for name in _PERSON}},
    "business": {
        "name": CLEANERS["business_name"],
        "main_product": CLEANERS["main_product"],
        "business_id_number": CLEANERS["existing_nib"],
    },
    "product": {"name": Text("Nama produk", "The product's name", required=True)},
}
# Where the facts of a case hold what it is about, its business and its owner.
PLACES = {
    "person": {"": "person"},
    "business": {"": "business", "owner.": "person"},
    "product": {"": "product", "business.": "business", "business.owner.": "person"},
}
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


def changes_of(number: str, subject: str, facts: Mapping[str, Any], data: Mapping[str, Any]) -> list[Change]:
    """Return what ``data`` puts right in the facts of a case about a ``subject``.

    A field is named by its path (``owner.phone``), or shortly (``phone``) where only one has that name. Raises `Refused` for
    a field that can't be corrected, one that is named twice, a value that an import would refuse, and where nothing is changed.
    """
    known = {
        prefix + name: (kind, name, cleaner)
        for prefix, kind in PLACES[subject].items()
        for name, cleaner in FIELDS[kind].items()
    }
    found: dict[str, Change] = {}
    named: dict[str, str] = {}
    for given, raw in _flat(data):
        ends = [path for path in known if path.endswith(f".{given}")]
        path = given if given in known else ends[0] if len(ends) == 1 else None
        if path is None or not isinstance(raw, str | None):
            allowed = ", ".join(known)
            raise Refused(
                f"{given} of case {number} can't be corrected, or is no text; what can be: {allowed}. "
                f"What decides the way of a case is applied for anew: withdraw it and open the next",
                for_people=f"{given} tidak dapat diperbaiki di sini. Yang dapat diperbaiki: {allowed}. "
                f"Data yang menentukan jalannya permohonan diajukan ulang: tarik, lalu ajukan yang baru.",
                case=number,
                field=given,
            )
        if path in named:
            raise Refused(
                f"{path} of case {number} is named twice, as {named[path]} and as {given}. Name it once",
                for_people=f"{path} disebut dua kali. Sebutkan satu kali saja.",
                case=number,
                field=path,
            )
        named[path] = given
        kind, name, cleaner = known[path]
        cleaned = cleaner(raw or "")
        if isinstance(cleaned, Fault):
            raise Refused(
                f"{path}: {cleaned.reason_en}", for_people=f"{path}: {cleaned.reason_id}", case=number, field=path
            )
        old = _at(facts, path)
        if (cleaned.value or None) != (old or None):
            found[path] = Change(path, kind, name, old, cleaned.value)
    if not found:
        raise Refused(
            f"Nothing is corrected: case {number} says the same already",
            for_people=f"Tidak ada yang diperbaiki: data pada {number} sudah demikian.",
            case=number,
        )
    return list(found.values())


def put_into(facts: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """Return the facts with the new values."""
    corrected = dict(facts)
    for change in changes:
        *way, last = change.path.split(".")
        inner = corrected
        for name in way:
            inner[name] = dict(inner[name])
            inner = inner[name]
        inner[last] = change.new
    return corrected


class Rewriting:
    """Replaces old values by new ones in the texts of a JSON value, as whole words, masked numbers too.

    A longer value of the facts that holds an old one (a business that bears its owner's name) is left as it is.
    """

    def __init__(self, facts: Mapping[str, Any], changes: Iterable[Change]) -> None:
        self._named = {kind: dict[str, str]() for kind in FIELDS}
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


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _at(facts: Mapping[str, Any], path: str) -> str | None:
    found: Any = facts
    for name in path.split("."):
        found = found[name]
    return str(found) if found is not None else None
