"""Where files lie: by the hash of their content, through fsspec. The same bytes are one file, however often stored."""

from __future__ import annotations

import hashlib
import re
import uuid
from pathlib import Path
from typing import Any

import fsspec


class Store:
    """A content-addressed store below one URL (``file://var/documents``, ``s3://bucket/prefix``)."""

    def __init__(self, url: str, home: Path) -> None:
        """Open the store; a relative ``file://`` path is taken from ``home``."""
        if url.startswith("file://") and not url.startswith("file:///"):
            url = f"file://{home / url.removeprefix('file://')}"
        self._fs: Any
        self._fs, self._root = fsspec.core.url_to_fs(url)

    def put(self, content: bytes, suffix: str = "pdf") -> tuple[str, str]:
        """Keep ``content``; return its SHA-256 and its path in the store. Whole or not at all."""
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
        """Return the file at ``relative``. Raises FileNotFoundError, and ValueError when its bytes are not its hash's."""
        content: bytes = self._fs.cat_file(f"{self._root}/{relative}")
        expected = re.sub(r"^.*/([0-9a-f]{64})\.\w+$", r"\1", relative)
        if hashlib.sha256(content).hexdigest() != expected:
            raise ValueError(f"The file {relative} in the store is not what was stored")
        return content

    def find(self, sha256: str) -> str | None:
        """Return the path of the file with that hash, or None."""
        found = self._fs.glob(f"{self._root}/{sha256[:2]}/{sha256}.*")
        wanted = [name for name in found if not str(name).endswith(".partial")]
        return f"{sha256[:2]}/{str(wanted[0]).rsplit('/', 1)[1]}" if wanted else None

    def location(self, relative: str) -> str:
        """Return where a person finds the file."""
        return f"{self._root}/{relative}"

    def delete(self, relative: str) -> None:
        """Remove a file: only the erasure of a person does."""
        self._fs.rm_file(f"{self._root}/{relative}")
