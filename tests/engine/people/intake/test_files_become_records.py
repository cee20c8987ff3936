"""Files of every kind that offices send: encodings, delimiters, titles, quotes, workbooks, and what is no table."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from engine.people.intake.columns import COLUMNS, REQUIRED
from engine.people.intake.reading import Table, read_table
from engine.people.intake.rows import Limits, Row, check_rows
from tests.engine.people.intake.listing import as_csv, as_xlsx, row, saved

TODAY = date(2026, 1, 12)


def checked(content: bytes | str) -> list[Row]:
    """The rows of a file that can be read."""
    table = read_table(content if isinstance(content, bytes) else content.encode())
    assert table.fault is None, table.fault
    return check_rows(table, Limits.on(TODAY))


def faults(content: bytes | str) -> list[tuple[int, str]]:
    """Line and column of each fault in a file that can be read."""
    return [(one.line, note.column) for one in checked(content) for note in one.faults]


THREE = (row(1), row(2, owner_name="D’Arcy"), row(3))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_a_csv_is_read_whatever_program_has_written_it(delimiter: str, line_end: str, encoding: str) -> None:
    """Encoding, delimiter and line ends are found out, and say nothing about the rows."""
    rows = checked(as_csv(*THREE, delimiter=delimiter, line_end=line_end).encode(encoding))
    assert [one.line for one in rows] == [2, 3, 4]
    assert not any(one.faults for one in rows)
    assert rows[1].values["owner_name"] == "D’Arcy"


def test_a_file_that_is_not_utf_8_says_so() -> None:
    """Windows-1252 is the best guess; somebody should look at the names."""
    table = read_table(as_csv(*THREE).encode("cp1252"))
    assert [note.column for note in table.warnings] == ["file"]


def test_a_header_may_be_in_any_order_case_and_spelling() -> None:
    """Columns are found by name, also by the offices' own Indonesian ones."""
    names = {
        "owner_name": " Owner Name *",
        "national_id": "NIK",
        "capital_rupiah": "Capital (Rupiah)",
        "region_code": "Kode Wilayah",
        "annual_sales_rupiah": "ANNUAL-SALES RUPIAH",
    }
    lines = as_csv(*THREE, header=[names.get(column, column) for column in COLUMNS]).splitlines()
    turned = "\n".join(",".join(reversed(line.split(","))) for line in lines)
    assert faults(turned) == []


def test_an_unknown_column_is_ignored_with_a_warning() -> None:
    """It may be a misspelt one."""
    content = "\n".join(f"{line},x" if at else f"{line},catatan" for at, line in enumerate(as_csv(*THREE).splitlines()))
    table = read_table(content.encode())
    assert [note.column for note in table.warnings] == ["catatan"]
    assert not any(one.faults for one in check_rows(table, Limits.on(TODAY)))


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_missing_required_column_is_one_refusal_of_the_file(missing: str) -> None:
    """Not one for each row."""
    table = read_table(as_csv(*THREE, header=[column if column != missing else "xyz" for column in COLUMNS]).encode())
    assert table.fault is not None
    assert table.fault.column == missing
    assert table.records == []


def test_an_optional_column_may_be_absent() -> None:
    """No row is reproached with it."""
    lines = [line.rsplit(",", 1)[0] for line in as_csv(*THREE).splitlines()]
    assert faults("\n".join(lines)) == []


def test_a_title_above_the_header_does_not_count() -> None:
    """Lines count from 1 at the header."""
    bad = as_csv(row(1), row(2, region_code="3599"))
    assert faults("DATA UMKM KABUPATEN LUMAJANG\n\n" + bad) == [(3, "region_code")]
    assert faults("sep=;\n" + as_csv(row(1, region_code="3599"), delimiter=";")) == [(2, "region_code")]


def test_lines_are_those_that_an_editor_shows() -> None:
    """Empty lines are skipped and counted; a record with line breaks in it is named by its first line."""
    header, rest = as_csv(row(1, address="Jl. A\nDesa B\nKec. C"), row(2, phone="12345")).split("\n", 1)
    assert faults(f"{header}\n\n,,,,,,,,,,,,,,\n{rest}") == [(7, "phone")]


def test_a_line_break_in_the_first_cell_is_no_stray_quote() -> None:
    """The line that closes it has as many delimiters as a whole row."""
    rows = checked(as_csv(row(1, owner_name="Sri\nPurnomo"), row(2)))
    assert [(one.line, one.values["owner_name"]) for one in rows] == [(2, "Sri Purnomo"), (4, "Sri Purnomo 2")]


@pytest.mark.parametrize("column", ["owner_name", "business_name", "main_product"])
def test_a_quote_that_is_never_closed_does_not_swallow_the_rows_below(column: str) -> None:
    """Its own row is read without it, and is to be looked at."""
    good = as_csv(row(1), row(2), row(3))
    value = row(2)[column]
    rows = checked(good.replace(f"{value},", f'"{value},', 1) if column != "main_product" else _second(good, value))
    assert len(rows) == 3
    assert not any(one.faults for one in rows)
    assert [one.line for one in rows if one.cautions] == [3]
    assert rows[1].values[column] == value


def _second(text: str, value: str) -> str:
    lines = text.split("\n")
    lines[2] = lines[2].replace(value, f'"{value}')
    return "\n".join(lines)


def test_quotes_inside_a_name_are_kept() -> None:
    """Warung "Bu Sri" is a name."""
    assert checked(as_csv(row(1, business_name='Warung "Bu Sri"')))[0].values["business_name"] == 'Warung "Bu Sri"'


def test_a_row_with_shifted_cells_has_one_fault_that_says_so() -> None:
    """Not one for each cell behind the comma."""
    content = as_csv(row(1), row(2)).replace("Jl. Santoso No. 179", "Jl. Santoso, No. 179", 1)
    assert faults(content) == [(2, "industry_code")]


def test_a_row_that_is_cut_off_has_one_fault_that_says_so() -> None:
    """It names the first required column that is not there."""
    assert faults(as_csv(row(1)) + "Sri,3508166904501999\n") == [(3, "business_name")]


def test_a_row_may_lack_its_last_optional_cells_and_have_delimiters_too_many() -> None:
    """Spreadsheets do both."""
    header, first, second = as_csv(row(1), row(2)).splitlines()
    assert faults(f"{header}\n{first.removesuffix(',')}\n{second},,,") == []


def test_sales_decide_whether_a_business_is_small_and_capital_only_before_there_are_sales() -> None:
    """PP 7/2021 Pasal 35: up to and including 50 thousand million of sales, or 10 of capital for a new business."""
    rows = (
        row(1, annual_sales_rupiah="50.000.000.000"),
        row(2, annual_sales_rupiah="50.000.000.001"),
        row(3, capital_rupiah="10.000.000.001"),
        row(4, capital_rupiah="10.000.000.001", annual_sales_rupiah="0"),
        row(5, capital_rupiah="10.000.000.000", annual_sales_rupiah="0"),
    )
    assert faults(as_csv(*rows)) == [(3, "annual_sales_rupiah"), (5, "capital_rupiah")]
    assert [note.column for note in checked(as_csv(*rows))[2].cautions] == ["capital_rupiah"]


def test_a_national_id_twice_in_a_file_is_refused_the_second_time() -> None:
    """The reason names the earlier line and not the number."""
    number = row(1)["national_id"]
    rows = checked(as_csv(row(1), row(2), row(3, national_id=f"'{number}")))
    assert [(one.line, note.column) for one in rows for note in one.faults] == [(4, "national_id")]
    assert "baris 2" in rows[2].faults[0].reason_id
    assert number not in rows[2].faults[0].reason_id


def test_many_national_ids_that_all_end_in_0_were_rounded_by_a_spreadsheet() -> None:
    """One or nine may be chance; of ten the odds are one in ten thousand million."""
    rounded = [row(at, national_id=f"35081669045{at:04d}0") for at in range(1, 11)]
    assert faults(as_csv(*rounded[:9])) == []
    assert len(faults(as_csv(*rounded))) == 10


def test_a_workbook_gives_the_same_rows_as_a_csv() -> None:
    """Numbers kept as numbers, dates and the value of formulas included."""
    typed = row(
        2,
        national_id=3508166904500103,
        phone=81162319252,
        region_code=35.78,
        industry_code=11040,
        industry_code_version=2020,
        main_product=datetime(2026, 1, 12),
        capital_rupiah=457000000.0,
        annual_sales_rupiah=550000000,
        tax_id=None,
    )
    rows = checked(as_xlsx(row(1), dict.fromkeys(COLUMNS), typed))
    assert [(one.line, one.faults) for one in rows] == [(2, []), (4, [])]
    values = rows[1].values
    assert (values["national_id"], values["region_code"], values["phone"]) == (
        "3508166904500103",
        "3578",
        "+6281162319252",
    )
    assert (values["capital_rupiah"], values["main_product"]) == (457_000_000, "2026-01-12")


def test_a_national_id_kept_as_a_number_that_ends_in_0_is_not_trusted() -> None:
    """A spreadsheet keeps fifteen digits and makes the sixteenth a 0."""
    content = as_xlsx(row(1, national_id=3508166904500100), row(2, national_id=3.5081669045001e15), row(3))
    assert faults(content) == [(2, "national_id"), (3, "national_id")]


def test_numbers_that_lost_a_zero_or_gained_a_fraction_are_refused() -> None:
    """1111 was 01111, 35.1 was 35.10; 1500.125 is not one and a half million."""
    rows = (row(1, industry_code=1111), row(2, region_code=35.1), row(3, capital_rupiah=1500.125))
    assert faults(as_xlsx(*rows)) == [(2, "industry_code"), (3, "region_code"), (4, "capital_rupiah")]


def test_the_first_sheet_with_our_header_is_read_and_the_others_are_named() -> None:
    """A sheet for each district must not be lost in silence."""
    book = Workbook()
    notes = book.active
    assert notes is not None
    notes.append(["Catatan"])
    for district in ("Lumajang", "Jember"):
        sheet = book.create_sheet(district)
        sheet.append(COLUMNS)
        sheet.append([row(1)[column] for column in COLUMNS])
    table = read_table(saved(book))
    assert len(table.records) == 1
    assert ["Jember" in note.reason_id for note in table.warnings] == [True]


def _repacked(content: bytes, **changed: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, changed.get("before", b"") + old.read(name) if "sheet1" in name else old.read(name))
        if "more" in changed:
            new.writestr("xl/media/more.bin", changed["more"])
    return stream.getvalue()


WORKBOOK = as_xlsx(row(1))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xef\xbb\xbf",
        b"\n\r\n;;;\n",
        b"\xd0\xcf\x11\xe0" + bytes(600),
        b"%PDF-1.7 and so on",
        bytes(range(256)) * 10,
        WORKBOOK[:2000],
        WORKBOOK[:1500] + b"AAAA" * 40 + WORKBOOK[1660:],
        b"PK\x03\x04",
        _repacked(WORKBOOK, before=b'<!DOCTYPE a [<!ENTITY b "c">]>'),
        _repacked(WORKBOOK, more=bytes(301 * 1024 * 1024)),
        saved(Workbook()),
        b"a" * (20 * 1024 * 1024 + 1),
    ],
    ids=lambda content: repr(content[:8]),
)
def test_what_is_no_table_is_refused_as_a_file(content: bytes) -> None:
    """Empty, damaged, of another kind, a bomb: one reason, and no row."""
    table = read_table(content)
    assert table.fault is not None and table.fault.column == "file"
    assert table.records == []


def test_a_header_alone_is_a_file_without_rows() -> None:
    """That is odd and no fault."""
    table = read_table(as_csv().encode())
    assert table.fault is None
    assert [note.column for note in table.warnings] == ["file"]


@given(st.binary(max_size=2000))
def test_any_bytes_give_a_table_and_never_raise(content: bytes) -> None:
    """Whatever is uploaded, somebody gets an answer."""
    assert isinstance(read_table(content), Table)


@given(st.text(alphabet='",;\n\r\tab3 ', max_size=300))
def test_any_text_below_a_header_stops_nothing(text: str) -> None:
    """Whatever stands in the middle, the last row is read."""
    header, last = as_csv(row(1)).split("\n", 1)
    rows = checked("\n".join((header, text, last)))
    assert rows[-1].values.get("national_id") == row(1)["national_id"]
