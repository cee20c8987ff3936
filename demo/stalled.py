"""A neglected case: it is escalated to the ladder's end, then another authority is late."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.table import Table
from sqlmodel import col, select

from demo.nib_legalization import NibScript
from demo.script import Said, Situation
from engine.cases.opening import open_cases
from engine.deadlines.clock import TurnedClock
from engine.definition.registry import Pipeline
from engine.people.accounts import add_user
from engine.reports.case_views import case_history, case_view
from engine.runtime.office import Office
from engine.sweeps.sweep import sweep
from models import Document, EntryKind, LedgerEntry
from scheduling.run_here import advance_here

LONGEST = 60  # days; each ladder ends sooner
# Marked for the catalogue of who started the demo: what rungs write into the ledger, and how the case ends.
N_ = str
CODES = (N_("reminded"), N_("escalated"), N_("reassigned"), N_("stays"), N_("deadline_passed"), N_("legalized"))


class StalledScript(NibScript):
    """The script of a medium-high risk whose dossier lies for weeks.

    DPMPTSP says nothing about it until it is asked again.
    """

    of = 1
    paths = {0: "verified"}

    def verification(self, now: Situation) -> Said:
        """Record that the deadline passed; at last record DPMPTSP's approval."""
        said = {"source": "Surat DPMPTSP 503/204/2026", "evidence": self.evidence}
        return "budi", {**said, "decision": "approve" if now.again else "deadline_passed"}

    def deadline_ruling(self, now: Situation) -> Said:
        """Let the head of division decide: a passed deadline alone grants nothing."""
        return "rini", {"decision": "keep_waiting", "reason": "OSS belum menetapkan; DPMPTSP disurati"}


def stall(office: Office, clock: TurnedClock, pipeline: Pipeline, subject: int) -> str:
    """Let a case lie until its ladder ends, let DPMPTSP's deadline pass, and end it.

    Return its number.
    """
    for name, role in (("sari", "supervisor"), ("kadis", "office_head")):
        add_user(office, name, [role], region="35")
    with office.run("cli", by="budi", pipeline=pipeline.name) as run:
        number = open_cases(office, run, pipeline, [subject], by="budi").opened[0]
    advance_here(office, [pipeline], [number], by="demo")
    _lie(office, clock, number, "dossier_check#1/reassign")
    people = StalledScript(office, [number])
    while "verification#1" not in _waiting(office, number):
        people.answer()
        advance_here(office, [pipeline], [number], by="demo")
    _lie(office, clock, number, "verification#1/say_passed")
    advance_here(office, [pipeline], [number], by="demo")
    while people.answer():
        advance_here(office, [pipeline], [number], by="demo")
    return number


def _waiting(office: Office, number: str) -> list[str]:
    with office.db.reading() as session:
        return [wait["question"] for wait in case_view(office, session, number)["waiting_for"]]


def _lie(office: Office, clock: TurnedClock, number: str, until: str) -> None:
    """Let one day after the other pass, each with a sweep, until that rung has fired."""
    for _ in range(LONGEST):
        clock.turn(hours=24)
        with office.run("flow", by="escalation") as run:
            sweep(office, run)
        with office.db.reading() as session:
            if any(entry["key"] == until for entry in case_history(session, number)):
                return
    raise AssertionError(f"{number} never came to {until}")


def tell_of(office: Office, console: Console, number: str, _: Callable[[str], str] = str) -> None:
    """Print each fired rung, and the place of the page that counts the days."""
    with office.db.reading() as session:
        shown = case_view(office, session, number)
        of_case = select(LedgerEntry).where(LedgerEntry.kind == EntryKind.REMARK, col(LedgerEntry.key).contains("/"))
        entries = session.exec(of_case.order_by(col(LedgerEntry.at), col(LedgerEntry.seq))).all()
        page = session.exec(select(Document).where(Document.kind == "deadline_computation")).first()
    title = _("{case}: nobody answers").format(case=number)
    ladder = Table(_("day"), _("rung"), _("what"), _("who, and why"), title=title, title_justify="left")
    for entry in entries:
        if entry.case_id == (page and page.case_id):
            ladder.add_row(
                entry.at.date().isoformat(), entry.key, _(entry.outcome) if entry.outcome else "", entry.reason or ""
            )
    console.print(ladder)
    file = page and office.store.location(page.path or "")
    told = _("It ended {outcome}; the page that counts the days: {file}")
    console.print(f"  {told.format(outcome=_(shown['outcome']), file=file)}\n")
