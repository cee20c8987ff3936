"""`hand_on`: the next pipeline's case is opened and the wait for it settled together.

Case rows are locked first, then the subjects, then the series of numbers: in that order everywhere, or two workers could wait
for each other for ever.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlmodel import col, select

from engine.cases.dossier import Dossier, lock_dossiers
from engine.cases.ledger import SYSTEM, jsonable, write_remark
from engine.cases.opening import Opening, open_in
from engine.cases.waits import settle
from engine.definition.case import HandedOn
from engine.definition.registry import Pipeline, pipeline_named
from engine.execution.claims import claim_waits
from engine.runtime.database import among
from engine.runtime.office import Office, RunHandle, Work
from models import CaseFile, CaseStatus, EntryKind, Wait, WaitKind

BATCH = 100


def hand_on_waiting(office: Office, run: RunHandle, pipeline: str, only: Iterable[int] | None) -> int:
    """Open the cases that others wait for, up to a batch; return how many were taken up.

    Locks: the cases that wait, in the order of their ids.
    """
    with office.work(run) as work:
        claimed = claim_waits(office, work.session, pipeline, WaitKind.HAND_ON, only, BATCH)
        waits = {wait.case_id: wait for wait in claimed}
        if not waits:
            return 0
        by_target: dict[str, list[tuple[Dossier, HandedOn]]] = defaultdict(list)
        for dossier in lock_dossiers(work, waits):
            request = work.vault.decrypt(dossier.key, waits[dossier.row.id or 0].request or b"")
            by_target[request["pipeline"]].append((dossier, _origin(dossier, request)))
        for target, givers in sorted(by_target.items()):
            subjects = {dossier.case.subject_id: origin for dossier, origin in givers}
            _bar_who_decided(work, pipeline_named(target), subjects)
            openings = open_in(work, pipeline_named(target), list(subjects), SYSTEM, handed_on=subjects)
            opened = dict(zip(subjects, openings, strict=True))
            for dossier, _ in givers:
                _settle(work, dossier, waits[dossier.row.id or 0], opened[dossier.case.subject_id])
        return len(waits)


def _bar_who_decided(work: Work, target: Pipeline, origins: Mapping[int, HandedOn]) -> None:
    """Bar whoever decided a question from deciding it anew in a case that was open already.

    Locks: those open cases.
    """
    anew = {subject: origin for subject, origin in origins.items() if origin.decided_by}
    if not anew:
        return
    ids = work.session.exec(
        select(CaseFile.id).where(
            CaseFile.subject_kind == target.subject,
            among(work.session, col(CaseFile.subject_id), anew),
            CaseFile.pipeline == target.name,
            col(CaseFile.status) != CaseStatus.CLOSED,
            col(CaseFile.number).not_in([origin.number for origin in anew.values()]),
        )
    )
    for other in lock_dossiers(work, [case_id or 0 for case_id in ids]):
        origin = anew[other.case.subject_id]
        known = other.case.handed_on or HandedOn(origin.number, {})
        decided = {
            question: sorted({*known.decided_by.get(question, []), *origin.decided_by.get(question, [])})
            for question in sorted({*known.decided_by, *origin.decided_by})
        }
        facts = work.vault.decrypt(other.key, other.row.facts)
        handed_on = jsonable(replace(known, decided_by=decided))
        other.row.facts = work.vault.encrypt(other.key, {**facts, "handed_on": handed_on})
        work.rows.note(CaseFile, other.row.model_dump())
        write_remark(work, other.row, "examines_anew", SYSTEM, f"dilanjutkan dari {origin.number}")
        work.session.add(other.row)


def _origin(dossier: Dossier, request: dict[str, Any]) -> HandedOn:
    return HandedOn(dossier.case.number, request["facts"], request.get("decided_by", {}))


def _settle(work: Work, dossier: Dossier, wait: Wait, opening: Opening) -> None:
    settle(
        work,
        dossier.row,
        wait,
        settled_as="answered",
        kind=EntryKind.MACHINE,
        actor=SYSTEM,
        outcome="handed_on",
        reason=f"dilanjutkan sebagai {opening.number}",
        result={"number": opening.number, "opened": opening.opened},
    )
