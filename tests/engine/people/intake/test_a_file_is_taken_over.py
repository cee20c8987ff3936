"""An intake file from upload to register: all of it or nothing, as often as somebody likes, in each database."""

from __future__ import annotations

import csv
import io
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlmodel import SQLModel, col, func, select

from engine.people.intake import importing
from engine.people.intake.columns import COLUMNS
from engine.people.intake.importing import Imported, UnknownImport, import_file, take_over, upload
from engine.people.intake.refused_rows import refused_rows, refused_workbook, safe_cell
from engine.runtime.office import Office
from models import Business, Import, ImportLine, Person, PersonIndex, PersonKey, Role, User, UserRole
from tests.engine.people.intake.listing import as_csv, as_xlsx, row

EXAMPLES = Path(__file__).parents[4] / "examples"


def taken(office: Office, content: bytes | str, **how: Any) -> Imported:
    """Import a file in a run of its own."""
    with office.run("cli", by="rini") as run:
        encoded = content if isinstance(content, bytes) else content.encode()
        return import_file(office, run, name="daftar.csv", content=encoded, **how)


def count(office: Office, table: type[SQLModel]) -> int:
    """How many rows a table has."""
    with office.db.reading() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def faults(imported: Imported) -> list[tuple[int, str]]:
    """Line and column of each fault."""
    return [(remark.line, remark.column) for remark in imported.refused]


@pytest.mark.parametrize(("name", "accepted"), [("businesses", 278), ("businesses-excel", 98)])
def test_the_example_files_are_refused_exactly_where_expected(office: Office, name: str, accepted: int) -> None:
    """Each expected line and column, and nothing else; the reasons name no number in full."""
    content = (EXAMPLES / f"{name}.csv").read_bytes()
    with open(EXAMPLES / f"{name}.expected.csv", newline="") as file:
        expected = [(int(line["line"]), line["column"]) for line in csv.DictReader(file)]
    imported = taken(office, content)
    assert faults(imported) == expected
    assert imported.accepted == accepted == count(office, Business) == count(office, Person)
    numbers = {cell for line in content.decode("utf-8-sig").splitlines() for cell in line.replace(";", ",").split(",")}
    long_numbers = {cell.strip("'\u00a0") for cell in numbers if len(cell) > 10 and cell.strip("'\u00a0").isdigit()}
    spoken = " ".join(remark.reason + remark.reason_en for remark in imported.refused + imported.warnings)
    assert not any(number in spoken for number in long_numbers if not number.endswith("000000"))


def test_an_accepted_row_becomes_an_owner_with_an_account_and_a_business(office: Office) -> None:
    """Personal numbers are sealed and found by digest only."""
    taken(office, as_csv(row(1, tax_id="01.312.166.0-091.000", existing_nib="'9120202312345", region_code="35.08")))
    with office.db.reading() as session:
        business = session.exec(select(Business)).one()
        person = session.get_one(Person, business.owner_id)
        sealed = office.vault.decrypt(session.get(PersonKey, person.key_id), person.sealed)
        user = session.exec(select(User)).one()
        roles = session.exec(select(UserRole.role).where(UserRole.user_id == user.id)).all()
        index = {found.kind: found.digest for found in session.exec(select(PersonIndex)).all()}
        line = session.exec(select(ImportLine).where(ImportLine.status == "accepted")).one()
        cells = office.vault.decrypt(session.get(PersonKey, person.key_id), line.sealed)
    assert sealed == {
        "national_id": row(1)["national_id"],
        "tax_id": "013121660091000",
        "phone": "+6281162300001",
        "email": "sri1@contoh.example",
        "address": "Jl. Santoso No. 179",
    }
    assert (user.name, user.person_id, roles) == (f"owner-{person.id}", person.id, [str(Role.APPLICANT)])
    assert set(index) == {"national_id", "tax_id", "phone", "email"}
    assert index["national_id"] == office.vault.digest("national_id", row(1)["national_id"])
    assert (business.region_code, business.business_id_number, business.capital_rupiah) == (
        "3508",
        "9120202312345",
        457_000_000,
    )
    assert (line.business_id, line.key_id, line.line) == (business.id, person.key_id, 2)
    assert cells[COLUMNS.index("region_code")] == "35.08"


def test_the_same_file_again_changes_nothing(office: Office) -> None:
    """Nor does a dry run before it, nor the same rows in another order and dress."""
    content = as_csv(row(1), row(2), row(3, phone="12345"))
    assert taken(office, content, dry_run=True).accepted == 2
    assert count(office, Person) == count(office, Import) == 0
    taken(office, content)
    again = taken(office, content)
    assert (again.accepted, again.unchanged, again.refused_lines) == (0, 2, 1)
    assert not again.warnings
    dressed = taken(office, as_xlsx(row(2, national_id=f"'{row(2)['national_id']}", phone="+62 811-6230-0002"), row(1)))
    assert (dressed.accepted, dressed.unchanged, dressed.warnings) == (0, 2, [])
    assert count(office, Person) == count(office, Business) == count(office, User) == 2


def test_the_corrected_file_adds_only_what_was_missing(office: Office) -> None:
    """Whether the whole list is corrected, or the download of the refused rows."""
    bad = as_csv(row(1), row(2, phone="12345"), row(3, email="ani@@contoh"), row(4, national_id="3,57801E+15"))
    imported = taken(office, bad)
    assert imported.import_id is not None
    download = refused_rows(office, imported.import_id).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(download)))
    assert [one["line"] for one in rows] == ["3", "4", "5"]
    assert rows[0]["phone"] == "12345" and "phone: Nomor telepon" in rows[0]["alasan"]
    uncorrected = taken(office, download)
    assert (uncorrected.accepted, [remark.column for remark in uncorrected.refused]) == (
        0,
        ["phone", "email", "national_id"],
    )
    half = taken(office, download.replace("12345", "081234567890"))
    assert (half.accepted, half.refused_lines, half.warnings) == (1, 2, [])
    whole = taken(office, as_csv(row(1), row(2, phone="081234567890"), row(3), row(4)))
    assert (whole.accepted, whole.unchanged, whole.refused_lines) == (2, 2, 0)
    assert count(office, Business) == 4


def test_the_refused_rows_as_a_workbook_keep_their_long_numbers(office: Office) -> None:
    """Every cell is text, also one that begins with an equals sign."""
    imported = taken(office, as_csv(row(1, phone="12345", business_name='=HYPERLINK("http://x.example")')))
    assert imported.import_id is not None
    content = refused_workbook(office, imported.import_id)
    sheet = load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    cells = {header.value: cell for header, cell in zip(*sheet.iter_rows(), strict=True)}
    assert (cells["national_id"].value, cells["national_id"].number_format) == (row(1)["national_id"], "@")
    assert cells["business_name"].data_type == "s"
    assert faults(taken(office, content)) == [(2, "phone")]


@pytest.mark.parametrize("cell", ["=1+1", "+62 811", "-5", "@SUM(A1)", "\t=1", " =1", "＝1+1", "'=1"])
def test_no_cell_of_a_download_is_a_formula(office: Office, cell: str) -> None:
    """A reviewer who opens the list runs nothing that an applicant typed; the import takes the apostrophe off."""
    assert safe_cell(cell).startswith("'")
    imported = taken(office, as_csv(row(1, business_name=cell, email="ani@@contoh")))
    assert imported.import_id is not None
    download = refused_rows(office, imported.import_id).decode("utf-8-sig")
    assert next(csv.DictReader(io.StringIO(download)))["business_name"][:1] == "'"
    corrected = taken(office, download.replace("ani@@contoh", "ani@contoh.example"))
    assert corrected.accepted == 1
    with office.db.reading() as session:
        assert not session.exec(select(Business.name)).one().startswith("'")


def test_a_person_who_has_a_business_is_refused_for_another(office: Office) -> None:
    """One national id, one NIB: a second activity is added to the first business."""
    taken(office, as_csv(row(1)))
    other = taken(office, as_csv(row(1, business_name="Warung Lain")))
    assert faults(other) == [(2, "national_id")]
    assert "sudah terdaftar" in other.refused[0].reason
    assert row(1)["national_id"] not in other.refused[0].reason


def test_changed_data_of_a_known_business_are_left_and_named(office: Office) -> None:
    """An import adds; it never overwrites. An empty cell says nothing."""
    taken(office, as_csv(row(1)))
    changed = row(1, business_name="SARI SRI 1", capital_rupiah="500000000", phone="081299998888", email="", cluster="")
    imported = taken(office, as_csv(changed))
    assert (imported.accepted, imported.unchanged, imported.refused) == (0, 1, [])
    assert sorted(remark.column for remark in imported.warnings) == ["capital_rupiah", "cluster", "phone"]
    assert any("jalur case correct" in remark.reason for remark in imported.warnings)
    with office.db.reading() as session:
        assert session.exec(select(Business.capital_rupiah)).one() == 457_000_000


def test_a_known_person_without_a_business_gets_one(office: Office) -> None:
    """An assessor may also bake: the person stays the one they are, and the account too."""
    taken(office, as_csv(row(1)))
    with office.db.writing() as session:
        for line in session.exec(select(ImportLine).where(col(ImportLine.business_id).is_not(None))).all():
            line.business_id = None
        session.flush()
        session.delete(session.exec(select(Business)).one())
    assert taken(office, as_csv(row(1))).accepted == 1
    assert count(office, Person) == count(office, User) == count(office, Business) == 1


def test_a_file_without_a_required_column_takes_nothing_and_keeps_nothing(office: Office) -> None:
    """One remark on line 1; the content, which holds personal data, is not kept."""
    header = ["x" if column == "national_id" else column for column in COLUMNS]
    imported = taken(office, as_csv(row(1), row(2), header=header))
    assert imported.file_refused and imported.accepted == 0
    assert faults(imported) == [(1, "national_id")]
    assert imported.as_json()["refused"][0]["line"] == 1
    with office.db.reading() as session:
        kept = session.exec(select(Import)).one()
        assert kept.content is None
    assert imported.import_id is not None
    assert b"national_id" in refused_rows(office, imported.import_id)


def test_an_upload_is_kept_sealed_until_it_is_taken_over_once(office: Office) -> None:
    """Asking again answers what happened; the file itself is gone, its hash and its lines stay."""
    content = as_csv(row(1), row(2, phone="12345")).encode()
    with office.run("web", by="rini") as run:
        import_id = upload(office, run, name="C:\\data\\3508166904956220.csv", content=content)
        with office.db.reading() as session:
            kept = session.get_one(Import, import_id)
            assert kept.content is not None and row(1)["national_id"].encode() not in kept.content
            assert kept.name == "350816********20.csv"
        tried = take_over(office, run, import_id, dry_run=True)
        first = take_over(office, run, import_id)
        second = take_over(office, run, import_id)
    assert first.accepted == tried.accepted == 1
    assert second == first
    with office.db.reading() as session:
        kept = session.get_one(Import, import_id)
        assert kept.content is None and len(kept.sha256) == 64
        assert (kept.accepted, kept.unchanged, kept.refused) == (1, 0, 1)
    with pytest.raises(UnknownImport), office.run("web", by="rini") as run:
        take_over(office, run, 999)


def test_a_failure_in_the_middle_leaves_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a person, not an upload; then the same file goes through."""

    def power_cut(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(importing, "_keep_lines", power_cut)
        with pytest.raises(RuntimeError):
            taken(office, as_csv(row(1), row(2)))
    assert count(office, Person) == count(office, Business) == count(office, Import) == count(office, PersonKey) == 0
    assert taken(office, as_csv(row(1), row(2))).accepted == 2


def test_the_same_file_from_two_desks_at_once_is_taken_over_once(office: Office) -> None:
    """One of them sees every row registered already."""
    content = as_csv(*(row(number) for number in range(60)))
    start = threading.Barrier(4)
    results: list[Imported] = []

    def send() -> None:
        start.wait()
        results.append(taken(office, content))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((one.accepted, one.unchanged, one.refused_lines) for one in results) == [(0, 60, 0)] * 3 + [
        (60, 0, 0)
    ]
    assert count(office, Person) == count(office, Business) == count(office, User) == 60


def test_reasons_come_in_indonesian_and_in_english(office: Office) -> None:
    """The download and the JSON follow the language that is asked for."""
    imported = taken(office, as_csv(row(1, phone="12345")))
    assert imported.import_id is not None
    assert "Nomor telepon" in imported.as_json()["refused"][0]["reason"]
    assert "telephone number" in imported.as_json("en")["refused"][0]["reason"]
    assert b"telephone number" in refused_rows(office, imported.import_id, language="en")


def test_three_hundred_rows_take_less_than_a_second(office: Office) -> None:
    """A district's list is one click. Counted in CPU time, so that a busy machine does not fail it."""
    content = (EXAMPLES / "businesses.csv").read_bytes()
    started = time.process_time()
    taken(office, content)
    assert time.process_time() - started < 1


@pytest.mark.slow
def test_twenty_thousand_rows_are_taken_over_at_once(office: Office) -> None:
    """The list of a whole province, in one transaction."""
    content = as_csv(*(row(number) for number in range(20_000)))
    started = time.process_time()
    assert taken(office, content).accepted == 20_000
    assert time.process_time() - started < 20
    assert taken(office, content).unchanged == 20_000
