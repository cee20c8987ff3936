"""Prefect's server as we start it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.runtime.settings import Environment, Settings
from scheduling.server import environment

ASK = """
import asyncio, sys
import sqlalchemy as sa
from prefect.server.database.configurations import AioSqliteConfiguration
from scheduling.server_app import create_app

async def how_long_a_writer_waits():
    engine = await AioSqliteConfiguration(sys.argv[1]).engine()
    async with engine.connect() as connection:
        print(await connection.scalar(sa.text("PRAGMA busy_timeout")), "ms")

create_app()
asyncio.run(how_long_a_writer_waits())
"""


@pytest.mark.slow
def test_a_writer_waits_a_second_for_a_lock(tmp_path: Path) -> None:
    """For as long as one may wait, the whole server can stand still: by Prefect's own setting for a minute."""
    settings = Settings(env=Environment.TEST, home=tmp_path, database_url="sqlite:///jalur.db")
    asked = subprocess.run(
        [sys.executable, "-c", ASK, f"sqlite+aiosqlite:///{tmp_path}/prefect.db"],
        env={**os.environ, **environment(settings, "http://127.0.0.1:9/api")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout == "1000 ms\n"
