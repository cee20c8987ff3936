"""Spreadsheets that never end: each is refused within seconds and a few hundred megabytes, and says what was too much and where."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel, func, select

from engine.people.intake import reader
from engine.people.intake.bounds import LONGEST_CELL, MOST_LINES, MOST_REMARKS
from engine.people.intake.columns import COLUMNS
from engine.people.intake.importing import Imported, import_file, take_over, upload
from engine.people.intake.reader import read_rows
from engine.people.intake.reading import read_table
from engine.people.intake.refused_rows import refused_rows
from engine.people.intake.rows import Limits
from engine.runtime.office import Office
from models import Business, Import, ImportLine, Person, PersonKey
from tests.engine.people.intake.listing import as_csv, as_xlsx, row

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
HEADER = ",".join(COLUMNS)
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
TEXTS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
SHEET = f'<worksheet xmlns="{NAMESPACE}"><sheetData>'
END = "</sheetData></worksheet>"


def imported(office: Office, content: bytes, **how: Any) -> Imported:
    """Import a file in a run of its own."""
    with office.run("cli", by="rini") as run:
        return import_file(office, run, name="daftar.xlsx", content=content, **how)


def count(office: Office, table: type[SQLModel]) -> int:
    """How many rows a table has."""
    with office.db.reading() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def with_sheet(*xml: str | bytes, repeated: int = 1, name: str = "xl/worksheets/sheet1.xml") -> bytes:
    """A workbook whose sheet is this XML: beginning, what is repeated, end."""
    begin, middle, end = (part if isinstance(part, bytes) else part.encode() for part in xml)
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(as_xlsx(row(1)))) as good,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as bad,
    ):
        for part in good.namelist():
            if part == "xl/worksheets/sheet1.xml":
                with bad.open(name, "w", force_zip64=True) as sheet:
                    sheet.write(begin)
                    block = 10_000
                    for _ in range(repeated // block):
                        sheet.write(middle * block)
                    sheet.write(middle * (repeated % block) + end)
            else:
                bad.writestr(part, good.read(part))
    return stream.getvalue()


def with_texts(content: bytes, texts: str) -> bytes:
    """A workbook with texts that its cells share."""
    named = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{TEXTS}"/></Types>'.encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            new.writestr(part, old.read(part).replace(b"</Types>", named))
        new.writestr("xl/sharedStrings.xml", f'<sst xmlns="{NAMESPACE}">{texts}</sst>')
    return stream.getvalue()


def named_cells(number: int, value: str = "x") -> str:
    """A row with that number and one cell."""
    return f'<row r="{number}"><c r="A{number}" t="inlineStr"><is><t>{value}</t></is></c></row>'


def refused_at_once(office: Office, content: bytes, within: float = 20) -> str:
    """The only reason for which a file is refused as a whole; nothing of it is taken over or kept."""
    began = time.process_time()
    result = imported(office, content)
    assert time.process_time() - began < within
    assert (result.file_refused, result.accepted, result.refused_lines) == (True, 0, 0)
    [reason] = result.refused
    assert (reason.line, reason.column) == (1, "file")
    assert "lalu unggah" in reason.reason, "it says what to do next"
    assert count(office, Person) == count(office, Business) == 0
    with office.db.reading() as session:
        assert session.exec(select(Import)).one().content is None
    return reason.reason


@pytest.mark.parametrize("number", ["999999999", str(MOST_LINES + 1), "1e9", "1_000_000_000"])
def test_a_row_number_that_no_spreadsheet_has(office: Office, number: str) -> None:
    """1,413 bytes that stood for a thousand million rows."""
    content = with_sheet(SHEET + named_cells(1), f'<row r="{number}"><c t="n"><v>1</v></c></row>', END)
    assert len(content) < 10_000
    reason = refused_at_once(office, content, within=5)
    assert f"lebih dari {MOST_LINES} baris" in reason
    assert str(int(float(number))) in reason


def test_the_last_row_of_a_spreadsheet_is_no_fault(office: Office) -> None:
    """Some programs write down the very last row, which is empty: what is above it is taken over."""
    content = as_xlsx(row(1), row(2))
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            last = f'<row r="{MOST_LINES}" ht="13"/></sheetData>'.encode()
            new.writestr(part, old.read(part).replace(b"</sheetData>", last))
    assert imported(office, stream.getvalue()).accepted == 2


@pytest.mark.slow
@pytest.mark.parametrize("middle", ["<row/>", '<row ht="1"></row>', "<x:row/>"])
def test_empty_rows_without_end(office: Office, middle: str) -> None:
    """Twenty million of them packed into a fifth of a megabyte."""
    begin = SHEET.replace(
        "<worksheet ", '<worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    )
    content = with_sheet(begin, middle, END, repeated=20_000_000 if middle == "<row/>" else 2_000_000)
    assert len(content) < 400_000
    assert "termasuk baris kosong" in refused_at_once(office, content)


@pytest.mark.slow
def test_empty_rows_in_a_part_with_another_name(office: Office) -> None:
    """A sheet may be called anything: every part is looked through."""
    content = with_sheet(SHEET, "<row/>", END, repeated=2_000_000, name="xl/worksheets/sheet1.bin")
    content = _renamed(content, b"worksheets/sheet1.xml", b"worksheets/sheet1.bin")
    assert "termasuk baris kosong" in refused_at_once(office, content)


def _renamed(content: bytes, old: bytes, new: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as after:
        for part in before.namelist():
            said = before.read(part)
            after.writestr(part, said.replace(old, new) if part.endswith((".xml", ".rels")) else said)
    return stream.getvalue()


@pytest.mark.parametrize("content", [b"\n" * 2_000_000, b",,,\r\n" * 2_000_000, b"\r" * 2_000_000])
def test_empty_lines_of_text_without_end(office: Office, content: bytes) -> None:
    """A CSV of nothing but lines; below a header as well."""
    assert "termasuk baris kosong" in refused_at_once(office, HEADER.encode() + b"\n" + content)


OWNER = "Sri Purnomo 3508166904956220 "
ENDLESS = {
    "inline": ('<row r="7"><c r="C7" t="inlineStr"><is><t>' + OWNER, "A" * 1000, "</t></is></c></row>", 290_000),
    "value": ('<row r="7"><c r="C7" t="str"><v>' + OWNER, "A" * 1000, "</v></c></row>", 290_000),
    "pieces": (
        f'<row r="7"><c r="C7" t="inlineStr"><is><r><t>{OWNER}</t></r>',
        "<r><t>AAAA</t></r>",
        "</is></c></row>",
        1_000_000,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("where", ENDLESS)
def test_a_cell_without_end(office: Office, where: str) -> None:
    """290 MB in one cell, packed into 0.3 MB: the cell and how it begins are named, its number is not."""
    begin, middle, end, repeated = ENDLESS[where]
    reason = refused_at_once(office, with_sheet(SHEET + begin, middle, end + END, repeated=repeated))
    assert str(LONGEST_CELL) in reason and "Sel C7" in reason
    assert "'Sri Pu" in reason and "3508166904956220" not in reason


@pytest.mark.slow
def test_a_shared_text_without_end(office: Office) -> None:
    """The same among the texts that cells share."""
    endless = with_texts(as_xlsx(row(1)), f"<si><t>{'A' * 290_000_000}</t></si>")
    assert str(LONGEST_CELL) in refused_at_once(office, endless)


def test_a_long_cell_of_text_is_refused_with_its_row_alone(office: Office) -> None:
    """In a CSV the others are taken over; the reason names the cell, its length and the limit."""
    listed = as_csv(row(1), row(2, address="J" * 50_000), row(3))
    result = imported(office, listed.encode())
    assert (result.accepted, result.refused_lines) == (2, 1)
    [fault] = result.refused
    assert (fault.line, fault.column) == (3, "address")
    assert "50000" in fault.reason and str(LONGEST_CELL) in fault.reason and "unggah lagi" in fault.reason


@pytest.mark.slow
@pytest.mark.parametrize("column", COLUMNS)
def test_a_cell_of_the_longest_kind_costs_no_time(column: str) -> None:
    """No cleaner runs away with what just passes: digits, points, spaces, quotes and letters."""
    for filling in ("9", "1.", "a b", "(", "- ", "'\"", "08 ", "@", "１", "Rp", "0,"):
        long = (filling * LONGEST_CELL)[:LONGEST_CELL]
        began = time.process_time()
        assert read_rows(as_csv(row(1, **{column: long})).encode(), Limits(1, "", 1, "")).rows
        assert time.process_time() - began < 2, filling


@pytest.mark.slow
def test_a_line_of_nothing_but_commas(office: Office) -> None:
    """Cells beyond the last column of a spreadsheet are one: a row with them is refused alone, an empty tail is none."""
    header, good = as_csv(row(1)).splitlines()
    wide = as_csv(row(2)).splitlines()[1]
    result = imported(office, f"{header}\n{good}{',' * 1_000_000}\n{wide}{',x' * 500_000}\n".encode())
    assert (result.accepted, result.refused_lines) == (1, 1)
    assert result.refused[0].line == 3
    nothing = imported(office, b"a" + b",a" * 2_000_000)
    assert nothing.file_refused


@pytest.mark.slow
def test_a_shared_text_shown_in_a_hundred_thousand_cells(office: Office) -> None:
    """A workbook of a few kilobytes that would be four thousand million letters on paper."""
    cells = "".join(f'<c t="s"><v>{place}</v></c>' for place in range(len(COLUMNS)))
    long = "J" * 30_000
    texts = "".join(f"<si><t>{name}</t></si>" for name in COLUMNS) + f"<si><t>{long}</t></si>"
    many = f'<row>{f"""<c t="s"><v>{len(COLUMNS)}</v></c>""" * len(COLUMNS)}</row>'
    whole = with_sheet(f"{SHEET}<row>{cells}</row>", many, END, repeated=10_000)
    reason = refused_at_once(office, with_texts(whole, texts))
    assert "huruf" in reason and "Sampai baris" in reason


def bad_rows(lines: int) -> bytes:
    """Short lines with a fault in every required column."""
    return f"{HEADER}\n{'x,x,,,,x,x,,x,x' + chr(10)}".encode() + b"x,x,,,,x,x,,x,x\n" * (lines - 1)


def test_remarks_are_told_up_to_a_thousand_and_the_rest_is_counted(office: Office) -> None:
    """The answer stays small; each refused line stands in the download; asked again, the same is said."""
    lines = 3_000
    result = imported(office, bad_rows(lines))
    assert (result.accepted, result.refused_lines) == (0, lines)
    told = result.as_json()
    assert len(json.dumps(told)) < 1_000_000
    assert [len(told["refused"]), set(told["refused"][-1])] == [MOST_REMARKS + 1, {"line", "column", "reason"}]
    each = len(imported(office, bad_rows(1)).refused)
    assert each >= 5
    rest = lines * each - MOST_REMARKS
    assert f"masih ada {rest} catatan lagi" in told["refused"][-1]["reason"]
    assert told["refused"][-1]["line"] == told["refused"][-2]["line"] + (MOST_REMARKS % each == 0)
    assert f"{rest} more remarks" in result.as_json("en")["refused"][-1]["reason"]
    assert result.import_id is not None
    download = refused_rows(office, result.import_id).decode("utf-8-sig").splitlines()
    assert len(download) == lines + 1
    assert "national_id" in download[-1], "the last line, too, says which columns are wrong"
    with office.run("cli", by="rini") as run:
        again = upload(office, run, name="x.csv", content=bad_rows(lines))
        first, second = take_over(office, run, again), take_over(office, run, again)
    assert first == second


def test_a_thousand_remarks_are_all_told(office: Office) -> None:
    """The counting begins after them: nothing changes for a file with fewer."""
    listed = as_csv(*(row(number, phone="12345") for number in range(MOST_REMARKS)))
    result = imported(office, listed.encode())
    assert (len(result.refused), result.refused_lines) == (MOST_REMARKS, MOST_REMARKS)
    cautious = as_csv(*(row(number, cluster="") for number in range(MOST_REMARKS + 5)))
    result = imported(office, cautious.encode())
    assert (result.accepted, len(result.warnings)) == (MOST_REMARKS + 5, MOST_REMARKS + 1)
    assert "masih ada 5 catatan lagi" in result.warnings[-1].reason


@pytest.mark.slow
def test_a_hundred_thousand_bad_rows_give_a_small_answer(office: Office) -> None:
    """1.5 MB that were answered with 162 MB."""
    result = imported(office, bad_rows(100_000), dry_run=True)
    assert len(json.dumps(result.as_json())) < 1_000_000
    assert result.refused_lines == 100_000
    assert "lebih dari 100000 baris" in refused_at_once(office, bad_rows(100_001))


def test_the_examples_are_read_alike_in_both_processes() -> None:
    """A file that is large is read elsewhere; nothing else is different."""
    limits = Limits(50_000_000_000, "PP 7/2021", 10_000_000_000, "PP 7/2021")
    for content in [as_csv(row(1), row(2, region_code="3599")).encode(), as_xlsx(row(1), row(2, phone=12345))]:
        assert reader._read_apart(content, limits) == reader._read(content, limits)


def test_a_reader_that_takes_too_long_is_ended(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line opens a quote that no line closes; the refusal says where it was, and what to do."""
    monkeypatch.setattr(reader, "SECONDS", 1)
    endless = as_csv(row(1)) + '"a,"b,"c,"d,"e,"f,"g,"h,"i,"j,"k,"l,"m,"n,"o,"p,"q,"r,"s,"t\n' * 90_000
    reason = refused_at_once(office, endless.encode(), within=5)
    assert "memakan waktu atau memori terlalu banyak" in reason
    assert "baris" in reason


def test_a_reader_that_takes_too_much_memory_is_ended(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is the reader's, not this process's."""
    monkeypatch.setattr(reader, "MEMORY", 100 * 1024**2)
    listed = as_csv(*(row(number) for number in range(30_000)))
    assert "memori" in refused_at_once(office, listed.encode())


@pytest.fixture
def readers() -> Iterator[Callable[[], list[int]]]:
    """The readers that this process has started and that run."""

    def look() -> list[int]:
        found = []
        for status in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words, parent = status.read_bytes(), (status.parent / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if b"engine.people.intake.reader" in words and int(parent) == os.getpid():
                found.append(int(status.parent.name))
        return found

    yield look


@pytest.mark.slow
def test_a_killed_reader_leaves_nothing_half_done(office: Office, readers: Callable[[], list[int]]) -> None:
    """By hand or by the system: the import is refused as a whole, and the same file goes through afterwards."""
    content = as_csv(*(row(number) for number in range(3_000))).encode()
    results: list[Imported] = []
    thread = threading.Thread(target=lambda: results.append(imported(office, content)))
    thread.start()
    until = time.monotonic() + 30
    while not (found := readers()) and time.monotonic() < until:
        time.sleep(0.005)
    os.kill(found[0], signal.SIGKILL)
    thread.join(60)
    assert results[0].file_refused
    assert count(office, Person) == count(office, Business) == 0
    assert imported(office, content).accepted == 3_000


IMPORTING = """
import sys
from engine.people.intake.importing import import_file
from engine.runtime.office import Office
office = Office.open()
with office.run("cli", by="rini") as run:
    print("begun", flush=True)
    import_file(office, run, name="x.csv", content=open(sys.argv[1], "rb").read())
"""


@pytest.mark.slow
@pytest.mark.both_databases
@pytest.mark.parametrize("after", [0.3, 1.5, 3.0])
def test_a_killed_import_leaves_nothing_half_done(office: Office, tmp_path: Path, after: float) -> None:
    """SIGKILL while the file is read, checked or written: all of it or nothing is there, and its reader ends, too."""
    file = tmp_path / "list.csv"
    file.write_text(as_csv(*(row(number) for number in range(20_000))))
    key = office.settings.master_key
    assert key is not None
    child = subprocess.Popen(
        [sys.executable, "-c", IMPORTING, str(file)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={
            **os.environ,
            "JALUR_ENV": "test",
            "JALUR_HOME": str(office.settings.home),
            "JALUR_DATABASE_URL": office.settings.database_url,
            "JALUR_MASTER_KEY": key.get_secret_value(),
        },
    )
    assert child.stdout is not None and child.stdout.readline() == b"begun\n"
    time.sleep(after)
    child.kill()
    child.wait()
    taken = count(office, Business)
    assert taken in (0, 20_000)
    assert [count(office, one) for one in (Person, PersonKey)] == [taken, taken + bool(taken)]
    assert count(office, ImportLine) == (taken + 1 if taken else 0)
    until = time.monotonic() + 10
    while (left := _readers_of(child.pid)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not left
    result = imported(office, file.read_bytes())
    assert (result.accepted, result.unchanged) == (20_000 - taken, taken)


def _readers_of(parent: int) -> list[str]:
    """Which readers still run that were given this parent."""
    found = []
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"engine.people.intake.reader" in status.read_bytes():
                found.append((status.parent / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return [one for one in found if one in (str(parent), "1")]


def test_the_reader_knows_no_secret(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """What reads a stranger's file gets neither key nor database by its environment."""
    given: dict[str, str] = {}
    real = subprocess.Popen

    def noted(*words: Any, **how: Any) -> Any:
        given.update(how.get("env") or {})
        return real(*words, **how)

    monkeypatch.setenv("JALUR_MASTER_KEY", "secret")
    monkeypatch.setattr(subprocess, "Popen", noted)
    reader._read_apart(as_csv(row(1)).encode(), Limits(1, "", 1, ""))
    assert given and not any(name.startswith("JALUR") for name in given)


def test_bytes_that_are_no_table_never_raise_elsewhere_either() -> None:
    """Whatever is uploaded, somebody gets an answer."""
    limits = Limits(1, "", 1, "")
    for content in (os.urandom(100_000), b"PK\x03\x04" + os.urandom(100_000), b"\xff\xfe" + os.urandom(99_999)):
        assert reader._read_apart(content, limits).fault == read_table(content).fault
