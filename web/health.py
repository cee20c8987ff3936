"""The health of this process, for anybody: database, store, free disk, Prefect and sweeps."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import fsspec
from fastapi import APIRouter, Request, Response
from sqlmodel import Session, col, func, select, text

from engine.deadlines.clock import JAKARTA, Clock
from engine.letters.sweep_health import is_stale, last_sweep
from engine.runtime.office import Office
from models import Run
from scheduling.advancer import Advancer
from scheduling.server import is_healthy
from web.common.access import OfficeDep

log = logging.getLogger(__name__)
router = APIRouter()

# Below this a database soon fails in the middle of a write.
LEAST_FREE = 200 * 2**20
MACHINE = Clock()


@router.get("/health", tags=["public"])
def health(office: OfficeDep, request: Request, response: Response) -> dict[str, Any]:
    """Report the health of all that serving needs; 503 where database, store or disk fail."""
    advancer: Advancer = request.app.state.advancer
    last: float | None = None
    swept: datetime | None = None
    stale = False

    def look() -> None:
        nonlocal last, swept, stale
        with office.db.reading() as session:
            _must_take_writes(office, session)
            newest = session.exec(select(func.max(col(Run.started_at))).where(Run.kind == "flow")).one()
            last = (office.clock.now() - newest).total_seconds() if newest else None
            swept, stale = last_sweep(session), is_stale(office, session, MACHINE)

    free = [shutil.disk_usage(folder).free for folder in _folders(office) if folder.is_dir()]
    parts = {
        "database": _tried("database", look),
        "store": _tried("store", lambda: _must_take_files(office)),
        "disk": "ok" if min(free, default=LEAST_FREE) >= LEAST_FREE else "full",
    }
    well = set(parts.values()) == {"ok"}
    if not well:
        response.status_code = 503
    url = advancer.prefect_url()
    looked = advancer.looked_at
    return {
        "status": "ok" if well else "failed",
        **parts,
        "free_mib": min(free) // 2**20 if free else None,
        "prefect": "ok" if url and is_healthy(url, 0.5) else "unreachable",
        "seconds_since_scheduled_run": round(last, 1) if last is not None else None,
        "last_sweep": swept.astimezone(JAKARTA).isoformat() if swept else None,
        "sweep_stale": stale,
        "seconds_since_look": round(time.monotonic() - looked, 1) if looked else None,
    }


def _tried(what: str, look: Callable[[], None]) -> str:
    try:
        look()
    except Exception as error:  # whatever failed, it needs a look
        log.warning("Health: the %s failed: %s", what, type(error).__name__)
        return "failed"
    return "ok"


def _must_take_writes(office: Office, session: Session) -> None:
    """Look whether the database can be written, and wait for no lock.

    Raises:
        OSError: the file or its folder can't be written.
        PermissionError: the server only reads.
    """
    if not office.db.is_sqlite:
        if session.execute(text("SHOW transaction_read_only")).scalar() == "on":
            raise PermissionError("the database only reads")
        return
    session.execute(text("SELECT 1"))
    if file := _database_file(office):
        # Never opened here: a file that a process closes takes every lock of that process with it, SQLite's too (POSIX).
        if not (file.is_file() and os.access(file, os.W_OK)):
            raise PermissionError("the database's file can't be written")
        _must_be_writable(file.parent)


def _must_take_files(office: Office) -> None:
    """Look whether the store can be reached, and written where it is a folder.

    Raises:
        OSError: it can't.
    """
    folder = _store_folder(office)
    if folder is None:
        fs, root = fsspec.core.url_to_fs(office.settings.documents_url)
        if not fs.exists(root):
            raise FileNotFoundError(root)
    elif folder.exists():
        _must_be_writable(folder)
    else:  # nothing was ever stored: it is made with the first file
        _must_be_writable(next(parent for parent in folder.parents if parent.exists()))


def _must_be_writable(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(b"0")


def _database_file(office: Office) -> Path | None:
    name = office.db.engine.url.database if office.db.is_sqlite else None
    return Path(name) if name and name != ":memory:" else None


def _store_folder(office: Office) -> Path | None:
    return Path(office.store.location("")) if office.settings.documents_url.startswith("file://") else None


def _folders(office: Office) -> list[Path]:
    file, store = _database_file(office), _store_folder(office)
    return [office.settings.home, *([file.parent] if file else []), *([store] if store else [])]
