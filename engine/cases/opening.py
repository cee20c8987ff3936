"""Open cases: encrypt facts, draw numbers, write the first entries, in one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlmodel import col, insert, select

from engine.cases import ledger
from engine.cases.case_state import OPENED_STATE
from engine.cases.ledger import jsonable
from engine.cases.subject_facts import Subject, kind_of
from engine.deadlines.clock import local_date
from engine.definition.case import HandedOn
from engine.definition.incoming import must_be_clean
from engine.definition.registry import Pipeline
from engine.errors import Refused
from engine.runtime.bound_rows import bound_hash, reference
from engine.runtime.database import among
from engine.runtime.leases import CHUNK
from engine.runtime.number_series import draw
from engine.runtime.office import Office, RunHandle, Work
from models import CaseFile, CaseStatus, EntryKind, LedgerEntry


@dataclass
class Opened:
    """The numbers of the opened cases, and the refused subjects, each with its reason."""

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
    """Open a case of ``pipeline`` for each subject (ids of its kind), one chunk a transaction.

    A subject that does not exist, or has an open case in this pipeline, is refused in the result; the others are opened.

    Raises:
        BadText: ``facts`` hold what can't be kept or printed, or are too large.
        Refused: ``facts`` name ``handed_on``, which only another case can give.
    """
    kind_of(pipeline.subject)
    must_be_clean(by=by, facts=facts)
    if "handed_on" in (facts or {}):
        raise Refused(
            "A case that comes from another one is opened by that one; leave out handed_on",
            for_people="Permohonan lanjutan dibuka oleh permohonan asalnya. Hapus handed_on.",
        )
    result = Opened()
    waiting = iter(subjects)
    while chunk := list(islice(waiting, CHUNK)):
        with office.work(run) as work:
            for subject, opening in zip(chunk, open_in(work, pipeline, chunk, by, facts), strict=True):
                if opening.opened:
                    result.opened.append(opening.number)
                else:
                    reason = f"It has an open case already: {opening.number}" if opening.number else "There is no {}"
                    name = f"{pipeline.subject} {subject}"
                    result.refused.append({"subject": name, "reason": reason.format(name)})
    run.cases += len(result.opened)
    return result


@dataclass(frozen=True)
class Opening:
    """The result for one subject: its new case, its open case, or "" where it does not exist."""

    number: str = ""
    opened: bool = False


def open_in(
    work: Work,
    pipeline: Pipeline,
    subjects: list[int],
    by: str,
    given: dict[str, Any] | None = None,
    handed_on: Mapping[int, HandedOn] | None = None,
) -> list[Opening]:
    """Open a case for each subject, in the caller's transaction; return the results in order.

    ``handed_on`` names, by subject, the case from which the new one comes, and what is known there.

    Locks: the subjects' rows, and the number series from the moment of drawing.
    """
    loaded = kind_of(pipeline.subject).load(work.office, work.session, subjects)
    numbers = dict(
        work.session.exec(
            select(CaseFile.subject_id, CaseFile.number).where(
                CaseFile.subject_kind == pipeline.subject,
                among(work.session, col(CaseFile.subject_id), subjects),
                CaseFile.pipeline == pipeline.name,
                col(CaseFile.status) != CaseStatus.CLOSED,
                col(CaseFile.number).not_in([origin.number for origin in (handed_on or {}).values()]),
            )
        ).all()
    )
    wanted = [subject for subject in dict.fromkeys(subjects) if subject in loaded and subject not in numbers]
    if wanted:
        origins = {subject: (handed_on or {}).get(subject) for subject in wanted}
        numbers |= _open(work, pipeline, {s: loaded[s] for s in wanted}, by, given or {}, origins)
    new, openings = set(wanted), []
    for subject in subjects:
        openings.append(Opening(numbers.get(subject, ""), subject in new))
        new.discard(subject)  # the same subject twice in one request: the first one opens it
    return openings


def _open(
    work: Work,
    pipeline: Pipeline,
    loaded: dict[int, Subject],
    by: str,
    given: dict[str, Any],
    origins: Mapping[int, HandedOn | None],
) -> dict[int, str]:
    now = work.now
    today = local_date(now)
    rows: list[dict[str, Any]] = []
    for subject, (facts, applicant, key, region) in loaded.items():
        origin = {"handed_on": jsonable(origins[subject])} if origins[subject] else {}
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
                "facts": work.vault.encrypt(key, {**jsonable(facts), **given, **origin}),
                **OPENED_STATE,
                "opened_at": now,
                "complete_at": None,
                "last_seq": 0,
                "head": "",
            }
        )
    series = f"{pipeline.prefix}-{today.year}"
    numbers = draw(work.session, {series: len(rows)})[
        series
    ]  # drawn late: other workers wait for the series until we commit
    entries: list[dict[str, Any]] = []
    for row, number in zip(rows, numbers, strict=True):
        row["number"] = f"{series}-{number:06d}"
        case = ledger.Head(None, row["number"], row["version"])
        origin_case = origins[row["subject_id"]]
        entries.append(
            ledger.append(
                case,
                at=now,
                run_id=work.run.id,
                kind=EntryKind.OPENED,
                key="opened#1",
                **work.run.signed(by),
                outcome="opened",
                reason=f"dilanjutkan dari {origin_case.number}" if origin_case else None,
                arguments_hash=ledger.salted_hash(row["salt"], row["subject_id"]),
                rows={reference(CaseFile, row): bound_hash(CaseFile, row)},
            )
        )
        row["last_seq"], row["head"] = case.last_seq, case.head
    ids = work.session.scalars(insert(CaseFile).returning(col(CaseFile.id), sort_by_parameter_order=True), rows).all()
    work.session.execute(insert(LedgerEntry), [{**e, "case_id": i} for e, i in zip(entries, ids, strict=True)])
    return {row["subject_id"]: row["number"] for row in rows}


def subjects_without_case(office: Office, pipeline: Pipeline) -> list[int]:
    """Return the ids of imported subjects that never had a case in ``pipeline``, sorted."""
    imported: Any = kind_of(pipeline.subject).imported
    with office.db.reading() as session:
        had = select(CaseFile.subject_id).where(
            CaseFile.subject_kind == pipeline.subject, CaseFile.pipeline == pipeline.name
        )
        return sorted(set(session.scalars(imported)) - set(session.scalars(had)))
