"""Reading of XLSX into rows of raw text; a formula gives the value last calculated."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from openpyxl import load_workbook

from engine.people.intake.cleaned import Unreadable

# Limit of unpacked bytes: twenty times a sheet of 100,000 rows.
LARGEST_UNPACKED = 300 * 1024 * 1024
MOST_PARTS = 2_000
MOST_COLUMNS = 200
# A spreadsheet keeps fifteen significant digits; a sixteenth of 0 is probably a lost digit.
CERTAIN_DIGITS = 15


def sheets(content: bytes) -> Iterator[tuple[str, Iterator[list[str]]]]:
    """Yield the title and rows of each visible sheet.

    Raises:
        Unreadable: the file is no XLSX, unpacks to too much, or holds XML entities.
    """
    _inspect(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever its parsers raise
        raise _broken() from error
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            yield sheet.title, _rows(sheet)


def _rows(sheet: Any) -> Iterator[list[str]]:
    # A sheet's stated dimensions are not trusted: they may be wrong, or a million columns.
    sheet.reset_dimensions()
    rows = sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS)
    while True:
        try:
            values = next(rows, None)
        except Exception as error:
            raise _broken() from error
        if values is None:
            return
        width = len(values)
        while width and values[width - 1] is None:
            width -= 1
        yield [raw_text(value) for value in values[:width]]


def raw_text(value: Any) -> str:
    """Return a cell as text; a number with lost digits in scientific notation, which is refused."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)


def _number(value: float) -> str:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return "#NUM!"
    if value == int(value):
        whole = str(int(value))
        if len(whole.lstrip("-")) > CERTAIN_DIGITS and whole.endswith("0"):
            return f"{value:.14E}"
        return whole
    text = f"{value:.10f}".rstrip("0")
    # A point before exactly three digits would be read as a thousands separator.
    return text + "0" if len(text.partition(".")[2]) == 3 else text


def _inspect(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if "[Content_Types].xml" not in archive.namelist():
                raise _broken()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise Unreadable(
                    "Berkas XLSX ini terlalu besar setelah dibuka. Salin datanya ke berkas baru, lalu unggah lagi.",
                    "The XLSX is too large when unpacked. Copy its data to a new file and upload that.",
                )
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    _refuse_entities(archive, part)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise _broken() from error


def _refuse_entities(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Refuse XML entities: no spreadsheet needs them, and a few lines can fill the memory."""
    unpacked, tail = 0, b""
    with archive.open(part) as source:
        while block := source.read(1 << 20):
            unpacked += len(block)
            # The sizes in the archive's directory may be false, so the unpacked bytes are counted.
            if unpacked > part.file_size or b"<!DOCTYPE" in tail + block or b"<!ENTITY" in tail + block:
                raise _broken()
            if unpacked == len(block) and block.startswith((b"\xff\xfe", b"\xfe\xff", b"\0")):
                raise _broken()
            tail = block[-16:]


def _broken() -> Unreadable:
    return Unreadable(
        "Berkas ini rusak atau bukan XLSX. Buka di lembar sebar, simpan sebagai XLSX yang baru, lalu unggah lagi.",
        "The file is damaged or no XLSX. Open it in a spreadsheet, save it as a new XLSX, and upload it again.",
    )
