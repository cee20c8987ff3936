"""What recalls took back: which entries and waits of a case a replay no longer sees, and under which numbers it asks anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.cases.ledger import RECALLED


class Remark(Protocol):
    """An entry, as far as it matters here."""

    @property
    def seq(self) -> int:
        """Return its place."""

    @property
    def outcome(self) -> str | None:
        """Return what it came to."""

    @property
    def result(self) -> Any:
        """Return what it says."""


@dataclass(frozen=True)
class Superseded:
    """The keys that recalls took back, and each recall's own keys and counts by name, in their order."""

    keys: frozenset[str] = frozenset()
    recalls: tuple[tuple[dict[str, list[int]], dict[str, int]], ...] = field(default=())

    def number(self, name: str, call: int) -> int:
        """Return the number in the key of the ``call``-th call of ``name``.

        A recall counted the numbers of each name that it touched. The ones that it took back get the next free ones in their
        order, and what would have come after the last moves up by as many: every kept answer stays with its own call, and
        no key is used twice.
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


NOTHING = Superseded()


def superseded_by(remarks: Iterable[Remark]) -> Superseded:
    """Return what the recalls among these entries of one case took back."""
    found = sorted((one for one in remarks if one.outcome == RECALLED), key=lambda one: one.seq)
    if not found:
        return NOTHING
    recalls = tuple((numbers_in(one.result["superseded"]), one.result["counted"]) for one in found)
    return Superseded(frozenset(key for one in found for key in one.result["superseded"]), recalls)


def numbers_in(keys: Iterable[str]) -> dict[str, list[int]]:
    """Return the numbers of these keys by name, rising."""
    numbers: dict[str, list[int]] = {}
    for key in keys:
        name, _, number = key.rpartition("#")
        numbers.setdefault(name, []).append(int(number))
    return {name: sorted(found) for name, found in numbers.items()}
