"""End an account, or one role of it; its open questions go back to their whole role.

The account is dead with the first transaction. Its questions follow in chunks, so that a damaged case holds up no other;
ending an ended account again frees what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from engine.actions.reassign import from_to
from engine.cases.dossier import Dossier, lock_dossiers
from engine.cases.ledger import valid_reason, write_remark
from engine.cases.waits import compare_and_set, open_waits, overwrite
from engine.errors import NotAllowed, Refused
from engine.letters.notices import notify
from engine.people.accounts import end_rights, must_administer
from engine.people.delegations import sibling_accounts
from engine.people.hierarchy import superiors
from engine.people.permissions import user_ever_named
from engine.people.roles import role_named, roles_of
from engine.runtime.batches import process_batch
from engine.runtime.office import Office, RunHandle, Work
from models import AnyWait, CaseFile, Role, Wait, WaitKind
from models.privacy import without_personal_numbers

CHUNK = 200


@dataclass
class Ended:
    """The result: the account, its freed questions, and the cases that failed, with the reason."""

    name: str
    freed: list[dict[str, str]] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)


def end_account(office: Office, run: RunHandle, name: str, *, reason: str, role: str | None = None) -> Ended:
    """End an account at once, or its ``role`` alone, and give back what it holds there.

    Raises:
        Refused: there is no such account or role, it does not hold the role, or the reason is missing.
        NotAllowed: the run's account is no administrator, or would end itself.
    """
    reason, done = valid_reason(reason), Ended(name)
    only = role_named(role) if role is not None else None
    with office.work(run) as work:
        must_administer(work)
        user = user_ever_named(work.session, name)
        if only is None and name in (run.by, run.on_behalf_of):
            raise NotAllowed(
                f"{name} can't end their own account. Ask another administrator",
                for_people=f"{name} tidak dapat mengakhiri akunnya sendiri. Mintalah administrator lain.",
                user=name,
            )
        end_rights(work, user, reason, only)
    with office.db.reading() as session:
        cases = _cases_held(session, name, only)
        above = next((one.name for one in superiors(session, name)), None)
    for place in range(0, len(cases), CHUNK):
        _free_group(office, run, cases[place : place + CHUNK], _Order(name, only, reason, above), done)
    run.cases += len({one["case"] for one in done.freed})
    return done


@dataclass(frozen=True)
class _Order:
    """The account that ended, in one role or in all; why; and its superior, who is told."""

    name: str
    role: Role | None
    reason: str
    above: str | None


def _cases_held(session: Session, name: str, role: Role | None) -> list[int]:
    wanted = select(Wait.case_id).where(
        col(Wait.settled_at).is_(None),
        Wait.kind == WaitKind.PERSON,
        Wait.holder == name,
        Wait.role != Role.APPLICANT,  # the person's own, who may still hand in their answer on paper
    )
    return sorted(set(session.exec(wanted.where(Wait.role == role) if role else wanted)))


def _free_group(office: Office, run: RunHandle, cases: list[int], order: _Order, done: Ended) -> None:
    """Free the questions of some cases in one transaction; if it fails, case by case."""

    def freed(group: Sequence[int]) -> Ended:
        did = Ended(order.name)
        with office.work(run) as work:
            for dossier in lock_dossiers(work, group, history=False):
                _free_in(work, dossier, order, did)
            _tell(work, order, did, group[0])
        return did

    def kept(case_id: int, error: Exception) -> Ended:
        with office.db.reading() as session:
            number = session.get_one(CaseFile, case_id).number
        why = str(error) if isinstance(error, Refused) else f"{type(error).__name__}: {error}"
        return Ended(order.name, failed=[{"case": number, "reason": without_personal_numbers(why)}])

    for did in process_batch(cases, freed, kept):
        done.freed += did.freed
        done.failed += did.failed


def _free_in(work: Work, dossier: Dossier, order: _Order, done: Ended) -> None:
    held = [one for one in open_waits(dossier, WaitKind.PERSON) if one.holder == order.name]
    for wait in sorted(held, key=lambda one: one.key):
        if wait.role == Role.APPLICANT or order.role not in (None, wait.role):
            continue
        if compare_and_set(work, wait, holder=None):
            _write(work, dossier, wait, order)
            done.freed.append({"case": dossier.case.number, "question": wait.key})
    work.session.add(dossier.row)


def _write(work: Work, dossier: Dossier, wait: AnyWait, order: _Order) -> None:
    """Write the remark; keep a question asked of several apart from those asked beside it."""
    told: dict[str, Any] = {"question": wait.key, "from": order.name, "to": None}
    several = [one for one in dossier.past.waits.values() if one.question == wait.question]
    if len(several) > 1:
        beside = sibling_accounts(work.session, wait) | {order.name}
        told["apart_from"] = sorted({*wait.apart_from, *beside})
        overwrite(work, wait, apart_from=told["apart_from"])
    what = f"peran {order.role} {order.name}" if order.role else f"akun {order.name}"
    by, reason = work.run.on_behalf_of or work.run.by, f"{what} diakhiri: {order.reason}"
    said = f"{wait.key}: {from_to(order.name, None)}; {reason}"
    write_remark(work, dossier.row, "reassigned", by, said, role=_acting_role(work), result=told)


def _acting_role(work: Work) -> Role | None:
    """Return the administrator's role; None for the machine's own user, who has no account."""
    try:
        user = user_ever_named(work.session, work.run.by)
    except Refused:
        return None
    return Role.ADMINISTRATOR if Role.ADMINISTRATOR in roles_of(work.session, user, work.today) else None


def _tell(work: Work, order: _Order, did: Ended, first: int) -> None:
    """Tell the superior of who ended how many questions wait for the whole role now."""
    if did.freed and order.above:
        words = f"{len(did.freed)} pertanyaan {order.name} kembali kepada semua pemegang peran: {order.reason}"
        what = f"ended/{work.run.id}/{first}"
        notify(work.session, work.office, [order.above], what=what, kind="reassigned", case_number=None, words=words)
