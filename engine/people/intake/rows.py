"""Checks of rows: each cell by itself, then cells and rows against each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from engine.people.intake.bounds import LONGEST_CELL, MOST_REMARKS
from engine.people.intake.cleaned import FILE, Fault, Note
from engine.people.intake.columns import COLUMNS, REQUIRED
from engine.people.intake.fields import clean_cell
from engine.people.intake.reading import Record, Table
from engine.people.intake.spelling import shown_personal
from rules import book

# From this many national ids that all end in 0, a spreadsheet has rounded them.
ROUNDED_IDS = 10


@dataclass
class Row:
    """One line of a file: its raw cells, its cleaned values by column, its faults and cautions."""

    line: int
    cells: list[str]
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[Note] = field(default_factory=list)
    cautions: list[Note] = field(default_factory=list)


@dataclass(frozen=True)
class Limits:
    """The upper limits of a medium business, in rupiah, with the citations for the reasons."""

    sales: int
    sales_citation: str
    capital: int
    capital_citation: str

    @classmethod
    def on(cls, day: date) -> Limits:
        """Return the limits in force on ``day``."""
        sales = book("common").at("business_scale_by_sales", day)
        capital = book("common").at("business_scale_by_capital", day)
        return cls(sales.value["medium"], sales.citation, capital.value["medium"], capital.citation)


def check_rows(table: Table, limits: Limits) -> list[Row]:
    """Return the rows of a table with their faults and cautions, without asking the register."""
    rows = [_row(table, record, limits) for record in table.records]
    _refuse_rounded_ids(rows)
    _refuse_second_mentions(rows)
    _shorten_remarks(rows)
    return rows


def _row(table: Table, record: Record, limits: Limits) -> Row:
    row = Row(record.line, record.cells)
    raw = table.cells_of(record)
    for column in COLUMNS:
        cleaned = clean_cell(column, raw.get(column, ""))
        if isinstance(cleaned, Fault):
            row.faults.append(Note(column, cleaned.reason_id, cleaned.reason_en))
            continue
        row.values[column] = cleaned.value
        # A file without the column gets no caution for it on every line.
        if cleaned.caution and column in table.places:
            row.cautions.append(Note(column, cleaned.caution, cleaned.caution_en or cleaned.caution))
    if record.stray_quote:
        row.cautions.append(
            Note(
                FILE,
                "Baris ini memuat tanda kutip yang tidak ditutup. Periksa isi selnya.",
                "The row has a quotation mark that is never closed. Check its cells.",
            )
        )
    _check_width(table, record, row)
    _check_length(table, record, row)
    _check_scale(row, limits)
    _compare_numbers(row)
    return row


def _check_width(table: Table, record: Record, row: Row) -> None:
    """Replace the faults of a row with shifted or missing cells by one that names the cause."""
    width = len(table.header)
    extra = [cell for cell in record.cells[width:] if cell.strip()]
    absent = [column for column in REQUIRED if table.places[column] >= len(record.cells)]
    # One empty cell too many at the end of a good row is a superfluous delimiter.
    if extra or (len(record.cells) > width and len(row.faults) > 1):
        at = row.faults[0].column if row.faults else max(table.places, key=lambda column: table.places[column])
        row.faults = [
            Note(
                at,
                f"Baris ini memiliki {len(record.cells)} sel, padahal judulnya {width}; isinya mungkin bergeser mulai "
                f"kolom ini. Apit sel yang memuat tanda pemisah dengan tanda kutip.",
                f"The row has {len(record.cells)} cells, the header {width}; they may have shifted from this "
                f"column on. Put quotation marks around a cell that holds the delimiter.",
            )
        ]
    elif absent:
        row.faults = [fault for fault in row.faults if fault.column not in absent]
        first = min(absent, key=lambda column: table.places[column])
        row.faults.append(
            Note(
                first,
                f"Baris ini terputus: hanya ada {len(record.cells)} dari {width} sel. Lengkapi mulai kolom {first}.",
                f"The row is cut off: it has {len(record.cells)} of {width} cells. Complete it from {first} on.",
            )
        )


def _check_length(table: Table, record: Record, row: Row) -> None:
    """Refuse a row with a cell that was cut, whatever its column."""
    for place, length in record.too_long.items():
        column = next((name for name, own in table.places.items() if own == place), FILE)
        row.values.pop(column, None)
        row.faults = [fault for fault in row.faults if fault.column != column]
        row.faults.append(
            Note(
                column,
                f"Sel ke-{place + 1} baris ini memuat {length} huruf, paling banyak {LONGEST_CELL}. Singkatkan isinya, lalu "
                f"unggah lagi baris ini.",
                f"Cell {place + 1} of the row holds {length} characters, {LONGEST_CELL} at most. Shorten it and upload "
                f"this row again.",
            )
        )


def _check_scale(row: Row, limits: Limits) -> None:
    sales, capital = row.values.get("annual_sales_rupiah"), row.values.get("capital_rupiah")
    if sales is not None and sales > limits.sales:
        row.faults.append(
            Note(
                "annual_sales_rupiah",
                f"Penjualan Rp {_with_points(sales)} setahun melampaui batas usaha menengah Rp {_with_points(limits.sales)} "
                f"({limits.sales_citation}). Usaha besar tidak dilayani di sini; perbaiki bila angkanya salah tulis.",
                f"Sales of Rp {_with_points(sales)} a year exceed a medium business's limit of Rp {_with_points(limits.sales)} "
                f"({limits.sales_citation}). Large businesses are not served here; correct the figure if mistyped.",
            )
        )
    if capital is None or capital <= limits.capital:
        return
    above = f"Modal Rp {_with_points(capital)} melampaui batas usaha menengah Rp {_with_points(limits.capital)}"
    above_en = f"Capital of Rp {_with_points(capital)} exceeds the limit of a medium business, Rp {_with_points(limits.capital)}"
    # A business that trades is classed by its sales; only one that does not yet is classed by its capital.
    if sales == 0:
        row.faults.append(
            Note(
                "capital_rupiah",
                f"{above} ({limits.capital_citation}), dan usaha ini belum memiliki penjualan. Modal dihitung tanpa "
                f"tanah dan bangunan tempat usaha; perbaiki bila salah tulis.",
                f"{above_en} ({limits.capital_citation}), and the business has no sales yet. Capital is counted "
                f"without land and buildings of the place of business; correct it if it is mistyped.",
            )
        )
    else:
        row.cautions.append(
            Note(
                "capital_rupiah",
                f"{above}. Skala usaha yang sudah berjalan dilihat dari penjualannya; periksa angka modal ini.",
                f"{above_en}. A business that trades is classed by its sales; check this figure.",
            )
        )


def _compare_numbers(row: Row) -> None:
    tax_id, national_id = row.values.get("tax_id"), row.values.get("national_id")
    # A 16-digit tax id that begins with 0 is a firm's; a person's is the national id (PMK 112/PMK.03/2022).
    if tax_id and national_id and len(tax_id) == 16 and not tax_id.startswith("0") and tax_id != national_id:
        row.cautions.append(
            Note(
                "tax_id",
                f"NPWP 16 angka '{shown_personal(tax_id)}' berbeda dari NIK. NPWP perorangan sama dengan NIK; "
                f"periksa keduanya.",
                f"The 16-digit tax id '{shown_personal(tax_id)}' differs from the national id. A person's are "
                f"the same; check both.",
            )
        )


def _refuse_rounded_ids(rows: list[Row]) -> None:
    found = [row for row in rows if "national_id" in row.values]
    if len(found) < ROUNDED_IDS or not all(row.values["national_id"].endswith("0") for row in found):
        return
    for row in found:
        number = shown_personal(row.values.pop("national_id"))
        row.faults.append(
            Note(
                "national_id",
                f"NIK '{number}' tampaknya dibulatkan lembar sebar: semua NIK di berkas ini berakhiran 0. "
                f"Jadikan kolom NIK teks, lalu ketik ulang dari KTP.",
                f"The national id '{number}' seems rounded by a spreadsheet: all of them in this file end in 0. "
                f"Make the column text and type the numbers again from the identity cards.",
            )
        )


def _refuse_second_mentions(rows: list[Row]) -> None:
    """Refuse a row whose national id stands on an earlier line: one person has one row."""
    first_on: dict[str, int] = {}
    for row in rows:
        number = row.values.get("national_id")
        if number is None:
            continue
        earlier = first_on.setdefault(number, row.line)
        if earlier != row.line:
            row.faults.append(
                Note(
                    "national_id",
                    f"NIK '{shown_personal(number)}' sudah ada di baris {earlier} berkas ini. Satu NIK untuk satu "
                    f"usaha: perbaiki NIK yang salah, atau hapus salah satu barisnya.",
                    f"The national id '{shown_personal(number)}' is already on line {earlier} of this file. One "
                    f"national id is for one business: correct the wrong one, or delete one of the rows.",
                )
            )


def _shorten_remarks(rows: list[Row]) -> None:
    """Keep the words of the first faults and cautions; of later rows name the columns alone."""
    faults = cautions = 0
    for row in rows:
        if faults >= MOST_REMARKS and len(row.faults) > 1:
            row.faults = [_only_columns(row.faults)]
        if cautions >= MOST_REMARKS and len(row.cautions) > 1:
            row.cautions = [_only_columns(row.cautions)]
        faults += sum(note.count for note in row.faults)
        cautions += sum(note.count for note in row.cautions)


def _only_columns(notes: list[Note]) -> Note:
    names = ", ".join(dict.fromkeys(note.column for note in notes))
    return Note(
        notes[0].column,
        f"Periksa kolom: {names}. Alasannya tidak ditulis satu per satu, sebab berkas ini mendapat lebih dari "
        f"{MOST_REMARKS} catatan; unggah lagi baris ini secara terpisah untuk membacanya.",
        f"Check the columns: {names}. The reasons are not written out, as the file got more than {MOST_REMARKS} remarks; "
        f"upload this row by itself to read them.",
        count=sum(note.count for note in notes),
    )


def _with_points(rupiah: int) -> str:
    return f"{rupiah:,}".replace(",", ".")
