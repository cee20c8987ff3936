"""Does a case cost more when there are many? Opening, answering and showing one, with 100 and with 100,000 in the database.

The crowd is made by the engine once, waiting for its first answer, and then copied inside the database, with owners, businesses,
ledger entries and waits: the copies' chains are not read. What is measured is done by the engine, on cases of its own.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, text

from engine.actions.answer import answer
from engine.cases.dossier import fetch_by_number
from engine.cases.opening import open_cases
from engine.definition.registry import pipeline_named
from engine.execution.drain import drain
from engine.runtime.office import Office, RunHandle
from tests.bench import pipeline as measured
from tests.bench.ground import OFFICER, OPENED_BY, Ground, opened

SMALL, LARGE = 100, 100_000
ACTS = ("open", "advance", "answer", "show")
# A copy is the row below, so many numbers further.
SHIFTED = {"person": {"id"}, "business": {"id", "owner_id"}, "case_file": {"id", "subject_id", "person_id"}}
OF_A_CASE = {"ledger_entry": {"case_id"}, "wait": {"case_id"}}


def measure(ground: Ground, kind: str, *, times: int, small: int = SMALL, large: int = LARGE) -> dict[str, Any]:
    """Return the median milliseconds of each act with ``small`` and with ``large`` cases, taken in turns."""
    sizes = {size: ground.new_office(kind, small + times + 1) for size in (small, large)}
    took: dict[int, dict[str, list[float]]] = {size: {act: [] for act in ACTS} for size in sizes}
    with opened(sizes[small]) as few, opened(sizes[large]) as many:
        offices = {small: few, large: many}
        for size, office in offices.items():
            _fill(office, small, size, times + 1)
        for turn in range(times + 1):
            for size, office in offices.items():
                _carry_one(office, small + 1 + turn, took[size], warm_up=turn == 0)
    medians = {act: {str(size): round(statistics.median(took[size][act]) * 1000, 2) for size in sizes} for act in ACTS}
    return {
        "database": kind,
        "times": times,
        "milliseconds": medians,
        "ratios": {act: round(by_size[str(large)] / by_size[str(small)], 2) for act, by_size in medians.items()},
    }


def _fill(office: Office, small: int, size: int, spare: int) -> None:
    bench = pipeline_named(measured.NAME)
    with office.run("cli", by=OPENED_BY) as run:
        open_cases(office, run, bench, list(range(1, small + 1)), by=OPENED_BY)
        drain(office, run, measured.NAME)
    if size > small:
        with office.db.engine.begin() as connection:
            _copy(connection, small, size // small, spare)
    if not office.db.is_sqlite:  # nobody does it there
        with office.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))  # as autovacuum will have done


def _copy(connection: Connection, small: int, copies: int, spare: int) -> None:
    """Copy what the first ``small`` subjects and cases have until there are ``copies`` of each, beyond the spare subjects."""
    shift = f"(n * {small} + {spare})"
    numbers = f"WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {copies - 1}) "
    for table, shifted in {**SHIFTED, **OF_A_CASE}.items():
        key = "case_id" if table in OF_A_CASE else "id"
        columns = _columns(connection, table)
        values = [f"{name} + {shift}" if name in shifted else name for name in columns]
        if table == "case_file":
            values[columns.index("number")] = f"'BEN-1900-' || (id + {shift})"
        if table == "business":
            values[columns.index("name")] = f"'Usaha ' || (id + {shift})"
        connection.execute(
            text(
                f"INSERT INTO {table} ({', '.join(columns)}) {numbers if connection.dialect.name == 'sqlite' else ''}"
                f"SELECT {', '.join(values)} FROM {table}, "
                f"{'counted' if connection.dialect.name == 'sqlite' else f'generate_series(1, {copies - 1}) AS s(n)'} "
                f"WHERE {table}.{key} <= {small}"
            )
        )
        if connection.dialect.name == "postgresql" and key == "id":
            connection.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
            )


def _columns(connection: Connection, table: str) -> list[str]:
    from models import metadata

    return [column.name for column in metadata.tables[table].columns]


def _carry_one(office: Office, subject: int, took: dict[str, list[float]], *, warm_up: bool) -> None:
    bench = pipeline_named(measured.NAME)
    with office.run("cli", by=OPENED_BY) as run:
        number = _timed(took["open"], lambda: open_cases(office, run, bench, [subject], by=OPENED_BY)).opened[0]
        _timed(took["advance"], lambda: drain(office, run, measured.NAME, numbers=[number]))
        _timed(took["answer"], lambda: answer(office, run, number, measured.FIRST_KEY, by=OFFICER, data=measured.WORDS))
        _timed(took["show"], lambda: _show(office, run, number))
    if warm_up:
        for times in took.values():
            times.clear()


def _show(office: Office, run: RunHandle, number: str) -> None:
    with office.db.reading() as session:
        dossier = fetch_by_number(office, session, number)
        assert len(dossier.past.entries) == 4 and len(dossier.past.waits) == 1


def _timed(times: list[float], act: Callable[[], Any]) -> Any:
    began = time.perf_counter()
    result = act()
    times.append(time.perf_counter() - began)
    return result
