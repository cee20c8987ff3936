"""A group is worked off together, because that is fast; where it fails, its members are found out one by one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")
R = TypeVar("R")


def together_or_alone(
    items: Sequence[T],
    work: Callable[[Sequence[T]], R],
    failed: Callable[[T, Exception], R],
    *,
    catch: type[Exception] = Exception,
    in_halves: bool = False,
) -> list[R]:
    """Do ``work`` on all ``items`` at once; where it raises ``catch``, on each alone, in their order.

    ``work`` opens its own transaction, or leaves nothing behind when it raises. Of an item that fails alone ``failed`` is
    called at once, and its result stands in the item's place. ``in_halves`` looks for the bad ones by halving, for groups so
    large that trying each alone costs too much.
    """
    if not items:
        return []
    try:
        return [work(items)]
    except catch as error:
        if len(items) == 1:
            return [failed(items[0], error)]
        log.info("A group of %d failed (%s); trying its members apart", len(items), type(error).__name__)
    size = len(items) // 2 if in_halves else 1
    parts = (items[:size], items[size:]) if in_halves else ([item] for item in items)
    return [
        result for part in parts for result in together_or_alone(part, work, failed, catch=catch, in_halves=in_halves)
    ]
