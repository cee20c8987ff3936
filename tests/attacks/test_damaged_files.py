"""A file in the store is what was stored, or it is found: when it is read, and when it is put again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.reports.verification import check_document
from engine.runtime.file_store import DamagedFile, Store
from engine.runtime.office import Office
from tests.stories.nib_legalization.conftest import NibStory
from tests.stories.nib_legalization.conftest import nib as nib

Nib = Callable[..., NibStory]
PAPER = b"%PDF-1.4 the bytes that were signed"
DAMAGE = {"emptied": b"", "cut": PAPER[:-3], "changed": PAPER.replace(b"signed", b"forged"), "longer": PAPER + b"\n"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store in the test's own folder."""
    return Store("file://documents", tmp_path)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_found_when_it_is_read(store: Store, damage: str) -> None:
    """Nobody is shown other bytes than those that were stored; the refusal says which file, and the next move."""
    _, relative = store.put(PAPER)
    Path(store.location(relative)).write_bytes(DAMAGE[damage])
    with pytest.raises(DamagedFile, match="is not what was stored") as refused:
        store.get(relative)
    assert relative in str(refused.value)
    assert "telah rusak" in refused.value.for_people


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_replaced_when_it_is_put_again(
    store: Store, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The bytes that come in are the right ones; the damage is written into the log."""
    sha256, relative = store.put(PAPER)
    file = Path(store.location(relative))
    file.write_bytes(DAMAGE[damage])
    with caplog.at_level(logging.ERROR):
        assert store.put(PAPER) == (sha256, relative)
    assert store.get(relative) == file.read_bytes() == PAPER
    assert f"{relative} in the store was damaged" in caplog.text
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_a_whole_file_is_not_written_again(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """The same bytes are one file, and no word is said about it."""
    _, relative = store.put(PAPER)
    before = Path(store.location(relative)).stat()
    store.put(PAPER)
    after = Path(store.location(relative)).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert caplog.text == ""


@pytest.mark.parametrize("suffix", ["", "../../x", "pdf\0", "p*", "a" * 40, "PDF", "partial/.."])
def test_a_suffix_that_is_no_short_word_names_no_other_place(store: Store, suffix: str, tmp_path: Path) -> None:
    """The file lies in its own folder under its hash, and is found and read again."""
    sha256, relative = store.put(PAPER, suffix)
    assert relative == f"{sha256[:2]}/{sha256}.bin"
    assert (store.find(sha256), store.get(relative)) == (relative, PAPER)
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == [f"{sha256}.bin"]


def test_a_letter_does_not_leave_with_a_damaged_enclosure(nib: Nib, office: Office) -> None:
    """It waits, with its error; once the file is stored again, it leaves."""
    story = nib()
    [receipt] = [one for one in story.documents if one.kind == "receipt"]
    file = Path(office.store.location(receipt.path or ""))
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert story.letters == ["receipt"]
    [letter] = story.shown()["letters"]
    assert letter["status"] != "sent"
    with pytest.raises(DamagedFile):
        office.store.get(receipt.path or "")
    office.store.put(whole)
    story.clock.turn(hours=12)
    assert story.letters == ["receipt"]
    assert story.shown()["letters"][0]["status"] == "sent"


def test_a_damaged_certificate_is_not_verified(nib: Nib, office: Office) -> None:
    """`jalur verify NUMBER` says in words that the file is damaged."""
    story = nib().to_statement().signs_on_paper().filed().recorded()
    [certificate] = [one for one in story.documents if one.number]
    file = Path(office.store.location(certificate.path or ""))
    file.write_bytes(file.read_bytes() + b" ")
    verdict = check_document(office, certificate.number or "")
    assert verdict["valid"] is False
    assert [(one["name"], one["detail"]) for one in verdict["checks"] if not one["passed"]] == [
        ("file", "Berkas di penyimpanan kantor hilang atau rusak.")
    ]
