"""Download of an import's refused rows for correction: original cells, line and reasons."""

from __future__ import annotations

import csv
import io

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from sqlmodel import col, select

from engine.people.intake.columns import ADDED_COLUMNS, column_key
from engine.people.intake.importing import UnknownImport
from engine.people.intake.spelling import FORMULA_STARTS
from engine.runtime.office import Office
from models import Import, ImportLine, PersonKey


def refused_rows(office: Office, import_id: int, *, language: str = "id") -> bytes:
    """Return the refused rows as CSV (UTF-8 with BOM): original cells, ``line`` and ``alasan``.

    A cell that a spreadsheet would calculate gets an apostrophe in front, which the import removes again.

    Raises:
        UnknownImport: there is no import of that number.
    """
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([safe_cell(cell) for cell in row] for row in _rows(office, import_id, language))
    return stream.getvalue().encode("utf-8-sig")


def refused_workbook(office: Office, import_id: int, *, language: str = "id") -> bytes:
    """Return the refused rows as XLSX with text cells, so that long numbers keep their digits.

    Raises:
        UnknownImport: there is no import of that number.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Ditolak")
    for row in _rows(office, import_id, language):
        cells = []
        for text in row:
            cell = WriteOnlyCell(sheet, text)
            # Text even when it begins with "=", and shown as text when somebody types into it.
            cell.data_type, cell.number_format = "s", "@"
            cells.append(cell)
        sheet.append(cells)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def safe_cell(cell: str) -> str:
    """Return a cell that no spreadsheet reads as a formula (OWASP: CSV injection)."""
    # Programs may trim leading white space, so a sign behind it counts too.
    if cell.lstrip(" \t\r\n\xa0\ufeff\u200b").startswith(FORMULA_STARTS) or cell.startswith(("\t", "\r", "\n")):
        return f"'{cell}"
    return cell


def _rows(office: Office, import_id: int, language: str) -> list[list[str]]:
    with office.db.reading() as session:
        if session.get(Import, import_id) is None:
            raise UnknownImport(import_id)
        found = session.exec(
            select(ImportLine, PersonKey)
            .join(PersonKey, col(PersonKey.id) == col(ImportLine.key_id))
            .where(ImportLine.import_id == import_id, col(ImportLine.status).in_(("header", "refused")))
            .order_by(col(ImportLine.line))
        ).all()
        lines = [(line, office.vault.decrypt(key, line.sealed)) for line, key in found]
    header: list[str] = next((cells for line, cells in lines if line.line == 1), [])
    kept = [place for place, name in enumerate(header) if column_key(name) not in ADDED_COLUMNS]
    rows = [[*(header[place] for place in kept), "line", "alasan"]]
    for line, cells in lines:
        if line.status != "refused":
            continue
        reasons = [note for note in line.remarks if note["kind"] == "fault"]
        words = " ".join(
            f"{note['column']}: {note['reason_id' if language == 'id' else 'reason_en']}" for note in reasons
        )
        own = [""] * len(header) if line.line == 1 else cells
        row = [own[place] if place < len(own) else "" for place in kept]
        # Cells beyond the header are kept, so that a row that was too wide stays too wide.
        rows.append([*row, str(line.line), words, *own[len(header) :]])
    return rows
