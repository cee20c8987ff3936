"""The offices in which drives are driven: copied for each from one in which everybody is settled in."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from tests.drives.drive import Drive
from tests.drives.ground import lay_out_only, office_at, settle_in
from tests.replay.disks import Disk, Place, PostgresDisk, SqliteDisk, quick_folder, sqlite_place

Begin = Callable[..., Any]


@pytest.fixture
def laid_out_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pages are made, but everything up to them."""
    monkeypatch.setattr("engine.execution.document_files.make_file", lay_out_only)


@contextmanager
def _drive(disk: Disk, start: Place, ground: Any, draw: Any, **how: Any) -> Iterator[Drive]:
    place = disk.copy(start)
    try:
        with office_at(place) as office:
            yield Drive(office, ground, draw, **how)
    finally:
        disk.remove(place)


@pytest.fixture(scope="session")
def drive_on_sqlite(sqlite_template: Path, signer_folder: Path) -> Iterator[Begin]:
    """Begin drives, each in an office of its own on SQLite."""
    with quick_folder() as folder:
        home = folder / "start"
        home.mkdir()
        shutil.copy(sqlite_template, home / "jalur.db")
        start = sqlite_place(home, signer_folder)
        with office_at(start) as office:
            ground = settle_in(office)
        gc.collect()
        gc.freeze()  # a drive leaves much behind; what was in memory before need not be looked through each time
        yield partial(_drive, SqliteDisk(folder), start, ground)
        gc.unfreeze()


@pytest.fixture(scope="session")
def drive_on_postgres(postgres: str, postgres_template: str, signer_folder: Path) -> Iterator[Begin]:
    """Begin drives, each in a database of its own on PostgreSQL."""
    with quick_folder() as folder:
        disk = PostgresDisk(folder, postgres)
        home = folder / "start"
        home.mkdir()
        template = make_url(postgres).set(database=postgres_template).render_as_string(hide_password=False)
        start = disk.copy(Place(template, home, signer_folder))
        with office_at(start) as office:
            ground = settle_in(office)
        yield partial(_drive, disk, start, ground)
