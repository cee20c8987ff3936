"""What a step changes in the registers that other cases go by: slots, seats, supervisors, names of products.

A pipeline keeps them as rows of `Standing` that its steps write by themselves. Which step did is noted with its entry, for what was
taken there is not forgotten with an answer: engine/recalling.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import object_session
from sqlmodel import Session

from models import Standing

CHANGES_REGISTER = "changes a register"
_NOTED, _HELD = "register_changes", "holds_standings"


@contextmanager
def register_changes(session: Session) -> Iterator[list[str]]:
    """Yield the names of the rows that are added, changed or taken away in ``session`` until the end of the block."""
    noted: list[str] = []
    session.info[_NOTED] = noted
    try:
        yield noted
        if _changed(session):
            session.flush()
    finally:
        del session.info[_NOTED]


@event.listens_for(Session, "before_flush")
def _note(session: Session, *_: Any) -> None:
    changed = _changed(session)
    noted = session.info.get(_NOTED)
    if noted is not None:
        noted += changed


@event.listens_for(Standing, "load")
def _loaded(one: Standing, _: Any) -> None:
    if session := object_session(one):
        session.info[_HELD] = True


def _changed(session: Session) -> list[str]:
    """Return the names of the rows that wait to be written. Looks through what is dirty only where the session holds such a row:

    a chunk holds hundreds of cases that changed, and this is asked at each of their steps.
    """
    found = [one for one in (*session.new, *session.deleted) if isinstance(one, Standing)]
    if found:
        session.info[_HELD] = True
    if session.info.get(_HELD):
        found += (one for one in session.dirty if isinstance(one, Standing) and session.is_modified(one))
    return [one.what for one in found]
