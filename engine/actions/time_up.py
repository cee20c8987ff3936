"""End a question whose time is up: in silence, or in the effect that the law gives."""

from __future__ import annotations

from typing import Any

from engine.cases.dossier import Dossier
from engine.cases.ledger import SYSTEM
from engine.cases.waits import mark_settled, write_settlement
from engine.deadlines.clock import local_date
from engine.deadlines.due_dates import effect_of
from engine.letters.deadline_page import queue_deadline_page
from engine.runtime.office import Work
from models import AnyWait, EntryKind


def end_by_time(work: Work, dossier: Dossier, wait: AnyWait) -> bool:
    """Record that the time of a question is up; return False if it was settled before.

    It ends in silence, or in the effect that the law gives its deadline. Such an effect comes with the page that counts its days.
    """
    effect = effect_of(dossier.case.rules, dossier.pipeline.questions[wait.question or ""])
    if effect and not effect.by_law:
        effect = None
    row = dossier.row
    if not mark_settled(work, [wait], "passed" if effect else "silent", work.now):
        return False
    until = local_date(wait.silent_at or work.now)
    said: dict[str, Any] = {"outcome": "silent", "reason": f"no answer until {until}"}
    if effect:
        page = queue_deadline_page(work, dossier, wait, effect)
        named = {"authority": effect.authority, "effect": effect.effect, "citation": effect.citation}
        said = {
            "outcome": "passed",
            "reason": f"{effect.effect}: {effect.authority}, {effect.citation}",
            "result": {**named, "computation": page},
        }
    write_settlement(work, row, wait, kind=EntryKind.ANSWER, actor=SYSTEM, **said)
    work.session.add(row)
    return True
