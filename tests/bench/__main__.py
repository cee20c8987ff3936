"""``python -m tests.bench [--quick] [--only a,b,c,d,size,time,help] [--json FILE]``: all figures in one run on this machine.

(a) Jalur, every open and answer its own transaction · (b) Jalur, a cohort flow under Prefect with bulk answers ·
(c) bare Prefect · (d) DBOS · size: one case among 100 and among 100,000 · time: what is due, swept and counted among a
million cases, on PostgreSQL · help: how long `jalur --help` takes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from engine.runtime.settings import PROJECT_ROOT
from tests.bench import dbos_same, legal_time, ours, prefect_bare, report, size
from tests.bench.crowd import Crowd
from tests.bench.ground import Ground
from tests.bench.workers import MeasuredProcessFailed
from tests.postgres import postgres_server

PARTS = ("a", "b", "c", "d", "size", "time", "help")


@dataclass(frozen=True)
class Extent:
    """How many cases each part carries. The rivals get fewer: a rate does not need thousands."""

    single: int
    cohort: int
    prefect: dict[str, int]
    dbos: dict[str, int]
    times: int
    large: int
    crowd: Crowd
    workers: tuple[int, ...]
    settings: int  # how many of the rivals' settings, from the first


FULL = Extent(
    single=600,
    cohort=4000,
    prefect={"postgresql": 12, "sqlite": 4},
    dbos={"postgresql": 160, "sqlite": 80},
    times=100,
    large=100_000,
    crowd=Crowd(cases=1_000_000, open=100_000, due=1_000),
    workers=(1, 2),
    settings=99,
)
QUICK = Extent(
    single=40,
    cohort=120,
    prefect={"postgresql": 2, "sqlite": 1},
    dbos={"postgresql": 20, "sqlite": 10},
    times=3,
    large=1_000,
    crowd=Crowd(cases=20_000, open=2_000, due=100),
    workers=(1,),
    settings=1,
)


def main() -> int:
    """Measure, print, write; return 0 even where a target is missed: the table says so."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="few cases and the first settings: shows that it works, no more"
    )
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts to run, of {','.join(PARTS)}")
    parser.add_argument("--on", help="databases, of postgresql,sqlite; both, or PostgreSQL alone with --quick")
    parser.add_argument("--json", type=Path, default=PROJECT_ROOT / "var" / "bench.json", help="file for the figures")
    given = parser.parse_args()
    parts = given.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are: {', '.join(PARTS)}")
    console = Console(width=None if sys.stdout.isatty() else 180)
    began = time.monotonic()
    kinds = (given.on or ("postgresql" if given.quick else "postgresql,sqlite")).split(",")
    found = _measure(parts, kinds, QUICK if given.quick else FULL, console)
    found["quick"] = given.quick
    found["targets"] = report.targets(found)
    found["seconds"] = round(time.monotonic() - began, 1)
    report.show(found, console)
    if given.quick:
        console.print("[yellow]Few cases: these figures show that the bench works, and are not for quoting.[/yellow]")
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(found, indent=2) + "\n")
    console.print(f"{found['seconds']} s in all; the figures with machine, versions and settings: {given.json}")
    return 0


def _measure(parts: list[str], kinds: list[str], extent: Extent, console: Console) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def note(part: str, row: dict[str, Any]) -> None:
        found.setdefault(part, []).append(row)
        console.print(
            f"[dim]{part} {row['database']}: {row.get('cases_per_second', row.get('ratios', row.get('sweeps')))}[/dim]"
        )

    with tempfile.TemporaryDirectory(prefix="jalur-bench-", dir=_real_disk()) as folder, postgres_server() as url:
        ground = Ground(Path(folder), url)
        found["machine"] = report.machine(ground.folder, url)
        for kind in kinds:
            if "a" in parts:
                for workers in extent.workers:
                    note(
                        "a",
                        ours.measure(
                            ground, kind, workers=workers, cases=extent.single, bulk=False, under_prefect=False
                        ),
                    )
            if "d" in parts:
                for way in (dbos_same.SETTINGS if kind == "postgresql" else dbos_same.ON_SQLITE)[: extent.settings]:
                    note("d", _or_failed(kind, way, partial(dbos_same.measure, ground, kind, way, extent.dbos[kind])))
            with prefect_bare.server(ground, kind) if {"b", "c"} & set(parts) else nullcontext():
                if "b" in parts:
                    for workers in extent.workers:
                        note(
                            "b",
                            ours.measure(
                                ground, kind, workers=workers, cases=extent.cohort, bulk=True, under_prefect=True
                            ),
                        )
                if "c" in parts:
                    for setting in prefect_bare.SETTINGS[: extent.settings]:
                        note(
                            "c",
                            _or_failed(
                                kind, setting, partial(prefect_bare.measure, kind, setting, extent.prefect[kind])
                            ),
                        )
            if "size" in parts:
                note("size", size.measure(ground, kind, times=extent.times, large=extent.large))
        if "time" in parts:
            for row in legal_time.measure(ground, extent.crowd):
                note("time", row)
    if "help" in parts:
        found["help"] = _help()
    return found


def _or_failed(kind: str, setting: Any, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the rate of a rival's setting, or that it failed: Prefect's server refuses parallel writers on SQLite."""
    try:
        return measure()
    except MeasuredProcessFailed as failed:
        return {
            "database": kind,
            "workers": setting.processes,
            "cases": 0,
            "cases_per_second": 0.0,
            "setting": {**asdict(setting), "failed": failed.last_words},
        }


def _real_disk() -> str | None:
    """Return where the databases go: the system's temporary folder, or the project's if that one is kept in memory."""
    if report.file_system(Path(tempfile.gettempdir())) != "tmpfs":
        return None
    (PROJECT_ROOT / "var").mkdir(exist_ok=True)
    return str(PROJECT_ROOT / "var")


def _help() -> dict[str, Any]:
    """Return the median seconds of `jalur --help` in fresh processes, or why it could not be measured."""
    command = Path(sys.prefix) / "bin" / "jalur"
    if not command.exists():
        found = shutil.which("jalur")
        if found is None:
            return {"error": "the jalur command is not installed"}
        command = Path(found)
    times = []
    for _ in range(8):
        began = time.perf_counter()
        subprocess.run([command, "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return {"seconds": round(statistics.median(times[1:]), 3), "times": len(times) - 1}


if __name__ == "__main__":
    raise SystemExit(main())
