"""The demo: 300 made-up businesses through real flow runs, from a NIB to an export.

Everything is real but the people, who are scripted: import, cases, Prefect's server and flow runs, documents, signatures, letters
in a folder. The clock is the demo's own, so that silences need not be waited for.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table
from sqlmodel import col, select

from demo.halal_regular import RegularScript
from demo.halal_self_declare import HalalScript
from demo.lsp_competency_test import CompetencyScript, certified, hire_lsp
from demo.nib_legalization import NibScript
from demo.product_curation import CurationScript
from demo.script import PAPER, Script
from demo.showing import progress, summary
from demo.stalled import stall, tell_of
from engine.cases.opening import open_cases, subjects_without_case
from engine.deadlines.clock import TurnedClock
from engine.definition.registry import Pipeline, pipeline_named
from engine.letters.letter_delivery import deliver
from engine.people.accounts import add_user
from engine.people.intake.importing import Imported, import_file
from engine.people.intake.refused_rows import refused_rows
from engine.people.persons import add_product
from engine.runtime.file_store import attach
from engine.runtime.migrations import migrate_schema
from engine.runtime.office import Office
from engine.runtime.private_files import write_private
from engine.runtime.settings import PROJECT_ROOT, Environment, Settings, is_checkout, shipped
from engine.sweeps.sweep import sweep
from models import Business, CaseFile, CaseStatus, Standing
from scheduling.run_here import advance_here
from scheduling.server import prefect_api

FILE = "examples/businesses.csv"
# Businesses that go on to a halal certificate.
HALAL_CASES = 60
# Certified products that are curated.
PRODUCTS = 24
# One case lies untouched this long before all others begin.
STALLED_FOR = timedelta(days=75)
PIPELINES = ("nib-legalization", "halal-self-declare", "halal-regular", "lsp-competency-test", "product-curation")
STAFF = {"budi": "officer", "tuti": "officer", "ani": "companion", "rini": "division_head"}
console = Console(width=110)
S = TypeVar("S", bound=Script)


def main(_: Callable[[str], str] = str, language: str = "en") -> int:
    """Run the demo in ``language``; return the exit code of the command.

    ``_`` translates into that language.
    """
    started = time.monotonic()
    home = demo_home()
    shutil.rmtree(home, ignore_errors=True)
    today = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0)
    clock = TurnedClock(today - STALLED_FOR)
    office = Office.open(Settings(home=home, env=Environment.DEMO, database_url="sqlite:///var/jalur.db"), clock)
    migrate_schema(office.db)
    for name, role in STAFF.items():
        add_user(office, name, [role], region="35")
    way = _("{file} → NIB → halal certificate → curation → export center").format(file=FILE)
    console.print(f"[bold]Jalur demo[/bold]: {way}\n")
    nib, halal, regular, lsp, curation = map(pipeline_named, PIPELINES)
    imported = _import(office, _, language)
    with prefect_api(office.settings, say=lambda words: console.print(_(words))):
        *businesses, last = subjects_without_case(office, nib)
        stalled = stall(office, clock, nib, last)
        clock.moment = max(clock.moment, today)
        _carry(office, clock, nib, NibScript, businesses, _)
        _carry(office, clock, halal, HalalScript, _legalized(office, HALAL_CASES), _)
        _carry(office, clock, regular, RegularScript, [], _)
        paper = attach(office.store, PAPER, "pdf")
        people = _carry(office, clock, lsp, CompetencyScript, hire_lsp(office, paper), _)
        certified(office, people)
        add_user(office, "lina", ["panel_chair"], region="35")
        _carry(office, clock, curation, CurationScript, _products(office, PRODUCTS), _)
        tell_of(office, console, stalled, _)
    with office.run("flow", by="delivery"):
        posted = deliver(office)
    summary(office, console, home, imported, posted, time.monotonic() - started, _)
    office.close()
    return 0


def demo_home() -> Path:
    """Return the demo's own folder, which each run empties first.

    It is in the checkout, else below ``JALUR_HOME``.
    """
    root = PROJECT_ROOT if is_checkout() else Settings(env=Environment.DEMO).home
    return root / "var" / "demo"


def _import(office: Office, _: Callable[[str], str], language: str) -> Imported:
    file = shipped(FILE)
    with office.run("cli", by="budi") as run:
        imported = import_file(office, run, name=file.name, content=file.read_bytes(), by="budi")
    title = _("{count} rows refused").format(count=imported.refused_lines)
    refused = Table(_("line"), _("column"), _("reason"), title=title, title_justify="left")
    for remark in imported.as_json(language)["refused"]:
        refused.add_row(str(remark["line"]), remark["column"], remark["reason"])
    console.print(refused)
    assert imported.import_id is not None
    write_private(office.settings.path("refused.csv"), refused_rows(office, imported.import_id))
    return imported


def _legalized(office: Office, at_most: int) -> list[int]:
    """Return the businesses that make food or drink and have their NIB."""
    with office.db.reading() as session:
        found = session.exec(
            select(Standing.subject_id)
            .join(Business, col(Business.id) == col(Standing.subject_id))
            .where(Standing.what == "legalized", col(Business.cluster).in_(("makanan", "minuman")))
            .order_by(col(Standing.subject_id))
            .limit(at_most)
        )
        return list(found)


def _products(office: Office, at_most: int) -> list[int]:
    """Register a product of each of so many businesses that are certified halal."""
    with office.db.reading() as session:
        wanted = (
            select(Business)
            .join(Standing, col(Standing.subject_id) == col(Business.id))
            .where(Standing.what == "halal_certified", Standing.subject_kind == "business")
            .order_by(col(Business.id))
            .limit(at_most)
        )
        businesses = list(session.exec(wanted))
    return [add_product(office, one.id or 0, one.main_product, one.cluster) for one in businesses]


def _carry(
    office: Office,
    clock: TurnedClock,
    pipeline: Pipeline,
    script: type[S],
    subjects: list[int],
    _: Callable[[str], str],
) -> S:
    """Open a case for each, then advance and answer in turns until all have ended.

    Where only silence is left, let time pass.
    """
    with office.run("cli", by="budi", pipeline=pipeline.name) as run:
        open_cases(office, run, pipeline, subjects, by="budi")
    with office.db.reading() as session:  # those that another pipeline handed on, too
        opened = list(
            session.exec(select(CaseFile.number).where(CaseFile.pipeline == pipeline.name).order_by(col(CaseFile.id)))
        )
    people = script(office, opened)
    with progress(office, console, pipeline, len(opened), _("documents made")):
        while True:
            advance_here(office, [pipeline], None, by="demo")
            if people.answer():
                clock.turn(hours=25)
                continue
            with office.db.reading() as session:
                still_open = CaseFile.status == CaseStatus.OPEN, CaseFile.pipeline == pipeline.name
                if not session.exec(select(CaseFile.id).where(*still_open).limit(1)).first():
                    return people
            clock.turn(days=50)
            with office.run("flow", by="escalation") as run:
                sweep(office, run)
