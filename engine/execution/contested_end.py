"""Contested ends: what the process of an appeal is told about the case and its end."""

from __future__ import annotations

from typing import Any

from engine.cases.dossier import Dossier
from engine.cases.ledger import LODGED, SYSTEM
from engine.deadlines.clock import local_date
from engine.definition.case import Lodged
from engine.definition.declarations import Ending
from engine.definition.forms import ApplicantForm
from engine.definition.registry import Appeal, appeal_named, carried_question
from engine.people.impartiality import named_in
from models import EntryKind, Role


def lodged_appeal(dossier: Dossier, outcome: Ending) -> tuple[Appeal, Lodged]:
    """Return the process of the appeal that was lodged against ``outcome``, and its subject."""
    past = dossier.past
    entry, closed = past.entries[LODGED], past.entries["closed#1"]
    words, at = past.answers[LODGED]
    lodged = Lodged(
        outcome=outcome,
        refused_for=closed.reason or "",
        closed_on=local_date(closed.at),
        reason=words["reason"],
        evidence=words["evidence"],
        by=entry.actor,
        on=local_date(at),
        decided_by=_decided_by(dossier, closed.seq),
        known={**dossier.case.carried, **_stated(dossier, closed.seq)},
    )
    return appeal_named(entry.result["appeal"], entry.result["version"]), lodged


def _decided_by(dossier: Dossier, end: int) -> dict[str, list[str]]:
    """Return who answered each question to an official before entry ``end``.

    Whoever answered it in the case before this one is among them.
    """
    before = dossier.case.handed_on.decided_by if dossier.case.handed_on else {}
    decided = {question: set(names) for question, names in before.items()}
    for key, entry in dossier.past.entries.items():
        question = dossier.pipeline.questions.get(key.split("#")[0])
        by_person = entry.kind == EntryKind.ANSWER and entry.actor != SYSTEM and entry.seq < end
        if by_person and question and question.of is not Role.APPLICANT:
            decided.setdefault(question.name, set()).update(named_in([entry]))
    return {question: sorted(names) for question, names in sorted(decided.items())}


def _stated(dossier: Dossier, end: int) -> dict[str, Any]:
    """Return the applicant's last answer to the question with which a new case begins.

    How it was signed is left out.
    """
    past, wanted = dossier.past, carried_question(dossier.pipeline.name)
    said = [past.entries[key] for key in past.answers if key.split("#")[0] == wanted and past.entries[key].seq < end]
    if not said:
        return {}
    words, _ = past.answers[max(said, key=lambda entry: entry.seq).key]
    return {name: value for name, value in words.items() if name not in ApplicantForm.model_fields}
