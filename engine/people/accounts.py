"""Accounts, their roles, tokens and codes: given and ended, by the office's ledger."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date

from sqlmodel import Session, col, select

from engine.errors import NotAllowed, Refused
from engine.people.account_names import must_be_a_name, must_be_printable
from engine.people.own_codes import hash_own_code, new_own_code
from engine.people.permissions import user_named
from engine.people.roles import role_named, roles_of
from engine.runtime.office import Office, RunHandle, Work
from engine.runtime.office_ledger import record
from engine.runtime.proofs import machine_user
from models import Delegation, Institution, Mandate, Person, Role, User, UserRole
from models.base import Base
from models.privacy import without_personal_numbers

REGION = re.compile(r"\d{2}(\.?\d{2}){0,2}")


@contextmanager
def recorded(office: Office, run: RunHandle | None) -> Iterator[RunHandle]:
    """Give ``run``; without one, record a run of the machine's own user, whom nothing proves."""
    if run is not None:
        yield run
        return
    with office.run("cli", by=machine_user()) as made:
        yield made


def add_user(
    office: Office,
    name: str,
    roles: list[str],
    *,
    run: RunHandle | None = None,
    region: str | None = None,
    institution: str | None = None,
    unit: str | None = None,
    reports_to: str | None = None,
    person: int | None = None,
    until: date | None = None,
) -> list[str]:
    """Add an account, or give an existing one more roles; return its roles.

    ``until`` is the last day of the roles that are given now.

    Raises:
        Refused: the name can't be an account's; a role, region, person or the superior does not exist.
        NotAllowed: the run's account is no administrator, or the named one has ended.
    """
    with recorded(office, run) as run, office.work(run) as work:
        must_administer(work)
        return write_account(
            work,
            name,
            roles,
            region=region,
            institution=institution,
            unit=unit,
            reports_to=reports_to,
            person=person,
            until=until,
        )


def write_account(
    work: Work,
    name: str,
    roles: list[str],
    *,
    region: str | None = None,
    institution: str | None = None,
    unit: str | None = None,
    reports_to: str | None = None,
    person: int | None = None,
    until: date | None = None,
) -> list[str]:
    """Add or change an account in the caller's transaction, as `add_user` does."""
    session, wanted = work.session, [role_named(role) for role in dict.fromkeys(roles)]
    must_be_printable(name)  # before it is looked up: PostgreSQL fails on a NUL
    user = session.exec(select(User).where(User.name == name)).first()
    if user is None:
        must_be_a_name(name, person)
        user = User(name=name, created_at=work.now)
    elif user.ended_at is not None:
        user_named(session, name)  # refuses: the ledgers know the name as somebody else's
    if person is not None and session.get(Person, person) is None:
        raise Refused(f"There is no person {person}", for_people=f"Tidak ada orang bernomor {person}.")
    user.person_id = person if person is not None else user.person_id
    user.region_code = _region(region) if region else user.region_code
    user.unit = unit or user.unit
    added: list[Base] = []
    if institution:
        user.institution_id = institution_coded(session, institution, added)
    if reports_to:
        user.reports_to_id = user_named(session, reports_to).id
    session.add(user)
    session.flush()
    given = _give_roles(work, user, wanted, until)
    told = {
        "new_roles": [one.role for one in given],
        "until": until.isoformat() if until else None,
        "region": user.region_code,
        "institution": institution,
        "unit": unit,
        "reports_to": reports_to,
        "person": person,
    }
    record(work, "account written", name, _said(told), rows=[user, *given, *added])
    return sorted(roles_of(session, user, work.today))


def give_own_code(office: Office, name: str, *, run: RunHandle | None = None) -> str:
    """Make a new own code for an account and return it; only its hash is kept.

    Raises:
        Refused: there is no such account.
        NotAllowed: it has ended, or the run's account is neither it nor an administrator.
    """
    code = new_own_code()
    hashed = hash_own_code(code)
    with recorded(office, run) as run, office.work(run) as work:
        must_administer(work, itself=name)
        user = user_named(work.session, name)
        user.own_code_hash, user.own_code_since = hashed, work.now
        _write(work, "own code given", user)
    return code


def give_token(office: Office, name: str, *, run: RunHandle | None = None, until: date | None = None) -> str:
    """Make a new API token for an account and return it; only its hash is kept.

    The old one ends. ``until`` is its last day; None: until it is ended or replaced.

    Raises:
        Refused: there is no such account, or the last day is over.
        NotAllowed: it has ended, or the run's account is neither it nor an administrator.
    """
    token = secrets.token_urlsafe(32)
    with recorded(office, run) as run, office.work(run) as work:
        must_administer(work, itself=name)
        if until is not None and until < work.today:
            raise Refused(
                f"The token would end on {until}, in the past: --until",
                for_people=f"Tanggal akhir {until.isoformat()} sudah lewat.",
            )
        user = user_named(work.session, name)
        user.api_token_hash = hashlib.sha256(token.encode()).hexdigest()
        user.token_since, user.token_until = work.now, until
        _write(work, "token given", user, until=until.isoformat() if until else None)
    return token


def end_token(office: Office, name: str, *, run: RunHandle | None = None) -> None:
    """End the token of an account at once, and with it every session that it opened.

    Raises:
        Refused: there is no such account, or it has no token.
        NotAllowed: the run's account is neither it nor an administrator.
    """
    with recorded(office, run) as run, office.work(run) as work:
        must_administer(work, itself=name)
        user = user_named(work.session, name)
        if user.api_token_hash is None:
            raise Refused(f"{name} has no token", for_people=f"{name} tidak memiliki token.")
        user.api_token_hash = user.token_since = user.token_until = None
        _write(work, "token ended", user)


def end_own_code(office: Office, name: str, *, run: RunHandle | None = None) -> None:
    """End the own code of an account at once.

    Raises:
        Refused: there is no such account, or it has no code.
        NotAllowed: the run's account is neither it nor an administrator.
    """
    with recorded(office, run) as run, office.work(run) as work:
        must_administer(work, itself=name)
        user = user_named(work.session, name)
        if user.own_code_hash is None:
            raise Refused(f"{name} has no own code", for_people=f"{name} tidak memiliki kode pribadi.")
        user.own_code_hash = user.own_code_since = None
        _write(work, "own code ended", user)


def end_rights(work: Work, user: User, reason: str, role: Role | None = None) -> None:
    """End an account with all that it holds by right, or one role of it.

    With the account end its roles, token and code, the mandates given to it, and the delegations from and to it. Ending an
    ended account again changes nothing.

    Raises:
        Refused: it does not hold the role.
    """
    if user.ended_at is not None:
        return
    wanted = select(UserRole).where(UserRole.user_id == user.id, col(UserRole.ended_at).is_(None))
    roles = work.session.exec(wanted.where(UserRole.role == role) if role else wanted).all()
    if role is not None and not roles:
        raise Refused(
            f"{user.name} does not hold the role {role}",
            for_people=f"{user.name} tidak memegang peran {role}.",
            user=user.name,
        )
    for one in roles:
        one.ended_at = work.now
    ended: list[Base] = [user, *roles]
    if role is None:
        user.ended_at, user.ended_because = work.now, reason
        user.own_code_hash = user.own_code_since = None
        user.api_token_hash = user.token_since = user.token_until = None
        ended += _revoke_all(work, user)
    work.session.add_all(ended)
    work.session.flush()
    told = {"reason": reason, "roles": [one.role for one in roles]}
    record(work, "role ended" if role else "account ended", user.name, told, rows=ended)


def must_administer(work: Work, itself: str | None = None) -> None:
    """Refuse a run whose account is neither an administrator nor ``itself``.

    A run of the machine's own user has no account: the command line decides whether to let it in.

    Raises:
        NotAllowed: it is another account.
    """
    actor = work.run.on_behalf_of or work.run.by
    user = work.session.exec(select(User).where(User.name == actor)).first()
    if user is None or (itself == actor and user.ended_at is None):
        return
    if user.ended_at is not None or Role.ADMINISTRATOR not in roles_of(work.session, user, work.today):
        raise NotAllowed(
            f"{actor} is no administrator, and only they change accounts",
            for_people=f"{actor} bukan administrator; akun hanya diubah oleh administrator.",
            user=actor,
        )


def institution_coded(session: Session, code: str, added: list[Base] | None = None) -> int:
    """Return the id of an institution; add an unknown one under its code.

    Mutates: ``added``, which gets a new institution's row.
    """
    found = session.exec(select(Institution).where(Institution.code == code)).first()
    if found is None:
        found = Institution(code=code, name=code, kind="office", region_code="35")
        session.add(found)
        session.flush()
        if added is not None:
            added.append(found)
    assert found.id is not None
    return found.id


def _give_roles(work: Work, user: User, wanted: list[Role], until: date | None) -> list[UserRole]:
    """Give the roles that the account does not hold; return their rows."""
    if until is not None and until < work.today:
        raise Refused(
            f"The roles would end on {until}, in the past: --until",
            for_people=f"Tanggal akhir {until.isoformat()} sudah lewat.",
        )
    known = {one.role: one for one in work.session.exec(select(UserRole).where(UserRole.user_id == user.id))}
    held = roles_of(work.session, user, work.today)
    given = []
    for role in wanted:
        if role in held and (until is None or known[role].until == until):
            continue
        row = known.get(role) or UserRole(user_id=user.id or 0, role=role)
        row.since, row.until, row.ended_at = work.today, until, None
        given.append(row)
    work.session.add_all(given)
    work.session.flush()
    return given


def _revoke_all(work: Work, user: User) -> list[Base]:
    """Revoke an account's mandates, and the delegations from and to it; return their rows."""
    mandates = work.session.exec(select(Mandate).where(Mandate.user_id == user.id, col(Mandate.revoked_at).is_(None)))
    delegations = work.session.exec(
        select(Delegation).where(
            (col(Delegation.from_id) == user.id) | (col(Delegation.to_id) == user.id),
            col(Delegation.revoked_at).is_(None),
        )
    )
    revoked: list[Base] = []
    for one in (*mandates, *delegations):
        one.revoked_at = work.now
        revoked.append(one)
    return revoked


def _write(work: Work, what: str, user: User, **told: str | None) -> None:
    work.session.add(user)
    work.session.flush()
    record(work, what, user.name, _said(told), rows=[user])


def _said(told: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in told.items() if value is not None}


def _region(code: str) -> str:
    if not REGION.fullmatch(code):
        raise Refused(
            f"{without_personal_numbers(code)} is no region's code; write it as 35, 35.08 or 3508",
            for_people="Kode wilayah ditulis seperti 35, 35.08 atau 3508.",
        )
    return code.replace(".", "")
