"""Impartiality: bars to a decision that an account's role permits (ISO/IEC 17024, 17065).

Bars are one's own application, one's own evaluation, a declared conflict, the applicant's institution where the question
says so, and a standing that the question requires and the account lacks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy
from sqlalchemy import ColumnElement, or_, union_all
from sqlmodel import Session, col, func, select

from engine.cases.recalled_keys import read_recalls
from engine.definition.case import Case
from engine.definition.forms import Question
from engine.errors import NotAllowed
from engine.people.roles import has_role
from models import (
    Business,
    CaseFile,
    DeclaredConflict,
    EntryKind,
    LedgerEntry,
    RecordedCertificate,
    Standing,
    User,
    Wait,
)


@dataclass(frozen=True)
class StandingInForce:
    """A standing in force: name, number, dates, and the case that gave it, if one of ours."""

    what: str
    reference: str | None
    since: date
    until: date | None
    case_number: str | None


def must_be_impartial(
    session: Session,
    user: User | str,
    case: Case,
    question: Question[Any],
    on: date,
    took_part: Iterable[str],
    key: str = "",
) -> None:
    """Refuse an account that may not decide on ``question``.

    Raises:
        NotAllowed: the account is barred or does not exist; the message gives the reason and the next move.
    """
    if isinstance(user, str):
        found = session.exec(select(User).where(User.name == user)).first()
        if found is None:
            raise NotAllowed(f"There is no user {user}", for_people=f"Tidak ada pengguna bernama {user}.", user=user)
        user = found
    bars = _bars(session, user, case, question, on, set(took_part), key or question.name)
    _refuse_the_first(user, bars, question=question.name)


def must_not_be_concerned(
    session: Session, user: User, case: Case, on: date, took_part: Iterable[str] = (), key: str = ""
) -> None:
    """Refuse an account that took part, is the applicant, or declared a conflict.

    Raises:
        NotAllowed: the account is barred; the message gives the reason.
    """
    _refuse_the_first(user, _concerned_bars(session, user, case, on, set(took_part), key))


def _refuse_the_first(user: User, bars: Iterator[tuple[str, str]], **parts: str) -> None:
    for english, indonesian in bars:
        raise NotAllowed(
            f"{user.name} {english}. Ask a colleague",
            for_people=f"{user.name} {indonesian}. Mintalah rekan lain.",
            user=user.name,
            **parts,
        )


def who_took_part(session: Session, case_number: str, question: Question[Any]) -> set[str]:
    """Return the accounts that answered the questions that ``question`` is kept apart from.

    Where a delegate answered, the delegator counts too. A recalled answer does not count.
    """
    if not question.apart_from:
        return set()
    wanted = ("key", "kind", "actor", "on_behalf_of", "seq", "outcome", "result")
    entries = session.execute(
        sqlalchemy.select(*(getattr(LedgerEntry, name) for name in wanted))
        .join(CaseFile, col(CaseFile.id) == col(LedgerEntry.case_id))
        .where(col(CaseFile.number) == case_number)
    ).all()
    taken_back = read_recalls(entries).keys
    answers = [
        entry
        for entry in entries
        if entry.kind == EntryKind.ANSWER
        and entry.key.split("#")[0] in question.apart_from
        and entry.key not in taken_back
    ]
    return named_in(answers)


def named_in(answers: Iterable[Any]) -> set[str]:
    """Return the accounts that gave these answers, and those on whose behalf they were given."""
    return {name for entry in answers for name in (entry.actor, entry.on_behalf_of) if name}


def assignable(
    session: Session, case: Case, question: Question[Any], on: date, holds: str | None, apart_from: Iterable[str]
) -> list[str]:
    """Return the accounts that may answer ``question``, those with the fewest open waits first.

    ``holds`` names a required standing.
    """
    wanted = select(User).where(has_role(question.of, on), col(User.ended_at).is_(None))
    if holds:
        wanted = wanted.where(col(User.person_id).in_(_holders(holds, on)))
    took_part = set(apart_from)
    free = [
        user.name
        for user in session.exec(wanted)
        if user.works_in(case.region_code)
        and not any(_bars(session, user, case, question, on, took_part, question.name))
    ]
    open_waits = (
        select(Wait.holder, func.count())
        .where(col(Wait.settled_at).is_(None), col(Wait.holder).in_(free))
        .group_by(col(Wait.holder))
    )
    load = Counter(dict(session.exec(open_waits).all()))
    return sorted(free, key=lambda name: (load[name], name))


def _bars(
    session: Session, user: User, case: Case, question: Question[Any], on: date, took_part: set[str], key: str
) -> Iterator[tuple[str, str]]:
    """Yield each bar against an answer, in English and in Indonesian."""
    yield from _concerned_bars(session, user, case, on, took_part, key)
    if user.name in case.decided_before(question.name):
        yield (
            f"decided {question.name} in the case that {case.number} examines anew",
            f"sudah memutuskan {question.name} dalam perkara yang diperiksa ulang pada {case.number}",
        )
    if question.other_institution and user.institution_id in _institutions(session, case):
        yield (
            f"works at the same institution as the applicant of {case.number}",
            f"bekerja di lembaga yang sama dengan pemohon {case.number}",
        )
    if question.holds and not holds(session, user, question.holds, on):
        yield (
            f"holds no {question.holds} standing that is in force on {on}",
            f"tidak memegang sertifikat {question.holds} yang berlaku pada {on}",
        )


def _concerned_bars(
    session: Session, user: User, case: Case, on: date, took_part: set[str], key: str
) -> Iterator[tuple[str, str]]:
    """Yield each bar that is independent of the question, in English and in Indonesian."""
    if user.name in took_part:
        yield (
            f"took part in what {key} decides about and may not answer it",
            f"terlibat dalam hal yang diputuskan pada {key} dan tidak boleh menjawabnya",
        )
    if user.person_id is not None and user.person_id == case.applicant.person_id:
        yield (
            f"is the applicant of {case.number} and may not decide on it",
            f"adalah pemohon {case.number} dan tidak boleh memutuskannya sendiri",
        )
    declared = _declared(session, user, on)
    concerned = _concerned(session, case) if declared else set()
    for conflict in declared:
        if (conflict.subject_kind, conflict.subject_id) in concerned:
            yield (
                f"declared a conflict of interest ({conflict.kind}) with {conflict.subject_kind} {conflict.subject_id}",
                f"telah menyatakan benturan kepentingan ({conflict.kind}) dengan pihak dalam {case.number}",
            )


def holds(session: Session, user: User, what: str, on: date) -> bool:
    """Return whether the account's person holds the standing ``what`` on ``on``."""
    return user.person_id is not None and bool(standings(session, "person", user.person_id, [what], on))


def standings(session: Session, kind: str, subject: int, what: Iterable[str], on: date) -> list[StandingInForce]:
    """Return the standings of those names that a subject has on ``on``, the oldest first.

    Standings come from our cases and from recorded certificates of other bodies; ``until`` is the last day in force.
    """
    ours = (
        select(Standing, CaseFile.number)
        .join(CaseFile, col(CaseFile.id) == col(Standing.case_id))
        .where(
            Standing.subject_kind == kind,
            Standing.subject_id == subject,
            col(Standing.what).in_(what),
            _in_force(Standing, on),
        )
    )
    found = [StandingInForce(one.what, one.reference, one.since, one.until, case) for one, case in session.exec(ours)]
    if kind == "person":
        recorded = select(RecordedCertificate).where(
            RecordedCertificate.person_id == subject,
            col(RecordedCertificate.what).in_(what),
            _in_force(RecordedCertificate, on),
        )
        found += [StandingInForce(one.what, one.number, one.since, one.until, None) for one in session.exec(recorded)]
    return sorted(found, key=lambda one: (one.since, one.case_number or ""))


def _in_force(table: type[Standing | RecordedCertificate], on: date) -> ColumnElement[bool]:
    begun: ColumnElement[bool] = col(table.since) <= on
    return begun & or_(col(table.until).is_(None), col(table.until) >= on)


def _holders(what: str, on: date) -> Any:
    ours = select(Standing.subject_id).where(
        Standing.subject_kind == "person", Standing.what == what, _in_force(Standing, on)
    )
    recorded = select(RecordedCertificate.person_id).where(
        RecordedCertificate.what == what, _in_force(RecordedCertificate, on)
    )
    return union_all(ours, recorded)


def _declared(session: Session, user: User, on: date) -> list[DeclaredConflict]:
    """Return the declared conflicts of an account on ``on``, read once per transaction."""
    known: dict[int | None, list[DeclaredConflict]] = session.info.setdefault("conflicts", {})
    if user.id not in known:
        known[user.id] = list(session.exec(select(DeclaredConflict).where(DeclaredConflict.user_id == user.id)))
    return [one for one in known[user.id] if one.declared_on <= on and (one.until is None or on <= one.until)]


def _institutions(session: Session, case: Case) -> set[int]:
    """Return the institutions at which the applicant has an account."""
    found = session.exec(select(User.institution_id).where(User.person_id == case.applicant.person_id))
    return {institution for institution in found if institution is not None}


def _concerned(session: Session, case: Case) -> set[tuple[str, int]]:
    """Return a case's subjects of conflicts: the applicant, their institutions and businesses."""
    businesses = session.exec(select(Business.id).where(Business.owner_id == case.applicant.person_id))
    institutions = {("institution", one) for one in _institutions(session, case)}
    return (
        institutions
        | {("person", case.applicant.person_id)}
        | {("business", one) for one in businesses if one is not None}
    )
