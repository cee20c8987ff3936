"""Words and data that come in: their size, and letters that can't be kept.

NUL stops PostgreSQL, an escape letter paints over a terminal, half a surrogate pair has no encoding, and no paper can show a
letter that its typeface lacks. Every door asks here: forms, reasons, facts, names, the API and the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from unicodedata import category, normalize

from engine.errors import BadText

# The limits of what one act brings: values at any depth, levels, letters of all texts, digits of a number.
MOST_VALUES = 1_000
DEEPEST = 10
MOST_LETTERS = 200_000
MOST_DIGITS = 18  # more do not fit into 64 bits
LINE_ENDS = "\t\n\v\f\r\x85"
# Letters of a field's name that a refusal repeats.
SHOWN = 80


@dataclass(frozen=True)
class Flaw:
    """The reason why a field can't be taken, in Indonesian and in English."""

    field: str
    reason: str
    english: str


def normalised(value: Any) -> Any:
    """Return ``value`` with its texts in one form: NFC, tabs as spaces, lines ending in LF."""
    if isinstance(value, Mapping):
        return {name: normalised(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [normalised(inner) for inner in value]
    if not isinstance(value, str) or (value.isascii() and value.isprintable()):
        return value
    return normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))


def flaws_of(data: Any) -> list[Flaw]:
    """Return the flaws of ``data``: it is too large as a whole, or some fields are flawed.

    Call it before any other work: data of no end are given up at the first limit.
    """
    return [size] if (size := _oversize(data)) else list(_flaws(normalised(data), ""))


def is_oversize(data: Any) -> bool:
    """Return whether ``data`` has more values, levels or letters than one act brings."""
    return _oversize(data) is not None


def must_be_clean(**given: object) -> None:
    """Check texts, or data of texts, by the names that people know them by.

    Raises:
        BadText: one is flawed; the message names it.
    """
    for flaw in flaws_of(given):
        raise BadText(flaw.field, flaw.english, flaw.reason)


def has_control_letters(text: str) -> bool:
    """Return whether a text holds NUL, an escape, another control letter or half a letter.

    Tabs and line ends, also those that Word leaves in a cell, are none: they are spaces.
    """
    if text.isascii() and text.isprintable():
        return False
    return any(category(letter) in ("Cc", "Cs") and letter not in LINE_ENDS for letter in text)


def shown(name: object) -> str:
    """Return a typed name for a message, shortened, without letters that can't be printed."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(name)[:SHOWN])


def _oversize(data: Any) -> Flaw | None:
    """Return which limit ``data`` passes, without recursion: how deep they are is what is asked."""
    values = letters = 0
    waiting = [(data, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, Mapping):
            letters += sum(len(name) for name in value if isinstance(name, str))
            inner = list(value.values()) if len(value) <= MOST_VALUES else []
            values += len(value)
        elif isinstance(value, list):
            inner = value
            values += len(value)
        else:
            letters += len(value) if isinstance(value, str) else 0
            continue
        if values > MOST_VALUES:
            return Flaw("", f"paling banyak {MOST_VALUES} isian", f"has more than {MOST_VALUES} values")
        if depth > DEEPEST:
            return Flaw("", f"paling dalam {DEEPEST} tingkat", f"has more than {DEEPEST} levels")
        waiting.extend((one, depth + 1) for one in inner)
    if letters > MOST_LETTERS:
        return Flaw("", f"paling banyak {MOST_LETTERS} huruf", f"has more than {MOST_LETTERS} letters")
    return None


def _flaws(value: Any, field: str) -> Iterator[Flaw]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            path = f"{field}.{shown(name)}" if field else shown(name)
            if isinstance(name, str):
                yield from _of_text(name, path)
            yield from _flaws(inner, path)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _flaws(inner, f"{field}.{place}")
    elif isinstance(value, str):
        yield from _of_text(value, field)
    elif isinstance(value, int | float) and not abs(value) < 10**MOST_DIGITS:  # no number is less than anything
        yield Flaw(field, f"paling banyak {MOST_DIGITS} angka", f"has more than {MOST_DIGITS} digits")


def _of_text(text: str, field: str) -> Iterator[Flaw]:
    if text.isascii() and text.replace("\n", "").isprintable():
        return
    if any(category(letter) in ("Cc", "Cf", "Cs") and letter != "\n" for letter in text):
        yield Flaw(
            field,
            "berisi tanda yang tidak dapat disimpan (NUL atau huruf rusak); ketik ulang",
            "holds letters that can't be kept (NUL, an escape, half a letter); type it anew",
        )
        return
    from documents.alphabet import printable_letters  # it reads fonts, which only unusual letters need

    if strange := "".join(sorted(set(text) - printable_letters())):
        yield Flaw(
            field,
            f"huruf atau gambar ini tidak dapat dicetak: {strange[:20]}; tulis dengan huruf Latin",
            f"holds letters that no paper can show: {strange[:20]}; write it in Latin letters",
        )
