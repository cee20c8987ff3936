"""Private files: written for the own account alone, and closed where they lay open.

The database, papers and letters hold personal data (UU 27/2022). Every entry point calls `keep_private` before it writes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from engine.runtime.settings import Settings

UMASK = 0o077


class LaidOpen(NamedTuple):
    """A file or folder that others could read: its rights then, and whether it was closed."""

    path: Path
    mode: str
    closed: bool


def keep_private() -> None:
    """Let this process and its children make each file and folder for their owner alone."""
    os.umask(UMASK)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, also where it was there and open to others."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "wb") as file:
        if stat.S_ISREG(os.fstat(handle).st_mode):  # it may be a terminal
            os.fchmod(handle, 0o600)
        file.write(content)


def close_to_others(settings: Settings) -> list[LaidOpen]:
    """Close database, papers, letters, keys and Prefect's home to others; return what lay open.

    A folder is closed with all that is in it. One that is closed is not looked into: nobody else gets in.
    """
    return [opened for place in _places(settings) if (opened := _closed(place)) is not None]


def _places(settings: Settings) -> Iterator[Path]:
    url = settings.sqlalchemy_url()
    if url.startswith("sqlite:///"):
        file = url.removeprefix("sqlite:///")
        yield from (Path(f"{file}{suffix}") for suffix in ("", "-wal", "-shm"))
    for folder, scheme in ((settings.documents_url, "file://"), (settings.letters_url, "folder://")):
        if folder.startswith(scheme):
            yield settings.path(folder.removeprefix(scheme))
    yield from (settings.path(f"var/{name}") for name in ("prefect", "master.key", "signer"))
    if settings.signer_key is not None:
        yield settings.path(settings.signer_key)


def _closed(place: Path) -> LaidOpen | None:
    if place.is_symlink() or not place.exists():
        return None
    mode = stat.S_IMODE(place.stat().st_mode)
    if not mode & UMASK:
        return None
    inside = [Path(folder, name) for folder, folders, files in os.walk(place) for name in (*folders, *files)]
    try:
        for one in (*inside, place):
            if not one.is_symlink():
                one.chmod(stat.S_IMODE(one.stat().st_mode) & ~UMASK)
    except OSError:
        return LaidOpen(place, f"{mode:o}", closed=False)
    return LaidOpen(place, f"{mode:o}", closed=True)
