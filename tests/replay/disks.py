"""What outlives a process: a folder and a database, copied whole. A copy is what a power cut would have left."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from uuid import uuid4

import psycopg
from sqlalchemy.engine import make_url

WRITTEN_ONCE = (".pdf", ".eml")
MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Place:
    """Where an office lives: its database, its folder, and its signer's folder."""

    database_url: str
    home: Path
    signer: Path


class Disk(Protocol):
    """A kind of database, and how it is copied while nobody is connected."""

    def copy(self, place: Place) -> Place:
        """Return a new place with the same contents."""

    def remove(self, place: Place) -> None:
        """Forget a place."""


@dataclass(frozen=True)
class SqliteDisk:
    """The database is a file in the place's folder."""

    folder: Path

    def copy(self, place: Place) -> Place:
        """Copy the folder, the database and its write-ahead log in it: also in the middle of a transaction."""
        return sqlite_place(copy_folder(place.home, self.folder / uuid4().hex), place.signer)

    def remove(self, place: Place) -> None:
        """Remove the folder."""
        shutil.rmtree(place.home)


@dataclass(frozen=True)
class PostgresDisk:
    """The database is one of a server's; its copy is made from it as from a template."""

    folder: Path
    server: str

    def copy(self, place: Place) -> Place:
        """Copy folder and database. Nobody may be connected: a killed process is not, but the server may not know yet."""
        name, source = f"replay_{uuid4().hex[:12]}", make_url(place.database_url).database
        self._on_server(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY FILE_COPY")
        url = make_url(self.server).set(database=name).render_as_string(hide_password=False)
        return replace(place, database_url=url, home=copy_folder(place.home, self.folder / name))

    def remove(self, place: Place) -> None:
        """Drop the database and remove the folder."""
        self._on_server(f"DROP DATABASE {make_url(place.database_url).database} WITH (FORCE)")
        shutil.rmtree(place.home)

    def _on_server(self, statement: str) -> None:
        with psycopg.connect(self.server.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement.encode())


def sqlite_place(home: Path, signer: Path) -> Place:
    """Return the place whose database is the file in that folder."""
    return Place(f"sqlite:///{home / 'jalur.db'}", home, signer)


def copy_folder(source: Path, target: Path) -> Path:
    """Copy a home. Files that are written once are linked."""
    target.mkdir(parents=True, exist_ok=True)
    for folder, names in folders(source):
        into = os.path.join(target, os.path.relpath(folder, source))
        os.makedirs(into, exist_ok=True)
        for name in names:
            (os.link if name.endswith(WRITTEN_ONCE) else shutil.copyfile)(f"{folder}/{name}", f"{into}/{name}")
    return target


def contents(home: Path) -> str:
    """Return a hash of all that lies in a folder: two moments with the same are the same cut."""
    digest = hashlib.sha256()
    for folder, names in sorted(folders(home)):
        for name in sorted(names):
            digest.update(f"\0{os.path.relpath(folder, home)}/{name}\0".encode())
            if not name.endswith(WRITTEN_ONCE):
                digest.update(Path(folder, name).read_bytes())
    return digest.hexdigest()


def folders(home: Path) -> Iterator[tuple[str, list[str]]]:
    """Give each folder that holds a file with its files; SQLite's shared memory is of the process, not of the disk."""
    for folder, _, names in os.walk(home):
        if kept := [name for name in names if not name.endswith("-shm")]:
            yield folder, kept


@contextmanager
def quick_folder() -> Iterator[Path]:
    """Give a folder that is gone afterwards, in memory where the machine has room for that: no cut is in hardware."""
    with TemporaryDirectory(prefix="jalur-replay-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)
