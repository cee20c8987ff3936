"""What a drive sees of its office."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select

from engine.reports.inbox import inbox
from engine.runtime.office import Office
from models import Answer, CaseFile, Document, DocumentStatus, Wait, WaitKind

State = dict[Any, Any]


class Looking:
    """An office, and the cases in it that were not there before."""

    office: Office
    before: set[int | None]

    def asked(self) -> list[dict[str, Any]]:
        """Return what waits for people, in an order that does not hang on the database."""
        with self.office.db.reading() as session:
            return sorted(inbox(self.office, session), key=lambda wait: (wait["case"], wait["question"]))

    def endings(self) -> set[str]:
        """Return the outcomes of the cases that are closed, with their pipelines."""
        return {f"{case.pipeline}: {case.outcome}" for case in self.cases() if case.outcome}

    def cases(self) -> list[CaseFile]:
        """Return the cases of this drive, by number."""
        with self.office.db.reading() as session:
            wanted = select(CaseFile).where(col(CaseFile.id).not_in(self.before)).order_by(CaseFile.number)
            return list(session.exec(wanted))

    def ready(self) -> list[str]:
        """Return the pipelines in which a case can go on, or a machine has something to do."""
        with self.office.db.reading() as session:
            people = (WaitKind.PERSON, WaitKind.HAND_DELIVERY)
            machine = select(Wait.pipeline).where(col(Wait.settled_at).is_(None), col(Wait.kind).not_in(people))
            papers = select(Document.pipeline).where(Document.status == DocumentStatus.PENDING)
            ready = select(CaseFile.pipeline).where(CaseFile.ready)
            return sorted({name for wanted in (machine, papers, ready) for name in session.exec(wanted)})

    def unmade(self) -> list[str | None]:
        """Return why papers can't be made and calls are put off."""
        with self.office.db.reading() as session:
            papers = session.exec(select(Document.error).where(col(Document.error).is_not(None))).all()
            return [*papers, *session.exec(select(Wait.note).where(col(Wait.next_attempt_at).is_not(None)))]

    def state(self) -> State:
        """Return what an answer could change: heads of ledgers, waits, and words."""
        with self.office.db.reading() as session:
            cases = {
                row[0]: row for row in session.exec(select(CaseFile.id, CaseFile.head, CaseFile.status, CaseFile.ready))
            }
            waits = {
                (one.case_id, one.key): (one.settled_as, one.settled_at, one.due_at, one.silent_at, one.holder)
                for one in session.exec(select(Wait))
            }
            answers = session.exec(select(Answer.case_id, Answer.key))
            return {"cases": cases, "waits": waits, "answers": sorted(map(tuple, answers))}
