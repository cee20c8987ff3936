"""The regions that this office serves, and the provinces that a national id may name. The data are in regions.toml."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from typing import Any

from rules import HERE


@lru_cache(maxsize=1)
def regions() -> dict[str, str]:
    """Return the 38 regencies and cities of East Java: four-digit code to name, e.g. ``{"3578": "Kota Surabaya"}``."""
    return dict(_read()["regions"])


@lru_cache(maxsize=1)
def provinces() -> frozenset[str]:
    """Return the two-digit codes of all provinces, of today and of when national ids were first given out."""
    return frozenset(f"{code:02d}" for code in _read()["provinces"])


def _read() -> dict[str, Any]:
    return tomllib.loads((HERE / "regions.toml").read_text("utf-8"))


def region_name(code: str) -> str:
    """Return the name of the regency or city that ``code`` lies in; the code itself where it is not in the table."""
    digits = code.replace(".", "")
    return regions().get(digits[:4], code)
