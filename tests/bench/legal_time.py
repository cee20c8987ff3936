"""Does legal time cost by what is due, or by what is open? A sweep, a report and a calendar change among a million cases.

On PostgreSQL, with the clock standing at one moment. The sweep does everything for real: reminders, letters, escalations,
reassignments and silences, each with its ledger entry; then the chains of all that it touched are verified.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from sqlmodel import col, select

from engine import ledger
from engine.clock import TurnedClock
from engine.forecasting import forecast
from engine.migrating import migrate
from engine.office import Office
from engine.settings import Environment, Settings
from engine.sweeping import due_waits, sweep
from engine.timekeeping import by_pipeline
from models import Case
from tests.bench import waiting
from tests.bench.crowd import NOW, PATTERNS, Crowd, fill
from tests.bench.ground import Ground, settle_in

LOOKS = 30


def measure(ground: Ground, crowd: Crowd) -> list[dict[str, Any]]:
    """Return what was measured with ``crowd``, and with ten times more open cases and as many due."""
    tenfold = Crowd(max(crowd.cases, crowd.open * 10), crowd.open * 10, crowd.due)
    return [_measure(ground, one, whole=one is crowd) for one in (crowd, tenfold)]


def _measure(ground: Ground, crowd: Crowd, *, whole: bool) -> dict[str, Any]:
    settings = Settings(env=Environment.TEST, home=ground.folder, database_url=ground.new_database("postgresql"))
    office = Office.open(settings, TurnedClock(NOW))
    try:
        migrate(office.db)
        settle_in(office, PATTERNS)
        made = _seconds(lambda: fill(office, crowd))
        found = {"database": "postgresql", **vars(crowd), "pipeline": waiting.NAME, "making": made}
        found["milliseconds_to_find"] = _to_find(office, crowd)
        if whole:
            with office.db.reading() as session:
                found["report_time"] = _seconds(lambda: by_pipeline(office, session))
                found["forecast"] = _seconds(lambda: forecast(office, session, within=7))
        return {**found, **sweep_all(office, crowd.due)}
    finally:
        office.close()


def _to_find(office: Office, crowd: Crowd) -> float:
    looks = [_seconds(lambda: due_waits(office, NOW, crowd.due * 2)) for _ in range(LOOKS)]
    return round(statistics.median(looks) * 1000, 2)


def sweep_all(office: Office, due: int) -> dict[str, Any]:
    """Sweep twice; return the seconds and what was done. Raises AssertionError unless all was done, once, and the chains hold."""
    with office.run("flow", by="escalation") as run:
        began = time.perf_counter()
        swept = sweep(office, run)
        seconds = round(time.perf_counter() - began, 3)
        again = sweep(office, run)
    assert (swept.due, swept.failed) == (due, []), (swept.due, swept.failed[:3])
    assert again.as_json() == {"due": 0, "reminded": 0, "escalated": 0, "silent": 0, "failed": []}
    with office.db.reading() as session:
        touched = list(session.exec(select(Case.number).where(col(Case.last_seq) > 1, col(Case.id) > PATTERNS)))
        audit = ledger.verify(session, touched)
    assert len(touched) == due and audit.first_bad is None, (len(touched), audit)
    return {"sweep": seconds, "swept": swept.as_json(), "verified": audit.entries}


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return round(time.perf_counter() - began, 3)
