"""Absence: until a day another answers for somebody, in one case or all, in one role or all. Both names stand in the ledger."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement
from sqlmodel import col, insert, or_, select, update

from engine.authority import line_of, roles_of, user_named
from engine.dossiers import by_number
from engine.errors import NotAllowed, Refused
from engine.impartiality import must_be_impartial
from engine.office import Office, RunHandle
from engine.parking import note
from models import Delegation, Role, User, WaitKind
from models.privacy import without_personal_numbers


def delegate(
    office: Office,
    run: RunHandle,
    absent: str,
    deputy: str,
    *,
    until: date,
    by: str,
    reason: str,
    since: date | None = None,
    role: str | None = None,
    number: str | None = None,
) -> int:
    """Let ``deputy`` answer for ``absent`` from ``since`` (today) to ``until``; return the delegation's id.

    ``by`` is the absent one, a superior, or an administrator. Raises `NotAllowed`, and `Refused` for dates that lie behind, an
    overlap, a chain (a deputy who is away too), and a deputy who is barred on that case.
    """
    with office.db.writing() as session:
        away, other, who = (user_named(session, name) for name in (absent, deputy, by))
        today = office.clock.today()
        first, case_id = since or today, None
        superior = Role.ADMINISTRATOR in roles_of(session, who) or who in line_of(session, away)
        if who.id != away.id and not superior:
            raise NotAllowed(
                f"{by} is neither {absent}, nor a superior, nor an administrator",
                for_people=f"{by} bukan {absent}, bukan atasannya, dan bukan administrator.",
                user=by,
            )
        if away.id == other.id or until < max(first, today):
            raise Refused(
                f"Name another person than {absent}, and a last day that is still to come",
                for_people=f"Sebutkan orang lain selain {absent}, dan hari terakhir yang belum lewat.",
            )
        if number:
            dossier = by_number(office, session, number, lock=True)
            case_id = dossier.row.id
            for wait in dossier.past.waits.values():
                if wait.settled_at is None and wait.kind == WaitKind.PERSON and wait.role != Role.APPLICANT:
                    question = dossier.pipeline.questions[wait.question or ""]
                    must_be_impartial(session, other, dossier.case, question, today, wait.apart_from, wait.key)
        in_force = select(Delegation).where(_touching(away, other), col(Delegation.revoked_at).is_(None))
        for one in session.exec(in_force.where(col(Delegation.since) <= until, col(Delegation.until) >= first)):
            if one.case_id in (None, case_id) and one.role in (None, role):
                raise Refused(
                    f"A delegation from {one.since} to {one.until} touches this one. Revoke it first",
                    for_people=f"Sudah ada pelimpahan pada {one.since} sampai {one.until}. Cabut dahulu yang itu.",
                )
        made = session.scalars(
            insert(Delegation)
            .values(
                from_id=away.id,
                to_id=other.id,
                role=role,
                case_id=case_id,
                since=first,
                until=until,
                reason=without_personal_numbers(reason),
                recorded_by=by,
                recorded_at=office.clock.now(),
            )
            .returning(col(Delegation.id))
        ).one()
        if number:
            words = without_personal_numbers(f"{absent} → {deputy} sampai {until}: {reason}")
            note(session, dossier.row, office, run, "delegated", by, words)
            session.add(dossier.row)
            run.cases += 1
        return made or 0


def revoke(office: Office, absent: str, deputy: str) -> int:
    """End what ``absent`` delegated to ``deputy`` from this moment on; return how many were ended."""
    with office.db.writing() as session:
        away, other = user_named(session, absent), user_named(session, deputy)
        ended = session.execute(
            update(Delegation)
            .where(
                col(Delegation.from_id) == away.id,
                col(Delegation.to_id) == other.id,
                col(Delegation.revoked_at).is_(None),
            )
            .values(revoked_at=office.clock.now())
            .returning(col(Delegation.id))
        )
        return len(ended.all())


def _touching(away: User, other: User) -> ColumnElement[bool]:
    """The same absence twice, and chains: a deputy who is away, an absent one who stands in for somebody."""
    return or_(col(Delegation.from_id).in_([away.id, other.id]), col(Delegation.to_id) == away.id)
