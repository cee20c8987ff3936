"""The office: settings, database, clock and keys in one object; its runs and units of work."""

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

from engine.deadlines.calendar import Calendar, read_calendar
from engine.deadlines.clock import Clock, TurnedClock
from engine.errors import Refused
from engine.runtime import office_ledger
from engine.runtime.adapters import Adapters, adapters_of
from engine.runtime.batch_writer import BatchWriter
from engine.runtime.database import Database
from engine.runtime.encryption import Vault, vault_of
from engine.runtime.file_store import Store
from engine.runtime.proofs import Proof
from engine.runtime.settings import Settings
from models import Run
from models.privacy import without_personal_numbers

if TYPE_CHECKING:
    from documents.signing import Signer


@dataclass
class RunHandle:
    """A run under way: a command, a web request or a flow run.

    Each ledger entry of the run bears its id. ``on_behalf_of`` is the account for which an administrator acts.
    """

    id: str
    kind: str
    by: str
    cases: int = 0
    state: str = "completed"
    on_behalf_of: str | None = None

    def signed(self, actor: str, on_behalf_of: str | None = None) -> dict[str, Any]:
        """Return the actor of an entry, and for whom: an administrator signs with their own name."""
        if self.on_behalf_of is not None and actor == self.on_behalf_of:
            return {"actor": self.by, "on_behalf_of": on_behalf_of or actor}
        return {"actor": actor, "on_behalf_of": on_behalf_of}


# For a unit of work that is rolled back: no row of `models.Run` is written for it.
NO_RUN = RunHandle("", "cli", "")


@dataclass(frozen=True)
class Work:
    """A unit of work: one transaction of one run.

    The rows that it collects are inserted together before it commits.

    A function that writes takes a `Work`; a function that only reads takes the office and a session.
    """

    office: Office
    run: RunHandle
    session: Session
    rows: BatchWriter = field(default_factory=BatchWriter)

    @property
    def now(self) -> datetime:
        """Return the present moment.

        The clock is read at every call: after a wait for a lock, a moment read earlier would date an entry
        before the change that held the lock.
        """
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
        """Return the vault that encrypts and decrypts personal data."""
        return self.office.vault

    def flush(self) -> None:
        """Insert the collected rows and flush the session, so that later queries see them."""
        self.rows.insert(self.session)
        self.session.flush()


@dataclass
class Office:
    """Settings, database, clock, keys, file store and adapters of one installation.

    ``proof`` tells how the actor of a command is known; where several people are served at once it is None.
    """

    settings: Settings
    db: Database
    clock: Clock
    vault: Vault
    adapters: Adapters
    store: Store = field(repr=False)
    proof: Proof | None = None
    _calendar: Calendar | None = field(default=None, init=False, repr=False)

    @classmethod
    def open(cls, settings: Settings | None = None, clock: Clock | None = None) -> Office:
        """Open the office that the settings describe.

        The database must exist already: ``jalur migrate`` creates it.

        Raises:
            Refused: production has settings that are missing, weak or left as they come.
        """
        settings = settings or Settings()
        settings.must_be_safe()
        clock = clock or (TurnedClock(settings.now) if settings.now else Clock())
        return cls(
            settings=settings,
            db=Database(settings.sqlalchemy_url()),
            clock=clock,
            vault=vault_of(settings),
            adapters=adapters_of(settings),
            store=Store(settings.documents_url, settings.home),
        )

    def close(self) -> None:
        """Close the database's connections."""
        self.db.close()

    @contextmanager
    def work(self, run: RunHandle) -> Iterator[Work]:
        """Open a unit of work.

        Its collected rows are inserted before the commit; an exception rolls back.
        """
        with self.db.writing() as session:
            work = Work(self, run, session)
            yield work
            work.rows.leave_hashes(session)
            work.rows.insert(session)

    @property
    def calendar(self) -> Calendar:
        """Return the office's working days, as decided when the run under way began."""
        if self._calendar is None:
            with self.db.reading() as session:
                self._calendar = read_calendar(session, None)
        return self._calendar

    def refresh_calendar(self, session: Session) -> None:
        """Read the decisions about days that were made since the calendar was last read."""
        self._calendar = read_calendar(session, self._calendar)

    @cached_property
    def signer(self) -> Signer:
        """Return the signer of the office's documents."""
        from engine.runtime.signing_keys import signer_of  # pyHanko takes half a second, which only issuing pays

        return signer_of(self.settings)

    @property
    def trusted_certificates(self) -> list[Any]:
        """Return the certificates whose signatures count as this office's own."""
        from engine.runtime.signing_keys import trusted_by

        return trusted_by(self.settings)

    @contextmanager
    def run(
        self, kind: str, *, by: str, pipeline: str | None = None, flow_run_id: str | None = None
    ) -> Iterator[RunHandle]:
        """Record a run of ``kind``: flow, web or cli.

        A run that raises is recorded as failed, with its error, or as refused.
        """
        proof = self.proof if self.proof and by in (self.proof.by, self.proof.acts_as) else None
        by = proof.by if proof else by
        handle = RunHandle(str(uuid.uuid4()), kind, by, on_behalf_of=proof.on_behalf_of if proof else None)
        started = time.monotonic()
        begun: dict[str, Any] = {
            "id": handle.id,
            "kind": kind,
            "by": by,
            "way": str(proof.way) if proof else None,
            "on_behalf_of": handle.on_behalf_of,
            "reason": proof.reason if proof else None,
            "pipeline": pipeline,
            "flow_run_id": flow_run_id,
            "started_at": self.clock.now(),
        }
        with self.db.writing() as session:
            self.refresh_calendar(session)
            session.execute(insert(Run).values(**begun, state="running", cases=0))
        error: str | None = None
        try:
            yield handle
        except BaseException as raised:
            handle.state = "refused" if isinstance(raised, Refused) else "failed"
            error = without_personal_numbers(f"{type(raised).__name__}: {raised}")[:2000]
            raise
        finally:
            ended: dict[str, Any] = {
                "seconds": round(time.monotonic() - started, 3),
                "state": handle.state,
                "cases": handle.cases,
                "error": error,
            }
            with self.work(handle) as work:
                work.session.execute(update(Run).where(Run.id == handle.id).values(**ended))  # type: ignore[arg-type]
                told = {name: begun[name] for name in ("kind", "way", "on_behalf_of", "reason") if begun[name]}
                office_ledger.record(work, "run ended", handle.id, told, rows=[Run(**begun, **ended)])
