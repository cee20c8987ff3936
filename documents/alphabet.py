"""The letters that our papers can show: those that the packaged text face draws. Loads fonts, and no WeasyPrint."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from unicodedata import category

from fontTools.ttLib import TTFont

from documents.templating import TEMPLATES


@lru_cache(maxsize=1)
def printable_letters() -> frozenset[str]:
    """The characters that a document can show; what people fill in may hold no others."""
    drawn = frozenset(_drawn_letters(TEMPLATES / "fonts"))
    # A mark that turns the writing around or cannot be seen would let a name look like another one.
    return frozenset("\n") | {letter for letter in drawn if category(letter) not in {"Cc", "Cf"}}


def _drawn_letters(folder: Path) -> Iterator[str]:
    """Every character that the text face draws upright in its regular weight."""
    for path in sorted(folder.glob("source-sans-3-*-400-normal.woff2")):
        with TTFont(path, lazy=True) as font:
            yield from map(chr, font.getBestCmap())
