"""Jalur itself: (a) every open and every answer its own transaction, (b) a cohort flow under Prefect with bulk answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlmodel import col, func, select

from engine.actions.answer import Answered, answer, answer_many
from engine.cases.opening import open_cases
from engine.definition.registry import pipeline_named
from engine.execution.drain import drain
from engine.reports.audit.whole_audit import audit_records
from engine.runtime.office import Office, RunHandle
from engine.runtime.settings import Settings
from models import Answer, CaseFile, CaseStatus, EntryKind, LedgerEntry, Wait
from tests.bench import pipeline as measured
from tests.bench.ground import OFFICER, OPENED_BY, Ground, opened
from tests.bench.workers import Together, run_together

STRETCHES = ("open", "advance 1", "answer 1", "advance 2", "answer 2", "advance 3")


@dataclass(frozen=True)
class Load:
    """What a worker is given: the office, how many cases to warm up with and to measure, and in which mode."""

    settings: Settings
    warm_up: int
    cases: int
    bulk: bool
    under_prefect: bool


def measure(ground: Ground, kind: str, *, workers: int, cases: int, bulk: bool, under_prefect: bool) -> dict[str, Any]:
    """Carry ``cases`` from opening to closing; return the rate, the seconds of each stretch, and what the check found."""
    warm_up = max(workers * 25, cases // 20)
    settings = ground.new_office(kind, warm_up + cases)
    load = Load(settings, warm_up, cases, bulk, under_prefect)
    stretches = run_together(workers, _carry, load)[0]
    seconds = sum(stretches)
    with opened(settings) as office:
        checked = check(office, warm_up + cases)
    return {
        "database": kind,
        "workers": workers,
        "cases": cases,
        "seconds": round(seconds, 3),
        "cases_per_second": round(cases / seconds, 1),
        "stretches": {name: round(took, 3) for name, took in zip(STRETCHES, stretches, strict=True)},
        "checked": checked,
    }


def _carry(together: Together, load: Load) -> list[float]:
    with opened(load.settings) as office:
        advancing = _advancing_under_prefect(office) if load.under_prefect else _advancing(office)
        subjects = list(range(1, load.warm_up + load.cases + 1))
        _stretches(office, together, load, together.mine(subjects[: load.warm_up]), advancing)
        return _stretches(office, together, load, together.mine(subjects[load.warm_up :]), advancing)


Advance = Callable[[], object]


def _stretches(office: Office, together: Together, load: Load, subjects: list[int], advance: Advance) -> list[float]:
    """Open, and answer twice, what is this worker's; advance whatever is ready. The workers begin each stretch together."""
    with office.run("cli", by=OPENED_BY) as run:
        moments = [together.wait()]
        numbers = _open(office, run, subjects, load.bulk)
        moments.append(together.wait())
        for key in (measured.FIRST_KEY, measured.SECOND_KEY):
            advance()
            moments.append(together.wait())
            _answer(office, run, numbers, key, load.bulk)
            moments.append(together.wait())
        advance()
        moments.append(together.wait())
    return [end - start for start, end in pairwise(moments)]


def _open(office: Office, run: RunHandle, subjects: list[int], bulk: bool) -> list[str]:
    bench = pipeline_named(measured.NAME)
    groups = [subjects] if bulk else [[subject] for subject in subjects]
    return [number for group in groups for number in open_cases(office, run, bench, group, by=OPENED_BY).opened]


def _answer(office: Office, run: RunHandle, numbers: list[str], key: str, bulk: bool) -> None:
    if not bulk:
        for number in numbers:
            answer(office, run, number, key, by=OFFICER, data=measured.WORDS)
        return
    taken = answer_many(office, run, [(number, key, measured.WORDS) for number in numbers], by=OFFICER)
    refused = [result for result in taken if not isinstance(result, Answered)]
    assert not refused, refused[0]


def _advancing(office: Office) -> Advance:
    def advance() -> None:
        with office.run("cli", by=OPENED_BY, pipeline=measured.NAME) as run:
            drain(office, run, measured.NAME)

    return advance


def _advancing_under_prefect(office: Office) -> Advance:
    from scheduling.cohort_flow import cohort_flow, run_in_process

    flow = cohort_flow(pipeline_named(measured.NAME))
    # One loop for all flow runs, as in the process that serves the deployments.
    runner = asyncio.Runner()
    return lambda: runner.run(run_in_process(flow, office, kind="flow", by=OPENED_BY))


def check(office: Office, cases: int) -> dict[str, Any]:
    """Return what was counted. Raises AssertionError unless every case is closed once, whole, and the chains hold."""
    began = time.perf_counter()
    with office.db.reading() as session:
        closed = session.scalar(
            select(func.count())
            .select_from(CaseFile)
            .where(CaseFile.status == CaseStatus.CLOSED, CaseFile.outcome == "done")
        )
        numbers = session.scalar(select(func.count(func.distinct(CaseFile.number))))
        last = session.scalar(select(func.max(CaseFile.number)))
        steps = session.scalar(select(func.count()).select_from(LedgerEntry).where(LedgerEntry.kind == EntryKind.STEP))
        answers = session.scalar(select(func.count()).select_from(Answer))
        open_waits = session.scalar(select(func.count()).select_from(Wait).where(col(Wait.settled_at).is_(None)))
        audit = audit_records(office, session)
    assert closed == numbers == cases, (closed, numbers, cases)
    assert str(last).endswith(f"-{cases:06d}"), last  # no gap: the last number is the count
    assert steps == cases * measured.STEPS and answers == cases * measured.ANSWERS, (steps, answers)
    assert open_waits == 0 and audit.first_bad is None and audit.entries == cases * measured.ENTRIES, audit
    return {
        "closed": closed,
        "entries": audit.entries,
        "chains": "whole",
        "seconds": round(time.perf_counter() - began, 2),
    }
