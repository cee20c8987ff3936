"""The waits of a case: find open ones, settle them, change them.

A wait ends by one conditional update, which only one of answer, silence, withdrawal and machine can win. `settle` is for one
wait; bulk answers call `mark_settled` for many waits and `write_settlement` for each.
tests/engine/cases/test_case_state.py holds that no other module updates waits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, update

from engine.cases import case_state, ledger
from engine.cases.dossier import WAITED, Dossier
from engine.definition.incoming import shown
from engine.errors import NotWaiting, Refused
from engine.runtime.database import among
from engine.runtime.encryption import Key
from engine.runtime.office import Work
from models import Answer, AnyWait, CaseFile, EntryKind, Wait, WaitKind

PROCESS_KINDS = tuple(kind for kind in WaitKind if kind is not WaitKind.HAND_DELIVERY)
MACHINE_KINDS = (WaitKind.EXTERNAL, WaitKind.ISSUE, WaitKind.HAND_ON)
PEOPLE_KINDS = (WaitKind.PERSON, WaitKind.HAND_DELIVERY)


def open_waits(dossier: Dossier, *kinds: WaitKind) -> list[AnyWait]:
    """Return the open waits of these kinds; without a kind, those of the process itself.

    The process does not wait for deliveries by hand.
    """
    wanted = kinds or PROCESS_KINDS
    return [wait for wait in dossier.past.waits.values() if wait.settled_at is None and wait.kind in wanted]


def open_keys(dossier: Dossier, but: str | None = None) -> list[str]:
    """Return the keys of all open waits of a case except ``but``, deliveries by hand included."""
    return sorted(wait.key for wait in open_waits(dossier, *WaitKind) if wait.key != but)


def open_wait(dossier: Dossier, key: str) -> AnyWait:
    """Return the open wait for a person under ``key``.

    Raises:
        NotWaiting: the case never asked it, or it was settled; the error says as what.
    """
    wait = dossier.past.waits.get(key)
    if wait is None or wait.settled_at is not None or wait.kind not in PEOPLE_KINDS:
        raise NotWaiting(dossier.case.number, shown(key), open_keys(dossier), wait.settled_as if wait else None)
    return wait


def question_of_a_person(dossier: Dossier, key: str | None) -> AnyWait:
    """Return the open question ``key`` of a case; without a key, its only open question.

    Raises:
        NotWaiting: the question is not open.
        Refused: several are open, and no key was given.
    """
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
        raise NotWaiting(number, shown(wanted), sorted(waiting), was.settled_as if was else None)
    return waiting[wanted]


def settle(
    work: Work,
    case: CaseFile,
    wait: AnyWait,
    *,
    settled_as: str,
    kind: EntryKind,
    actor: str,
    answer: tuple[Key, dict[str, Any]] | None = None,
    **fields: Any,
) -> int | None:
    """Settle ``wait`` and write its entry; return its seq, or None when it was settled before.

    The caller holds the lock of the case's row. See `write_settlement` for ``answer``.

    Mutates: ``case``.
    """
    if not mark_settled(work, [wait], settled_as, work.now):
        return None
    seq = write_settlement(work, case, wait, kind=kind, actor=actor, answer=answer, **fields)
    work.session.add(case)
    return seq


def mark_settled(work: Work, waits: Iterable[AnyWait], settled_as: str, now: datetime) -> set[tuple[int, str]]:
    """Mark the open ones of ``waits`` as settled; return the case and key of each.

    The caller holds the locks of the cases' rows.
    """
    cases: dict[str, list[int]] = defaultdict(list)
    for wait in waits:
        cases[wait.key].append(wait.case_id)
    won: set[tuple[int, str]] = set()
    for key, ids in sorted(cases.items()):
        values = {"settled_at": now, "settled_as": settled_as, "leased_until": None}
        won |= {(case_id, key) for case_id in overwrite_many(work, key, ids, values)}
    return won


def compare_and_set(work: Work, wait: AnyWait, **values: Any) -> bool:
    """Change columns of an open wait; return False if they changed since it was read.

    A wait that was settled since then is not changed either. The caller holds the lock of the case's row.
    """
    as_read = [col(getattr(Wait, name)).is_not_distinct_from(getattr(wait, name)) for name in values]
    return bool(_update(work, wait.key, [wait.case_id], values, *as_read))


def overwrite(work: Work, wait: AnyWait, **values: Any) -> bool:
    """Change columns of an open wait, whatever their values; return False if it was settled.

    The caller holds the lock of the case's row.
    """
    return bool(_update(work, wait.key, [wait.case_id], values))


def overwrite_many(work: Work, key: str, cases: Iterable[int], values: dict[str, Any]) -> list[int]:
    """Change the open waits of one key in many cases in one update; return the cases.

    The caller holds the locks of the cases' rows.
    """
    return _update(work, key, cases, values)


def put_off(session: Session, wait: AnyWait, *, until: datetime, note: str, end_unknown: bool | None = None) -> None:
    """Give up the lease of an open machine wait until a moment, and note why.

    No ledger binds these columns.
    """
    unknown = {} if end_unknown is None else {"end_unknown": end_unknown}
    session.execute(
        update(Wait)
        .where(col(Wait.case_id) == wait.case_id, col(Wait.key) == wait.key, col(Wait.settled_at).is_(None))
        .values(leased_until=None, next_attempt_at=until, note=note, **unknown)
        .execution_options(synchronize_session=False)
    )


def _update(
    work: Work, key: str, cases: Iterable[int], values: dict[str, Any], *conditions: ColumnElement[bool]
) -> list[int]:
    """Change the open waits of one key, and note them as they stand now; return their cases."""
    changed = work.session.execute(
        update(Wait)
        .where(
            col(Wait.key) == key,
            among(work.session, col(Wait.case_id), cases),
            col(Wait.settled_at).is_(None),
            *conditions,
        )
        .values(values)
        .returning(*WAITED)
        .execution_options(synchronize_session=False)
    ).all()
    for wait in changed:
        work.rows.note(Wait, wait._asdict())
    return [wait.case_id for wait in changed]


def reset_attempts(session: Session, case: CaseFile) -> None:
    """Reset lease, pause and attempts of the open waits of a case: machines try at once."""
    session.execute(
        update(Wait)
        .where(col(Wait.case_id) == case.id, col(Wait.settled_at).is_(None))
        .values(attempt=0, next_attempt_at=None, leased_until=None)
    )


def write_settlement(
    work: Work,
    case: CaseFile,
    wait: AnyWait,
    *,
    kind: EntryKind,
    actor: str,
    answer: tuple[Key, dict[str, Any]] | None = None,
    result: dict[str, Any] | None = None,
    **fields: Any,
) -> int:
    """Write the ledger entry of a settled wait and its encrypted answer; return the entry's seq.

    ``answer`` is the person's key and the answer as JSON: the table keeps it encrypted, the ledger its salted hash. An entry
    that is no remark makes the case ready for a replay. The caller holds the lock of the case's row.

    Mutates: ``case``.
    """
    now = work.now
    if answer is not None:
        key, plain = answer
        result = {**(result or {}), "answer": ledger.salted_hash(case.salt, plain)}
        work.rows.write(Answer, case_id=case.id, key=wait.key, sealed=work.vault.encrypt(key, plain), at=now)
    ledger.write_entry(
        work,
        case,
        at=now,
        kind=kind,
        key=wait.key,
        actor=actor,
        arguments_hash=wait.arguments_hash,
        result=result,
        **fields,
    )
    if kind is not EntryKind.REMARK:
        case_state.wake(case)
    return case.last_seq
