"""The web app on a small office, called in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from engine.execution.drain import drain
from tests.scheduling.small_office import PIPELINE, SmallOffice
from web.app import create_app


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallOffice]:
    """An office with three businesses."""
    small = SmallOffice.at(tmp_path)
    yield small
    small.office.close()


@pytest.fixture
def client(small: SmallOffice) -> Iterator[TestClient]:
    """A browser without cookies or token; nobody advances cases by themselves."""
    app = create_app(small.office, advance=False)
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture
def case(small: SmallOffice) -> str:
    """A case that waits for its first check."""
    number = small.open()[0]
    advance(small)
    return number


def advance(small: SmallOffice) -> None:
    """Let the office do what is ready."""
    with small.office.run("cli", by="test") as run:
        drain(small.office, run, PIPELINE)
