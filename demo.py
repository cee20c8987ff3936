"""The main job, shown: 300 made-up businesses through real flow runs, with scripted officers, to every end.

Everything is real but the people: import, cases, Prefect's server and flow runs, documents, signatures, letters in a
folder. The clock is the demo's own, so that silences need not be waited for.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import true
from sqlmodel import Session, col, func, select

from engine.accounts import add_user, give_own_code
from engine.advancing import advance_here
from engine.answering import answer_many, settle_silences, withdraw
from engine.clock import TurnedClock
from engine.delivering import deliver
from engine.evidence import keep
from engine.intake.importing import Imported, import_file
from engine.intake.refused import refused_rows
from engine.migrating import migrate
from engine.office import Office
from engine.opening import open_cases, without_case
from engine.prefect_server import prefect_api
from engine.registry import Pipeline, pipeline_named
from engine.settings import PROJECT_ROOT, Environment, Settings
from models import Business, Case, CaseStatus, Document, DocumentStatus, Letter, Person, User, Wait, WaitKind

HOME = PROJECT_ROOT / "var" / "demo"
FILE = PROJECT_ROOT / "examples" / "businesses.csv"
STAFF = {"budi": "officer", "tuti": "officer", "ani": "companion", "rini": "division_head"}
# Case n takes path n modulo 25; whatever is not named here goes straight to its certificate.
PATHS = {
    1: "mended",
    3: "never mended",
    5: "rejected",
    7: "rerouted",
    9: "never signed",
    11: "declined",
    13: "withdrawn",
    15: "had a NIB meanwhile",
    17: "verified",
    19: "refused by DPMPTSP",
    21: "OSS refused first",
}

console = Console(width=110)


def main() -> int:
    """Run the demo; return the exit code of the command."""
    started = time.monotonic()
    shutil.rmtree(HOME, ignore_errors=True)
    clock = TurnedClock(datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0))
    office = Office.open(Settings(home=HOME, env=Environment.DEMO, database_url="sqlite:///var/jalur.db"), clock)
    migrate(office.db)
    for name, role in STAFF.items():
        add_user(office, name, [role])
    console.print(f"[bold]Jalur demo[/bold]: {FILE.relative_to(PROJECT_ROOT)} → NIB legalization\n")
    pipeline = pipeline_named("nib-legalization")
    imported = _import(office)
    with prefect_api(office.settings, say=console.print):
        with office.run("cli", by="budi", pipeline=pipeline.name) as run:
            opened = open_cases(office, run, pipeline, without_case(office, pipeline), by="budi").opened
        with _progress(office, len(opened)):
            _carry(office, clock, pipeline, opened)
    with office.run("flow", by="delivery"):
        posted = deliver(office)
    _summary(office, imported, posted, time.monotonic() - started)
    office.close()
    return 0


def _import(office: Office) -> Imported:
    with office.run("cli", by="budi") as run:
        imported = import_file(office, run, name=FILE.name, content=FILE.read_bytes(), by="budi")
    refused = Table("line", "column", "reason", title=f"{imported.refused_lines} rows refused", title_justify="left")
    for remark in imported.as_json()["refused"]:
        refused.add_row(str(remark["line"]), remark["column"], remark["reason"])
    console.print(refused)
    assert imported.import_id is not None
    (HOME / "refused.csv").write_bytes(refused_rows(office, imported.import_id))
    return imported


def _carry(office: Office, clock: TurnedClock, pipeline: Pipeline, opened: list[str]) -> None:
    """Advance and answer in turns until every case has ended; where only silence is left, let the time pass."""
    script = Script(office, opened)
    while True:
        advance_here(office, [pipeline], None, by="demo")
        if script.answer():
            clock.turn(hours=25)
            continue
        with office.db.reading() as session:
            if not session.exec(select(Case.id).where(Case.status == CaseStatus.OPEN).limit(1)).first():
                return
        clock.turn(days=50)
        with office.run("flow", by="escalation") as run:
            settle_silences(office, run)


@dataclass(frozen=True)
class Situation:
    """An open question of the demo: of which case, on which path, for the nth time, and whose case it is."""

    number: str
    key: str
    path: str
    owner: str
    name: str

    @property
    def question(self) -> str:
        """Return the question's name without its count."""
        return self.key.split("#")[0]

    @property
    def again(self) -> bool:
        """Return whether it is asked for a second time or later."""
        return not self.key.endswith("#1")


Said = tuple[str, dict[str, Any]] | None


class Script:
    """What the officers and owners of the demo answer, by the path of each case."""

    def __init__(self, office: Office, opened: list[str]) -> None:
        self.office = office
        self.path = {number: PATHS.get(place % 25, "straight") for place, number in enumerate(opened)}
        self.evidence = keep(office, b"%PDF-1.4\n% a made-up paper of the demo\n", "pdf")
        self.codes: dict[str, str] = {}

    def answer(self) -> int:
        """Answer all that the script has words for; return how many answers were given."""
        by_whom: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
        for now in self._waiting():
            if now.path == "withdrawn" and now.question == "classification":
                with self.office.run("cli", by=now.owner) as run:
                    withdraw(self.office, run, now.number, by=now.owner, reason="pindah ke luar provinsi")
                continue
            said: Said = getattr(self, f"_{now.question}")(now)
            if said is not None:
                by_whom.setdefault(said[0], []).append((now.number, now.key, said[1]))
        for by, answers in sorted(by_whom.items()):
            with self.office.run("cli", by=by) as run:
                for result in answer_many(self.office, run, answers, by=by):
                    if isinstance(result, Exception):
                        raise result
        return sum(map(len, by_whom.values()))

    def _dossier_check(self, now: Situation) -> Said:
        if now.path in ("mended", "never mended") and not now.again:
            return "budi", {"decision": "return", "deficiencies": ["Alamat usaha belum lengkap", "Foto KTP buram"]}
        if now.path == "rejected":
            return "budi", {"decision": "reject", "reason": "Usaha tidak ditemukan di alamat yang ditulis"}
        return "budi", {"decision": "complete"}

    def _correction(self, now: Situation) -> Said:
        return None if now.path == "never mended" else (now.owner, {"note": "Sudah saya lengkapi, terima kasih."})

    def _classification(self, now: Situation) -> Said:
        if now.path == "rerouted":
            reason = "Usaha ini perlu nomor kontrol veteriner lebih dahulu"
            said = {"decision": "reroute", "industry_code": "10110", "risk_level": "T"}
            return "ani", {**said, "agency": "Dinas Peternakan", "reason": reason}
        risk = "MT" if now.path in ("verified", "refused by DPMPTSP") else "MR"
        return "ani", {"decision": "proceed", "industry_code": "10710", "risk_level": risk}

    def _statement(self, now: Situation) -> Said:
        if now.path == "never signed":
            return None
        if now.path == "declined":
            return "budi", {"decision": "decline", "paper": self.evidence, "reason": "Belum siap berusaha"}
        signed = {"decision": "sign", "k3l": True, "spatial": True, "sppl": True}
        if now.path == "mended":  # with the owner's own code; the others sign on paper
            self.codes.setdefault(now.owner, give_own_code(self.office, now.owner))
            return now.owner, {**signed, "own_code": self.codes[now.owner]}
        return "budi", {**signed, "paper": self.evidence}

    def _oss_filing(self, now: Situation) -> Said:
        if now.path == "OSS refused first" and not now.again:
            return "budi", {"decision": "refused", "reason": "Nama tidak sesuai KTP", "source": "oss.go.id"}
        decision = "already_registered" if now.path == "had a NIB meanwhile" else "issued"
        nib = f"91203{now.number.rsplit('-', 1)[1]:0>8}"
        today = self.office.clock.today().isoformat()
        said = {
            "decision": decision,
            "nib": nib,
            "holder_name": now.name,
            "evidence": self.evidence,
            "issued_on": today,
        }
        return "budi", {**said, "source": "oss.go.id"}

    def _nib_record(self, now: Situation) -> Said:
        return "tuti", {"decision": "match"}

    def _verification(self, now: Situation) -> Said:
        said = {"source": "Surat DPMPTSP 503/117/2026", "evidence": self.evidence}
        if now.path == "refused by DPMPTSP":
            return "budi", {**said, "decision": "reject", "reason": "Lokasi tidak sesuai tata ruang"}
        return "budi", {**said, "decision": "approve"}

    def _waiting(self) -> list[Situation]:
        with self.office.db.reading() as session:
            found = session.exec(
                select(Case.number, Wait.key, User.name, Person.name)
                .join(Wait, col(Wait.case_id) == col(Case.id))
                .join(Business, col(Business.id) == col(Case.subject_id))
                .join(Person, col(Person.id) == col(Business.owner_id))
                .join(User, col(User.person_id) == col(Person.id))
                .where(col(Wait.settled_at).is_(None), Wait.kind == WaitKind.PERSON)
            )
            return [Situation(number, key, self.path[number], user, name) for number, key, user, name in found]


@contextmanager
def _progress(office: Office, cases: int) -> Iterator[None]:
    """Show bars that follow the database while the block runs."""
    columns = (TextColumn("{task.description:<22}"), BarColumn(40), MofNCompleteColumn(), TimeElapsedColumn())
    done = Event()
    with Progress(*columns, console=console) as progress:
        ended = progress.add_task("cases ended", total=cases)
        made = progress.add_task("documents made", total=None)

        def update() -> None:
            with office.db.reading() as session:
                progress.update(ended, completed=_count(session, Case, Case.status == CaseStatus.CLOSED))
                ready = _count(session, Document, Document.status == DocumentStatus.READY)
                progress.update(made, completed=ready, total=_count(session, Document, true()))

        def follow() -> None:
            while not done.wait(0.5):
                update()

        watcher = Thread(target=follow, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
            update()


def _summary(office: Office, imported: Imported, posted: dict[str, int], seconds: float) -> None:
    with office.db.reading() as session:
        ends = Counter(session.exec(select(Case.outcome)).all())
        parked = _count(session, Case, Case.status == CaseStatus.PARKED)
        documents = Counter(session.exec(select(Document.kind).where(Document.status == DocumentStatus.READY)).all())
        letters = Counter(session.exec(select(Letter.letter)).all())
        certificate = session.exec(
            select(Document, Case.number)
            .join(Case, col(Case.id) == col(Document.case_id))
            .where(Document.kind == "certificate_of_legalization")
            .limit(1)
        ).first()
    titles = {str(outcome): outcome.title_id for outcome in pipeline_named("nib-legalization").outcomes}
    table = Table("outcome", "in words", "cases", title="How the cases ended", title_justify="left")
    for outcome, count in ends.most_common():
        table.add_row(str(outcome), titles.get(str(outcome), ""), str(count))
    console.print(table)
    console.print(
        f"accepted [bold]{imported.accepted}[/bold] · refused [bold]{imported.refused_lines}[/bold] rows · "
        f"ends [bold]{len(ends)}[/bold] · parked [bold]{parked}[/bold] · "
        f"documents [bold]{sum(documents.values())}[/bold] of {len(documents)} kinds · "
        f"letters [bold]{sum(letters.values())}[/bold] of {len(letters)} kinds "
        f"({posted['sent']} sent, {posted['by_hand']} to print or telephone) · [bold]{seconds:.0f}[/bold] seconds\n"
    )
    if certificate is not None and certificate[0].path:
        where = f"JALUR_ENV=demo JALUR_HOME={HOME.relative_to(PROJECT_ROOT)} .venv/bin/jalur"
        console.print("[bold]Where to look[/bold]", highlight=False)
        for what, place in (
            ("a certificate", office.store.location(certificate[0].path)),
            ("the letters", str(office.settings.path("var/letters"))),
            ("the refused rows", str(HOME / "refused.csv")),
            ("a case's history", f"{where} case history {certificate[1]}"),
            ("the whole ledger", f"{where} audit verify"),
            ("its authenticity", f"{where} verify {certificate[0].number}"),
        ):
            console.print(f"  {what:<18} {place}", highlight=False, soft_wrap=True)


def _count(session: Session, table: Any, condition: Any) -> int:
    return session.exec(select(func.count()).select_from(table).where(condition)).one()
