"""Content-addressed file store, through fsspec, and the files that people attach.

The same bytes are one file, however often stored. A form refers to a kept file as ``sha256:…``.
"""

from __future__ import annotations

import hashlib
import logging
import re
import uuid
from pathlib import Path
from typing import Any

import fsspec

from engine.errors import Refused

log = logging.getLogger(__name__)

LARGEST = 20 * 1024 * 1024  # bytes of a file that people hand in
SHA256 = re.compile(r"[0-9a-f]{64}")
SUFFIX = re.compile(r"[a-z0-9]{1,8}")


class DamagedFile(Refused):
    """A file in the store has other bytes than those that were stored."""

    def __init__(self, relative: str) -> None:
        super().__init__(
            f"The file {relative} in the store is not what was stored. Put it back from a backup, or store it again",
            for_people=f"Berkas {relative} di penyimpanan telah rusak. Pulihkan dari cadangan, atau unggah kembali.",
            file=relative,
        )


class Attached(str):
    """The name of a file (``sha256:…``) that comes in with what is being done.

    Only code that has put the bytes into the store makes one; what arrives as JSON is a plain text.
    """


class Store:
    """Files below one URL, named by the SHA-256 of their content.

    The URL is ``file://var/documents``, ``s3://bucket/prefix`` or another one of fsspec.
    """

    def __init__(self, url: str, home: Path) -> None:
        """Open the store; a relative ``file://`` path is taken from ``home``."""
        if url.startswith("file://") and not url.startswith("file:///"):
            url = f"file://{home / url.removeprefix('file://')}"
        self._fs: Any
        self._fs, self._root = fsspec.core.url_to_fs(url)

    def put(self, content: bytes, suffix: str = "pdf") -> tuple[str, str]:
        """Keep ``content``, whole or not at all; return its SHA-256 and its path in the store.

        A file that is there is read, and replaced where it was damaged. A suffix that is no short word becomes ``bin``.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        relative = f"{sha256[:2]}/{sha256}.{suffix if SUFFIX.fullmatch(suffix) else 'bin'}"
        path = f"{self._root}/{relative}"
        if not self._is_whole(relative):
            partial = f"{path}.{uuid.uuid4().hex}.partial"
            self._fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
            self._fs.pipe_file(partial, content)
            self._fs.mv(partial, path)
        return sha256, relative

    def _is_whole(self, relative: str) -> bool:
        """Return whether the store has the file at ``relative`` as it was stored."""
        try:
            self.get(relative)
        except FileNotFoundError:
            return False
        except DamagedFile:
            log.error("The file %s in the store was damaged; it is stored anew", relative)
            return False
        return True

    def get(self, relative: str) -> bytes:
        """Return the content of the file at ``relative``.

        Raises:
            FileNotFoundError: there is no such file.
            DamagedFile: the content has not the hash by which the file is named.
        """
        content: bytes = self._fs.cat_file(f"{self._root}/{relative}")
        if hashlib.sha256(content).hexdigest() != Path(relative).stem:
            raise DamagedFile(relative)
        return content

    def find(self, sha256: str) -> str | None:
        """Return the path of the file with that hash; None where the store has none.

        What is no hash is looked for nowhere.
        """
        if not SHA256.fullmatch(sha256):
            return None
        found = sorted(map(str, self._fs.glob(f"{self._root}/{sha256[:2]}/{sha256}.*")))
        wanted = [name for name in found if not name.endswith(".partial")]
        return f"{sha256[:2]}/{wanted[0].rsplit('/', 1)[1]}" if wanted else None

    def location(self, relative: str) -> str:
        """Return the full path or URL of the file, for people."""
        return f"{self._root}/{relative}"


def attach(store: Store, content: bytes, suffix: str = "pdf") -> Attached:
    """Keep a file; return the name by which a form refers to it."""
    return Attached(f"sha256:{store.put(content, suffix)[0]}")


def attach_named_files(store: Store, data: Any) -> Any:
    """Keep the files named as ``@path/to/file`` in ``data``; return it with their references.

    Raises:
        Refused: a file is missing, empty or larger than 20 MiB.
    """
    if isinstance(data, dict):
        return {name: attach_named_files(store, value) for name, value in data.items()}
    if isinstance(data, list):
        return [attach_named_files(store, value) for value in data]
    if isinstance(data, str) and data.startswith("@"):
        return attach(store, _read(Path(data[1:])), Path(data[1:]).suffix.lstrip(".").lower())
    return data


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise Refused(f"There is no file {path}", for_people=f"Berkas {path} tidak ditemukan.")
    content = path.read_bytes()
    if not content or len(content) > LARGEST:
        raise Refused(
            f"{path} has {len(content)} bytes; evidence has between 1 and {LARGEST}",
            for_people=f"Ukuran berkas {path} tidak dapat diterima (paling besar 20 MiB).",
        )
    return content
