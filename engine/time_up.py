"""Ends a question whose time is up: by silence, or by what the law says of its deadline."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from engine.book import Book
from engine.clock import local_date
from engine.computing import queue_computation
from engine.deadlines import effect_of
from engine.dossiers import Dossier
from engine.ledger import SYSTEM
from engine.office import Office, RunHandle
from engine.settling import record, win
from models import AnyWait, EntryKind


def end_by_time(office: Office, run: RunHandle, session: Session, dossier: Dossier, wait: AnyWait) -> bool:
    """Record that the time of a question is up: silence, or what the law says of its deadline. Return False if it ended before.

    An effect of the law comes with the page that counts the days to it.
    """
    effect = effect_of(dossier.case.rules, dossier.pipeline.questions[wait.question or ""])
    if effect and not effect.by_law:
        effect = None
    book, row = Book(), dossier.row
    if not win(session, [wait], "passed" if effect else "silent", office.clock.now()):
        return False
    until = local_date(wait.silent_at or office.clock.now())
    said: dict[str, Any] = {"outcome": "silent", "reason": f"no answer until {until}"}
    if effect:
        page = queue_computation(office, session, book, dossier, wait, effect)
        named = {"authority": effect.authority, "effect": effect.effect, "citation": effect.citation}
        said = {
            "outcome": "passed",
            "reason": f"{effect.effect}: {effect.authority}, {effect.citation}",
            "result": {**named, "computation": page},
        }
    record(office, run, book, row, wait, kind=EntryKind.ANSWER, actor=SYSTEM, **said)
    book.insert(session)
    session.add(row)
    return True
