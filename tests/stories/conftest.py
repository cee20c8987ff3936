"""Stories render each sheet once a process: the same facts at the same second are the same bytes (test_rendering proves it)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from documents import render as module


@pytest.fixture(scope="session", autouse=True)
def sheets() -> Iterator[None]:
    """Keep what was rendered, by all that it was rendered from."""
    render, kept = module.render, dict[str, bytes]()

    def once(template: str, facts: Any, **given: Any) -> bytes:
        known = json.dumps([template, facts, given], sort_keys=True, default=str)
        if known not in kept:
            kept[known] = render(template, facts, **given)
        return kept[known]

    module.render = once
    yield
    module.render = render
