"""Who may do what: checked in the transaction that records the act, on every path (command line, web, API).

Nobody decides on their own application or against a bar that the process set; an owner's answer comes from the
owner, from somebody with a mandate in force, or on paper that an officer scans. ISO/IEC 17024 and 17065 are why.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session, col, select

from engine.case import Case, handle_of
from engine.errors import NotAllowed, Refused
from engine.forms import ApplicantForm, Question
from engine.impartiality import must_be_impartial, who_took_part
from models import AnyWait, Delegation, Mandate, Role, User, UserRole


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


def roles_of(session: Session, user: User) -> set[Role]:
    """Return the roles that a user holds."""
    return {Role(role) for role in session.exec(select(UserRole.role).where(UserRole.user_id == user.id))}


def _known_roles(session: Session, user: User) -> set[Role]:
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
    """Return in which capacity ``user`` answers. Raises `NotAllowed` with the reason and the next move."""
    if question.of is Role.APPLICANT:
        return _for_the_applicant(session, user, case, question, form, on)
    in_place_of = _in_place_of(session, user, wait, question.of, on)
    if question.of not in _known_roles(session, in_place_of or user):
        roles = _known_roles(session, user)
        raise NotAllowed(
            f"{wait.key} is for the role {question.of}; {user.name} has: {', '.join(sorted(roles)) or 'none'}",
            for_people=f"{wait.key} hanya dapat dijawab oleh peran {question.of}.",
            user=user.name,
            role=question.of,
        )
    if wait.holder is not None and wait.holder != (in_place_of or user).name:
        raise NotAllowed(
            f"{wait.key} of {case.number} is assigned to {wait.holder}, not to {user.name}",
            for_people=f"{wait.key} ditugaskan kepada {wait.holder}, bukan kepada {user.name}.",
            user=user.name,
            holder=wait.holder,
        )
    took_part = {*wait.apart_from, *who_took_part(session, case.number, question)}
    must_be_impartial(session, user, case, question, on, took_part, wait.key)
    in_region(in_place_of or user, case)
    return Actor(user.name, question.of, on_behalf_of=in_place_of.name if in_place_of else None)


def _in_place_of(session: Session, user: User, wait: AnyWait, role: Role, on: date) -> User | None:
    """Return for which absent colleague ``user`` answers; None where they answer for themselves, or may not."""
    if wait.holder == user.name or (wait.holder is None and role in _known_roles(session, user)):
        return None
    away = absent_colleagues(session, user, wait.case_id, role, on)
    return next((one for one in away if wait.holder in (None, one.name) and role in _known_roles(session, one)), None)


# Who may steer any case of their region: give a question to another, extend a date.
STEERING = (Role.SUPERVISOR, Role.DIVISION_HEAD, Role.OFFICE_HEAD, Role.LSP_HEAD, Role.PANEL_CHAIR, Role.ADMINISTRATOR)


def may_steer(session: Session, user: User, case: Case, holder: str | None) -> Actor:
    """Return in which capacity ``user`` steers a question of ``holder``'s: the holder, a superior. Raises `NotAllowed`."""
    roles = _known_roles(session, user)
    leading = next((role for role in STEERING if role in roles), None)
    line = line_of(session, user_named(session, holder)) if holder else []
    if user.name == holder or user.id in {one.id for one in line}:
        return Actor(user.name, leading or next(iter(sorted(roles)), Role.OFFICER))
    if leading is None or user.person_id == case.applicant.person_id:
        raise NotAllowed(
            f"{user.name} may not steer {case.number}: that is for its holder and for those who lead ({', '.join(STEERING)})",
            for_people=f"{user.name} tidak berwenang mengatur {case.number}; mintalah atasan.",
            user=user.name,
        )
    in_region(user, case)
    return Actor(user.name, leading)


def line_of(session: Session, user: User) -> list[User]:
    """Return the superiors of an account, the nearest first; a circle ends where it closes."""
    line: list[User] = []
    above = user
    while above.reports_to_id and (found := session.get(User, above.reports_to_id)) and found not in (user, *line):
        line.append(found)
        above = found
    return line


def absent_colleagues(session: Session, user: User, case_id: int, role: str, on: date) -> list[User]:
    """Return for whom ``user`` may answer in that role of that case on ``on``, by a delegation in force."""
    known: dict[int | None, list[Delegation]] = session.info.setdefault("delegations", {})
    if user.id not in known:
        wanted = select(Delegation).where(Delegation.to_id == user.id, col(Delegation.revoked_at).is_(None))
        known[user.id] = list(session.exec(wanted))
    found = [
        one
        for one in known[user.id]
        if one.since <= on <= one.until and one.role in (None, role) and one.case_id in (None, case_id)
    ]
    return [session.get_one(User, one.from_id) for one in found]


def may_act_for_applicant(session: Session, user: User, case: Case, on: date) -> Actor:
    """Return in which capacity ``user`` withdraws: the owner, a mandated companion, or an officer told to by the owner."""
    if user.person_id == case.applicant.person_id:
        return Actor(user.name, Role.APPLICANT)
    if mandate_in_force(session, user, case.applicant.person_id, on):
        return Actor(user.name, Role.COMPANION, on_behalf_of=case.applicant.handle)
    if Role.OFFICER in _known_roles(session, user):
        in_region(user, case)
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
    if Role.OFFICER in _known_roles(session, user):
        if not on_paper:
            raise NotAllowed(
                f"{user.name} may record this answer of {case.applicant.handle} only from a scanned paper: "
                'give its file in "paper"',
                for_people="Petugas hanya dapat mencatat jawaban pemohon dari berkas kertas yang dipindai: isi kolom paper.",
                user=user.name,
            )
        in_region(user, case)
        return Actor(user.name, Role.OFFICER, on_behalf_of=case.applicant.handle)
    raise _stranger(user, case)


def _stranger(user: User, case: Case) -> NotAllowed:
    return NotAllowed(
        f"{user.name} is neither the owner of {case.number} ({case.applicant.handle}) nor holds a mandate of theirs. "
        f"Record one: jalur mandate add {case.applicant.handle} {user.name} --paper FILE",
        for_people=f"{user.name} bukan pemilik permohonan {case.number} dan tidak memegang surat kuasa pemilik.",
        user=user.name,
    )


def in_region(user: User, case: Case) -> None:
    """Do nothing where the case lies in the user's region. Raises `NotAllowed`."""
    if user.region_code and not case.region_code.startswith(user.region_code):
        raise NotAllowed(
            f"{user.name} works for region {user.region_code}; {case.number} is in {case.region_code}",
            for_people=f"{user.name} bertugas di wilayah {user.region_code}, permohonan ini di wilayah {case.region_code}.",
            user=user.name,
        )


# -- own codes: scrypt (RFC 7914), small enough for a desk and slow enough for a thief -----------------------------

_COST = {"n": 2**13, "r": 8, "p": 1}


def new_own_code() -> str:
    """Return a fresh own code: eight digits, told to its owner once and kept as a hash only."""
    return f"{secrets.randbelow(10**8):08d}"


def hash_own_code(code: str) -> str:
    """Return salt and scrypt hash of an own code, in hex."""
    salt = os.urandom(16)
    return f"{salt.hex()}:{hashlib.scrypt(code.encode(), salt=salt, dklen=32, **_COST).hex()}"


def _check_own_code(user: User, form: object) -> None:
    code = form.own_code if isinstance(form, ApplicantForm) else None
    if code and user.own_code_hash:
        salt, expected = user.own_code_hash.split(":")
        given = hashlib.scrypt(code.encode(), salt=bytes.fromhex(salt), dklen=32, **_COST).hex()
        if hmac.compare_digest(given, expected):
            return
    what = "is wrong" if code and user.own_code_hash else "is missing"
    raise NotAllowed(
        f"This must be signed, and the own code of {user.name} {what}. "
        f"Make one (jalur user code {user.name}), or attach the signed paper",
        for_people="Jawaban ini harus ditandatangani: isi kode pribadi yang benar, atau lampirkan kertas bertanda tangan.",
        user=user.name,
    )


__all__ = [
    "Actor",
    "handle_of",
    "hash_own_code",
    "in_region",
    "line_of",
    "may_act_for_applicant",
    "may_answer",
    "may_steer",
    "new_own_code",
    "roles_of",
    "user_named",
]
