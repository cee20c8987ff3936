"""Letters as `.eml` files in a folder, for demos and for tests without a network."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import fsspec  # type: ignore[import-untyped, unused-ignore]

from outside.channels import Message, Receipt
from outside.errors import TryLater
from outside.mail import as_mime


class FolderChannel:
    """A channel that writes letters as `.eml` files into a folder.

    A file's name is made from the message id, so a letter written twice leaves the first file unchanged.
    A file is complete or absent: a local one is renamed into place once it is on disk, and object stores
    show complete objects only. Only the owner may read local files.
    """

    name = "folder"

    def __init__(self, folder: str | Path) -> None:
        """Take a path or an fsspec URL ('s3://bucket/letters'); the folder is made on first use."""
        where = str(folder)
        self._local = Path(where.removeprefix("file://")) if "://" not in where or where.startswith("file://") else None
        self._url = where.rstrip("/")

    def __repr__(self) -> str:
        """Name the folder."""
        return f"FolderChannel({str(self._local or self._url)!r})"

    def send(self, message: Message) -> Receipt:
        """Write a letter, unless its file exists.

        Raises:
            TryLater: the folder can't be written.
            Bounced: `to_address` is no mail address.
        """
        name = file_name(message.message_id)
        contents = as_mime(message.model_copy(update={"perhaps_sent": False}))  # a folder knows whether it has it
        try:
            new = self._write_local(self._local, name, contents) if self._local else self._write_far(name, contents)
        except OSError as error:
            reason = f"a letter could not be written into {self!r}: {type(error).__name__}"
            raise TryLater(reason, note="the administrator must look at disk and rights") from None
        return Receipt(self.name, message.message_id, f"written as {name}" if new else f"was there already as {name}")

    @staticmethod
    def _write_local(folder: Path, name: str, contents: bytes) -> bool:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / name).exists():
            return False
        # mkstemp lets only the owner read the file (0600); the dot hides unfinished files.
        handle, unfinished = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(contents)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, folder / name)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return True

    def _write_far(self, name: str, contents: bytes) -> bool:
        store, root = fsspec.core.url_to_fs(self._url)
        path = f"{root}/{name}"
        if store.exists(path):
            return False
        store.makedirs(root, exist_ok=True)
        store.pipe_file(path, contents)
        return True


def file_name(message_id: str) -> str:
    """Return the file name of a letter: the readable part of its id, and a hash of the id."""
    readable = message_id.strip("<>").partition("@")[0][:80]
    return f"{readable}-{hashlib.sha256(message_id.encode()).hexdigest()[:12]}.eml"
