"""Reassign all open questions of one account to several others, the least loaded first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, func, select

from engine.actions.reassign import give
from engine.cases.dossier import lock_dossiers
from engine.cases.ledger import valid_reason
from engine.cases.waits import open_waits
from engine.definition.registry import pipeline_named
from engine.errors import Refused
from engine.letters.notices import notify
from engine.people.permissions import user_ever_named, user_named
from engine.people.roles import role_named
from engine.runtime.batches import process_batch
from engine.runtime.office import Office, RunHandle, Work
from models import CaseFile, Wait, WaitKind
from models.privacy import without_personal_numbers

CHUNK = 200


@dataclass
class Reassigned:
    """The result: the questions that were reassigned, and those that stay, each with the reason."""

    reassigned: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)


def reassign_many(
    office: Office,
    run: RunHandle,
    *,
    holder: str,
    to: Sequence[str],
    by: str,
    reason: str,
    role: str | None = None,
    pipeline: str | None = None,
) -> Reassigned:
    """Reassign the questions of ``holder`` to ``to``, each to the least loaded who may answer.

    A refused question does not stop the others.

    Raises:
        Refused: An account, the role or the pipeline is unknown, or the reason is missing.
    """
    reason, done = valid_reason(reason), Reassigned()
    if role is not None:
        role = role_named(role)
    if pipeline is not None:
        pipeline = pipeline_named(pipeline).name
    with office.db.reading() as session:
        user_ever_named(session, holder)
        for name in (by, *to):
            user_named(session, name)
        wanted = select(Wait.case_id).where(
            col(Wait.settled_at).is_(None), Wait.kind == WaitKind.PERSON, Wait.holder == holder
        )
        wanted = wanted.where(Wait.role == role) if role else wanted
        wanted = wanted.where(Wait.pipeline == pipeline) if pipeline else wanted
        cases = sorted(set(session.exec(wanted)))
        load = _open_questions(session, to)
    order = _Order(holder, tuple(dict.fromkeys(to)), by, reason, role, load)
    for place in range(0, len(cases), CHUNK):
        _reassign_group(office, run, cases[place : place + CHUNK], order, done)
    run.cases += len({one["case"] for one in done.reassigned})
    return done


@dataclass(frozen=True)
class _Order:
    """The former assignee, the new ones, and how many open questions each of these holds by now."""

    holder: str
    to: tuple[str, ...]
    by: str
    reason: str
    role: str | None
    load: Counter[str]


def _open_questions(session: Session, names: Iterable[str]) -> Counter[str]:
    held = select(Wait.holder, func.count()).where(
        col(Wait.settled_at).is_(None), col(Wait.holder).in_(sorted(set(names)))
    )
    return Counter({name or "": count for name, count in session.exec(held.group_by(col(Wait.holder)))})


def _reassign_group(office: Office, run: RunHandle, cases: list[int], order: _Order, done: Reassigned) -> None:
    """Reassign the questions of some cases in one transaction; if it fails, case by case."""

    def given(group: Sequence[int]) -> Reassigned:
        did, load = Reassigned(), Counter(order.load)
        try:
            with office.work(run) as work:
                _reassign(work, group, order, did)
        except Exception:
            order.load.clear()
            order.load.update(load)
            raise
        return did

    def kept(case_id: int, error: Exception) -> Reassigned:
        masked = without_personal_numbers(f"{type(error).__name__}: {error}")
        reason = str(error) if isinstance(error, Refused) else masked
        return Reassigned(refused=_left_in(office, case_id, order, reason))

    for did in process_batch(cases, given, kept):
        done.reassigned += did.reassigned
        done.refused += did.refused


def _reassign(work: Work, cases: Sequence[int], order: _Order, done: Reassigned) -> None:
    by, others = user_named(work.session, order.by), [user_named(work.session, name) for name in order.to]
    given = Counter[str]()
    for dossier in lock_dossiers(work, cases, history=False):
        held = [one for one in open_waits(dossier, WaitKind.PERSON) if one.holder == order.holder]
        for wait in sorted(held, key=lambda one: one.key):
            if order.role and wait.role != order.role:
                continue
            asked = {"case": dossier.case.number, "question": wait.key}
            why: Refused | None = None
            for to in sorted(others, key=lambda one: (order.load[one.name], one.name)):
                try:
                    give(work, dossier, wait, by, to, order.reason)
                except Refused as refused:
                    why = why or refused
                    continue
                order.load[to.name] += 1
                given[to.name] += 1
                done.reassigned.append({**asked, "to": to.name})
                break
            else:
                done.refused.append({**asked, "reason": str(why)})
        work.session.add(dossier.row)
    _tell(work, order, given, f"{work.run.id}/{cases[0]}")


def _tell(work: Work, order: _Order, given: Counter[str], what: str) -> None:
    """Tell each new assignee how many questions came, and the former one how many went."""
    told = [(name, f"{count} pertanyaan dialihkan kepada Anda") for name, count in given.items()]
    if given:
        told.append((order.holder, f"{given.total()} pertanyaan Anda dialihkan kepada {', '.join(sorted(given))}"))
    for name, words in told:
        if name != order.by:
            notify(
                work.session,
                work.office,
                [name],
                what=f"reassigned/{what}",
                kind="reassigned",
                case_number=None,
                words=f"{words}: {order.reason}",
            )


def _left_in(office: Office, case_id: int, order: _Order, reason: str) -> list[dict[str, Any]]:
    """Return the questions that stay in a case that can't be read, with the reason."""
    with office.db.reading() as session:
        held = session.exec(
            select(CaseFile.number, Wait.key, Wait.role)
            .join(CaseFile, col(CaseFile.id) == col(Wait.case_id))
            .where(Wait.case_id == case_id, col(Wait.settled_at).is_(None), Wait.holder == order.holder)
            .order_by(col(Wait.key))
        )
        return [
            {"case": number, "question": key, "reason": reason}
            for number, key, role in held
            if order.role in (None, role)
        ]
