"""Masking of personal numbers in texts (UU 27/2022 on personal data).

At most the first six and the last two digits of a NIK are shown.
"""

from __future__ import annotations

import re
from typing import Any

# Long numbers that are not personal: case and document numbers, dates and moments, money, hashes and ids.
_PUBLIC = (
    r"(?<![A-Za-z\d])[A-Z]{2,8}-\d{4}-\d{6,9}(?!\d)"
    r"|(?<!\d)\d{4}-\d\d-\d\d(?!\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?"
    r"|Rp\.? ?\d[\d.]*"
    r"|(?<![\d.])[1-9]\d{0,2}(?:\.\d{3}){2,4}(?![\d.]?\d)"
    r"|(?<!\d)\d{5} \d{4}(?: \d)? \d{5,7} \d{4}(?!\d)"  # BNSP's certificate numbers
    r"|sha256:[0-9a-f]{64}"
    r"|(?<![0-9A-Za-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])(?=\d*[a-f])[0-9a-f]{32,}(?![0-9A-Za-z])"
)
# NIK and NPWP (15 digits and more, bare or in groups), telephone numbers, mail addresses. A NIB has 13 digits and is public;
# one that was issued on the 8th of a month may look like a telephone number: it is masked too, which is harmless.
_PERSONAL = (
    r"(?<!\d)\d{15,}(?!\d)"
    r"|(?<!\d)(?=\d(?:[ .\-]{0,2}\d){14})\d{1,8}(?:[ .\-]{1,2}\d{1,8}(?!\d))+"
    r"|(?<!\d)(?:\+62|62(?=[ .\-]?8)|0(?=8))[ .\-]?\d\d(?:[ .\-]?\d){6,10}(?!\d)"
    r"|(?<!\d)\(?0[2-79]\d{1,2}\)?[ .\-]?\d(?:[ .\-]?\d){5,7}(?!\d)"
    r"|[^\s<>@\"',;:()\[\]=]{1,64}@[\w\-]+(?:\.[\w\-]+)+"
)
_LONG = re.compile(f"(?P<public>{_PUBLIC})|(?P<personal>{_PERSONAL})")
# Region, day (a woman's plus 40), month, year, serial; digits of another number seldom fall so.
_NIK = re.compile(r"[1-9]\d{5}(?:[04][1-9]|[1256]\d|[37][01])(?:0[1-9]|1[0-2])\d{6}")


def masked(number: str) -> str:
    """Return a personal number with its first six and last two characters: ``350816********20``."""
    return number if len(number) <= 8 else f"{number[:6]}{'*' * (len(number) - 8)}{number[-2:]}"


def without_personal_numbers(text: str) -> str:
    """Return ``text`` with NIK, NPWP, telephone numbers and mail addresses masked.

    Case numbers, NIB, money, dates, hashes and ids stay readable.
    """
    return _LONG.sub(_masked_match, text)


def masked_in(value: Any) -> Any:
    """Return a JSON value with the personal numbers in its texts masked."""
    if isinstance(value, dict):
        return {name: masked_in(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked_in(inner) for inner in value]
    return without_personal_numbers(value) if isinstance(value, str) else value


def significant_digits(number: str) -> str:
    """Return a number's digits without its prefix: ``+62 811…`` and ``0811…`` give the same."""
    return re.sub(r"\D", "", number).removeprefix("62").removeprefix("0")


def without_numbers(value: Any, numbers: frozenset[str]) -> Any:
    """Return a JSON value with every NIK, and the numbers with these digits, masked."""
    if isinstance(value, dict):
        return {name: without_numbers(inner, numbers) for name, inner in value.items()}
    if isinstance(value, list):
        return [without_numbers(inner, numbers) for inner in value]
    if not isinstance(value, str) or len(value) < 8:
        return value

    def of_somebody(found: re.Match[str]) -> str:
        digits = significant_digits(found[0])
        return _masked_match(found) if digits in numbers or _NIK.fullmatch(digits) else found[0]

    return _LONG.sub(of_somebody, value)


def _masked_match(match: re.Match[str]) -> str:
    found = match["personal"]
    if found is None:
        return match[0]
    if "@" in found:
        return f"{found[0]}***@{found.rpartition('@')[2]}"
    return masked(re.sub(r"\D", "", found))
