"""What a step changes in the registers that other cases go by: slots, seats, supervisors, names of products.

A pipeline keeps them as rows of `Standing` that its steps write by themselves. Which step did is noted with its entry, for what was
taken there is not forgotten with an answer: engine/recalling.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlmodel import Session

from models import Standing

CHANGES_REGISTER = "changes a register"
_NOTED = "register_changes"


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
    noted = session.info.get(_NOTED)
    if noted is not None:
        noted += _changed(session)


def _changed(session: Session) -> list[str]:
    touched = [*session.new, *session.deleted, *(one for one in session.dirty if session.is_modified(one))]
    return [one.what for one in touched if isinstance(one, Standing)]
