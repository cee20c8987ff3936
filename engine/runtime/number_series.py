"""Gap-free series of numbers, drawn in the transaction that uses the numbers.

The update locks the series' row until the commit, so two workers queue; a rollback gives the numbers back. Series
are drawn in sorted order: two workers with two series each can't deadlock.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import update
from sqlmodel import Session, col

from engine.runtime.database import insert_new
from models import Series


def draw(session: Session, wanted: Mapping[str, int]) -> dict[str, list[int]]:
    """Draw ``wanted[series]`` numbers from each series; return them in rising order.

    Locks: the series' rows until the commit; draw as late in a transaction as possible.
    """
    return {name: _draw(session, name, wanted[name]) for name in sorted(wanted) if wanted[name]}


def _draw(session: Session, name: str, count: int) -> list[int]:
    raised = update(Series).where(col(Series.name) == name).values(last=Series.last + count).returning(col(Series.last))
    last = session.scalar(raised)
    if last is None:
        session.execute(insert_new(session, Series).values(name=name, last=0))
        last = session.scalar(raised)
    assert last is not None
    return list(range(last - count + 1, last + 1))
