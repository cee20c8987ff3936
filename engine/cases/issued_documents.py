"""Issued documents as the ledger has them: number and hash of each, by its key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.cases.ledger import CORRECTED
from models import EntryKind

_WRITES_THEM = (EntryKind.MACHINE, EntryKind.REMARK)


def issued_by(entries: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return by key the results of the entries that issued or reissued a document: ``number`` and ``sha256``."""
    return {
        entry["result"].get("key", entry["key"]): entry["result"]
        for entry in entries
        if entry["outcome"] == "issued" and entry["kind"] in _WRITES_THEM and "sha256" in (entry["result"] or {})
    }


def replaced_by(entries: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the numbers, or else the keys, of the documents that corrections replaced."""
    corrections = (entry["result"] or {} for entry in entries if entry["outcome"] == CORRECTED)
    return {name for result in corrections for name in result.get("replaced", ())}
