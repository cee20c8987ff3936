"""Reading of XLSX into rows of raw text; a formula gives the value last calculated."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from openpyxl import load_workbook

from engine.people.intake.bounds import LARGEST_UNPACKED, MOST_PARTS
from engine.people.intake.cleaned import Unreadable
from engine.people.intake.workbook_parts import broken, look_through

MOST_COLUMNS = 200
# A spreadsheet keeps fifteen significant digits; a sixteenth of 0 is probably a lost digit.
CERTAIN_DIGITS = 15


def sheets(content: bytes) -> Iterator[tuple[str, Iterator[tuple[int, list[str]]]]]:
    """Yield the title of each visible sheet, and its rows with their numbers; skip empty rows.

    Raises:
        Unreadable: the file is no XLSX, unpacks to too much, passes a bound, or holds XML entities.
    """
    _inspect(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except MemoryError:
        raise
    except Exception as error:  # openpyxl raises whatever its parsers raise
        raise broken() from error
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            yield sheet.title, _rows(sheet)


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    # A sheet's stated dimensions are not trusted: they may be wrong, or a million columns.
    sheet.reset_dimensions()
    rows = enumerate(sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS), start=1)
    while True:
        try:
            line, values = next(rows, (0, ()))
        except MemoryError:
            raise
        except Exception as error:
            raise broken() from error
        if not line:
            return
        if values.count(None) == len(values):  # at once: a row that the sheet leaves out is 200 empty cells
            continue
        width = len(values)
        while width and values[width - 1] is None:
            width -= 1
        yield line, [raw_text(value) for value in values[:width]]


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
                raise broken()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise Unreadable(
                    f"Berkas XLSX ini terlalu besar setelah dibuka: lebih dari {LARGEST_UNPACKED // 1024**2} MB, atau lebih "
                    f"dari {MOST_PARTS} bagian. Salin datanya saja ke berkas baru, lalu unggah lagi.",
                    f"The XLSX is too large when unpacked: more than {LARGEST_UNPACKED // 1024**2} MB, or more than "
                    f"{MOST_PARTS} parts. Copy the data alone to a new file and upload that.",
                )
            look_through(archive, parts)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise broken() from error
