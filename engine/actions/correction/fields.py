"""The names and numbers of a case that can be corrected, and how each is checked.

A value that decides the way of a case (region, industry code, money, cluster) can't be: whoever stated it wrong applies anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.cases.replaced_documents import Change
from engine.errors import Refused
from engine.people.intake.cleaned import Fault
from engine.people.intake.fields import CLEANERS, Cleaner, TextCleaner

_PERSON = ("national_id", "tax_id", "phone", "email", "address")
# The fields that may be corrected, by kind of subject, each with the cleaner that an import uses.
FIELDS: dict[str, dict[str, Cleaner]] = {
    "person": {"name": CLEANERS["owner_name"], **{name: CLEANERS[name] for name in _PERSON}},
    "business": {
        "name": CLEANERS["business_name"],
        "main_product": CLEANERS["main_product"],
        "business_id_number": CLEANERS["existing_nib"],
    },
    "product": {"name": TextCleaner("Nama produk", "The product's name", required=True)},
}
# The paths at which the facts of a case hold its subject, its business and its owner.
PLACES = {
    "person": {"": "person"},
    "business": {"": "business", "owner.": "person"},
    "product": {"": "product", "business.": "business", "business.owner.": "person"},
}


def changes_of(number: str, subject: str, facts: Mapping[str, Any], data: Mapping[str, Any]) -> list[Change]:
    """Return the changes that ``data`` makes to the facts of a case about a ``subject``.

    A field is named by its path (``owner.phone``), or shortly (``phone``) where only one field has that name.

    Raises:
        Refused: A field can't be corrected or is named twice, an import would refuse a value, or nothing is changed.
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


def corrected_facts(facts: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """Return a copy of the facts with the new values."""
    corrected = dict(facts)
    for change in changes:
        *way, last = change.path.split(".")
        inner = corrected
        for name in way:
            inner[name] = dict(inner[name])
            inner = inner[name]
        inner[last] = change.new
    return corrected


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
