"""Every moment at which the power could fail and the disk be another one: around each commit, and after each call.

A `Watch` sits on an open office and calls back at each moment, which it names: "before commit 3", "after commit 3",
"after oss.file". A commit of a transaction that wrote nothing leaves the disk as it was, and is no moment of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event

from engine.runtime.adapters import Adapters
from engine.runtime.file_store import Store
from engine.runtime.office import Office
from outside.channels import Channel, Message, Receipt
from outside.errors import Bounced
from outside.folder import FolderChannel
from outside.oss import Filing, FilingResult, Oss
from outside.submission import ByHand
from tests.replay.record import fingerprint

WRITES = ("INSERT", "UPDATE", "DELETE")
At = Callable[[str], None]


class Watch:
    """Names the moments of one office, in order, and hands each to ``at`` once there is one."""

    def __init__(self, office: Office) -> None:
        self.at: At = lambda moment: None
        self.commits = 0
        self._wrote = self._counting = False
        engine = office.db.engine
        event.listen(engine, "before_cursor_execute", self._statement)
        event.listen(engine, "rollback", self._rolled_back)
        event.listen(engine, "commit", self._before)
        self._dialect, self._commit = engine.dialect, engine.dialect.do_commit
        self._dialect.do_commit = self._committing  # type: ignore[method-assign, assignment]
        office.adapters = Adapters(WatchedOss(office.adapters.oss, self), WatchedChannel(office.adapters.mail, self))
        office.store = WatchedStore(office.store, self)

    def __enter__(self) -> Watch:
        """Watch until the block ends."""
        return self

    def __exit__(self, *error: object) -> None:
        """Name no more moments; the dialect may be another office's, too."""
        self.at = lambda moment: None
        self._dialect.do_commit = self._commit  # type: ignore[method-assign]

    def called(self, what: str) -> None:
        """Note that a call to the world outside the database has come back."""
        self.at(f"after {what}")

    def _statement(self, connection: Connection, cursor: Any, statement: str, *rest: Any) -> None:
        self._wrote = self._wrote or statement.lstrip().upper().startswith(WRITES)

    def _rolled_back(self, connection: Connection) -> None:
        self._wrote = False

    def _before(self, connection: Connection) -> None:
        self._counting, self._wrote = self._wrote, False
        if self._counting:
            self.commits += 1
            self.at(f"before commit {self.commits}")

    def _committing(self, connection: Any) -> None:
        self._commit(connection)
        if self._counting:
            self._counting = False
            self.at(f"after commit {self.commits}")


class WatchedOss:
    """An adapter to OSS whose calls are moments."""

    def __init__(self, oss: Oss, watch: Watch) -> None:
        self._oss, self._watch, self.name = oss, watch, oss.name

    def file(self, filing: Filing) -> FilingResult | ByHand:
        """File; the moment comes also where the end is unknown."""
        try:
            return self._oss.file(filing)
        finally:
            self._watch.called("oss.file")

    def look_up(self, reference: str, national_id: str) -> FilingResult | None:
        """Look up."""
        try:
            return self._oss.look_up(reference, national_id)
        finally:
            self._watch.called("oss.look_up")


class WatchedChannel:
    """A channel that is a moment, too."""

    def __init__(self, channel: Channel, watch: Watch) -> None:
        self._channel, self._watch, self.name = channel, watch, channel.name

    def send(self, message: Message) -> Receipt:
        """Send."""
        try:
            return self._channel.send(message)
        finally:
            self._watch.called("channel.send")


class WatchedStore(Store):
    """A store of files that is a moment when it has kept one."""

    def __init__(self, store: Store, watch: Watch) -> None:
        self._fs, self._root, self._watch = store._fs, store._root, watch

    def put(self, content: bytes, suffix: str = "pdf") -> tuple[str, str]:
        """Keep a file."""
        try:
            return super().put(content, suffix)
        finally:
            self._watch.called("store.put")


class CountingChannel:
    """A folder of letters that also notes each sending in a file, so that it is known after the process is gone."""

    name = "folder"

    def __init__(self, home: Path, bounces: bool = False) -> None:
        self._folder, self._log, self._bounces = FolderChannel(home / "letters"), home / "sent.log", bounces

    def send(self, message: Message) -> Receipt:
        """Note it and write the letter; or turn it away, where every letter bounces."""
        if self._bounces:
            raise Bounced("550 no such user")
        with self._log.open("a") as log:
            what = [field for field in message if field[0] != "perhaps_sent"]  # says how it is sent, not what
            log.write(f"{message.message_id} {fingerprint(repr(what).encode())}\n")
        return self._folder.send(message)
