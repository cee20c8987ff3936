"""Content-addressed file store, through fsspec, and the evidence that people hand in.

The same bytes are one file, however often stored. A form refers to a kept file as ``sha256:…``.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from pathlib import Path
from typing import Any

import fsspec

from engine.errors import Refused

LARGEST = 20 * 1024 * 1024  # bytes of a file that people hand in


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
        """Keep ``content``, whole or not at all; return its SHA-256 and its path in the store."""
        sha256 = hashlib.sha256(content).hexdigest()
        relative = f"{sha256[:2]}/{sha256}.{suffix}"
        path = f"{self._root}/{relative}"
        if not self._fs.exists(path):
            partial = f"{path}.{uuid.uuid4().hex}.partial"
            self._fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
            self._fs.pipe_file(partial, content)
            self._fs.mv(partial, path)
        return sha256, relative

    def get(self, relative: str) -> bytes:
        """Return the content of the file at ``relative``.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the content has not the hash by which the file is named.
        """
        content: bytes = self._fs.cat_file(f"{self._root}/{relative}")
        expected = re.sub(r"^.*/([0-9a-f]{64})\.\w+$", r"\1", relative)
        if hashlib.sha256(content).hexdigest() != expected:
            raise ValueError(f"The file {relative} in the store is not what was stored")
        return content

    def find(self, sha256: str) -> str | None:
        """Return the path of the file with that hash; None where the store has none."""
        found = self._fs.glob(f"{self._root}/{sha256[:2]}/{sha256}.*")
        wanted = [name for name in found if not str(name).endswith(".partial")]
        return f"{sha256[:2]}/{str(wanted[0]).rsplit('/', 1)[1]}" if wanted else None

    def location(self, relative: str) -> str:
        """Return the full path or URL of the file, for people."""
        return f"{self._root}/{relative}"


def store_evidence(store: Store, content: bytes, suffix: str = "pdf") -> str:
    """Keep a file; return the text by which a form refers to it."""
    return f"sha256:{store.put(content, suffix)[0]}"


def store_named_files(store: Store, data: Any) -> Any:
    """Keep the files named as ``@path/to/file`` in ``data``; return it with their references.

    Raises:
        Refused: a file is missing, empty or larger than 20 MiB.
    """
    if isinstance(data, dict):
        return {name: store_named_files(store, value) for name, value in data.items()}
    if isinstance(data, list):
        return [store_named_files(store, value) for value in data]
    if isinstance(data, str) and data.startswith("@"):
        return store_evidence(store, _read(Path(data[1:])), Path(data[1:]).suffix.lstrip(".") or "bin")
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
