"""Intake files as a district would send them: one good row a person, changed where a story needs it."""

from __future__ import annotations

import csv
import io
from typing import Any

from openpyxl import Workbook

from engine.people.intake.columns import COLUMNS

Row = dict[str, Any]


def row(number: int = 1, **changes: Any) -> Row:
    """A good row, of another person for each number."""
    return {
        "owner_name": f"Sri Purnomo {number}",
        "national_id": f"3508166904{number // 9000 + 50:02d}{number % 9000 + 101:04d}",
        "tax_id": "",
        "phone": f"0811623{number:05d}",
        "email": f"sri{number}@contoh.example",
        "business_name": f"Sari Sri {number}",
        "region_code": "3508",
        "address": "Jl. Santoso No. 179",
        "industry_code": "11040",
        "industry_code_version": "2020",
        "main_product": "Sari jahe",
        "cluster": "minuman",
        "capital_rupiah": "457000000",
        "annual_sales_rupiah": "550000000",
        "existing_nib": "",
        **changes,
    }


def as_csv(*rows: Row, header: list[str] | None = None, delimiter: str = ",", line_end: str = "\n") -> str:
    """The rows as CSV, in the order of our columns; ``header`` writes other names over them."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=line_end)
    writer.writerow(header or COLUMNS)
    writer.writerows([one[column] for column in COLUMNS] for one in rows)
    return stream.getvalue()


def as_xlsx(*rows: Row) -> bytes:
    """The rows as XLSX, each value in the type that it has."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(COLUMNS)
    for one in rows:
        sheet.append([one[column] for column in COLUMNS])
    return saved(book)


def saved(book: Workbook) -> bytes:
    """The bytes of a workbook."""
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
