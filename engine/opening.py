"""Opens cases: facts taken and sealed, a number drawn, the first ledger entry written, all in one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlmodel import Session, col, insert, select

from engine import ledger
from engine.claiming import CHUNK
from engine.clock import local_date
from engine.database import among
from engine.numbering import draw
from engine.office import Office, RunHandle
from engine.registry import Pipeline
from engine.replay import jsonable
from engine.subjects import LOADERS, facts_type
from models import Business, Case, CaseStatus, EntryKind, LedgerEntry


@dataclass
class Opened:
    """The numbers of the cases that were opened, and the subjects that were refused, each with its reason."""

    opened: list[str] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)


def open_cases(
    office: Office,
    run: RunHandle,
    pipeline: Pipeline,
    subjects: Iterable[int],
    *,
    by: str,
    facts: dict[str, Any] | None = None,
) -> Opened:
    """Open a case of ``pipeline`` for each subject (ids of its kind), a chunk a transaction.

    A subject that does not exist, or has an open case in this pipeline, is refused with the reason; the others go on.
    """
    facts_type(pipeline.subject)
    result = Opened()
    waiting = iter(subjects)
    while chunk := list(islice(waiting, CHUNK)):
        with office.db.writing() as session:
            _open_chunk(office, run, session, pipeline, chunk, by, facts or {}, result)
    run.cases += len(result.opened)
    return result


def _open_chunk(
    office: Office,
    run: RunHandle,
    session: Session,
    pipeline: Pipeline,
    subjects: list[int],
    by: str,
    given: dict[str, Any],
    result: Opened,
) -> None:
    loaded = LOADERS[pipeline.subject](office, session, subjects)
    open_already = dict(
        session.exec(
            select(Case.subject_id, Case.number).where(
                Case.subject_kind == pipeline.subject,
                among(session, col(Case.subject_id), subjects),
                Case.pipeline == pipeline.name,
                col(Case.status) != CaseStatus.CLOSED,
            )
        ).all()
    )
    wanted: list[int] = []
    for subject in subjects:
        name = f"{pipeline.subject} {subject}"
        if subject not in loaded:
            result.refused.append({"subject": name, "reason": f"There is no {name}"})
        elif subject in open_already or subject in wanted:
            known = open_already.get(subject, "this same request")
            result.refused.append({"subject": name, "reason": f"It has an open case already: {known}"})
        else:
            wanted.append(subject)
    if not wanted:
        return
    now = office.clock.now()
    today = local_date(now)
    rows: list[dict[str, Any]] = []
    for subject in wanted:
        facts, applicant, key, region = loaded[subject]
        rows.append(
            {
                "pipeline": pipeline.name,
                "version": pipeline.version,
                "rule_date": today,
                "subject_kind": pipeline.subject,
                "subject_id": subject,
                "person_id": applicant.person_id,
                "region_code": region,
                "salt": secrets.token_hex(16),
                "facts": office.vault.seal(key, {**jsonable(facts), **given}),
                "status": str(CaseStatus.OPEN),
                "ready": True,
                "attempts": 0,
                "opened_at": now,
                "last_seq": 0,
                "head": "",
            }
        )
    series = f"{pipeline.prefix}-{today.year}"
    numbers = draw(session, {series: len(rows)})[series]  # late: others wait for the series until we commit
    entries: list[dict[str, Any]] = []
    for row, number in zip(rows, numbers, strict=True):
        row["number"] = f"{series}-{number:06d}"
        case = ledger.Head(None, row["number"], row["version"])
        entries.append(
            ledger.append(
                case,
                at=now,
                run_id=run.id,
                kind=EntryKind.OPENED,
                key="opened#1",
                actor=by,
                outcome="opened",
                arguments_hash=ledger.salted_hash(row["salt"], row["subject_id"]),
            )
        )
        row["last_seq"], row["head"] = case.last_seq, case.head
    ids = session.scalars(insert(Case).returning(col(Case.id), sort_by_parameter_order=True), rows).all()
    session.execute(insert(LedgerEntry), [{**e, "case_id": i} for e, i in zip(entries, ids, strict=True)])
    result.opened += [row["number"] for row in rows]


def without_case(office: Office, pipeline: Pipeline) -> list[int]:
    """Return the imported subjects that never had a case in ``pipeline``, in the order of their ids."""
    facts_type(pipeline.subject)
    with office.db.reading() as session:
        had = select(Case.subject_id).where(Case.subject_kind == pipeline.subject, Case.pipeline == pipeline.name)
        wanted = (
            select(Business.id)
            .where(col(Business.import_id).is_not(None), col(Business.id).not_in(had))
            .order_by(col(Business.id))
        )
        return [found for found in session.exec(wanted) if found is not None]
