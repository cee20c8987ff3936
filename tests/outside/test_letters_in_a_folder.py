"""Stories of letters as files, and of what may not become a letter."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from outside.channels import Message
from outside.errors import TryLater
from outside.folder import FolderChannel
from outside.mail import as_mime


def test_a_folder_holds_one_file_a_letter(tmp_path: Path, letter: Message) -> None:
    """Written twice, and by ten at once, a letter is one whole file that only its owner may read."""
    folder = FolderChannel(tmp_path / "letters")
    receipts = [folder.send(letter), folder.send(letter)]
    threads = [threading.Thread(target=folder.send, args=(letter,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    [file] = (tmp_path / "letters").iterdir()
    assert file.read_bytes() == as_mime(letter)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.name.startswith("nib.2026.000123.nib.issued.1.")
    assert [receipt.reply.split(" as ")[0] for receipt in receipts] == ["written", "was there already"]


def test_a_folder_may_be_far_away(letter: Message) -> None:
    """An fsspec URL does as well as a path: one object a letter."""
    import fsspec  # type: ignore[import-untyped, unused-ignore]

    folder = FolderChannel("memory://letters-of-test")
    folder.send(letter)
    folder.send(letter)
    store = fsspec.filesystem("memory")
    [path] = store.ls("/letters-of-test", detail=False)
    assert store.cat_file(path) == as_mime(letter)


def test_a_folder_that_can_not_be_written_is_tried_again(tmp_path: Path, letter: Message) -> None:
    """A full or missing disk loses no letter, and leaves no half file."""
    (tmp_path / "letters").write_text("a file where the folder should be")
    with pytest.raises(TryLater, match="FileExistsError") as caught:
        FolderChannel(tmp_path / "letters").send(letter)
    assert "disk" in (caught.value.note or "")


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "Selamat\r\nBcc: everybody@example.com"},
        {"subject": "Selamat\u2028Bcc: everybody@example.com"},
        {"to_name": "Siti\nBcc: everybody@example.com"},
        {"to_address": "siti@example.com\r\nDATA"},
        {"sender": "Dinas\r\nX: y <surat@example.com>"},
        {"message_id": "<a@b>\r\nX: y"},
        {"attachments": [("../../etc/passwd", b"", "text/plain")]},
        {"attachments": [("a\r\nX: y.pdf", b"", "application/pdf")]},
        {"attachments": [("a.pdf", b"", "application/pdf\r\nX: y")]},
    ],
)
def test_no_field_can_smuggle_a_header_in(letter: Message, change: dict[str, Any]) -> None:
    """A name with a line break in it does not become a letter, and the refusal does not quote it."""
    with pytest.raises(ValidationError) as caught:
        Message.model_validate({**letter.model_dump(), **change})
    assert "everybody" not in str(caught.value)
