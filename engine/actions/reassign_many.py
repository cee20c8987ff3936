"""All that somebody holds is spread over others, who hold the fewest open questions first; each with its own result."""

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
from engine.people.permissions import role_named, user_named
from engine.runtime.batches import process_batch
from engine.runtime.office import Office, RunHandle, Work
from models import Case as CaseRow
from models import Wait, WaitKind
from models.privacy import without_personal_numbers

CHUNK = 200


@dataclass
class Reassigned:
    """What came of it: the questions that were given to others, and those that stay, each with the reason."""

    reassigned: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)


def reassign_all(
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
    """Spread what ``holder`` holds over ``to``, the least loaded who may first; one that is refused does not stop the others.

    Raises `Refused` where an account, the role or the pipeline is unknown.
    """
    reason, done = valid_reason(reason), Reassigned()
    if role is not None:
        role = role_named(role)
    if pipeline is not None:
        pipeline = pipeline_named(pipeline).name
    with office.db.reading() as session:
        for name in (holder, by, *to):
            user_named(session, name)
        wanted = select(Wait.case_id).where(
            col(Wait.settled_at).is_(None), Wait.kind == WaitKind.PERSON, Wait.holder == holder
        )
        wanted = wanted.where(Wait.role == role) if role else wanted
        wanted = wanted.where(Wait.pipeline == pipeline) if pipeline else wanted
        cases = sorted(set(session.exec(wanted)))
        load = _load(session, to)
    spread = _Spread(holder, tuple(dict.fromkeys(to)), by, reason, role, load)
    for place in range(0, len(cases), CHUNK):
        _spread_group(office, run, cases[place : place + CHUNK], spread, done)
    run.cases += len({one["case"] for one in done.reassigned})
    return done


@dataclass(frozen=True)
class _Spread:
    """Whose questions go to whom, and how many each has by now."""

    holder: str
    to: tuple[str, ...]
    by: str
    reason: str
    role: str | None
    load: Counter[str]


def _load(session: Session, names: Iterable[str]) -> Counter[str]:
    held = select(Wait.holder, func.count()).where(
        col(Wait.settled_at).is_(None), col(Wait.holder).in_(sorted(set(names)))
    )
    return Counter({name or "": count for name, count in session.exec(held.group_by(col(Wait.holder)))})


def _spread_group(office: Office, run: RunHandle, cases: list[int], spread: _Spread, done: Reassigned) -> None:
    """Give what is held in some cases to others, in one transaction; where a case can't be read, each alone."""

    def given(group: Sequence[int]) -> Reassigned:
        did, load = Reassigned(), Counter(spread.load)
        try:
            with office.work(run) as work:
                _spread_over(work, group, spread, did)
        except Exception:
            spread.load.clear()
            spread.load.update(load)
            raise
        return did

    def kept(case_id: int, error: Exception) -> Reassigned:
        masked = without_personal_numbers(f"{type(error).__name__}: {error}")
        reason = str(error) if isinstance(error, Refused) else masked
        return Reassigned(refused=_held_there(office, case_id, spread, reason))

    for did in process_batch(cases, given, kept):
        done.reassigned += did.reassigned
        done.refused += did.refused


def _spread_over(work: Work, cases: Sequence[int], spread: _Spread, done: Reassigned) -> None:
    by, others = user_named(work.session, spread.by), [user_named(work.session, name) for name in spread.to]
    given = Counter[str]()
    for dossier in lock_dossiers(work, cases, history=False):
        held = [one for one in open_waits(dossier, WaitKind.PERSON) if one.holder == spread.holder]
        for wait in sorted(held, key=lambda one: one.key):
            if spread.role and wait.role != spread.role:
                continue
            asked = {"case": dossier.case.number, "question": wait.key}
            why: Refused | None = None
            for to in sorted(others, key=lambda one: (spread.load[one.name], one.name)):
                try:
                    give(work, dossier, wait, by, to, spread.reason)
                except Refused as refused:
                    why = why or refused
                    continue
                spread.load[to.name] += 1
                given[to.name] += 1
                done.reassigned.append({**asked, "to": to.name})
                break
            else:
                done.refused.append({**asked, "reason": str(why)})
        work.session.add(dossier.row)
    _tell(work, spread, given, f"{work.run.id}/{cases[0]}")


def _tell(work: Work, spread: _Spread, given: Counter[str], what: str) -> None:
    """Tell each once how many it got, and who held them how many went."""
    told = [(name, f"{count} pertanyaan dialihkan kepada Anda") for name, count in given.items()]
    if given:
        told.append((spread.holder, f"{given.total()} pertanyaan Anda dialihkan kepada {', '.join(sorted(given))}"))
    for name, words in told:
        if name != spread.by:
            notify(
                work.session,
                work.office,
                [name],
                what=f"reassigned/{what}",
                kind="reassigned",
                case_number=None,
                words=f"{words}: {spread.reason}",
            )


def _held_there(office: Office, case_id: int, spread: _Spread, reason: str) -> list[dict[str, Any]]:
    """Return what stays in a case that can't be read, with the reason."""
    with office.db.reading() as session:
        held = session.exec(
            select(CaseRow.number, Wait.key, Wait.role)
            .join(CaseRow, col(CaseRow.id) == col(Wait.case_id))
            .where(Wait.case_id == case_id, col(Wait.settled_at).is_(None), Wait.holder == spread.holder)
            .order_by(col(Wait.key))
        )
        return [
            {"case": number, "question": key, "reason": reason}
            for number, key, role in held
            if spread.role in (None, role)
        ]
