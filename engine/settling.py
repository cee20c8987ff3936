"""The one way in which a wait ends: a conditional update that one of answer, silence, withdrawal or machine wins."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, insert, update

from engine import ledger
from engine.office import Office, RunHandle
from models import Answer, Case, EntryKind, LedgerEntry, SealingKey, Wait


def settle(
    office: Office,
    run: RunHandle,
    session: Session,
    case: Case,
    wait: Wait,
    *,
    settled_as: str,
    kind: EntryKind,
    actor: str,
    words: tuple[SealingKey, dict[str, Any]] | None = None,
    **fields: Any,
) -> int | None:
    """Settle ``wait`` and write its entry; return the entry's seq, or None when somebody else was first.

    The caller holds the case's row lock. ``words`` are the answer and the key to seal them under: the ledger keeps
    their salted hash.
    """
    now = office.clock.now()
    if not _won(session, wait, settled_as, now):
        return None
    result = fields.pop("result", None)
    if words is not None:
        key, plain = words
        result = {**(result or {}), "answer": ledger.salted_hash(case.salt, plain)}
        session.execute(
            insert(Answer).values(case_id=case.id, key=wait.key, sealed=office.vault.seal(key, plain), at=now)
        )
    row = ledger.append(
        case,
        at=now,
        run_id=run.id,
        kind=kind,
        key=wait.key,
        actor=actor,
        arguments_hash=wait.arguments_hash,
        result=result,
        **fields,
    )
    session.execute(insert(LedgerEntry).values(**row))
    if kind is not EntryKind.REMARK:
        case.ready = True
    session.add(case)
    return case.last_seq


def drop(session: Session, wait: Wait, settled_as: str, now: datetime) -> None:
    """End a wait beside the one that bears the entry: the other questions of a withdrawn case."""
    _won(session, wait, settled_as, now)


def _won(session: Session, wait: Wait, settled_as: str, now: datetime) -> bool:
    settled = session.execute(
        update(Wait)
        .where(col(Wait.case_id) == wait.case_id, col(Wait.key) == wait.key, col(Wait.settled_at).is_(None))
        .values(settled_at=now, settled_as=settled_as, leased_until=None)
        .execution_options(synchronize_session=False)
    )
    return bool(settled.rowcount)  # type: ignore[attr-defined]
