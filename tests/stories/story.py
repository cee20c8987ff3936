"""Stories: a case told by date, checked by what people would see.

A story test says what it tells: ``@tells("outcome:legalized", "dossier_check:complete")``. The teardown holds it to its
word against the ledger, and a test driven by the registry fails for every ending and every choice that no story tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, Self

import pytest
from sqlmodel import col, select

from engine.actions.answer import answer
from engine.actions.correction.correct import correct
from engine.actions.recall import recall
from engine.actions.withdraw import withdraw
from engine.cases.dossier import fetch_row
from engine.cases.opening import open_cases
from engine.deadlines.clock import JAKARTA, TurnedClock
from engine.definition.registry import pipeline_named
from engine.execution.drain import DrainResult, drain
from engine.letters.letter_delivery import deliver
from engine.reports.audit.whole_audit import audit_records
from engine.reports.case_views import case_view
from engine.runtime.office import Office
from engine.sweeps.sweep import sweep
from models import CaseFile, Document, LedgerEntry, Letter, Wait
from tests.refusals import must_not_be_denied, refusal_behind

tells = pytest.mark.tells


class Story:
    """One case, told in the words of its process."""

    def __init__(self, office: Office, clock: TurnedClock, pipeline: str, subject: int) -> None:
        self.office, self.clock, self.pipeline = office, clock, pipeline_named(pipeline)
        with office.run("cli", by="budi") as run:
            self.number = open_cases(office, run, self.pipeline, [subject], by="budi").opened[0]
        self.advance()

    def on(self, day: str, hour: int = 9) -> Self:
        """Turn the clock to that hour in Surabaya on ``day``."""
        self.clock.moment = datetime.combine(date.fromisoformat(day), time(hour), JAKARTA)
        return self

    def advance(self) -> DrainResult:
        """Let the case go on as far as it can."""
        with self.office.run("flow", by="test", pipeline=self.pipeline.name) as run:
            return drain(self.office, run, self.pipeline.name)

    def answers(self, by: str, question: str, **data: Any) -> Self:
        """Record an answer and let the case go on."""
        with self.office.run("cli", by=by) as run:
            answer(self.office, run, self.number, question, by=by, data=data)
        self.advance()
        return self

    def nothing_happens(self) -> Self:
        """Let the sweep for silences come by."""
        with self.office.run("flow", by="escalation") as run:
            sweep(self.office, run)
        self.advance()
        return self

    def withdraws(self, by: str, reason: str = "berubah pikiran") -> Self:
        """Take the application back."""
        with self.office.run("cli", by=by) as run:
            withdraw(self.office, run, self.number, by=by, reason=reason)
        self.advance()
        return self

    def recalls(self, by: str, reason: str = "salah tekan") -> Self:
        """Take the last answer back and let the case go on."""
        with self.office.run("cli", by=by) as run:
            recall(self.office, run, self.number, by=by, reason=reason)
        self.advance()
        return self

    def corrected(self, by: str = "tuti", reason: str = "salah ketik", **data: Any) -> Self:
        """Put names and numbers right; an underscore pair in a field's name stands for its dot."""
        with self.office.run("cli", by=by) as run:
            right = {name.replace("__", "."): value for name, value in data.items()}
            correct(self.office, run, self.number, by=by, reason=reason, data=right)
        return self

    @property
    def case(self) -> CaseFile:
        """Return the case's row as it stands."""
        with self.office.db.reading() as session:
            return fetch_row(session, self.number)

    @property
    def outcome(self) -> str | None:
        """Return how the case ended; None while it is open."""
        return self.case.outcome

    @property
    def waits_for(self) -> list[str]:
        """Return the keys of the open waits."""
        with self.office.db.reading() as session:
            wanted = select(Wait.key).where(Wait.case_id == self.case.id, col(Wait.settled_at).is_(None))
            return sorted(session.exec(wanted))

    @property
    def entries(self) -> list[LedgerEntry]:
        """Return the case's ledger."""
        with self.office.db.reading() as session:
            wanted = select(LedgerEntry).where(LedgerEntry.case_id == self.case.id).order_by(col(LedgerEntry.seq))
            return list(session.exec(wanted))

    @property
    def documents(self) -> list[Document]:
        """Return the case's documents, the oldest first."""
        with self.office.db.reading() as session:
            wanted = select(Document).where(Document.case_id == self.case.id)
            return sorted(session.exec(wanted), key=lambda document: document.seq)

    @property
    def letters(self) -> list[str]:
        """Deliver what is due and return the names of the case's letters, the oldest first."""
        deliver(self.office)
        with self.office.db.reading() as session:
            wanted = select(Letter).where(Letter.case_id == self.case.id)
            return [letter.letter for letter in sorted(session.exec(wanted), key=lambda letter: letter.seq)]

    def letter(self, name: str) -> dict[str, str]:
        """Return the words of a letter: subject and text."""
        with self.office.db.reading() as session:
            from engine.cases.dossier import fetch_by_number

            dossier = fetch_by_number(self.office, session, self.number)
            letter = session.exec(select(Letter).where(Letter.case_id == dossier.row.id, Letter.letter == name)).one()
            words = self.office.vault.decrypt(dossier.key, letter.sealed)
        return {"subject": letter.subject, "text": words["text"]}

    def attached(self, name: str) -> list[str]:
        """Return the keys of the documents that a letter bears."""
        with self.office.db.reading() as session:
            wanted = select(Letter).where(Letter.case_id == self.case.id, Letter.letter == name)
            return list(session.exec(wanted).one().attachments)

    def shown(self) -> dict[str, Any]:
        """Return the case as the command line shows it."""
        with self.office.db.reading() as session:
            return case_view(self.office, session, self.number)

    def told(self) -> set[str]:
        """Return what the ledger says this story told: ``outcome:…``, ``question:choice``, ``question:silent``."""
        told = {f"outcome:{self.outcome}"} if self.outcome else set()
        for entry in self.entries:
            if "#" in entry.key and entry.outcome and entry.kind in ("answer", "machine"):
                told.add(f"{entry.key.split('#')[0]}:{entry.outcome}")
        return told

    def is_whole(self) -> bool:
        """Return whether the chain of hashes holds, and every row of the case is what its entries say."""
        return self.faults() == []

    def faults(self) -> list[str]:
        """Return what an audit finds in the case."""
        with self.office.db.reading() as session:
            return [one.detail for one in audit_records(self.office, session, [self.number]).findings]


def hold_to_its_word(request: pytest.FixtureRequest, stories: Sequence[Story]) -> None:
    """Fail a story test whose stories did not tell what its mark claims."""
    marker = request.node.get_closest_marker("tells")
    claims = set(marker.args) if marker else set()
    told = {f for story in stories for f in story.told()}
    assert claims <= told, f"claimed and not told: {sorted(claims - told)}"
    faults = [fault for story in stories for fault in story.faults()]
    assert bool(faults) == bool(request.node.get_closest_marker("by_hand")), faults
    for story in stories:
        ended_in = next((entry.outcome for entry in story.entries if entry.key == "closed#1"), None)
        if ended_in:
            must_not_be_denied(story.pipeline, ended_in, refusal_behind(story.pipeline, story.entries))
