"""Products to fill in, and what comes of a form that is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import BadAnswer


def made_of(name: str, product: str = "Keripik singkong", **more: Any) -> list[dict[str, Any]]:
    """Return a product list with one ingredient."""
    return [{"name": product, "ingredients": [{"name": name, "source": "pasar Lumajang", **more}]}]


def refused(act: Callable[[], object]) -> list[tuple[str, str]]:
    """Return field and reason of each fault for which an answer is refused."""
    with pytest.raises(BadAnswer) as caught:
        act()
    faults: Any = caught.value.parts["fields"]
    return [(fault["field"], fault["reason"]) for fault in faults]
