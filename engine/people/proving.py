"""Prove who acts by the command line: by a token; in demo and test a claim is enough."""

from __future__ import annotations

import hashlib

from sqlmodel import Session, col, select

from engine.cases.ledger import valid_reason
from engine.errors import NotAllowed, Refused
from engine.people.permissions import user_named
from engine.people.roles import has_role, roles_of
from engine.runtime.office import Office
from engine.runtime.proofs import Proof, Way, machine_user
from models import Role, User


def account_of_token(session: Session, office: Office, token: str) -> User | None:
    """Return the account of a token; None where there is none, or its last day is over."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    user = session.exec(select(User).where(User.api_token_hash == digest)).first()
    return user if user is not None and user.has_token(office.clock.today()) else None


def prove(office: Office, by: str | None, reason: str | None = None, *, first: bool = False) -> Proof:
    """Return the actor of a command that names ``by``, and the way by which it is known.

    1. The token in ``JALUR_TOKEN_FILE`` proves its account. An administrator may act on behalf of ``by`` with a reason.
    2. Without a token file ``by`` is believed in demo and test; where nobody is named, the machine's own user acts.
    3. In production nobody is believed. Only while no administrator can sign in, the machine's own user may do what is
       ``first``: add an administrator, and make the first token.

    Raises:
        NotAllowed: the token is nobody's, or another's who is no administrator; or there is none, in production.
        Refused: the token file can't be read, or the reason is missing.
    """
    token = _token(office)
    with office.db.reading() as session:
        if token is not None:
            holder = account_of_token(session, office, token)
            if holder is None:
                raise NotAllowed(
                    "The token in JALUR_TOKEN_FILE is no account's, or it has ended. Make another: jalur user token NAME",
                    for_people="Token dalam JALUR_TOKEN_FILE tidak dikenal atau sudah berakhir. Mintalah token baru.",
                )
            if by in (None, holder.name):
                return Proof(holder.name, Way.PROVED)
            return _on_behalf(session, office, holder, by or "", reason)
        if office.settings.invents():
            return Proof(by, Way.CLAIMED) if by else Proof(machine_user(), Way.MACHINE)
        if first and not _administrators_sign_in(session, office):
            return Proof(machine_user(), Way.FIRST)
    raise NotAllowed(
        f"Nothing proves that {by or 'somebody'} does this. Write the token of the account to a file, and name the file: "
        "export JALUR_TOKEN_FILE=/path/to/token",
        for_people="Tidak ada bukti siapa yang menjalankan perintah ini. Simpan token akun dalam berkas, lalu sebutkan "
        "berkasnya: export JALUR_TOKEN_FILE=/path/to/token",
    )


def _on_behalf(session: Session, office: Office, holder: User, by: str, reason: str | None) -> Proof:
    """Return the proof of an administrator who acts on behalf of ``by``.

    Raises:
        NotAllowed: the token's account is no administrator, or ``by`` has ended.
        Refused: there is no account ``by``, or no reason.
    """
    if Role.ADMINISTRATOR not in roles_of(session, holder, office.clock.today()):
        raise NotAllowed(
            f"The token is that of {holder.name}, not of {by}; only an administrator acts on behalf of somebody",
            for_people=f"Token ini milik {holder.name}, bukan {by}. Hanya administrator yang dapat bertindak atas nama orang lain.",
            user=holder.name,
        )
    user_named(session, by)
    if not reason or not reason.strip():
        raise Refused(
            f"Say why {holder.name} acts on behalf of {by}: --reason",
            for_people=f"Tuliskan alasan {holder.name} bertindak atas nama {by}: --reason",
        )
    return Proof(holder.name, Way.ON_BEHALF, on_behalf_of=by, reason=valid_reason(reason))


def _administrators_sign_in(session: Session, office: Office) -> bool:
    """Return whether an administrator has a token in force."""
    today = office.clock.today()
    theirs = select(User).where(has_role(Role.ADMINISTRATOR, today), col(User.api_token_hash).is_not(None))
    return any(user.has_token(today) for user in session.exec(theirs))


def _token(office: Office) -> str | None:
    """Return the token in ``JALUR_TOKEN_FILE``; None where the setting is missing.

    Raises:
        Refused: the file can't be read.
    """
    named = office.settings.token_file
    if named is None:
        return None
    file = office.settings.path(named)
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Refused(
            f"The token file {file} can't be read: {why}. Set JALUR_TOKEN_FILE to another",
            for_people=f"Berkas token {file} tidak dapat dibaca. Periksa JALUR_TOKEN_FILE.",
        ) from None
