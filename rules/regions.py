"""Regions of this office, and provinces that national ids may name, from regions.toml."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from typing import Any

from rules import HERE


@lru_cache(maxsize=1)
def regions() -> dict[str, str]:
    """Return the 38 regencies and cities of East Java: four-digit code to name.

    E.g. ``{"3578": "Kota Surabaya"}``.
    """
    return dict(_read()["regions"])


@lru_cache(maxsize=1)
def provinces() -> frozenset[str]:
    """Return the two-digit codes of all provinces, present ones and those of older national ids."""
    return frozenset(f"{code:02d}" for code in _read()["provinces"])


def _read() -> dict[str, Any]:
    return tomllib.loads((HERE / "regions.toml").read_text("utf-8"))


def region_name(code: str) -> str:
    """Return the name of the regency or city of ``code``; the code itself if unknown."""
    digits = code.replace(".", "")
    return regions().get(digits[:4], code)
