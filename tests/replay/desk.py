"""The desk: a fresh office on what the disk holds, and the people of a script who act there."""

from __future__ import annotations

import csv
import io
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from random import Random
from types import SimpleNamespace
from unittest import mock

from sqlalchemy import update
from sqlmodel import col, func, select

from documents.signing import LocalSigner
from engine.actions.answer import answer_many
from engine.actions.lodge_appeal import lodge_appeal
from engine.actions.withdraw import withdraw
from engine.cases import opening
from engine.cases.opening import open_cases, subjects_without_case
from engine.deadlines.clock import JAKARTA, TurnedClock
from engine.definition.registry import pipeline_named
from engine.errors import NotWaiting, Refused
from engine.execution import drain as advancing
from engine.execution.drain import drain
from engine.letters.letter_delivery import deliver
from engine.people.intake.importing import import_file
from engine.people.persons import add_product
from engine.runtime.adapters import Adapters
from engine.runtime.office import Office
from engine.runtime.settings import Environment, Settings
from engine.sweeps.sweep import sweep
from models import Business, CaseFile, Digest, Document, Letter, User, Wait
from outside.oss import ManualOss
from outside.oss_http import HttpOss
from tests.conftest import MASTER_KEY
from tests.replay.disks import Place
from tests.replay.moments import CountingChannel
from tests.replay.script import OWNER, Act, Answers, Contests, Imports, Opens, Passes, Script, Withdraws

TOKEN = "a-token-for-tests"


@contextmanager
def desk(place: Place, script: Script, oss_url: str) -> Iterator[Office]:
    """Open an office at ``place``, with the world outside that the script wants."""
    settings = Settings(
        home=place.home,
        env=Environment.TEST,
        database_url=place.database_url,
        documents_url="file://documents",
        master_key=MASTER_KEY,
        signer_key=place.signer / "office-demo.key.pem",
        signer_certificate=place.signer / "office-demo.cert.pem",
    )
    office = Office.open(settings, TurnedClock(morning_of(script.played[0].on)))
    office.__dict__["signer"] = _signer(place.signer)  # its key takes a tenth of a second to read, and never changes
    machine = HttpOss(oss_url, TOKEN, timeout=5, tls=_authorities())
    office.adapters = Adapters(
        machine if script.oss == "machine" else ManualOss(), CountingChannel(place.home, script.bounces)
    )
    try:
        yield office
    finally:
        office.close()
        machine.close()


def perform(office: Office, script: Script, act: Act) -> None:
    """Do an act, or find it done already; then let cases advance and letters leave.

    People repeat what was interrupted. Each act says by name that it was done: a question that is answered, a case that
    is being withdrawn, a subject that has its case, a row that is registered.
    """
    assert isinstance(office.clock, TurnedClock)
    office.clock.moment = morning_of(act.on)
    with _salts_drawn_from(act, office):
        _do(office, script, act)
        advance(office, script)


@contextmanager
def _salts_drawn_from(act: Act, office: Office) -> Iterator[None]:
    """Draw the salts of cases that an act opens from the act, and from how many there were: two runs have the same hashes."""
    with office.db.reading() as session:
        drawn = Random(f"{act} {session.scalar(select(func.count()).select_from(CaseFile))}")
    salts = SimpleNamespace(token_hex=lambda size: drawn.randbytes(size).hex())
    with mock.patch.object(opening, "secrets", salts):
        yield


def _do(office: Office, script: Script, act: Act) -> None:
    match act:
        case Imports():
            with office.run("cli", by="budi") as run:
                taken = import_file(office, run, name="usaha.csv", content=intake_file(script))
            assert not taken.refused, taken.refused
            if pipeline_named(script.pipeline).subject == "product":
                _stock(office)
        case Opens():
            pipeline = pipeline_named(script.pipeline)
            with office.run("cli", by="budi") as run:
                open_cases(office, run, pipeline, subjects_without_case(office, pipeline), by="budi")
        case Answers():
            _answer(office, act, script.pipeline)
        case Withdraws():
            _withdraw(office, act, script.pipeline)
        case Contests():
            _contest(office, act, script.pipeline)
        case Passes():
            with office.run("flow", by="escalation") as run:
                sweep(office, run)


def advance(office: Office, script: Script) -> None:
    """Let cases go on as far as they can, and letters leave: in one chunk where the script says so."""
    fine = 0 if script.together else advancing.FINE_UP_TO
    with (
        mock.patch.object(advancing, "FINE_UP_TO", fine),
        office.run("flow", by="test", pipeline=script.pipeline) as run,
    ):
        drain(office, run, script.pipeline)
        deliver(office)


def leases_run_out(office: Office) -> None:
    """Let every lease of the office that died be over, as it is two minutes later.

    Turning the clock would do the same, and move every time that is recorded afterwards; so the leases are moved
    instead. They stay on record: that a call was under way is what tells the engine to look up first.
    """
    with office.db.writing() as session:
        for table in (CaseFile, Wait, Document, Letter, Digest):
            moved = update(table).where(col(table.leased_until).is_not(None))
            session.execute(moved.values(leased_until=office.clock.now() - timedelta(days=1)))


def morning_of(day: str) -> datetime:
    """Return nine o'clock in Surabaya."""
    return datetime.combine(date.fromisoformat(day), time(9), JAKARTA)


def intake_file(script: Script) -> bytes:
    """Return the file that the script's office is handed."""
    text = io.StringIO()
    table = csv.DictWriter(text, fieldnames=list(script.subjects[0]))
    table.writeheader()
    table.writerows(script.subjects)
    return text.getvalue().encode()


def _stock(office: Office) -> None:
    """Register a product of each business."""
    with office.db.reading() as session:
        businesses = session.exec(select(Business.id).order_by(col(Business.id))).all()
    for business in businesses:
        add_product(office, business or 0, "Keripik singkong", "makanan")


def _answer(office: Office, act: Answers, pipeline: str) -> None:
    for by, numbers in _by_whom(office, act.by, pipeline).items():
        with office.run("cli", by=by) as run:
            meant = numbers if act.only is None else numbers[act.only : act.only + 1]
            given = [(number, act.question, dict(act.data)) for number in meant]
            for result in answer_many(office, run, given, by=by):
                if isinstance(result, Refused) and not _answered_before(result):
                    raise result


def _answered_before(refused: Refused) -> bool:
    return isinstance(refused, NotWaiting) and refused.parts["settled_as"] == "answered"


def _withdraw(office: Office, act: Withdraws, pipeline: str) -> None:
    for by, numbers in _by_whom(office, act.by, pipeline).items():
        for number in numbers:
            with office.run("cli", by=by) as run:
                try:
                    withdraw(office, run, number, by=by, reason=act.reason)
                except Refused as refused:
                    if "being withdrawn" not in str(refused) and "(withdrawn)" not in str(refused):
                        raise


def _contest(office: Office, act: Contests, pipeline: str) -> None:
    for by, numbers in _by_whom(office, act.by, pipeline).items():
        for number in numbers:
            with office.run("cli", by=by) as run:
                try:
                    lodge_appeal(office, run, number, by=by, reason=act.reason)
                except Refused as refused:
                    if "can be only once" not in str(refused):
                        raise


def _by_whom(office: Office, by: str, pipeline: str) -> dict[str, list[str]]:
    """Return the numbers of the pipeline's cases by who acts: one member of staff, or each case's own applicant."""
    with office.db.reading() as session:
        cases = session.exec(
            select(CaseFile.number, User.name)
            .join(User, col(User.person_id) == col(CaseFile.person_id))
            .where(CaseFile.pipeline == pipeline)
            .order_by(CaseFile.number)
        ).all()
    people: dict[str, list[str]] = {}
    for number, owner in cases:
        people.setdefault(owner if by == OWNER else by, []).append(number)
    return people


@cache
def _signer(folder: Path) -> LocalSigner:
    return LocalSigner.from_pem(folder / "office-demo.key.pem", folder / "office-demo.cert.pem")


@cache
def _authorities() -> ssl.SSLContext:
    return ssl.create_default_context()
