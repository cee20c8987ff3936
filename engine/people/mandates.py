"""Mandates on paper, by which an account acts for an owner: recorded, and revoked."""

from __future__ import annotations

from datetime import date

from sqlmodel import col, select

from engine.cases.evidence import given_for, must_serve, record_uploads
from engine.errors import NotAllowed, Refused
from engine.people.accounts import recorded
from engine.people.permissions import user_ever_named, user_named
from engine.people.roles import roles_of
from engine.runtime.office import Office, RunHandle, Work
from engine.runtime.office_ledger import record
from models import Mandate, Role, User

# Who takes papers of owners at the counter.
MAY_RECORD = (Role.OFFICER, Role.SUPERVISOR, Role.DIVISION_HEAD, Role.OFFICE_HEAD, Role.ADMINISTRATOR)


def add_mandate(
    office: Office,
    owner: str,
    name: str,
    *,
    paper: str,
    by: str,
    since: date,
    until: date | None = None,
    run: RunHandle | None = None,
) -> int:
    """Record a mandate of ``name`` to act for ``owner``; return its id.

    ``paper`` is the scanned mandate (``sha256:…``).

    Raises:
        Refused: an account does not exist, ``owner`` is not a person's own account, or the paper can't serve.
        NotAllowed: ``by`` is neither the owner nor takes papers, or records a mandate for itself; an account has ended.
    """
    with recorded(office, run) as run, office.work(run) as work:
        session = work.session
        owner_user, to, recorder = (user_named(session, one) for one in (owner, name, by))
        if owner_user.person_id is None:
            raise Refused(
                f"{owner} is nobody's own account, so nobody can be mandated to act for them",
                for_people=f"{owner} bukan akun milik seorang pelaku usaha, jadi tidak dapat memberi kuasa.",
            )
        _must_record(work, recorder, owner_user, to)
        given = given_for(str(Mandate.__tablename__), "paper", paper, by=by)
        must_serve(session, office.store, given)
        mandate = Mandate(
            owner_id=owner_user.person_id,
            user_id=to.id or 0,
            since=since,
            until=until,
            paper_sha256=paper.removeprefix("sha256:"),
            recorded_by_id=recorder.id or 0,
            recorded_at=work.now,
        )
        session.add(mandate)
        session.flush()
        told = {"mandate": mandate.id, "owner": owner, "since": since.isoformat(), "until": until and until.isoformat()}
        assert mandate.id is not None
        record_uploads(session, [given], at=work.now, run_id=run.id, used_by=mandate.id)
        record(work, "mandate added", name, told, rows=[mandate], actor=None if run.on_behalf_of else by)
        return mandate.id


def revoke_mandates(
    office: Office, owner: str, name: str, *, by: str | None = None, run: RunHandle | None = None
) -> int:
    """Revoke every mandate of ``name`` to act for ``owner`` from now on; return how many.

    ``by`` is an account, or None for the run's own actor.

    Raises:
        Refused: an account does not exist.
        NotAllowed: ``by`` is neither the owner nor ``name`` nor takes papers.
    """
    with recorded(office, run) as run, office.work(run) as work:
        session = work.session
        giver, holder = user_ever_named(session, owner), user_ever_named(session, name)
        if by is not None and by != name:
            _must_record(work, user_named(session, by), giver, holder)
        found = session.exec(
            select(Mandate).where(
                Mandate.owner_id == giver.person_id, Mandate.user_id == holder.id, col(Mandate.revoked_at).is_(None)
            )
        ).all()
        for mandate in found:
            mandate.revoked_at = work.now
            session.add(mandate)
        session.flush()
        if found:
            actor = None if run.on_behalf_of else by
            record(work, "mandates revoked", name, {"owner": owner}, rows=found, actor=actor)
        return len(found)


def _must_record(work: Work, by: User, owner: User, to: User) -> None:
    """Refuse an account that may not record or revoke a mandate of that owner.

    Raises:
        NotAllowed: it is neither the owner nor takes papers, or the mandate would be its own.
    """
    is_owner = by.person_id is not None and by.person_id == owner.person_id
    takes_papers = not roles_of(work.session, by, work.today).isdisjoint(MAY_RECORD)
    if by.id == to.id or not (is_owner or takes_papers):
        raise NotAllowed(
            f"{by.name} may not record a mandate of {owner.name} for {to.name}; that takes the owner, or one of: "
            f"{', '.join(MAY_RECORD)}, and nobody records their own",
            for_people=f"{by.name} tidak dapat mencatat surat kuasa ini. Mintalah petugas yang menerima suratnya.",
            user=by.name,
        )
