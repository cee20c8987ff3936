"""The one way in which a wait ends: a conditional update that one of answer, silence, withdrawal or machine wins.

`settle` does it for one wait; bulk answers `win` many in one update and `record` each in the chunk's book. `change` is how an
open wait gets another holder or other times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, update

from engine import ledger
from engine.database import among
from engine.office import Work
from engine.vault import Key
from models import Answer, AnyWait, Case, EntryKind, LedgerEntry, Wait


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
    changed = session.execute(
        update(Wait)
        .where(
            col(Wait.case_id) == wait.case_id,
            col(Wait.key) == wait.key,
            col(Wait.settled_at).is_(None),
            *(col(getattr(Wait, name)).is_not_distinct_from(getattr(wait, name)) for name in values),
        )
        .values(values)
        .returning(col(Wait.key))
        .execution_options(synchronize_session=False)
    )
    return changed.first() is not None


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
        work.book.write(Answer, case_id=case.id, key=wait.key, sealed=work.vault.seal(key, plain), at=now)
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
    work.book.write(LedgerEntry, **row)
    if kind is not EntryKind.REMARK:
        case.ready = True
    return case.last_seq


def drop(session: Session, wait: AnyWait, settled_as: str, now: datetime) -> None:
    """End a wait beside the one that bears the entry: the other questions of a withdrawn case."""
    win(session, [wait], settled_as, now)
