"""Cleaner of rupiah amounts; it neither rounds nor expands abbreviations."""

from __future__ import annotations

import re
from collections.abc import Callable

from engine.people.intake.cleaned import Cleaned, Fault
from engine.people.intake.spelling import is_scientific, plain_number, shown

# More digits are a typing error, and would exceed the database's integer.
LONGEST = 15

_CURRENCY = r"(?:rp|idr|rupiah)"
_UNIT = re.compile(
    r"\d\s*(?:ribu|rb|k|juta|jt|jutaan|milyar|miliar|milyard|m|mn|mio|bn|b|triliun|trilyun|t|thousand|million|billion)\b\.?"
)
_NEGATIVE = re.compile(r"\(.*\d.*\)|-.*\d.*|.*\d-")
# First group: whole rupiah; second: cents. Three digits after a point or comma are thousands, never a fraction.
_SHAPES = [
    re.compile(shape)
    for shape in (
        r"(\d+)()",
        r"([1-9]\d{0,2}(?:\.\d{3})+)(?:,(\d{1,2}))?",
        r"([1-9]\d{0,2}(?:,\d{3})+)(?:\.(\d{1,2}))?",
        r"([1-9]\d{0,2}(?:[ '\u2019]\d{3})+)(?:[.,](\d{1,2}))?",
        r"(\d+)[.,](\d{1,2}|\d{4,})",
    )
]


def rupiah_cleaner(title: str, title_en: str) -> Callable[[str], Cleaned | Fault]:
    """Return the cleaner of a money column, whose values are whole rupiah of 0 or more."""

    def clean(raw: str) -> Cleaned | Fault:
        text = plain_number(raw)
        if not text:
            return Fault(f"{title} belum diisi. {_HOW}", f"{title_en} is empty. {_HOW_EN}")
        figure = re.sub(rf"^([-+(]?)\s*{_CURRENCY}\.?\s*", r"\1", text.casefold())
        figure = re.sub(rf"\s*{_CURRENCY}\.?$", "", figure)
        figure = re.sub(r"(?<=\d)\s*[.,]\s*-+$", "", figure)
        figure = re.sub(r"\s*([.,])\s*", r"\1", figure).strip().removeprefix("+").strip()
        if is_scientific(figure):
            return Fault(
                f"{title} '{shown(text)}' telah disingkat oleh lembar sebar sehingga angkanya tidak pasti. {_HOW}",
                f"{title_en} '{shown(text)}' was shortened by a spreadsheet, so its digits are uncertain. {_HOW_EN}",
            )
        if _UNIT.search(figure):
            return Fault(
                f"{title} '{shown(text)}' memakai singkatan, dan kami tidak menebaknya. {_HOW}",
                f"{title_en} '{shown(text)}' uses a short form, which is not guessed at. {_HOW_EN}",
            )
        if _NEGATIVE.fullmatch(figure):
            return Fault(
                f"{title} '{shown(text)}' kurang dari nol. {_HOW}",
                f"{title_en} '{shown(text)}' is below zero. {_HOW_EN}",
            )
        for shape in _SHAPES:
            if found := shape.fullmatch(figure):
                return _whole(title, title_en, text, re.sub(r"\D", "", found[1]), found[2] or "")
        return Fault(
            f"{title} '{shown(text)}' tidak terbaca sebagai satu angka rupiah. {_HOW}",
            f"{title_en} '{shown(text)}' can't be read as one figure in rupiah. {_HOW_EN}",
        )

    return clean


def _whole(title: str, title_en: str, text: str, whole: str, cents: str) -> Cleaned | Fault:
    if cents.strip("0"):
        return Fault(
            f"{title} '{shown(text)}' memuat pecahan rupiah. {_HOW}",
            f"{title_en} '{shown(text)}' is not whole. {_HOW_EN}",
        )
    if len(whole.lstrip("0")) > LONGEST:
        return Fault(
            f"{title} '{shown(text)}' terlalu besar untuk angka rupiah yang masuk akal. {_HOW}",
            f"{title_en} '{shown(text)}' is too large a figure to be true. {_HOW_EN}",
        )
    return Cleaned(int(whole))


_HOW = "Tulis angka rupiah utuh tanpa singkatan, misalnya 1500000 atau 1.500.000; tulis 0 bila tidak ada."
_HOW_EN = "Write the full figure in rupiah, such as 1500000 or 1.500.000; write 0 for none."
