"""Who may do what: checked in the transaction that records the act, on every path (command line, web, API).

Nobody decides on their own application or against a bar that the process set; an owner's answer comes from the
owner, from somebody with a mandate in force, or on paper that an officer scans. ISO/IEC 17024 and 17065 are why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session, col, select

from engine.definition.case import Case
from engine.definition.forms import ApplicantForm, Question
from engine.errors import NotAllowed, Refused
from engine.people.delegations import asked_beside, stands_in_for
from engine.people.impartiality import must_be_impartial, who_took_part
from engine.people.own_codes import verify_own_code
from models import AnyWait, Mandate, Role, User, UserRole


@dataclass(frozen=True)
class Actor:
    """Who acts, in which role, and for whom; both names stand in the ledger."""

    name: str
    role: Role
    on_behalf_of: str | None = None


def user_named(session: Session, name: str) -> User:
    """Return the account of that name. Raises `Refused`."""
    user = session.exec(select(User).where(User.name == name)).first()
    if user is None:
        raise Refused(
            f"There is no user {name}. Add one: jalur user add {name} --role ROLE",
            for_people=f"Tidak ada pengguna bernama {name}.",
            user=name,
        )
    return user


def role_named(name: str) -> Role:
    """Return the role of that name (``division_head`` or ``division-head``). Raises `Refused` with those that there are."""
    try:
        return Role(name.replace("-", "_"))
    except ValueError:
        raise Refused(
            f"There is no role {name}; there are: {', '.join(Role)}",
            for_people=f"Tidak ada peran {name}. Yang ada: {', '.join(Role)}.",
        ) from None


def roles_of(session: Session, user: User) -> set[Role]:
    """Return the roles that a user holds."""
    return {Role(role) for role in session.exec(select(UserRole.role).where(UserRole.user_id == user.id))}


def known_roles(session: Session, user: User) -> set[Role]:
    """Return the roles as this transaction met them first: it may bring hundreds of answers."""
    known: dict[int | None, set[Role]] = session.info.setdefault("roles", {})
    if user.id not in known:
        known[user.id] = roles_of(session, user)
    return known[user.id]


def may_answer(
    session: Session,
    user: User,
    case: Case,
    wait: AnyWait,
    question: Question[Any],
    form: ApplicantForm | object,
    on: date,
) -> Actor:
    """Return in which capacity ``user`` answers: their own, or for somebody who is away. Raises `NotAllowed` with the next move."""
    if question.of is Role.APPLICANT:
        return _for_the_applicant(session, user, case, question, form, on)
    took_part = {*wait.apart_from, *who_took_part(session, case.number, question)}
    if _is_their_own(session, user, case, wait, question):
        must_be_impartial(session, user, case, question, on, took_part, wait.key)
        return Actor(user.name, question.of)
    absent = _away(session, user, case, wait, question, on)
    if not absent:
        raise _not_theirs(session, user, case, wait, question)
    must_be_impartial(session, user, case, question, on, took_part | asked_beside(session, wait), wait.key)
    away = _first_who_may(session, absent, case, wait, question, on, took_part)
    return Actor(user.name, question.of, on_behalf_of=away.name)


def _is_their_own(session: Session, user: User, case: Case, wait: AnyWait, question: Question[Any]) -> bool:
    return (
        question.of in known_roles(session, user)
        and wait.holder in (None, user.name)
        and user.works_in(case.region_code)
    )


def _away(session: Session, user: User, case: Case, wait: AnyWait, question: Question[Any], on: date) -> list[User]:
    """Return for whom ``user`` may answer what is not theirs: those away whose it is."""
    return [
        one.away
        for one in stands_in_for(session, user, on)
        if wait.holder in (None, one.away.name)
        and one.covers(wait.case_id, question.of)
        and one.away.works_in(case.region_code)
    ]


def _first_who_may(
    session: Session,
    absent: list[User],
    case: Case,
    wait: AnyWait,
    question: Question[Any],
    on: date,
    took_part: set[str],
) -> User:
    """Return the first who might have answered themselves. Raises `NotAllowed`: what somebody may not do they can't delegate."""
    bars: list[NotAllowed] = []
    for away in absent:
        try:
            must_be_impartial(session, away, case, question, on, took_part, wait.key)
        except NotAllowed as barred:
            bars.append(barred)
        else:
            return away
    raise bars[0]


def _not_theirs(session: Session, user: User, case: Case, wait: AnyWait, question: Question[Any]) -> NotAllowed:
    """Return why a question is not for ``user``: another role, another holder, another region."""
    roles = known_roles(session, user)
    if question.of not in roles:
        return NotAllowed(
            f"{wait.key} is for the role {question.of}; {user.name} has: {', '.join(sorted(roles)) or 'none'}",
            for_people=f"{wait.key} hanya dapat dijawab oleh peran {question.of}.",
            user=user.name,
            role=question.of,
        )
    if wait.holder not in (None, user.name):
        return NotAllowed(
            f"{wait.key} of {case.number} is assigned to {wait.holder}, not to {user.name}",
            for_people=f"{wait.key} ditugaskan kepada {wait.holder}, bukan kepada {user.name}.",
            user=user.name,
            holder=wait.holder,
        )
    return _elsewhere(user, case)


def may_act_for_applicant(session: Session, user: User, case: Case, on: date) -> Actor:
    """Return in which capacity ``user`` withdraws: the owner, a mandated companion, or an officer told to by the owner."""
    if user.person_id == case.applicant.person_id:
        return Actor(user.name, Role.APPLICANT)
    if mandate_in_force(session, user, case.applicant.person_id, on):
        return Actor(user.name, Role.COMPANION, on_behalf_of=case.applicant.handle)
    if Role.OFFICER in known_roles(session, user):
        must_be_in_region(user, case)
        return Actor(user.name, Role.OFFICER, on_behalf_of=case.applicant.handle)
    raise _stranger(user, case)


def mandate_in_force(session: Session, user: User, owner_id: int, on: date) -> bool:
    """Return whether ``user`` may act for that owner on ``on``."""
    found = session.exec(
        select(Mandate).where(
            Mandate.owner_id == owner_id, Mandate.user_id == user.id, col(Mandate.revoked_at).is_(None)
        )
    )
    return any(mandate.since <= on and (mandate.until is None or on <= mandate.until) for mandate in found)


def _for_the_applicant(
    session: Session, user: User, case: Case, question: Question[Any], form: object, on: date
) -> Actor:
    on_paper = isinstance(form, ApplicantForm) and form.paper is not None
    if user.person_id == case.applicant.person_id:
        if question.signed and not on_paper:
            _check_own_code(user, form)
        return Actor(user.name, Role.APPLICANT)
    if mandate_in_force(session, user, case.applicant.person_id, on):
        if question.signed and not on_paper:
            _check_own_code(user, form)
        return Actor(user.name, Role.COMPANION, on_behalf_of=case.applicant.handle)
    if Role.OFFICER in known_roles(session, user):
        if not on_paper:
            raise NotAllowed(
                f"{user.name} may record this answer of {case.applicant.handle} only from a scanned paper: "
                'give its file in "paper"',
                for_people="Petugas hanya dapat mencatat jawaban pemohon dari berkas kertas yang dipindai: isi kolom paper.",
                user=user.name,
            )
        must_be_in_region(user, case)
        return Actor(user.name, Role.OFFICER, on_behalf_of=case.applicant.handle)
    raise _stranger(user, case)


def _stranger(user: User, case: Case) -> NotAllowed:
    return NotAllowed(
        f"{user.name} is neither the owner of {case.number} ({case.applicant.handle}) nor holds a mandate of theirs. "
        f"Record one: jalur mandate add {case.applicant.handle} {user.name} --paper FILE",
        for_people=f"{user.name} bukan pemilik permohonan {case.number} dan tidak memegang surat kuasa pemilik.",
        user=user.name,
    )


def must_be_in_region(user: User, case: Case) -> None:
    """Do nothing where the case is in the region of ``user``. Raises `NotAllowed`."""
    if not user.works_in(case.region_code):
        raise _elsewhere(user, case)


def _elsewhere(user: User, case: Case) -> NotAllowed:
    return NotAllowed(
        f"{user.name} works for region {user.region_code}; {case.number} is in {case.region_code}",
        for_people=f"{user.name} bertugas di wilayah {user.region_code}, permohonan ini di wilayah {case.region_code}.",
        user=user.name,
    )


def _check_own_code(user: User, form: object) -> None:
    """Check the own code in ``form``. Raises: `NotAllowed`. Mutates: ``user``, whose outdated hash is renewed."""
    code = form.own_code if isinstance(form, ApplicantForm) else None
    if code and user.own_code_hash:
        right, renewed = verify_own_code(code, user.own_code_hash)
        if right:
            user.own_code_hash = renewed or user.own_code_hash
            return
    what = "is wrong" if code and user.own_code_hash else "is missing"
    raise NotAllowed(
        f"This must be signed, and the own code of {user.name} {what}. "
        f"Make one (jalur user code {user.name}), or attach the signed paper",
        for_people="Jawaban ini harus ditandatangani: isi kode pribadi yang benar, atau lampirkan kertas bertanda tangan.",
        user=user.name,
    )
