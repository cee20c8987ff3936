"""Issued documents as the ledger has them: number and hash of each, by its key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.cases.ledger import CORRECTED
from engine.runtime.hash_chain import as_object
from models import EntryKind

_WRITES_THEM = (EntryKind.MACHINE, EntryKind.REMARK)


def issued_by(entries: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return number and sha256 of each issued or reissued document, by its key."""
    issuing = (one for one in entries if one["outcome"] == "issued" and one["kind"] in _WRITES_THEM)
    results = ((entry["key"], as_object(entry["result"])) for entry in issuing)
    return {result.get("key", key): result for key, result in results if {"number", "sha256"} <= result.keys()}


def replaced_by(entries: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the numbers, or else the keys, of the documents that corrections replaced."""
    corrections = (as_object(entry["result"]) for entry in entries if entry["outcome"] == CORRECTED)
    return {name for result in corrections for name in as_object(result.get("replaced"))}
