"""Who may not decide, although their role would let them: one rule for assigning and for deciding, on every path.

Nobody decides on their own application, on what they evaluated themselves, against a conflict that was declared, on somebody
of their own institution where the question says so, or without the standing that it asks for. ISO/IEC 17024 (5.2, 9.4)
and ISO/IEC 17065 (4.2, 7.5, 7.6) are why; what each question asks is declared at the top of its pipeline.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, or_, union_all
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, func, select

from engine.cases.recalled_keys import read_recalls
from engine.definition.case import Case
from engine.definition.forms import Question
from engine.errors import NotAllowed
from models import (
    Business,
    DeclaredConflict,
    EntryKind,
    LedgerEntry,
    RecordedCertificate,
    Standing,
    User,
    UserRole,
    Wait,
)
from models import Case as CaseRow


@dataclass(frozen=True)
class Held:
    """A standing in force: what it allows, its number, from when until when, and the case of ours that gave it, if one did."""

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
    """Do nothing where ``user`` may decide. Raises `NotAllowed` with the reason and the next move."""
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
    """Do nothing where ``user`` may put something right in a case that others decide. Raises `NotAllowed`, as above."""
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
    """Return who has answered, up to this moment, what ``question`` must be kept apart from, and in whose name they did.

    A recalled answer bars nobody.
    """
    if not question.apart_from:
        return set()
    wanted = ("key", "kind", "actor", "on_behalf_of", "seq", "outcome", "result")
    entries = session.execute(
        select_columns(*(getattr(LedgerEntry, name) for name in wanted))
        .join(CaseRow, col(CaseRow.id) == col(LedgerEntry.case_id))
        .where(col(CaseRow.number) == case_number)
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
    """Return who gave these answers, and for whom they stood in: both names stand under each."""
    return {name for entry in answers for name in (entry.actor, entry.on_behalf_of) if name}


def assignable(
    session: Session, case: Case, question: Question[Any], on: date, holds: str | None, apart_from: Iterable[str]
) -> list[str]:
    """Return the accounts that may answer ``question`` of ``case`` on ``on``, whoever holds the fewest open waits first."""
    wanted = select(User).join(UserRole, col(UserRole.user_id) == col(User.id)).where(UserRole.role == question.of)
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
    """Yield each thing that stands in the way, in English and in Indonesian."""
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
    """Yield what bars somebody from a case, whatever is asked: they took part, it is theirs, they declared a conflict."""
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
    """Return whether the person of that account holds the standing ``what`` on ``on``."""
    return user.person_id is not None and bool(standings(session, "person", user.person_id, [what], on))


def standings(session: Session, kind: str, subject: int, what: Iterable[str], on: date) -> list[Held]:
    """Return the standings of those names that a subject has on ``on``, the oldest first; the last day counts.

    Our own cases give them, and certificates of other bodies that were recorded with their evidence.
    """
    ours = (
        select(Standing, CaseRow.number)
        .join(CaseRow, col(CaseRow.id) == col(Standing.case_id))
        .where(
            Standing.subject_kind == kind,
            Standing.subject_id == subject,
            col(Standing.what).in_(what),
            _in_force(Standing, on),
        )
    )
    found = [Held(one.what, one.reference, one.since, one.until, case) for one, case in session.exec(ours)]
    if kind == "person":
        recorded = select(RecordedCertificate).where(
            RecordedCertificate.person_id == subject,
            col(RecordedCertificate.what).in_(what),
            _in_force(RecordedCertificate, on),
        )
        found += [Held(one.what, one.number, one.since, one.until, None) for one in session.exec(recorded)]
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
    """Return the conflicts of an account as this transaction met them first: it may bring hundreds of answers."""
    known: dict[int | None, list[DeclaredConflict]] = session.info.setdefault("conflicts", {})
    if user.id not in known:
        known[user.id] = list(session.exec(select(DeclaredConflict).where(DeclaredConflict.user_id == user.id)))
    return [one for one in known[user.id] if one.declared_on <= on and (one.until is None or on <= one.until)]


def _institutions(session: Session, case: Case) -> set[int]:
    """Return the institutions at which the applicant has an account."""
    found = session.exec(select(User.institution_id).where(User.person_id == case.applicant.person_id))
    return {institution for institution in found if institution is not None}


def _concerned(session: Session, case: Case) -> set[tuple[str, int]]:
    """Return whom a conflict may concern: the applicant, their institutions, their businesses."""
    businesses = session.exec(select(Business.id).where(Business.owner_id == case.applicant.person_id))
    institutions = {("institution", one) for one in _institutions(session, case)}
    return (
        institutions
        | {("person", case.applicant.person_id)}
        | {("business", one) for one in businesses if one is not None}
    )
