"""The QR code that leads to the check page: a vector picture of one address, and of nothing else."""

import re
from urllib.parse import quote, urlsplit

import segno

_PERSONAL_NUMBER = re.compile(r"(?<!\d)\d{15,16}(?!\d)|(?<!\d)(?:\+?62|0)8\d{8,11}(?!\d)")


def qr_picture(check_url: str) -> str:
    """The address as a `data:` URI holding an SVG of square modules (error correction M, quiet zone 2).

    Raises ValueError for anything but a plain http(s) address, and for one that carries a NIK, NPWP or phone number.
    """
    parts = urlsplit(check_url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or "@" in parts.netloc:
        raise ValueError("a QR code holds the http(s) address of the check page and nothing else")
    if _PERSONAL_NUMBER.search(check_url):
        raise ValueError("a QR code never holds a personal number")
    code = segno.make(check_url, error="m", micro=False, boost_error=False)
    quiet = 2
    runs = "".join(_runs(row, top + quiet, quiet) for top, row in enumerate(code.matrix))
    side = len(code.matrix) + 2 * quiet
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"><path d="{runs}"/></svg>'
    return "data:image/svg+xml," + quote(svg, safe="")


def _runs(row: bytearray, y: int, left: int) -> str:
    """The dark runs of one row as closed rectangles: no strokes, so no hairlines between rows when printed."""
    path = []
    x = 0
    while x < len(row):
        width = 0
        while x + width < len(row) and row[x + width]:
            width += 1
        if width:
            path.append(f"M{x + left} {y}h{width}v1h-{width}z")
        x += width or 1
    return "".join(path)
