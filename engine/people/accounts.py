"""Accounts, their tokens and codes, and the mandates to act for an owner."""

from __future__ import annotations

import hashlib
import secrets
from datetime import date

from sqlmodel import Session, col, select

from engine.cases.evidence import given_for, must_serve, record_uploads
from engine.definition.incoming import must_be_clean
from engine.errors import Refused
from engine.people.own_codes import hash_own_code, new_own_code
from engine.people.permissions import role_named, roles_of, user_named
from engine.runtime.office import Office
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
        BadText: a name or code holds letters that can't be kept or printed.
        Refused: a role, a person or the superior does not exist.
    """
    must_be_clean(name=name, region=region, institution=institution, unit=unit)
    wanted = [role_named(role) for role in roles]
    with office.db.writing() as session:
        user = session.exec(select(User).where(User.name == name)).first()
        if user is None:
            user = User(name=name, created_at=office.clock.now())
        if person is not None and session.get(Person, person) is None:
            raise Refused(f"There is no person {person}", for_people=f"Tidak ada orang bernomor {person}.")
        user.person_id = person if person is not None else user.person_id
        user.region_code = region.replace(".", "") if region else user.region_code
        user.unit = unit or user.unit
        if institution:
            user.institution_id = institution_coded(session, institution)
        if reports_to:
            user.reports_to_id = user_named(session, reports_to).id
        session.add(user)
        session.flush()
        known = roles_of(session, user)
        for role in wanted:
            if role not in known:
                session.add(UserRole(user_id=user.id or 0, role=role))
        session.flush()
        return sorted(roles_of(session, user))


def give_own_code(office: Office, name: str) -> str:
    """Make a new own code for an account and return it; only its hash is kept.

    Raises:
        Refused: there is no such account.
    """
    code = new_own_code()
    with office.db.writing() as session:
        user = user_named(session, name)
        user.own_code_hash = hash_own_code(code)
        session.add(user)
    return code


def give_token(office: Office, name: str) -> str:
    """Make a new API token for an account and return it; only its hash is kept.

    Raises:
        Refused: there is no such account.
    """
    token = secrets.token_urlsafe(32)
    with office.db.writing() as session:
        user = user_named(session, name)
        user.api_token_hash = hashlib.sha256(token.encode()).hexdigest()
        session.add(user)
    return token


def add_mandate(
    office: Office, owner: str, name: str, *, paper: str, by: str, since: date, until: date | None = None
) -> int:
    """Record a mandate of ``name`` to act for ``owner``; return its id.

    ``paper`` is the scanned mandate (``sha256:…``).

    Raises:
        Refused: an account does not exist, ``owner`` is not a person's own account, or the paper can't serve.
    """
    with office.db.writing() as session:
        owner_user = user_named(session, owner)
        if owner_user.person_id is None:
            raise Refused(
                f"{owner} is nobody's own account, so nobody can be mandated to act for them",
                for_people=f"{owner} bukan akun milik seorang pelaku usaha, jadi tidak dapat memberi kuasa.",
            )
        given = given_for(str(Mandate.__tablename__), "paper", paper, by=by)
        must_serve(session, office.store, given)
        now = office.clock.now()
        mandate = Mandate(
            owner_id=owner_user.person_id,
            user_id=user_named(session, name).id or 0,
            since=since,
            until=until,
            paper_sha256=paper.removeprefix("sha256:"),
            recorded_by_id=user_named(session, by).id or 0,
            recorded_at=now,
        )
        session.add(mandate)
        session.flush()
        assert mandate.id is not None
        record_uploads(session, [given], at=now, run_id=None, used_by=mandate.id)
        return mandate.id


def revoke_mandates(office: Office, owner: str, name: str) -> int:
    """Revoke every mandate of ``name`` to act for ``owner`` from now on; return how many.

    Raises:
        Refused: an account does not exist.
    """
    with office.db.writing() as session:
        owner_id, user_id = user_named(session, owner).person_id, user_named(session, name).id
        found = session.exec(
            select(Mandate).where(
                Mandate.owner_id == owner_id, Mandate.user_id == user_id, col(Mandate.revoked_at).is_(None)
            )
        ).all()
        for mandate in found:
            mandate.revoked_at = office.clock.now()
            session.add(mandate)
        return len(found)


def institution_coded(session: Session, code: str) -> int:
    """Return the id of an institution; add an unknown one under its code."""
    found = session.exec(select(Institution).where(Institution.code == code)).first()
    if found is None:
        found = Institution(code=code, name=code, kind="office", region_code="35")
        session.add(found)
        session.flush()
    assert found.id is not None
    return found.id
