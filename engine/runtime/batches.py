"""Batch processing: all items at once, and item by item where the batch fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")
R = TypeVar("R")


def process_batch(
    items: Sequence[T],
    process: Callable[[Sequence[T]], R],
    on_failure: Callable[[T, Exception], R],
    *,
    catch: type[Exception] = Exception,
    bisect: bool = False,
) -> list[R]:
    """Call ``process`` with all ``items``, and with each alone where that raises ``catch``.

    ``process`` opens its own transaction, or leaves nothing behind when it raises. For an item that fails alone,
    ``on_failure`` is called at once, and its result takes the item's place. With ``bisect`` a failed batch is halved
    until the bad items are found: for batches so large that a call for each item costs too much.
    """
    if not items:
        return []
    try:
        return [process(items)]
    except catch as error:
        if len(items) == 1:
            return [on_failure(items[0], error)]
        log.info("A group of %d failed (%s); trying its members apart", len(items), type(error).__name__)
    size = len(items) // 2 if bisect else 1
    parts = (items[:size], items[size:]) if bisect else ([item] for item in items)
    return [result for part in parts for result in process_batch(part, process, on_failure, catch=catch, bisect=bisect)]
