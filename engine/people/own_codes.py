"""Own codes: the eight digits with which an account signs, kept as Argon2 hashes.

A code is looked at before anything is locked. What goes on into the transaction is a proof that it was right.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from typing import Any

from pwdlib import PasswordHash
from pwdlib.hashers import HasherProtocol
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.base import ensure_bytes, ensure_str
from sqlmodel import select

from engine.people.attempts import code_was_right, count_code
from engine.runtime.office import Office, RunHandle, Work
from engine.runtime.office_ledger import record
from models import User

_SCRYPT = re.compile(r"(?P<salt>[0-9a-f]{32}):(?P<digest>[0-9a-f]{64})")
_SCRYPT_COST = {"n": 2**13, "r": 8, "p": 1}
# Proofs are for this process alone: whoever types one in has no proof of it.
_PROVING = secrets.token_bytes(32)
HERE = "command line"


class Scrypt(HasherProtocol):
    """Verifies the hashes made before Argon2: salt and scrypt digest (RFC 7914), in hex."""

    @classmethod
    def identify(cls, hash: str | bytes) -> bool:
        """Return whether ``hash`` has the form of a scrypt hash."""
        return _SCRYPT.fullmatch(ensure_str(hash)) is not None

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Return the scrypt hash of ``password``."""
        salt = salt or os.urandom(16)
        return f"{salt.hex()}:{hashlib.scrypt(ensure_bytes(password), salt=salt, dklen=32, **_SCRYPT_COST).hex()}"

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        """Return whether ``password`` is the one that was hashed."""
        old = ensure_str(hash)
        return hmac.compare_digest(self.hash(password, salt=bytes.fromhex(old.partition(":")[0])), old)

    def check_needs_rehash(self, hash: str | bytes) -> bool:
        """Return True: a scrypt hash is always replaced."""
        return True


_CODES = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1), Scrypt()))


def new_own_code() -> str:
    """Return a random own code of eight digits."""
    return f"{secrets.randbelow(10**8):08d}"


def hash_own_code(code: str) -> str:
    """Return the Argon2 hash of an own code, with its salt and cost."""
    return _CODES.hash(code)


def verify_own_code(code: str, kept: str) -> tuple[bool, str | None]:
    """Return whether ``code`` matches the hash, and a new hash where the kept one is outdated."""
    return _CODES.verify_and_update(code, kept)


def proved(
    office: Office, by: str, data: dict[str, Any], *, run: RunHandle | None = None, address: str = HERE
) -> dict[str, Any]:
    """Return an answer's data with a proof in the place of a right own code.

    Each code is counted for its account and ``address``, then hashed without any lock. A ``run`` also replaces a hash that is
    out of date.

    Raises:
        TooManyAttempts: the pause after the last wrong code is not over.
    """
    code = data.get("own_code")
    with office.db.reading() as session:
        user = session.exec(select(User).where(User.name == by)).first()
    if not isinstance(code, str) or not code or user is None or not user.own_code_hash:
        return data
    count_code(office, user.id or 0, address)
    right, renewed = verify_own_code(code, user.own_code_hash)
    if not right:
        return {**data, "own_code": "wrong"}
    with office.db.writing() as session:
        code_was_right(office, session, user.id or 0, address)
    kept = _renewed(office, run, user, renewed) if run and renewed else user.own_code_hash
    return {**data, "own_code": proof_of(user.id or 0, kept)}


def _renewed(office: Office, run: RunHandle, user: User, renewed: str) -> str:
    """Keep a code's new hash, unless a new code was made meanwhile; return it."""
    with office.work(run) as work:
        kept = work.session.exec(select(User).where(User.id == user.id).with_for_update()).one()
        if kept.own_code_hash == user.own_code_hash:
            kept.own_code_hash = renewed
            record_renewal(work, kept)
    return renewed


def record_renewal(work: Work, user: User) -> None:
    """Record in the office's ledger that the hash of a code was replaced, as `record` does."""
    work.session.add(user)
    work.session.flush()
    record(work, "own code hashed anew", user.name, rows=[user], actor=user.name)


def proof_of(user_id: int, kept: str) -> str:
    """Return the proof that the code with the hash ``kept`` was right.

    It is good for this process, and until the account has a new code.
    """
    return hmac.new(_PROVING, f"{user_id}:{kept}".encode(), hashlib.sha256).hexdigest()
