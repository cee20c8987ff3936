"""Where the replay test plays, and the line in which it says how many cuts it made."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.engine import make_url

from engine.people.accounts import add_user
from tests.conftest import CUTS, DATABASES
from tests.people import hire_specialists, hire_staff
from tests.replay.cutting import Cuts, World, rendered_once, world
from tests.replay.desk import desk
from tests.replay.disks import Disk, Place, PostgresDisk, SqliteDisk, quick_folder, sqlite_place
from tests.replay.killing import Zygote, zygote
from tests.replay.scripts import all_scripts


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for many copies of small disks."""
    with quick_folder() as folder:
        yield folder


@pytest.fixture
def outside() -> Iterator[World]:
    """The world outside, as scripts have it."""
    with world() as it:
        yield it


@pytest.fixture(scope="session")
def remembered() -> Iterator[None]:
    """Documents are rendered once a session, by what is in them."""
    with rendered_once():
        yield


@pytest.fixture(scope="session")
def staffed(sqlite_template: Path, signer_folder: Path) -> Iterator[Place]:
    """An office on SQLite with its people, and nothing else: every script begins there."""
    with quick_folder() as home:
        shutil.copy(sqlite_template, home / "jalur.db")
        yield _with_staff(sqlite_place(home, signer_folder))


@pytest.fixture(params=DATABASES)
def start(request: pytest.FixtureRequest, folder: Path, signer_folder: Path) -> Iterator[tuple[Place, Disk]]:
    """The same on both databases, with the way to copy it."""
    if request.param == "sqlite":
        yield request.getfixturevalue("staffed"), SqliteDisk(folder)
        return
    server = request.getfixturevalue("postgres")
    template = make_url(server).set(database=request.getfixturevalue("postgres_template"))
    home = folder / uuid4().hex
    home.mkdir()
    disk = PostgresDisk(folder, server)
    place = _with_staff(disk.copy(Place(template.render_as_string(hide_password=False), home, signer_folder)))
    yield place, disk
    disk.remove(place)


@pytest.fixture
def warm() -> Iterator[Zygote]:
    """A process that forks those that are killed."""
    with zygote() as it:
        yield it


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[Cuts, str], None]:
    """Say how many cuts were made; the closing lines of the test run add them up."""

    def say(cuts: Cuts, how: str) -> None:
        record_property(CUTS, [how, cuts.made, cuts.commits, cuts.calls, cuts.played])

    return say


def _with_staff(place: Place) -> Place:
    with desk(place, all_scripts()[0], "http://127.0.0.1:9") as office:
        hire_staff(office)
        add_user(office, "budi", ["officer"], region="35")  # who imports, imports their region
        hire_specialists(office)
    return place
