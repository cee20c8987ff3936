"""Files that people hand in as evidence: kept in the store by hash; a form refers to them as ``sha256:…``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.errors import Refused
from engine.runtime.office import Office

LARGEST = 20 * 1024 * 1024


def take_in(office: Office, data: Any) -> Any:
    """Return ``data`` with every ``@path/to/file`` replaced by the hash under which the file is now kept.

    Raises `Refused` for a file that is missing, empty or larger than 20 MiB.
    """
    if isinstance(data, dict):
        return {name: take_in(office, value) for name, value in data.items()}
    if isinstance(data, list):
        return [take_in(office, value) for value in data]
    if isinstance(data, str) and data.startswith("@"):
        return keep(office, _read(Path(data[1:])), Path(data[1:]).suffix.lstrip(".") or "bin")
    return data


def keep(office: Office, content: bytes, suffix: str = "pdf") -> str:
    """Keep a file; return how forms refer to it."""
    return f"sha256:{office.store.put(content, suffix)[0]}"


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
