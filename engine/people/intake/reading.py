"""Reading of an intake file into records: CSV of any delimiter and encoding, or XLSX.

A record keeps its first line, counted from 1 at the header. A fault of the whole file (empty, too large, no table, a
required column missing) is one fault on line 1; a fault in a row never stops the file.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from engine.people.intake.bounds import (
    LARGEST_FILE,
    LONGEST_CELL,
    MOST_CELLS,
    MOST_LETTERS,
    MOST_LINES,
    MOST_ROWS,
    too_many_letters,
    too_many_lines,
)
from engine.people.intake.cleaned import FILE, Note, Unreadable
from engine.people.intake.columns import REQUIRED, Header, known_columns, read_header
from engine.people.intake.spelling import plain

# How many lines apart somebody is told which was reached.
TELL_EVERY = 1_000
# A title, a date, an empty line: people put them above the header.
LINES_ABOVE_HEADER = 20
# A cell with line breaks (an address) has a few lines; more mean that a quote was never closed.
LINES_IN_RECORD = 20
# First bytes of old or locked Excel files, and of PDF.
NO_TABLE = (b"\xd0\xcf\x11\xe0", b"%PDF")
DELIMITERS = (",", ";", "\t", "|")

# What offices send besides UTF-8. Among all encodings charset-normalizer read 22 of 52 short lists of Indonesian names wrongly
# (Windows-1252 as 1250, 1257, 775, 850), with DOS 850 and Mac Roman beside these still 6; among these, none.
UTF_16 = ("utf_16", "utf_16_le", "utf_16_be")
ONE_BYTE = ("cp1252", "latin_1")
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Thresholds of charset-normalizer's "mess": names in three scripts pass as text, and one-byte text is always read.
MIXED_SCRIPTS, ANY_MESS = 1.0, 9.0


@dataclass(frozen=True)
class Record:
    """The raw cells of a record, its first line, and whether one of its quotes is never closed.

    ``too_long`` has the length of each cell that was cut at `LONGEST_CELL`, by its place.
    """

    line: int
    cells: list[str]
    stray_quote: bool = False
    too_long: dict[int, int] = field(default_factory=dict)


@dataclass
class Table:
    """A file as read: its header, and its records in order without empty ones."""

    header: list[str] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)
    fault: Note | None = None

    def cells_of(self, record: Record) -> dict[str, str]:
        """Return the raw text by column; a cell that the record lacks is empty."""
        return {
            column: record.cells[place] if place < len(record.cells) else "" for column, place in self.places.items()
        }


def read_table(content: bytes, reached: Callable[[int], None] = lambda line: None) -> Table:
    """Read a file into a table; `Table.fault` tells why a file can't be read.

    The format is recognised by the content, since people rename files. ``reached`` is told the line, now and then.
    """
    try:
        if len(content) > LARGEST_FILE:
            raise Unreadable(
                f"Berkas ini lebih besar dari {LARGEST_FILE // 1024**2} MB. Bagi menjadi beberapa berkas.",
                f"The file is larger than {LARGEST_FILE // 1024**2} MB. Split it into several files.",
            )
        if content.startswith(b"PK\x03\x04"):
            from engine.people.intake.workbook import sheets  # openpyxl takes a while to import

            return _best([(title, _sheet(rows, reached)) for title, rows in sheets(content)])
        return _read_text(content, reached)
    except Unreadable as error:
        return Table(fault=error.remark)


def _read_text(content: bytes, reached: Callable[[int], None]) -> Table:
    text, warnings = _decoded(content)
    # Not str.splitlines(): it also splits at separators that Word leaves in cells. DOS programs end a file with \x1a.
    text = text.rstrip("\x1a").replace("\r\n", "\n").replace("\r", "\n")
    if text.count("\n") > MOST_LINES:
        raise too_many_lines()
    lines = text.split("\n")
    if not any(line.strip(" \t,;|") for line in lines):
        raise _empty()
    delimiter = max(DELIMITERS, key=lambda sign: _recognised(lines, sign))
    table = _table(_records(lines, delimiter), reached)
    table.warnings = warnings + table.warnings
    return table


def _decoded(content: bytes) -> tuple[str, list[Note]]:
    if content.startswith(NO_TABLE):
        raise _no_table()
    if b"\0" not in content:
        try:
            return content.decode("utf-8-sig"), []
        except UnicodeDecodeError:
            pass
    encoding = _guessed(content)
    text = content.decode(encoding, errors="replace")
    if encoding in UTF_16:
        return text, []
    warning = Note(
        FILE,
        "Berkas ini tidak memakai UTF-8 dan dibaca sebagai Windows-1252. Periksa nama yang berhuruf khusus.",
        "The file is not UTF-8 and was read as Windows-1252. Check the names with special letters.",
    )
    return text, [warning]


def _guessed(content: bytes) -> str:
    """Return the encoding of a file that is not UTF-8.

    Raises:
        Unreadable: the file holds NUL bytes and is not UTF-16.
    """
    from charset_normalizer import from_bytes  # takes a while to import, and most files are UTF-8

    if content.startswith(BYTE_ORDER_MARKS):
        return "utf_16"
    if b"\0" in content:
        pairs = content[: len(content) // 2 * 2]
        found = from_bytes(pairs, cp_isolation=[*UTF_16], threshold=MIXED_SCRIPTS).best()
        if found is None:
            raise _no_table()
    else:
        found = from_bytes(content, cp_isolation=[*ONE_BYTE], threshold=ANY_MESS).best()
    return found.encoding if found else ONE_BYTE[-1]


def _recognised(lines: list[str], delimiter: str) -> int:
    return max(known_columns(_split(line, delimiter)) for line in lines[:LINES_ABOVE_HEADER])


def _records(lines: list[str], delimiter: str) -> Iterator[Record]:
    """Split lines into records; a quote that is never closed affects its own line only."""
    width = 0
    at = 0
    while at < len(lines):
        line = lines[at]
        if '"' not in line:
            cells, taken, stray = _split(line, delimiter), 1, False
        else:
            cells, taken, stray = _quoted(lines, at, delimiter, width)
        width = width or (len(cells) if known_columns(cells) >= len(REQUIRED) else 0)
        yield Record(at + 1, cells, stray)
        at += taken


def _quoted(lines: list[str], at: int, delimiter: str, width: int) -> tuple[list[str], int, bool]:
    text = lines[at]
    if not _is_open(text, delimiter):
        return _split(text, delimiter), 1, False
    for taken in range(2, LINES_IN_RECORD + 2):
        following = at + taken - 1
        if following >= len(lines):
            break
        # A following line that is a complete row does not continue the cell of this one.
        if width and '"' not in lines[following] and lines[following].count(delimiter) == width - 1:
            break
        text += "\n" + lines[following]
        if not _is_open(text, delimiter):
            return _split(text, delimiter), taken, False
    return lines[at].split(delimiter), 1, True


def _is_open(text: str, delimiter: str) -> bool:
    # A cell appended after an open quote stays inside the quoted cell; after a closed one it is a new cell.
    return len(_split(text + delimiter + "\x1a", delimiter)) == len(_split(text, delimiter))


def _split(text: str, delimiter: str) -> list[str]:
    if '"' not in text:
        return _capped(text.split(delimiter), delimiter)
    try:
        # csv's own limit of a cell is too low; LARGEST_FILE limits the file as a whole.
        csv.field_size_limit(LARGEST_FILE)
        return _capped(next(csv.reader([text], delimiter=delimiter), [""]), delimiter)
    except csv.Error:
        return _capped(text.split(delimiter), delimiter)


def _capped(cells: list[str], delimiter: str) -> list[str]:
    """Return at most `MOST_CELLS` cells, and one more for all that stands beyond."""
    if len(cells) <= MOST_CELLS:
        return cells
    beyond = delimiter.join(cells[MOST_CELLS:])
    return [*cells[:MOST_CELLS], beyond] if beyond.strip(f" {delimiter}") else cells[:MOST_CELLS]


def _sheet(rows: Iterator[tuple[int, list[str]]], reached: Callable[[int], None]) -> Table:
    try:
        return _table((Record(line, cells) for line, cells in rows), reached)
    except Unreadable as error:
        return Table(fault=error.remark)


def _best(sheets: list[tuple[str, Table]]) -> Table:
    """Return the first sheet with our header; warn of other sheets that have rows."""
    readable = [(title, table) for title, table in sheets if table.fault is None]
    if not readable:
        empty = Table(fault=_empty().remark)
        return max((table for _, table in sheets), key=lambda table: len(table.places), default=empty)
    (title, table), *others = readable
    for other, unread in others:
        if unread.records:
            table.warnings.append(
                Note(
                    FILE,
                    f"Hanya lembar '{title}' yang dibaca; lembar '{other}' juga berisi data. Unggah terpisah.",
                    f"Only the sheet '{title}' was read; '{other}' has rows too. Upload that sheet by itself.",
                )
            )
    return table


def _table(records: Iterator[Record], reached: Callable[[int], None]) -> Table:
    """Find the header among the first records; keep the records below, counting lines from it."""
    table = Table()
    nearest: Record | None = None
    header: Header | None = None
    start, letters, told = 1, 0, 0
    for record in map(_shortened, records):
        if not any(map(plain, record.cells)):
            continue
        if record.line >= told + TELL_EVERY:
            told = record.line
            reached(told)
        letters += sum(map(len, record.cells))
        if letters > MOST_LETTERS:
            raise too_many_letters(record.line)
        if header is None:
            if nearest is None or known_columns(record.cells) > known_columns(nearest.cells):
                nearest = record
            found = read_header(record.cells)
            if not found.missing:
                header, start = found, record.line
                table.header = [cell.strip().removeprefix("\ufeff") for cell in record.cells]
            elif record.line >= LINES_ABOVE_HEADER:
                break
            continue
        if len(table.records) >= MOST_ROWS:
            raise Unreadable(
                f"Berkas ini memuat lebih dari {MOST_ROWS} baris data (sampai baris {record.line}). "
                f"Bagi menjadi beberapa berkas, lalu unggah lagi.",
                f"The file has more than {MOST_ROWS} rows (up to line {record.line}). "
                f"Split it into several files and upload them.",
            )
        table.records.append(replace(record, line=record.line - start + 1))
    if nearest is None:
        raise _empty()
    header = header or read_header(nearest.cells)
    table.places, table.fault = header.places, header.fault
    table.warnings += header.warnings
    if table.fault is None and not table.records:
        table.warnings.append(
            Note(FILE, "Berkas ini hanya berisi judul kolom, tanpa baris.", "The file has a header only, and no rows.")
        )
    return table


def _shortened(record: Record) -> Record:
    """Return a record whose cells are cut where they are longer than any spreadsheet's."""
    if max(map(len, record.cells), default=0) <= LONGEST_CELL:
        return record
    too_long = {place: len(cell) for place, cell in enumerate(record.cells) if len(cell) > LONGEST_CELL}
    return replace(record, cells=[cell[:LONGEST_CELL] for cell in record.cells], too_long=too_long)


def _empty() -> Unreadable:
    return Unreadable(
        "Berkas ini kosong. Unggah berkas yang berisi data.", "The file is empty. Upload one that has rows."
    )


def _no_table() -> Unreadable:
    return Unreadable(
        "Berkas ini bukan CSV atau XLSX (mungkin .xls lama, PDF, atau berkas berkata sandi). "
        "Buka di lembar sebar, simpan sebagai XLSX tanpa kata sandi, lalu unggah lagi.",
        "The file is neither CSV nor XLSX (maybe an old .xls, a PDF, or locked by a password). "
        "Open it in a spreadsheet, save it as XLSX without a password, and upload it again.",
    )
