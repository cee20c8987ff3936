"""A process that ends in the middle: at an entry of the ledger, or just before a commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from sqlalchemy import Connection, event

from engine.execution.recorder import LedgerRecorder
from engine.runtime.office import Office
from tests.engine.together import Killed


@contextmanager
def dying(office: Office, kind: str, nth: int, say: Callable[[str], None]) -> Iterator[None]:
    """Let the process die at the ``nth`` entry or commit, if it comes to that."""
    left = [nth]

    def here(*_: Any, **__: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    def dying_append(recorder: LedgerRecorder, *args: Any, **named: Any) -> None:
        here()
        append(recorder, *args, **named)

    def before_commit(connection: Connection) -> None:
        here()

    append, engine = LedgerRecorder.append, office.db.engine
    try:
        if kind == "entry":
            with mock.patch.object(LedgerRecorder, "append", dying_append):
                yield
        else:
            event.listen(engine, "commit", before_commit)
            try:
                yield
            finally:
                event.remove(engine, "commit", before_commit)
    except Killed:
        say("… and died")
