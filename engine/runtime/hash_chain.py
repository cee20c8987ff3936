"""Canonical JSON, and the hashes that chain entries: of a case's ledger and of the office's.

An entry's hash is SHA-256 over the hash before it and the canonical JSON of its own fields. The hash of a row binds it
to the entry that names that hash: whoever changes the row by hand leaves it unlike its entry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import orjson


def canonical(value: Any) -> bytes:
    """Return JSON with sorted keys and no spaces: equal values give equal bytes."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME)


def link_hash(previous: str, fields: Mapping[str, Any]) -> str:
    """Return the hash of an entry with these fields that follows ``previous``."""
    return hashlib.sha256(previous.encode() + canonical(fields)).hexdigest()


def row_hash(values: Mapping[str, Any]) -> str:
    """Return the hash of a row's values, by column."""
    return hashlib.sha256(canonical(values)).hexdigest()


def as_object(value: Any) -> dict[str, Any]:
    """Return a JSON object as it is, and an empty one in place of anything else.

    What an entry is told to hold may have been put there by hand; its hash tells.
    """
    return value if isinstance(value, dict) else {}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError  # orjson says of which type
