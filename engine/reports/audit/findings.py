"""Findings of the audit: what is wrong, in which case, in words with places for their facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    ``what`` is a code: entry, case, answer, document, number, trigger, file, or the table of a row. ``case`` is None for
    what belongs to the office.
    """

    what: str
    case: str | None
    words: str
    facts: Mapping[str, Any]

    @property
    def detail(self) -> str:
        """Return in English what is wrong."""
        return self.words.format(**self.facts)

    def as_json(self) -> dict[str, str | None]:
        """Return the finding as ``jalur audit verify`` prints it."""
        return {"what": self.what, "case": self.case, "detail": self.detail}


def found(what: str, case: str | None, words: str, **facts: Any) -> Finding:
    """Return a finding; ``words`` is one of sentences.py."""
    return Finding(what, case, words, facts)
