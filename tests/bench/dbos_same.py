"""DBOS, the same shape: a workflow of six steps and two ``recv``s on the same kind of database, at its best of several settings.

The answers are sent as soon as a case is started, which spares DBOS the wait between question and answer that ours has.
SQLite is measured as DBOS opens it (rollback journal) and with the file in WAL mode, as ours is; both sync at every commit.
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from tests.bench import pipeline as measured
from tests.bench.ground import Ground
from tests.bench.workers import Together, run_together

PATIENCE = 300.0


@dataclass(frozen=True)
class Setting:
    """One way to run DBOS."""

    way: str = "threads"  # threads: start_workflow; queue: enqueued; async: coroutines
    at_once: int = 16
    processes: int = 1
    answers: str = "send"  # or send_bulk: a hundred answers a transaction
    listening: float = 0.01  # seconds between two looks for messages where there is no LISTEN/NOTIFY
    journal: str = "wal"  # SQLite only

    def words(self) -> str:
        """Return the setting in words, for the table."""
        return ", ".join(f"{name} {value}" for name, value in asdict(self).items())


# The best of all counts for every comparison, `send_bulk` too, though it is no single transaction.
SETTINGS: tuple[Setting, ...] = (
    Setting(at_once=4),
    Setting(at_once=16),
    Setting(at_once=64),
    Setting(way="queue", at_once=16),
    Setting(way="async", at_once=32),
    Setting(at_once=16, answers="send_bulk"),
    Setting(at_once=8, processes=2),
    Setting(at_once=8, processes=2, answers="send_bulk"),
)
ON_SQLITE: tuple[Setting, ...] = (
    Setting(at_once=4),
    Setting(at_once=16),
    Setting(at_once=1),
    Setting(way="async", at_once=16),
    Setting(at_once=4, answers="send_bulk"),
    Setting(at_once=4, processes=2),
    Setting(at_once=4, journal="delete"),
)


@dataclass(frozen=True)
class Load:
    """What a DBOS process is given."""

    url: str
    setting: Setting
    warm_up: int
    cases: int


def measure(ground: Ground, kind: str, setting: Setting, cases: int) -> dict[str, Any]:
    """Carry ``cases`` through; return the rate. Raises RuntimeError unless every workflow succeeded once."""
    url = ground.new_database(kind)
    if kind == "sqlite" and setting.journal == "wal":
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    load = Load(url, setting, max(4, cases // 10), cases)
    seconds = max(run_together(setting.processes, _carry, load))
    return {
        "database": kind,
        "workers": setting.processes,
        "cases": cases,
        "seconds": round(seconds, 3),
        "cases_per_second": round(cases / seconds, 1),
        "setting": asdict(setting),
    }


def _carry(together: Together, load: Load) -> float:
    from dbos import DBOS, DBOSConfig, SetWorkflowID

    setting = load.setting
    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": load.url,
        "sys_db_pool_size": min(setting.at_once + 8, 40),
        "max_executor_threads": setting.at_once,
        "notification_listener_polling_interval_sec": setting.listening,
        "log_level": "ERROR",
        "executor_id": f"bench-{together.place}",
        "application_version": "1",
    }
    DBOS(config=config)
    note = measured.WORDS["note"]

    @DBOS.step()
    def work(what: str, about: str) -> dict[str, str]:
        return measured.result_of(what, about)

    @DBOS.workflow()
    def case(number: str) -> str:
        work("receive", number)
        work("examine", number)
        first = DBOS.recv("first", timeout_seconds=PATIENCE)
        work("confirm", first["note"])
        work("assess", number)
        second = DBOS.recv("second", timeout_seconds=PATIENCE)
        work("record", second["note"])
        work("notify", number)
        return "done"

    @DBOS.step()
    async def work_async(what: str, about: str) -> dict[str, str]:
        return measured.result_of(what, about)

    @DBOS.workflow()
    async def case_async(number: str) -> str:
        await work_async("receive", number)
        await work_async("examine", number)
        first = await DBOS.recv_async("first", timeout_seconds=PATIENCE)
        await work_async("confirm", first["note"])
        await work_async("assess", number)
        second = await DBOS.recv_async("second", timeout_seconds=PATIENCE)
        await work_async("record", second["note"])
        await work_async("notify", number)
        return "done"

    queue = f"bench-{together.place}"
    if setting.way == "queue":
        DBOS.listen_queues([queue])
    for turn in range(together.of):  # one after the other: the first makes the tables
        if turn == together.place:
            DBOS.launch()
        together.wait()
    if setting.way == "queue":
        DBOS.register_queue(queue, worker_concurrency=setting.at_once, polling_interval_sec=0.05)

    def answer(numbers: list[str]) -> None:
        pairs = [(number, topic) for number in numbers for topic in ("first", "second")]
        if setting.answers == "send":
            for number, topic in pairs:
                DBOS.send(number, {**measured.WORDS, "note": note}, topic)
            return
        from dbos import SendMessage

        for start in range(0, len(pairs), 100):
            DBOS.send_bulk(
                [SendMessage(number, dict(measured.WORDS), topic) for number, topic in pairs[start : start + 100]]
            )

    def run(numbers: list[str]) -> None:
        handles = []
        for number in numbers:
            with SetWorkflowID(number):
                if setting.way == "queue":
                    handles.append(DBOS.enqueue_workflow(queue, case, number))
                else:
                    handles.append(DBOS.start_workflow(case, number))
            if setting.answers == "send":
                answer([number])
        if setting.answers != "send":
            answer(numbers)
        assert all(handle.get_result() == "done" for handle in handles)

    async def one(number: str, free: asyncio.Semaphore) -> None:
        async with free:
            with SetWorkflowID(number):
                handle = await DBOS.start_workflow_async(case_async, number)
            for topic in ("first", "second"):
                await DBOS.send_async(number, dict(measured.WORDS), topic)
            assert await handle.get_result() == "done"

    async def run_async(numbers: list[str]) -> None:
        free = asyncio.Semaphore(setting.at_once)
        await asyncio.gather(*(one(number, free) for number in numbers))

    def carry(numbers: list[str]) -> None:
        mine = together.mine(numbers)
        asyncio.run(run_async(mine)) if setting.way == "async" else run(mine)

    carry([f"warm-{n}" for n in range(load.warm_up)])
    began = together.wait()
    carry([f"case-{n}" for n in range(load.cases)])
    seconds = together.wait() - began
    done = [found for found in DBOS.list_workflows(status="SUCCESS") if found.workflow_id.startswith("case-")]
    assert len(done) == load.cases, f"{len(done)} of {load.cases} workflows succeeded"
    steps = DBOS.list_workflow_steps("case-0")
    assert (
        sum(step["function_name"].startswith(("_carry", "work")) or "work" in step["function_name"] for step in steps)
        == 6
    )
    together.wait()
    DBOS.destroy()
    return seconds
