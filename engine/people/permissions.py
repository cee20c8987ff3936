"""Permissions of an account: its roles, its right to answer or to act for an applicant.

An applicant's answer comes from the owner, from an account with a mandate in force, or on paper that an officer scans.
Checks run in the transaction that records the act.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session, col, select

from engine.deadlines.clock import local_date
from engine.definition.case import Case
from engine.definition.forms import ApplicantForm, Question
from engine.errors import NotAllowed, Refused
from engine.people.delegations import delegations_to, sibling_accounts, was_given_back
from engine.people.impartiality import must_be_impartial, must_not_be_concerned, who_took_part
from engine.people.own_codes import verify_own_code
from engine.people.roles import cached_roles
from engine.runtime.office import Work
from models import AnyWait, Mandate, Role, User


@dataclass(frozen=True)
class Actor:
    """The account that acts, its role, and the account on whose behalf; the ledger records all."""

    name: str
    role: Role
    on_behalf_of: str | None = None


def user_named(session: Session, name: str) -> User:
    """Return the account of that name, which acts or is asked now.

    Raises:
        Refused: there is none.
        NotAllowed: the account has ended.
    """
    user = user_ever_named(session, name)
    if user.ended_at is not None:
        day = local_date(user.ended_at).isoformat()
        raise NotAllowed(
            f"The account {name} was ended on {day}; it does nothing more and is asked nothing. See: jalur user list",
            for_people=f"Akun {name} sudah diakhiri pada {day}. Hubungi administrator bila ini keliru.",
            user=name,
        )
    return user


def user_ever_named(session: Session, name: str) -> User:
    """Return the account of that name, ended or not.

    Raises:
        Refused: there is none.
    """
    user = session.exec(select(User).where(User.name == name)).first()
    if user is None:
        raise Refused(
            f"There is no user {name}. Add one: jalur user add {name} --role ROLE",
            for_people=f"Tidak ada pengguna bernama {name}.",
            user=name,
        )
    return user


def has_ended(session: Session, name: str) -> bool:
    """Return whether the account of that name has ended."""
    ended = select(User.id).where(User.name == name, col(User.ended_at).is_not(None))
    return session.exec(ended).first() is not None


def must_not_concern_the_stand_in(work: Work, case: Case, took_part: Iterable[str] = (), key: str = "") -> None:
    """Refuse an administrator who acts on behalf of somebody in a case that concerns themselves.

    Raises:
        NotAllowed: they took part, are the applicant, or declared a conflict.
    """
    if work.run.on_behalf_of is not None:
        user = user_named(work.session, work.run.by)
        must_not_be_concerned(work.session, user, case, work.today, took_part, key)


def authorize_answer(
    session: Session,
    user: User,
    case: Case,
    wait: AnyWait,
    question: Question[Any],
    form: ApplicantForm | object,
    on: date,
) -> Actor:
    """Return the capacity in which ``user`` answers: in their own right, or as a delegate.

    Raises:
        NotAllowed: the question is for another role, account or region, or the account is barred.
    """
    if question.of is Role.APPLICANT:
        return _for_the_applicant(session, user, case, question, form, on)
    took_part = {*wait.apart_from, *who_took_part(session, case.number, question)}
    if _is_their_own(session, user, case, wait, question, on):
        if wait.holder is None and wait.apart_from and was_given_back(session, wait):
            took_part |= sibling_accounts(session, wait)
        must_be_impartial(session, user, case, question, on, took_part, wait.key)
        return Actor(user.name, question.of)
    delegators = _delegators(session, user, case, wait, question, on)
    if not delegators:
        raise _not_for_this_account(session, user, case, wait, question, on)
    must_be_impartial(session, user, case, question, on, took_part | sibling_accounts(session, wait), wait.key)
    delegator = _first_unbarred(session, delegators, case, wait, question, on, took_part)
    return Actor(user.name, question.of, on_behalf_of=delegator.name)


def _is_their_own(session: Session, user: User, case: Case, wait: AnyWait, question: Question[Any], on: date) -> bool:
    return (
        question.of in cached_roles(session, user, on)
        and wait.holder in (None, user.name)
        and user.works_in(case.region_code)
    )


def _delegators(
    session: Session, user: User, case: Case, wait: AnyWait, question: Question[Any], on: date
) -> list[User]:
    """Return the accounts that have delegated this question to ``user``."""
    return [
        one.delegator
        for one in delegations_to(session, user, on)
        if wait.holder in (None, one.delegator.name)
        and one.covers(wait.case_id, question.of)
        and one.delegator.works_in(case.region_code)
    ]


def _first_unbarred(
    session: Session,
    delegators: list[User],
    case: Case,
    wait: AnyWait,
    question: Question[Any],
    on: date,
    took_part: set[str],
) -> User:
    """Return the first delegator that is not barred: a barred account can't delegate.

    Raises:
        NotAllowed: every delegator is barred.
    """
    bars: list[NotAllowed] = []
    for delegator in delegators:
        try:
            must_be_impartial(session, delegator, case, question, on, took_part, wait.key)
        except NotAllowed as barred:
            bars.append(barred)
        else:
            return delegator
    raise bars[0]


def _not_for_this_account(
    session: Session, user: User, case: Case, wait: AnyWait, question: Question[Any], on: date
) -> NotAllowed:
    """Return the refusal of a question for another role, another assignee or another region."""
    roles = cached_roles(session, user, on)
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
    return _wrong_region(user, case)


def authorize_for_applicant(session: Session, user: User, case: Case, on: date) -> Actor:
    """Return the capacity in which ``user`` acts: as owner, mandated companion, or officer.

    Raises:
        NotAllowed: ``user`` is none of these, or an officer of another region.
    """
    if user.person_id == case.applicant.person_id:
        return Actor(user.name, Role.APPLICANT)
    if mandate_in_force(session, user, case.applicant.person_id, on):
        return Actor(user.name, Role.COMPANION, on_behalf_of=case.applicant.handle)
    if Role.OFFICER in cached_roles(session, user, on):
        must_be_in_region(user, case)
        return Actor(user.name, Role.OFFICER, on_behalf_of=case.applicant.handle)
    raise _not_a_representative(user, case)


def mandate_in_force(session: Session, user: User, owner_id: int, on: date) -> bool:
    """Return whether ``user`` holds a mandate to act for that owner on ``on``."""
    return owner_id in mandators(session, user, on)


def mandators(session: Session, user: User, on: date) -> set[int]:
    """Return the owners for whom ``user`` holds a mandate on ``on``."""
    found = session.exec(select(Mandate).where(Mandate.user_id == user.id, col(Mandate.revoked_at).is_(None)))
    return {one.owner_id for one in found if one.since <= on and (one.until is None or on <= one.until)}


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
    if Role.OFFICER in cached_roles(session, user, on):
        if not on_paper:
            raise NotAllowed(
                f"{user.name} may record this answer of {case.applicant.handle} only from a scanned paper: "
                'give its file in "paper"',
                for_people="Petugas hanya dapat mencatat jawaban pemohon dari berkas kertas yang dipindai: isi kolom paper.",
                user=user.name,
            )
        must_be_in_region(user, case)
        return Actor(user.name, Role.OFFICER, on_behalf_of=case.applicant.handle)
    raise _not_a_representative(user, case)


def _not_a_representative(user: User, case: Case) -> NotAllowed:
    return NotAllowed(
        f"{user.name} is neither the owner of {case.number} ({case.applicant.handle}) nor holds a mandate of theirs. "
        f"Record one: jalur mandate add {case.applicant.handle} {user.name} --paper FILE",
        for_people=f"{user.name} bukan pemilik permohonan {case.number} dan tidak memegang surat kuasa pemilik.",
        user=user.name,
    )


def must_be_in_region(user: User, case: Case) -> None:
    """Refuse an account of another region.

    Raises:
        NotAllowed: the case is outside of the region of ``user``.
    """
    if not user.works_in(case.region_code):
        raise _wrong_region(user, case)


def _wrong_region(user: User, case: Case) -> NotAllowed:
    return NotAllowed(
        f"{user.name} works for region {user.region_code}; {case.number} is in {case.region_code}",
        for_people=f"{user.name} bertugas di wilayah {user.region_code}, permohonan ini di wilayah {case.region_code}.",
        user=user.name,
    )


def _check_own_code(user: User, form: object) -> None:
    """Check the own code in ``form``.

    Raises:
        NotAllowed: the code is missing or wrong.

    Mutates: ``user``, whose outdated hash is renewed.
    """
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
