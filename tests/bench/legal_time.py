"""Does legal time cost by what is due, or by what is open? A sweep, a report and a calendar change among a million cases.

On PostgreSQL, with the clock standing at one moment. The sweep does everything for real: reminders, letters, escalations,
reassignments and silences, each with its ledger entry; then the chains of all that it touched are verified.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, time, timedelta
from functools import partial
from time import perf_counter
from typing import Any

from sqlmodel import col, func, or_, select

from engine.deadlines.clock import JAKARTA, TurnedClock
from engine.reports.audit.whole_audit import audit_records
from engine.reports.forecast import forecast
from engine.reports.time_report import by_pipeline
from engine.runtime.migrations import migrate_schema
from engine.runtime.office import Office
from engine.runtime.settings import Environment, Settings
from engine.sweeps.calendar_decisions import add_day_off
from engine.sweeps.recalculate import recalculate
from engine.sweeps.sweep import due_waits, sweep
from models import CaseFile, Wait
from tests.bench.crowd import NOW, PATTERNS, ROUNDS, Crowd, fill
from tests.bench.ground import OPENED_BY, Ground, settle_in

LOOKS = 30


def measure(ground: Ground, crowd: Crowd) -> list[dict[str, Any]]:
    """Return what was measured with ``crowd``, and with ten times more open cases and as many due, swept in turns."""
    crowds = [crowd, Crowd(max(crowd.cases, crowd.open * 10), crowd.open * 10, crowd.due)]
    with _office(ground) as few, _office(ground) as many:
        offices = (few, many)
        found = [
            {"database": "postgresql", **asdict(one), "making": round(_seconds(partial(fill, office, one)), 1)}
            for office, one in zip(offices, crowds, strict=True)
        ]
        for office, row in zip(offices, found, strict=True):
            row["milliseconds_to_find"] = _to_find(office, crowd.due)
        with few.db.reading() as session:
            found[0]["report_time"] = round(_seconds(lambda: by_pipeline(few, session)), 2)
            found[0]["forecast"] = round(_seconds(lambda: forecast(few, session, within=7)), 2)
        for turn in range(ROUNDS):
            for office, row in zip(offices, found, strict=True):
                office.clock = TurnedClock(NOW + timedelta(hours=turn))
                row.setdefault("sweeps", []).append(_sweep(office, crowd.due))
        found[0] |= _calendar_change(few)
        for office, row in zip(offices, found, strict=True):
            row["sweep"] = statistics.median(row["sweeps"])
            row["verified"] = _verify(office, crowd.due * ROUNDS)
    return found


@contextmanager
def _office(ground: Ground) -> Iterator[Office]:
    settings = Settings(env=Environment.TEST, home=ground.folder, database_url=ground.new_database("postgresql"))
    office = Office.open(settings, TurnedClock(NOW))
    try:
        migrate_schema(office.db)
        settle_in(office, PATTERNS)
        yield office
    finally:
        office.close()


def _to_find(office: Office, due: int) -> float:
    """Return the median milliseconds of a look for all that is due."""
    found = due_waits(office, NOW, due * 2)
    assert len(found) == due, len(found)
    return round(statistics.median(_seconds(lambda: due_waits(office, NOW, due * 2)) for _ in range(LOOKS)) * 1000, 2)


def _sweep(office: Office, due: int) -> float:
    """Sweep; return the seconds. Raises AssertionError unless all that was due was done, and a second sweep finds nothing."""
    with office.run("flow", by="escalation") as run:
        began = perf_counter()
        swept = sweep(office, run)
        seconds = round(perf_counter() - began, 3)
        again = sweep(office, run)
    assert (swept.due, swept.failed, again.due) == (due, [], 0), (swept.due, swept.failed[:3], again.due)
    assert swept.reminded and swept.escalated and swept.silent, swept
    return seconds


def _calendar_change(office: Office) -> dict[str, Any]:
    """Close the office on the next working day; return how long that took, and how many clocks were derived and moved.

    Raises AssertionError when anything moves before the change, or once more after it.
    """
    day = office.calendar.after(NOW.date(), 1)
    begins = datetime.combine(day, time.min, JAKARTA)
    over_it = or_(*(col(column) >= begins for column in (Wait.due_at, Wait.silent_at, Wait.next_due_at)))
    with office.db.reading() as session:
        wanted = select(func.count()).select_from(Wait).where(col(Wait.settled_at).is_(None), over_it)
        clocks = session.scalar(wanted)
    with office.run("cli", by=OPENED_BY) as run:
        assert recalculate(office, run, day, "nothing changed") == []
        began = perf_counter()
        moved = add_day_off(office, run, day, "Upacara")
        seconds = round(perf_counter() - began, 2)
        assert moved and recalculate(office, run, day, "again") == []
    return {"rederive": seconds, "clocks": clocks, "moved": len(moved)}


def _verify(office: Office, touched: int) -> int:
    """Return the ledger entries of the cases that were touched. Raises AssertionError unless every chain of theirs holds."""
    with office.db.reading() as session:
        numbers = list(
            session.exec(select(CaseFile.number).where(col(CaseFile.last_seq) > 1, col(CaseFile.id) > PATTERNS))
        )
        audit = audit_records(office, session, numbers)
    assert len(numbers) >= touched and audit.first_bad is None, (len(numbers), audit)
    return audit.entries


def _seconds(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began
