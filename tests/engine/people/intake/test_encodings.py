"""Encodings that a file does not name: one special letter, a file cut off, names in several scripts."""

from __future__ import annotations

import pytest

from engine.people.intake.reading import read_table
from tests.engine.people.intake.listing import as_csv, row


def names(content: bytes) -> list[str]:
    """The names of the owners in a file that can be read."""
    table = read_table(content)
    assert table.fault is None, table.fault
    return [table.cells_of(record)["owner_name"] for record in table.records]


@pytest.mark.parametrize("name", ["D’Arcy", "José Muñoz", "François", "Müller", "Café “Maju” – Jaya", "Toko Øst"])
@pytest.mark.parametrize("many", [1, 300])
def test_one_special_letter_is_enough_to_be_read_rightly(name: str, many: int) -> None:
    """A short list gives a guess little to go by, a long one hides the letter among plain ones."""
    listed = as_csv(*(row(number, owner_name=name if number == many else "Sri") for number in range(1, many + 1)))
    assert names(listed.encode("cp1252"))[-1] == name


def test_utf_16_without_a_mark_may_end_in_half_a_letter() -> None:
    """As a file does that was cut off, or to which a program has put its own line end."""
    read_as = names(as_csv(row(1), row(2, owner_name="D’Arcy"), row(3)).encode("utf-16-le") + b"\n")
    assert read_as[1] == "D’Arcy"


def test_names_in_several_scripts_are_no_binary_file() -> None:
    """UTF-16 without a mark, and letters that are seldom seen together."""
    read_as = names(as_csv(row(1, owner_name="Budi 李雷 إندونيسيا")).encode("utf-16-be"))
    assert read_as[0] == "Budi 李雷 إندونيسيا"
