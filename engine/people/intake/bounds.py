"""Bounds of an intake file: no spreadsheet is larger, and none costs more time or memory."""

from __future__ import annotations

from engine.people.intake.cleaned import Unreadable

LARGEST_FILE = 20 * 1024 * 1024
# Limit of unpacked bytes: twenty times a sheet of 100,000 rows.
LARGEST_UNPACKED = 300 * 1024 * 1024
MOST_PARTS = 2_000
MOST_ROWS = 100_000
# The last line, the last column and the longest cell that a spreadsheet has; empty lines count.
MOST_LINES = 1_048_576
MOST_CELLS = 16_384
LONGEST_CELL = 32_767
# Characters in all cells together: a workbook says a text once and may show it in a million cells.
MOST_LETTERS = 2 * LARGEST_FILE
# Faults and cautions that are told in words, of each kind; the rest is counted.
MOST_REMARKS = 1_000


def too_many_lines(line: int | None = None) -> Unreadable:
    """Return the refusal of a file with too many lines; ``line`` is a number that one bears."""
    where, where_en = (f" (ada baris bernomor {line})", f" (there is a line {line})") if line else ("", "")
    return Unreadable(
        f"Berkas ini memuat lebih dari {MOST_LINES} baris, termasuk baris kosong{where}. Hapus baris kosong di bawah "
        f"data, atau salin datanya saja ke berkas baru, lalu unggah lagi.",
        f"The file has more than {MOST_LINES} lines, empty ones included{where_en}. Delete the empty lines below the "
        f"data, or copy the data alone to a new file, and upload that.",
    )


def too_many_letters(line: int) -> Unreadable:
    """Return the refusal of a file with too much text; at ``line`` the limit was passed."""
    return Unreadable(
        f"Sampai baris {line}, sel-sel berkas ini memuat lebih dari {MOST_LETTERS} huruf. Hapus teks yang panjang dari "
        f"baris-baris itu, atau bagi menjadi beberapa berkas, lalu unggah lagi.",
        f"Up to line {line} the cells of the file hold more than {MOST_LETTERS} characters. Remove long texts from "
        f"these lines, or split the file, and upload it again.",
    )


def too_long_cell(cell: str, begins: str) -> Unreadable:
    """Return the refusal of a workbook with too long a cell: its name and beginning."""
    where = f"Sel {cell}" if cell else "Sebuah sel"
    where_en = f"The cell {cell}" if cell else "A cell"
    return Unreadable(
        f"{where}, yang diawali '{begins}', memuat lebih dari {LONGEST_CELL} huruf. Singkatkan isinya, lalu unggah lagi.",
        f"{where_en}, which begins with '{begins}', holds more than {LONGEST_CELL} characters. Shorten it and upload "
        f"the file again.",
    )
