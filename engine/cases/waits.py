"""The waits of a case: which are open, how one ends, and how an open one changes. No other module of the engine updates them.

A wait ends by a conditional update that one of answer, silence, withdrawal or machine wins: `settle` does it for one wait; bulk
answers `win` many in one update and `record` each. Leases of machine waits are drawn where they are claimed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, update

from engine.cases import case_state, ledger
from engine.cases.dossier import Dossier
from engine.errors import NotWaiting, Refused
from engine.runtime.database import among
from engine.runtime.encryption import Key
from engine.runtime.office import Work
from models import Answer, AnyWait, Case, EntryKind, LedgerEntry, Wait, WaitKind

OF_THE_PROCESS = tuple(kind for kind in WaitKind if kind is not WaitKind.HAND_DELIVERY)


def open_waits(dossier: Dossier, *kinds: WaitKind) -> list[AnyWait]:
    """Return the open waits of a case of these kinds; of all that the process waits for where none is named.

    A delivery by hand stands beside the process, which does not wait for it.
    """
    wanted = kinds or OF_THE_PROCESS
    return [wait for wait in dossier.past.waits.values() if wait.settled_at is None and wait.kind in wanted]


def open_keys(dossier: Dossier, but: str | None = None) -> list[str]:
    """Return the keys of all that is open in a case, the deliveries by hand with it."""
    return sorted(wait.key for wait in open_waits(dossier, *WaitKind) if wait.key != but)


def open_wait(dossier: Dossier, key: str) -> AnyWait:
    """Return the open wait for a person under ``key``. Raises `NotWaiting`, with what was first."""
    wait = dossier.past.waits.get(key)
    if wait is None or wait.settled_at is not None or wait.kind not in (WaitKind.PERSON, WaitKind.HAND_DELIVERY):
        raise NotWaiting(dossier.case.number, key, open_keys(dossier), wait.settled_as if wait else None)
    return wait


def question_of_a_person(dossier: Dossier, key: str | None) -> AnyWait:
    """Return the open question ``key`` of a case, or the only one. Raises `NotWaiting`, and `Refused` where one must be named."""
    number = dossier.case.number
    waiting = {one.key: one for one in open_waits(dossier, WaitKind.PERSON)}
    if key is None and len(waiting) > 1:
        raise Refused(
            f"Case {number} waits for several: {', '.join(sorted(waiting))}. Name one: jalur case … {number} QUESTION",
            for_people=f"Permohonan {number} menunggu beberapa hal: {', '.join(sorted(waiting))}. Sebutkan salah satu.",
            case=number,
        )
    wanted = key or next(iter(waiting), "")
    wanted = wanted if "#" in wanted or not wanted else f"{wanted}#1"
    if wanted not in waiting:
        was = dossier.past.waits.get(wanted)
        raise NotWaiting(number, wanted, sorted(waiting), was.settled_as if was else None)
    return waiting[wanted]


def settle(
    work: Work,
    case: Case,
    wait: AnyWait,
    *,
    settled_as: str,
    kind: EntryKind,
    actor: str,
    words: tuple[Key, dict[str, Any]] | None = None,
    **fields: Any,
) -> int | None:
    """Settle ``wait`` and write its entry; return the entry's seq, or None when somebody else was first.

    The caller holds the case's row lock. ``words`` are the answer and the key to seal them under: the ledger keeps
    their salted hash.
    """
    if not win(work.session, [wait], settled_as, work.now):
        return None
    seq = record(work, case, wait, kind=kind, actor=actor, words=words, **fields)
    work.session.add(case)
    return seq


def win(session: Session, waits: Iterable[AnyWait], settled_as: str, now: datetime) -> set[tuple[int, str]]:
    """Settle those of ``waits`` that nobody settled before, in one update a key; return their cases and keys."""
    cases: dict[str, list[int]] = defaultdict(list)
    for wait in waits:
        cases[wait.key].append(wait.case_id)
    won: set[tuple[int, str]] = set()
    for key, ids in sorted(cases.items()):
        settled = session.scalars(
            update(Wait)
            .where(col(Wait.key) == key, among(session, col(Wait.case_id), ids), col(Wait.settled_at).is_(None))
            .values(settled_at=now, settled_as=settled_as, leased_until=None)
            .returning(col(Wait.case_id))
            .execution_options(synchronize_session=False)
        )
        won |= {(case_id, key) for case_id in settled}
    return won


def change(session: Session, wait: AnyWait, **values: Any) -> bool:
    """Change columns of an open wait; return False where it was settled, or they were changed, since ``wait`` was read."""
    as_read = (col(getattr(Wait, name)).is_not_distinct_from(getattr(wait, name)) for name in values)
    return _update(session, wait, values, *as_read)


def overwrite(session: Session, wait: AnyWait, **values: Any) -> bool:
    """Change columns of an open wait, whatever they say by now; return False where it was settled meanwhile."""
    return _update(session, wait, values)


def _update(session: Session, wait: AnyWait, values: dict[str, Any], *conditions: ColumnElement[bool]) -> bool:
    here = (col(Wait.case_id) == wait.case_id, col(Wait.key) == wait.key, col(Wait.settled_at).is_(None))
    changed = session.execute(
        update(Wait)
        .where(*here, *conditions)
        .values(values)
        .returning(col(Wait.key))
        .execution_options(synchronize_session=False)
    )
    return changed.first() is not None


def move_alike(session: Session, key: str, cases: Iterable[int], values: dict[str, Any]) -> None:
    """Change the open waits of that key in many cases in one update. The caller holds the cases' row locks."""
    session.execute(
        update(Wait)
        .where(col(Wait.key) == key, among(session, col(Wait.case_id), cases), col(Wait.settled_at).is_(None))
        .values(values)
        .execution_options(synchronize_session=False)
    )


def try_anew(session: Session, case: Case) -> None:
    """Free the open waits of a case, so that a machine tries each at once and from its first attempt."""
    session.execute(
        update(Wait)
        .where(col(Wait.case_id) == case.id, col(Wait.settled_at).is_(None))
        .values(attempt=0, next_attempt_at=None, leased_until=None)
    )


def record(
    work: Work,
    case: Case,
    wait: AnyWait,
    *,
    kind: EntryKind,
    actor: str,
    words: tuple[Key, dict[str, Any]] | None = None,
    result: dict[str, Any] | None = None,
    **fields: Any,
) -> int:
    """Write the entry of a wait that was won into the book, seal the words, and make the case ready; return the seq."""
    now = work.now
    if words is not None:
        key, plain = words
        result = {**(result or {}), "answer": ledger.salted_hash(case.salt, plain)}
        work.rows.write(Answer, case_id=case.id, key=wait.key, sealed=work.vault.encrypt(key, plain), at=now)
    row = ledger.append(
        case,
        at=now,
        run_id=work.run.id,
        kind=kind,
        key=wait.key,
        actor=actor,
        arguments_hash=wait.arguments_hash,
        result=result,
        **fields,
    )
    work.rows.write(LedgerEntry, **row)
    if kind is not EntryKind.REMARK:
        case_state.wake(case)
    return case.last_seq
