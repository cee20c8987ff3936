"""Ledger keys that recalls took back.

A replay does not see recalled keys; it asks again under later numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.cases.ledger import RECALLED


class RecallEntry(Protocol):
    """The fields of a ledger entry that tell a recall."""

    @property
    def seq(self) -> int:
        """Return the place of the entry in its chain."""

    @property
    def outcome(self) -> str | None:
        """Return the outcome; that of a recall is `RECALLED`."""

    @property
    def result(self) -> Any:
        """Return the recalled keys (``superseded``) and the counts of their names (``counted``)."""


@dataclass(frozen=True)
class RecalledKeys:
    """All recalled keys of a case; for each recall, in order, its numbers and counts by name."""

    keys: frozenset[str] = frozenset()
    recalls: tuple[tuple[dict[str, list[int]], dict[str, int]], ...] = field(default=())

    def number(self, name: str, call: int) -> int:
        """Return the number in the key of the ``call``-th call of ``name``.

        Recalled numbers are never used again. A recall wrote down how many numbers each of its names had: recalled calls
        get the numbers after the last one, in their order, and later calls move up by as many. So every kept answer stays
        with its own call.
        """
        for taken_back, counted in self.recalls:
            numbers = taken_back.get(name)
            if numbers is None:
                continue
            if call in numbers:
                call = counted[name] + numbers.index(call) + 1
            elif call > counted[name]:
                call += len(numbers)
        return call


NO_RECALLS = RecalledKeys()


def read_recalls(entries: Iterable[RecallEntry]) -> RecalledKeys:
    """Return the keys that the recalls among the entries of one case took back."""
    found = sorted((one for one in entries if one.outcome == RECALLED), key=lambda one: one.seq)
    if not found:
        return NO_RECALLS
    recalls = tuple((numbers_by_name(one.result["superseded"]), one.result["counted"]) for one in found)
    return RecalledKeys(frozenset(key for one in found for key in one.result["superseded"]), recalls)


def numbers_by_name(keys: Iterable[str]) -> dict[str, list[int]]:
    """Return the numbers of keys such as ``visit#2``, by name, in rising order."""
    numbers: dict[str, list[int]] = {}
    for key in keys:
        name, _, number = key.rpartition("#")
        numbers.setdefault(name, []).append(int(number))
    return {name: sorted(found) for name, found in numbers.items()}
