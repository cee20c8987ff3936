"""The number of a halal certificate, as BPJPH prints it.

ID, the province (00 for the centre), 15 digits: domain facts 1.3.
"""

from __future__ import annotations

import re

from rules.regions import provinces

HALAL_NUMBER = re.compile(r"ID(\d\d)\d{15}")


def unknown_province(number: re.Match[str]) -> str | None:
    """Return the two digits where they are neither 00 nor a province's."""
    return None if number[1] == "00" or number[1] in provinces() else number[1]
