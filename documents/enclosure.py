"""What a document is made of: facts that are JSON, and the errors a bad set of them raises."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

JSON: TypeAlias = "str | int | float | bool | list[JSON] | dict[str, JSON] | None"


class DocumentError(Exception):
    """A document cannot be made as asked; the message says which one, why, and the next move."""


class MissingFact(DocumentError):
    """The template names a fact that the caller did not give (or gave as null where it is printed)."""

    def __init__(self, template: str, reason: str) -> None:
        super().__init__(f"{template} cannot be written: {reason}. See the table in templates/README.md")
        self.template = template
        self.reason = reason


class ReservedFact(DocumentError):
    """The caller gave a fact under a name that the renderer itself fills in."""

    def __init__(self, template: str, names: list[str]) -> None:
        super().__init__(f"{template}: facts may not be named {', '.join(names)}: the renderer fills these in")
        self.template = template
        self.names = names


class UnprintableText(DocumentError):
    """The facts hold characters that the packaged fonts do not draw."""

    def __init__(self, template: str, characters: str) -> None:
        codes = ", ".join(f"U+{ord(character):04X}" for character in characters)
        super().__init__(f"{template}: the packaged fonts have no letters for {codes}; ask for a Latin spelling")
        self.template = template
        self.characters = characters


def iso_utc(at: datetime) -> str:
    """The instant as ISO 8601 in UTC to the second; a naive time is refused, for it means nothing."""
    if at.tzinfo is None:
        raise ValueError("a document's time needs a time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def enclose(
    facts: Mapping[str, JSON], *, template: str, language: str, at: datetime, check_url: str | None, title: str
) -> bytes:
    """The file that travels inside the PDF: one JSON object, keys sorted, so that equal facts are equal bytes.

    >>> {"template", "language", "at", "title", "check_url", "facts"}  # doctest: +SKIP
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
