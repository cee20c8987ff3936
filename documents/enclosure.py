"""The facts of a document as the JSON file that is embedded in its PDF."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

JSON: TypeAlias = "str | int | float | bool | list[JSON] | dict[str, JSON] | None"


def iso_utc(at: datetime) -> str:
    """Return an instant as ISO 8601 in UTC, to the second.

    Raises:
        ValueError: the time has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("a document's time needs a time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def enclose(
    facts: Mapping[str, JSON], *, template: str, language: str, at: datetime, check_url: str | None, title: str
) -> bytes:
    """Return the embedded file: one JSON object with sorted keys; equal facts are equal bytes.

    Raises:
        ValueError: `at` has no time zone, or a fact is NaN or infinite.
    """
    envelope = {
        "template": template,
        "language": language,
        "at": iso_utc(at),
        "title": title,
        "check_url": check_url,
        "facts": dict(facts),
    }
    return json.dumps(envelope, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False).encode()
