"""Normalisation of raw cells, and recognition of numbers that a spreadsheet has damaged."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from models.privacy import masked

APOSTROPHES = "'\u2018\u2019\u201b`\u00b4\u02bc"
DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-"))
# Signs with which a formula begins in a spreadsheet, and their full-width forms.
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")

# Words that people write for an empty cell.
NOTHING = frozenset(
    {
        *("-", "--", "---", ".", "n/a", "na", "#n/a", "null", "none", "nan", "nihil", "kosong"),
        *("tidak ada", "tdk ada", "tidak punya", "tidak memiliki", "belum ada", "belum punya", "belum memiliki"),
    }
)

_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?\s*[eE]\s*\+?\s*\d+")
_AS_TEXT_FORMULA = re.compile(r'=\s*"([^"]*)"?')
_FLOAT_TAIL = re.compile(r"(\d+)[.,]0{1,2}")


def plain(raw: str) -> str:
    """Return a text in Unicode NFC, without invisible characters and with single spaces."""
    if raw.isascii() and raw.isprintable():
        return " ".join(raw.split())
    kept = "".join(_visible(character) for character in unicodedata.normalize("NFC", raw))
    return " ".join(kept.split())


def plain_text(raw: str) -> str:
    """Return a text cell like `plain`, without a formula's apostrophe and without stray quotes."""
    text = plain(raw)
    if text[:1] in tuple(APOSTROPHES) and text[1:].lstrip().startswith(FORMULA_STARTS):
        text = text[1:].lstrip()
    if text.count('"') % 2:
        text = text.strip('"').strip()
    return text


def plain_number(raw: str) -> str:
    """Return a number cell with digits 0-9, without surrounding apostrophes, quotes or ``="…"``."""
    text = plain(raw)
    if not text.isascii():
        text = plain(unicodedata.normalize("NFKC", text)).translate(DASHES)
        text = "".join(_ascii_digit(character) for character in text)
    around = APOSTROPHES + '" '
    text = text.strip(around)
    formula = _AS_TEXT_FORMULA.fullmatch(text)
    return formula[1].strip(around) if formula else text


def is_nothing(text: str) -> bool:
    """Return whether a cell is empty, or says so in words or signs."""
    return not text or text.casefold() in NOTHING


def is_scientific(text: str) -> bool:
    """Return whether a number is in scientific notation (``3,57801E+15``), its last digits lost."""
    return _SCIENTIFIC.fullmatch(text) is not None


def without_float_tail(text: str, lengths: Collection[int]) -> str:
    """Return a number of one of the given lengths without a trailing ``.0``."""
    found = _FLOAT_TAIL.fullmatch(text)
    return found[1] if found and len(found[1]) in lengths else text


def digits_of(text: str, label: str = "") -> str:
    """Return ``text`` without a leading label, and without points, dashes, slashes and spaces."""
    if label:
        text = re.sub(rf"^{label}\b[\s.:#]*", "", text, flags=re.IGNORECASE)
    return re.sub(r"[\s./_-]", "", text)


def is_digits(text: str) -> bool:
    """Return whether ``text`` is made of 0-9 only."""
    return text.isascii() and text.isdigit()


def shown(text: str) -> str:
    """Return a cell for quoting in a reason: shortened, and masked where it may be personal."""
    if sum(character.isdigit() for character in text) > 15:
        return shown_personal(text)
    return text if len(text) <= 24 else f"{text[:23]}…"


def shown_personal(text: str) -> str:
    """Return a personal number for quoting: its first six and last two characters."""
    few = sum(character.isdigit() for character in text) <= 8 and len(text) <= 16
    return text if few else masked(text[:40])


def shown_email(text: str) -> str:
    """Return an e-mail address for quoting: its first letter and its domain."""
    local, at, domain = text[:120].rpartition("@")
    return f"{local[:1]}***{at}{domain[:40]}" if at else f"{text[:1]}***"


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    return " " if category in ("Cc", "Zs", "Zl", "Zp", "Cs", "Co", "Cn") else character


def _ascii_digit(character: str) -> str:
    return str(unicodedata.decimal(character)) if unicodedata.category(character) == "Nd" else character
