"""The office: everything a piece of work needs, opened once from the settings and handed on as one argument."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, update
from sqlmodel import Session

from engine.deadlines.calendar import Calendar, as_decided
from engine.deadlines.clock import Clock, TurnedClock
from engine.errors import Refused
from engine.runtime.adapters import Contacts, contacts_of
from engine.runtime.batch_writer import BatchWriter
from engine.runtime.database import Database
from engine.runtime.encryption import Vault, vault_of
from engine.runtime.file_store import Store
from engine.runtime.settings import Settings
from models import Run
from models.privacy import without_personal_numbers

if TYPE_CHECKING:
    from documents.signing import Signer


@dataclass
class RunHandle:
    """One of our own runs, under way. Its id stands in every ledger entry that it writes."""

    id: str
    kind: str
    by: str
    cases: int = 0
    state: str = "completed"


# Of a work that is only tried: nothing that it writes is kept.
NO_RUN = RunHandle("", "cli", "")


@dataclass(frozen=True)
class Work:
    """Hold one unit of work: the transaction of a run of ours, and the rows that it inserts together at its end.

    Who writes takes a `Work`; who only reads takes the office and a session.
    """

    office: Office
    run: RunHandle
    session: Session
    rows: BatchWriter = field(default_factory=BatchWriter)

    @property
    def now(self) -> datetime:
        """Return the present moment: a work that waited for a lock must not date itself before what it waited for."""
        return self.office.clock.now()

    @property
    def today(self) -> date:
        """Return the present date in Asia/Jakarta."""
        return self.office.clock.today()

    @property
    def calendar(self) -> Calendar:
        """Return the office's working days."""
        return self.office.calendar

    @property
    def vault(self) -> Vault:
        """Return what seals and unseals."""
        return self.office.vault

    def flush(self) -> None:
        """Insert the book and flush the session now, so that queries of this work see what it wrote."""
        self.rows.insert(self.session)
        self.session.flush()


@dataclass
class Office:
    """Settings, database, clock, keys, store and the world outside."""

    settings: Settings
    db: Database
    clock: Clock
    vault: Vault
    contacts: Contacts
    store: Store = field(repr=False)
    _calendar: Calendar | None = field(default=None, init=False, repr=False)

    @classmethod
    def open(cls, settings: Settings | None = None, clock: Clock | None = None) -> Office:
        """Open the office as the settings say. Creates no database: only ``jalur migrate`` does."""
        settings = settings or Settings()
        clock = clock or (TurnedClock(settings.now) if settings.now else Clock())
        return cls(
            settings=settings,
            db=Database(settings.sqlalchemy_url()),
            clock=clock,
            vault=vault_of(settings),
            contacts=contacts_of(settings),
            store=Store(settings.documents_url, settings.home),
        )

    def close(self) -> None:
        """Give the connections back."""
        self.db.close()

    @contextmanager
    def work(self, run: RunHandle) -> Iterator[Work]:
        """Open a unit of work: one transaction; its book is inserted before it commits, an exception rolls both back."""
        with self.db.writing() as session:
            work = Work(self, run, session)
            yield work
            work.rows.insert(session)

    @property
    def calendar(self) -> Calendar:
        """Return the office's working days, as they were decided when the run under way began."""
        if self._calendar is None:
            with self.db.reading() as session:
                self._calendar = as_decided(session, None)
        return self._calendar

    def look_at_the_calendar(self, session: Session) -> None:
        """Take note of what has been decided about days since we looked."""
        self._calendar = as_decided(session, self._calendar)

    @cached_property
    def signer(self) -> Signer:
        """Return the signer of the office's documents."""
        from engine.runtime.signing_keys import signer_of  # pyHanko takes half a second, which only issuing pays

        return signer_of(self.settings)

    @property
    def trusted_certificates(self) -> list[Any]:
        """Return the certificates whose signatures this office stands for."""
        from engine.runtime.signing_keys import trusted_by

        return trusted_by(self.settings)

    @contextmanager
    def run(
        self, kind: str, *, by: str, pipeline: str | None = None, flow_run_id: str | None = None
    ) -> Iterator[RunHandle]:
        """Record a run of ours: ``kind`` is flow, web or cli. A run that raises is recorded as failed, with its error."""
        handle = RunHandle(str(uuid.uuid4()), kind, by)
        started = time.monotonic()
        with self.db.writing() as session:
            self.look_at_the_calendar(session)
            session.execute(
                insert(Run).values(
                    id=handle.id,
                    kind=kind,
                    by=by,
                    pipeline=pipeline,
                    flow_run_id=flow_run_id,
                    started_at=self.clock.now(),
                    state="running",
                    cases=0,
                )
            )
        error: str | None = None
        try:
            yield handle
        except BaseException as raised:
            handle.state = "refused" if isinstance(raised, Refused) else "failed"
            error = without_personal_numbers(f"{type(raised).__name__}: {raised}")[:2000]
            raise
        finally:
            with self.db.writing() as session:
                session.execute(
                    update(Run)
                    .where(Run.id == handle.id)  # type: ignore[arg-type]
                    .values(
                        seconds=round(time.monotonic() - started, 3),
                        state=handle.state,
                        cases=handle.cases,
                        error=error,
                    )
                )
