"""Characters that documents can show: those of the packaged text face.

Loads the font files without WeasyPrint, which takes long to import.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from unicodedata import category

from fontTools.ttLib import TTFont

from documents.templating import TEMPLATES


@lru_cache(maxsize=1)
def printable_letters() -> frozenset[str]:
    """Return the characters that a document can show; forms refuse any others."""
    drawn = frozenset(_drawn_letters(TEMPLATES / "fonts"))
    # An invisible character, or one that reverses the writing direction, would make a name look like another.
    return frozenset("\n") | {letter for letter in drawn if category(letter) not in {"Cc", "Cf"}}


def _drawn_letters(folder: Path) -> Iterator[str]:
    """Yield each character of the upright text face in its regular weight."""
    for path in sorted(folder.glob("source-sans-3-*-400-normal.woff2")):
        with TTFont(path, lazy=True) as font:
            yield from map(chr, font.getBestCmap())
