"""The QR code that leads to the check page: a vector picture of one address, and of nothing else."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import segno

_PERSONAL_NUMBER = re.compile(r"(?<!\d)\d{15,16}(?!\d)|(?<!\d)(?:\+?62|0)8\d{8,11}(?!\d)")


_QUIET = 2  # modules of white around the code; the paper gives the rest


class QrCode:
    """The code of one address (error correction M), as a `data:` URI and as a picture that WeasyPrint draws.

    Drawn as an SVG it costs 11 ms a page, as rectangles written by ourselves half a millisecond.
    Raises ValueError for anything but a plain http(s) address, and for one that carries a NIK, NPWP or phone number.
    """

    def __init__(self, check_url: str) -> None:
        parts = urlsplit(check_url)
        if parts.scheme not in {"http", "https"} or not parts.netloc or "@" in parts.netloc:
            raise ValueError("a QR code holds the http(s) address of the check page and nothing else")
        if _PERSONAL_NUMBER.search(check_url):
            raise ValueError("a QR code never holds a personal number")
        rows = segno.make(check_url, error="m", micro=False, boost_error=False).matrix
        self._side = len(rows) + 2 * _QUIET
        self._runs = [run for y, row in enumerate(rows) for run in _runs(row, y)]

    @property
    def uri(self) -> str:
        """The code as a `data:` URI holding an SVG of closed shapes: no strokes, so no hairlines when printed."""
        path = "".join(f"M{x} {y}h{width}v1h-{width}z" for x, y, width in self._runs)
        view = f"0 0 {self._side} {self._side}"
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}"><path d="{path}"/></svg>'
        return "data:image/svg+xml," + quote(svg, safe="")

    def get_intrinsic_size(self, _resolution: float, _font_size: float) -> tuple[None, None, float]:
        """No size of its own, and square: as WeasyPrint asks its pictures."""
        return None, None, 1.0

    def draw(self, stream: Any, width: float, height: float, _style: object) -> None:
        """Write the modules into the page, as WeasyPrint asks its pictures to do."""
        with stream.stacked():
            stream.transform(a=width / self._side, d=height / self._side)
            modules = " ".join(f"{x} {y} {run} 1 re" for x, y, run in self._runs)
            stream.stream.append(f"0 0 0 rg {modules} f".encode())


def _runs(row: bytearray, y: int) -> Iterator[tuple[int, int, int]]:
    """The dark runs of one row: left, top and width, in modules from the picture's corner."""
    x = 0
    while x < len(row):
        width = 0
        while x + width < len(row) and row[x + width]:
            width += 1
        if width:
            yield x + _QUIET, y + _QUIET, width
        x += width or 1
