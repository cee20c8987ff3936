"""A soak: `serve`, advance, delivery and PostgreSQL are killed at random moments, and everything comes out right.

    python -m tests.attacks.soak --seconds 600 [--seed 7] [--cases 60] [--serve]      (a person types `make soak`)

A round is three minutes later than the one before, so that the leases of the dead are over. In each, two workers advance, one
delivers, one sweeps, and people answer; some of the processes are killed by SIGKILL, or one of PostgreSQL's is, with which
the whole server recovers from its log. At the end nobody is killed until nothing is left to do; then it is counted.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from documents.signing import create_demo_key
from engine.actions.answer import answer
from engine.cases.case_state import TOGETHER
from engine.cases.opening import open_cases
from engine.deadlines.clock import TurnedClock
from engine.definition.registry import pipeline_named
from engine.errors import Refused
from engine.people.accounts import add_user
from engine.people.intake.importing import import_file
from engine.runtime.file_store import attach
from engine.runtime.migrations import migrate_schema
from engine.runtime.office import Office
from engine.runtime.settings import Environment, Settings
from models import CaseFile, CaseStatus, Document, LedgerEntry, Letter, Wait, WaitKind
from outside.channels import message_id_for
from scheduling.server import free_port
from tests.attacks.soaked import BLANK_PAPERS, PIPELINE
from tests.compiled import compiled_once
from tests.conftest import MASTER_KEY, START
from tests.drives.invariants import _of_entries, _whole, _without_gaps
from tests.engine.people.intake.listing import as_csv, row
from tests.outside.test_letters_by_mail import PostOffice, opened
from tests.people import hire_staff
from tests.postgres import postgres_server

ROOT = Path(__file__).parents[2]
KINDS = ("advance", "advance", "deliver", "sweep")
LATER = timedelta(minutes=3)
SERVE = "from engine.runtime.settings import Settings; from web.serving import serve; serve(Settings())"
MARK = "perhaps sent before"
# Rounds without a kill, at the end, in which everything has to come to rest; a letter that was put off waits for hours.
ROUNDS_TO_REST = 40


@dataclass
class Told:
    """What a soak did, and what was wrong at its end."""

    rounds: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    cases: int = 0
    closed: int = 0
    letters: int = 0
    copies: int = 0

    def in_words(self) -> str:
        """Say it in a line."""
        kills = ", ".join(f"{count} of {what}" for what, count in sorted(self.killed.items())) or "none"
        return (
            f"soak: {self.rounds} rounds, kills: {kills}; {self.cases} cases, {self.closed} closed, "
            f"{self.letters} letters, {self.copies} second copies, {len(self.faults)} faults"
        )


class Zygote:
    """A warm process that forks one for each order."""

    def __init__(self, what: str, environment: dict[str, str]) -> None:
        self.what = what
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.attacks.soaked"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def begin(self, now: datetime) -> int:
        """Begin an order; return the number of the process that carries it out."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"what": self.what, "now": now.isoformat()}) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def ended(self) -> int:
        """Wait for the end of the order; return how the process ended."""
        assert self._process.stdout
        return int(self._process.stdout.readline())

    def end(self) -> None:
        """Let it go."""
        with suppress(OSError, subprocess.TimeoutExpired):
            self._process.communicate(timeout=10)
        self._process.kill()


class Soak:
    """An office in a folder and a database of its own, its post, its people and those who kill."""

    def __init__(self, home: Path, database_url: str, post: PostOffice, port: int, seed: int, blank: bool) -> None:
        self.home, self.url, self.post, self.chance = home, database_url, post, Random(seed)
        self.now, self.told = START, Told()
        signer = create_demo_key(home / "signer", now=START, environment="test")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("JALUR_", "PREFECT_"))},
            "PYTHONPATH": str(ROOT),
            "JALUR_ENV": "test",
            "JALUR_HOME": str(home),
            "JALUR_DATABASE_URL": database_url,
            "JALUR_MASTER_KEY": MASTER_KEY.get_secret_value(),
            "JALUR_LETTERS_URL": f"smtp://127.0.0.1:{port}?plain",
            "JALUR_SIGNER_KEY": str(signer.key),
            "JALUR_SIGNER_CERTIFICATE": str(signer.certificate),
            **({BLANK_PAPERS: "1"} if blank else {}),
        }
        self.office = Office.open(
            Settings(
                home=home,
                env=Environment.TEST,
                database_url=database_url,
                master_key=MASTER_KEY,
                signer_key=signer.key,
                signer_certificate=signer.certificate,
            ),
            TurnedClock(START),
        )
        compiled_once(self.office)

    def found(self, cases: int) -> None:
        """Make the tables, hire people, and open the first cases."""
        migrate_schema(self.office.db)
        hire_staff(self.office)
        add_user(self.office, "budi", ["officer"], region="35")  # who imports, imports their region
        listed = as_csv(*(row(number) for number in range(1, cases + 1)))
        with self.office.run("cli", by="budi") as run:
            import_file(self.office, run, name="list.csv", content=listed.encode())
            open_cases(self.office, run, pipeline_named(PIPELINE), range(1, cases + 1), by="budi")

    def round(self, zygotes: list[Zygote], later: timedelta, kill: bool) -> None:
        """Let everybody work at once, and kill some; nobody where one more death would park a case."""
        self.told.rounds += 1
        kill = kill and not self.one_died_alone()
        self.now += later
        assert isinstance(self.office.clock, TurnedClock)
        self.office.clock.moment = self.now
        self.post.slow = kill and self.chance.random() < 0.5
        begun = [(one, one.begin(self.now)) for one in zygotes]
        with suppress(DBAPIError):
            self.answer_some(0.4 if kill else 1.0, 20 if kill else 10_000)
        if kill:
            for _, process in begun:
                if self.chance.random() < 0.6:
                    time.sleep(self.chance.random() * 0.4)
                    with suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
            if self.chance.random() < 0.35:
                self.kill_database()
        for one, _ in begun:
            self.told.killed[one.what] += one.ended() == -signal.SIGKILL

    def one_died_alone(self) -> bool:
        """Return whether the process ended while it advanced a case by itself: a second time would rightly park it."""
        alone = select(CaseFile.id).where(CaseFile.status == CaseStatus.OPEN, col(CaseFile.attempts) > TOGETHER)
        with self.office.db.reading() as session:
            return session.exec(alone.limit(1)).first() is not None

    def answer_some(self, share: float, at_most: int) -> None:
        """Let people answer some of what waits for them."""
        with self.office.db.reading() as session:
            waiting = session.exec(
                select(CaseFile.number, CaseFile.subject_id, Wait.key)
                .join(Wait, col(Wait.case_id) == col(CaseFile.id))
                .where(Wait.kind == WaitKind.PERSON, col(Wait.settled_at).is_(None))
                .order_by(CaseFile.number)
            ).all()
        for number, subject, key in [one for one in waiting if self.chance.random() < share][:at_most]:
            if key in (known := self.answers(number, subject or 0)):
                by, data = known[key]
                with suppress(Refused), self.office.run("cli", by=by) as run:
                    answer(self.office, run, number, key, by=by, data=data)

    def answers(self, number: str, subject: int) -> dict[str, tuple[str, dict[str, Any]]]:
        """Return what is answered to each question of a case, up to its certificate."""
        paper = attach(self.office.store, b"%PDF-1.4\n% signed " + number.encode())
        file = attach(self.office.store, b"%PDF-1.4\n% of OSS " + number.encode())
        filed = {"nib": f"91203045{subject:05d}", "holder_name": f"Sri Purnomo {subject}", "evidence": file}
        return {
            "dossier_check#1": ("budi", {"decision": "complete"}),
            "classification#1": ("ani", {"decision": "proceed", "industry_code": "11040", "risk_level": "R"}),
            "statement#1": ("budi", {"decision": "sign", "k3l": True, "spatial": True, "sppl": True, "paper": paper}),
            "oss_filing#1": ("budi", {"decision": "issued", **filed, "issued_on": "2026-01-12"}),
            "nib_record#1": ("tuti", {"decision": "match"}),
        }

    def kill_database(self) -> None:
        """Kill a process of PostgreSQL that serves somebody: the server ends all others and recovers from its log."""
        if not self.url.startswith("postgresql"):
            return
        server = self.url.replace("+psycopg", "")
        with suppress(psycopg.OperationalError, ProcessLookupError):
            with psycopg.connect(server, autocommit=True) as connection:
                found = connection.execute(
                    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                ).fetchall()
            if found:
                os.kill(self.chance.choice(found)[0], signal.SIGKILL)
                self.told.killed["postgresql"] += 1
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with suppress(psycopg.OperationalError):
                psycopg.connect(server).close()
                return
            time.sleep(0.05)
        raise AssertionError("PostgreSQL did not come back")

    @contextmanager
    def served(self) -> Iterator[None]:
        """Let `serve` run beside, and kill it at the end, with all that it started by itself."""
        port = free_port()
        env = {**self.environment, "JALUR_NOW": (self.now + LATER).isoformat(), "JALUR_WEB_PORT": str(port)}
        with open(self.home / "serve.log", "ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-c", SERVE], cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True
            )
        try:
            until = time.monotonic() + 300
            while f":{port}" not in (self.home / "serve.log").read_text() and time.monotonic() < until:
                assert child.poll() is None, (self.home / "serve.log").read_text()[-2000:]
                time.sleep(0.2)
            yield
        finally:
            child.kill()
            child.wait()
            self.told.killed["serve"] += 1

    def is_at_rest(self) -> bool:
        """Return whether all cases are closed and all letters gone."""
        with self.office.db.reading() as session:
            open_cases_left = session.exec(select(CaseFile.id).where(CaseFile.status == CaseStatus.OPEN)).first()
            letters_left = session.exec(select(Letter.key).where(col(Letter.status).in_(("waiting", "queued")))).first()
        return open_cases_left is None and letters_left is None

    def counted(self) -> Told:
        """Count what there is, and name what is wrong."""
        told = self.told
        with self.office.db.reading() as session:
            cases = list(session.exec(select(CaseFile).order_by(col(CaseFile.id))))
            told.cases, told.closed = len(cases), sum(case.status == CaseStatus.CLOSED for case in cases)
            told.faults += [*_whole(self.office, session, cases), *_without_gaps(session, cases)]
            for case in cases:
                entries = session.exec(select(LedgerEntry).where(LedgerEntry.case_id == case.id)).all()
                waits = {one.key: one for one in session.exec(select(Wait).where(Wait.case_id == case.id))}
                found = _of_entries(session, case, sorted(entries, key=lambda entry: entry.seq), waits)
                told.faults += [f"{case.number}: {fault}" for fault in found]
                waiting = [one for one in waits.values() if one.settled_at is None]
                if case.status == CaseStatus.PARKED:
                    told.faults.append(f"{case.number} is parked: {case.error}")
                elif case.status == CaseStatus.OPEN and (case.ready or not waiting):
                    told.faults.append(f"{case.number} neither moved nor waits")
            doubled = Counter((case.subject_kind, case.subject_id) for case in cases)
            told.faults += [f"{subject} has {count} cases" for subject, count in doubled.items() if count > 1]
            for document in session.exec(select(Document).where(col(Document.status) != "ready")):
                told.faults.append(f"the paper {document.key} of case {document.case_id} is {document.status}")
            self._count_letters({case.id or 0: case.number for case in cases}, list(session.exec(select(Letter))))
        return told

    def _count_letters(self, numbers: dict[int, str], letters: list[Letter]) -> None:
        """Hold each letter against what the mail server took: once, or again with a mark."""
        told, taken = self.told, defaultdict[str, list[str | None]](list)
        for one in self.post.taken:
            mail = message_from_bytes(one.original_content or b"")
            taken[mail["Message-ID"].strip()].append(mail["X-Jalur-Copy"])
        told.letters, told.copies = len(letters), sum(len(copies) - 1 for copies in taken.values())
        for name, copies in taken.items():
            if (copies[0] is not None and len(copies) > 1) or any(mark != MARK for mark in copies[1:]):
                told.faults.append(f"the letter {name} went {len(copies)} times, marked {copies}")
        for letter in letters:
            name = f"{numbers[letter.case_id]} {letter.key}"
            copies = taken.get(message_id_for(f"{numbers[letter.case_id]}/{letter.key}", "dinkop.example"), [])
            if letter.status == "said_before" and not copies:
                continue
            if letter.status != "sent" or not copies:
                told.faults.append(f"the letter {name} is {letter.status}, {len(copies)} were taken: {letter.error}")
            elif len(copies) > 1 and not letter.end_unknown:
                told.faults.append(f"the letter {name} went {len(copies)} times, and its record says it went once")


@dataclass(frozen=True)
class Plan:
    """How long is killed (seconds, and rounds at most), by which chance, how many cases, and whether `serve` runs, too."""

    seconds: float
    seed: int
    cases: int
    rounds: int = 1_000_000
    serve: bool = False
    blank: bool = False


def soak(home: Path, url: str, plan: Plan) -> Told:
    """Kill as planned, and count what is left when all has come to rest."""
    post = PostOffice()
    controller = opened(post, data_size_limit=None)
    soaked = Soak(home, url, post, controller.port, plan.seed, plan.blank)
    zygotes: list[Zygote] = []
    try:
        soaked.found(plan.cases)
        zygotes = [Zygote(kind, soaked.environment) for kind in KINDS]
        until = time.monotonic() + plan.seconds
        while time.monotonic() < until and soaked.told.rounds < plan.rounds:
            if not plan.serve:
                soaked.round(zygotes, LATER, kill=True)
                continue
            with soaked.served():
                for _ in range(soaked.chance.randrange(1, 4)):
                    soaked.round(zygotes, LATER, kill=True)
        for number in range(ROUNDS_TO_REST):
            soaked.round(zygotes, timedelta(hours=13) if number % 4 == 3 else LATER, kill=False)
            if soaked.is_at_rest():
                break
        return soaked.counted()
    finally:
        for one in zygotes:
            one.end()
        soaked.office.close()
        controller.stop()


def main() -> int:
    """Soak an office on a PostgreSQL of its own; return 1 where something is wrong."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--seconds", type=float, default=600)
    words.add_argument("--seed", type=int, default=int(time.time()))
    words.add_argument("--cases", type=int, default=60)
    words.add_argument("--serve", action="store_true", help="kill `jalur serve` as well, whose start takes 15 s")
    given = words.parse_args()
    print(f"soak: {given.seconds:.0f} s with seed {given.seed}", flush=True)
    with postgres_server() as url, TemporaryDirectory(prefix="jalur-soak-") as home:
        plan = Plan(given.seconds, given.seed, given.cases, serve=given.serve)
        told = soak(Path(home), url, plan)
    for fault in told.faults:
        print(fault)
    print(told.in_words())
    return 1 if told.faults else 0


if __name__ == "__main__":
    sys.exit(main())
