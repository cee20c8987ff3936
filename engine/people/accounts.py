"""Accounts, their tokens and codes, and the mandates to act for an owner."""

from __future__ import annotations

import hashlib
import secrets
from datetime import date

from sqlmodel import col, select

from engine.errors import Refused
from engine.people.own_codes import hash_own_code, new_own_code
from engine.people.permissions import role_named, roles_of, user_named
from engine.runtime.office import NO_RUN, Office, Work
from engine.runtime.office_ledger import record
from models import Institution, Mandate, Person, User, UserRole


def add_user(
    office: Office,
    name: str,
    roles: list[str],
    *,
    region: str | None = None,
    institution: str | None = None,
    unit: str | None = None,
    reports_to: str | None = None,
    person: int | None = None,
) -> list[str]:
    """Add an account, or give an existing one more roles; return its roles.

    Raises:
        Refused: a role, a person or the superior does not exist.
    """
    wanted = [role_named(role) for role in roles]
    with office.work(NO_RUN) as work:
        session = work.session
        user = session.exec(select(User).where(User.name == name)).first()
        if user is None:
            user = User(name=name, created_at=office.clock.now())
        if person is not None and session.get(Person, person) is None:
            raise Refused(f"There is no person {person}", for_people=f"Tidak ada orang bernomor {person}.")
        user.person_id = person if person is not None else user.person_id
        user.region_code = region.replace(".", "") if region else user.region_code
        user.unit = unit or user.unit
        if institution:
            user.institution_id = institution_coded(work, institution)
        if reports_to:
            user.reports_to_id = user_named(session, reports_to).id
        session.add(user)
        session.flush()
        known = roles_of(session, user)
        given = [UserRole(user_id=user.id or 0, role=role) for role in dict.fromkeys(wanted) if role not in known]
        session.add_all(given)
        session.flush()
        record(work, "account written", name, {"new_roles": [one.role for one in given]}, rows=[user, *given])
        return sorted(roles_of(session, user))


def give_own_code(office: Office, name: str) -> str:
    """Make a new own code for an account and return it; only its hash is kept.

    Raises:
        Refused: there is no such account.
    """
    code = new_own_code()
    with office.work(NO_RUN) as work:
        user = user_named(work.session, name)
        user.own_code_hash = hash_own_code(code)
        work.session.add(user)
        record(work, "own code given", name, rows=[user])
    return code


def give_token(office: Office, name: str) -> str:
    """Make a new API token for an account and return it; only its hash is kept.

    Raises:
        Refused: there is no such account.
    """
    token = secrets.token_urlsafe(32)
    with office.work(NO_RUN) as work:
        user = user_named(work.session, name)
        user.api_token_hash = hashlib.sha256(token.encode()).hexdigest()
        work.session.add(user)
        record(work, "token given", name, rows=[user])
    return token


def add_mandate(
    office: Office, owner: str, name: str, *, paper: str, by: str, since: date, until: date | None = None
) -> int:
    """Record a mandate of ``name`` to act for ``owner``; return its id.

    ``paper`` is the scanned mandate (``sha256:…``).

    Raises:
        Refused: an account does not exist, or ``owner`` is not a person's own account.
    """
    with office.work(NO_RUN) as work:
        session = work.session
        owner_user = user_named(session, owner)
        if owner_user.person_id is None:
            raise Refused(
                f"{owner} is nobody's own account, so nobody can be mandated to act for them",
                for_people=f"{owner} bukan akun milik seorang pelaku usaha, jadi tidak dapat memberi kuasa.",
            )
        mandate = Mandate(
            owner_id=owner_user.person_id,
            user_id=user_named(session, name).id or 0,
            since=since,
            until=until,
            paper_sha256=paper.removeprefix("sha256:"),
            recorded_by_id=user_named(session, by).id or 0,
            recorded_at=office.clock.now(),
        )
        session.add(mandate)
        session.flush()
        record(work, "mandate added", name, {"mandate": mandate.id, "owner": owner}, rows=[mandate], actor=by)
        assert mandate.id is not None
        return mandate.id


def revoke_mandates(office: Office, owner: str, name: str) -> int:
    """Revoke every mandate of ``name`` to act for ``owner`` from now on; return how many.

    Raises:
        Refused: an account does not exist.
    """
    with office.work(NO_RUN) as work:
        session = work.session
        owner_id, user_id = user_named(session, owner).person_id, user_named(session, name).id
        found = session.exec(
            select(Mandate).where(
                Mandate.owner_id == owner_id, Mandate.user_id == user_id, col(Mandate.revoked_at).is_(None)
            )
        ).all()
        for mandate in found:
            mandate.revoked_at = office.clock.now()
            session.add(mandate)
        session.flush()
        if found:
            record(work, "mandates revoked", name, {"owner": owner}, rows=found)
        return len(found)


def institution_coded(work: Work, code: str) -> int:
    """Return the id of an institution; add an unknown one under its code."""
    found = work.session.exec(select(Institution).where(Institution.code == code)).first()
    if found is None:
        found = Institution(code=code, name=code, kind="office", region_code="35")
        work.session.add(found)
        work.session.flush()
        record(work, "institution added", code, rows=[found])
    assert found.id is not None
    return found.id
