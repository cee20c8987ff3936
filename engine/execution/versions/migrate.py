"""Moves open cases to another version of their process, or to the rules of another day: on purpose, and back again.

A case finishes under the version and the rules it began with unless somebody moves it. Whether it can be moved is found out by
`engine.execution.versions.fit_check`; a case that went on since then is not moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from sqlmodel import Session, col, select, update

from engine.cases import ledger
from engine.cases.dossier import fetch_row
from engine.cases.ledger import valid_reason
from engine.definition.registry import pipeline_named
from engine.errors import NotAllowed, Refused
from engine.execution.versions.fit_check import Fit, Moves, Place, check
from engine.people.permissions import roles_of, user_named
from engine.runtime.database import among
from engine.runtime.leases import CHUNK
from engine.runtime.office import Office, RunHandle
from models import Case as CaseRow
from models import CaseStatus, EntryKind, LedgerEntry, Role

MOVED, MOVED_BACK = "migrated", "migration_undone"
NOT_MOVED = (
    "it was not moved, or was moved on or back since",
    "permohonan tidak pernah dipindahkan, atau sudah dipindahkan lagi",
)
WENT_ON = (
    "it went on while it was being moved; migrate it again",
    "permohonan berlanjut selagi dipindahkan; ulangi pemindahannya",
)


@dataclass
class Plan:
    """Which cases of one pipeline are to go where, by their ids; and the numbers of those that have nowhere to go back to."""

    pipeline: str
    places: dict[int, Place] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    act: str = MOVED


def plan_for(office: Office, number: str, *, to: int | None = None, rules_on: date | None = None) -> Plan:
    """Return the plan to move one case to a version (None: the newest). Raises `UnknownCase`, `Refused`: no such version."""
    with office.db.reading() as session:
        case = fetch_row(session, number)
    return Plan(case.pipeline, {case.id or 0: Place(pipeline_named(case.pipeline, to).version, rules_on)})


def plan_for_all(office: Office, pipeline: str, *, to: int | None = None) -> Plan:
    """Return the plan to move every open case of ``pipeline`` that is not there yet. Raises `Refused`."""
    target = pipeline_named(pipeline, to)
    with office.db.reading() as session:
        wanted = select(CaseRow.id).where(
            CaseRow.pipeline == target.name,
            col(CaseRow.status) != CaseStatus.CLOSED,
            CaseRow.version != target.version,
        )
        ids = sorted(case_id or 0 for case_id in session.exec(wanted))
    return Plan(target.name, dict.fromkeys(ids, Place(target.version)))


def plan_back(office: Office, number: str) -> Plan:
    """Return the plan to undo the last move of one case. Raises `UnknownCase`."""
    with office.db.reading() as session:
        case = fetch_row(session, number)
        return _back(session, case.pipeline, {case.id or 0: number}, None)


def plan_all_back(office: Office, pipeline: str, run_id: str) -> Plan:
    """Return the plan to undo what one run moved. Raises `Refused` where that run moved nothing."""
    name = pipeline_named(pipeline).name
    with office.db.reading() as session:
        wanted = (
            select(CaseRow.id, CaseRow.number)
            .join(LedgerEntry, col(LedgerEntry.case_id) == col(CaseRow.id))
            .where(CaseRow.pipeline == name, LedgerEntry.run_id == run_id, LedgerEntry.key == MOVED)
        )
        cases = {case_id or 0: number for case_id, number in session.exec(wanted)}
        if not cases:
            raise Refused(
                f"Run {run_id} moved no case of {name}. See: jalur runs",
                for_people=f"Proses {run_id} tidak memindahkan permohonan apa pun. Lihat: jalur runs",
            )
        return _back(session, name, cases, run_id)


def look(office: Office, plan: Plan) -> Moves:
    """Return what moving would do; nothing is changed."""
    moves = _begun(plan)
    for chunk in _chunks(plan.places):
        check(office, plan.pipeline, chunk, moves)
    return moves


def move(office: Office, run: RunHandle, plan: Plan, *, by: str, reason: str) -> Moves:
    """Move the cases of ``plan`` that can be moved, a chunk a transaction. Raises `NotAllowed`, `Refused` for ``by``."""
    reason = valid_reason(reason)
    with office.db.reading() as session:
        _must_be_administrator(session, by)
    moves = _begun(plan)
    for chunk in _chunks(plan.places):
        fits = check(office, plan.pipeline, chunk, moves)
        record(office, run, fits, moves, act=plan.act, by=by, reason=reason)
    run.cases += len(moves.moved)
    return moves


def move_one(office: Office, run: RunHandle, plan: Plan, *, by: str, reason: str) -> None:
    """Move one case. Raises `Refused` with the reason when it can't be moved, and what `move` raises."""
    moves = move(office, run, plan, by=by, reason=reason)
    for refused in moves.refused:
        number, why = refused["case"], refused["reason"]
        raise Refused(
            f"Case {number} stays where it is: {why}. See: jalur case history {number}",
            for_people=f"Permohonan {number} tetap seperti semula: {moves.for_people[number]}.",
            case=number,
        )


def record(
    office: Office, run: RunHandle, fits: Iterable[Fit], moves: Moves, *, act: str, by: str, reason: str
) -> None:
    """Move the cases that were found to fit, with a remark each; one that has changed since is refused. One transaction."""
    with office.work(run) as work:
        for fit in fits:
            seen = fit.row
            head = ledger.Head(seen.id, seen.number, fit.version, seen.last_seq, seen.head)
            entry = ledger.append(
                head,
                at=work.now,
                run_id=run.id,
                kind=EntryKind.REMARK,
                key=act,
                actor=by,
                role=Role.ADMINISTRATOR,
                outcome=act,
                reason=reason,
                result={
                    "from": seen.version,
                    "to": fit.version,
                    "rules_from": seen.rule_date.isoformat(),
                    "rules_to": fit.rules_on.isoformat(),
                },
            )
            # An answer writes an entry; a worker that comes by opens waits without one, but the case is ready no more.
            won = work.session.execute(
                update(CaseRow)
                .where(
                    col(CaseRow.id) == seen.id,
                    col(CaseRow.status) == seen.status,
                    col(CaseRow.version) == seen.version,
                    col(CaseRow.rule_date) == seen.rule_date,
                    col(CaseRow.last_seq) == seen.last_seq,
                    col(CaseRow.ready) == seen.ready,
                )
                .values(version=fit.version, rule_date=fit.rules_on, last_seq=head.last_seq, head=head.head)
                .returning(col(CaseRow.id))
                .execution_options(synchronize_session=False)
            ).first()
            if won:
                work.rows.write(LedgerEntry, **entry)
                moves.moved.append(seen.number)
            else:
                moves.refuse(seen.number, *WENT_ON)


# -- inside ------------------------------------------------------------------------------------------------------------


def _begun(plan: Plan) -> Moves:
    moves = Moves()
    for number in plan.refused:
        moves.refuse(number, *NOT_MOVED)
    return moves


def _back(session: Session, pipeline: str, cases: Mapping[int, str], run_id: str | None) -> Plan:
    """Return where each case was before its last move, if that was the one of ``run_id`` (None: whichever)."""
    plan = Plan(pipeline, act=MOVED_BACK)
    wanted = (
        select(LedgerEntry)
        .where(among(session, col(LedgerEntry.case_id), list(cases)), col(LedgerEntry.key).in_((MOVED, MOVED_BACK)))
        .order_by(col(LedgerEntry.case_id), col(LedgerEntry.seq))
    )
    last = {entry.case_id: entry for entry in session.exec(wanted)}
    for case_id, number in cases.items():
        entry = last.get(case_id)
        if entry is None or entry.key != MOVED or run_id not in (None, entry.run_id):
            plan.refused.append(number)
        else:
            plan.places[case_id] = Place(entry.result["from"], date.fromisoformat(entry.result["rules_from"]))
    return plan


def _chunks(places: Mapping[int, Place]) -> Iterator[dict[int, Place]]:
    waiting = iter(sorted(places.items()))
    while chunk := dict(islice(waiting, CHUNK)):
        yield chunk


def _must_be_administrator(session: Session, name: str) -> None:
    if Role.ADMINISTRATOR not in roles_of(session, user_named(session, name)):
        raise NotAllowed(
            f"{name} is no administrator, and only they move cases",
            for_people="Hanya administrator yang boleh memindahkan permohonan ke versi lain.",
            user=name,
        )
