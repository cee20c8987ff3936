"""Own codes: the eight digits with which an account signs, kept as Argon2 hashes.

The cost is the lowest of OWASP's password storage cheat sheet, since a code is checked while its case is locked.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets

from pwdlib import PasswordHash
from pwdlib.hashers import HasherProtocol
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.base import ensure_bytes, ensure_str

_SCRYPT = re.compile(r"(?P<salt>[0-9a-f]{32}):(?P<digest>[0-9a-f]{64})")
_SCRYPT_COST = {"n": 2**13, "r": 8, "p": 1}


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
