"""Encryption of personal data under one key per person (UU 27/2022).

Data are encrypted with AES-256-GCM (NIST SP 800-38D). The master key wraps each person's key; look-up digests are
HMAC-SHA-256 under a key derived from the master key (HKDF, RFC 5869).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlmodel import Session

from engine.errors import Refused
from engine.runtime.settings import Settings
from models import PersonKey


class Erased(Refused):
    """The person was erased with their key; data under that key can't be decrypted any more."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            "This person was erased; what was sealed under their key can no longer be read",
            for_people="Data orang ini telah dihapus dan tidak dapat dibaca lagi.",
            key_id=key_id,
        )


class Key(NamedTuple):
    """The id and the wrapped bytes of a `PersonKey`, as queries for many read them."""

    id: str
    wrapped: bytes


class Vault:
    """Encrypts and decrypts with person keys, which the master key unwraps."""

    def __init__(self, master_key: bytes) -> None:
        """Derive the wrapping and the index key from the master key.

        Raises:
            ValueError: the master key has not 32 bytes.
        """
        if len(master_key) != 32:
            raise ValueError(f"The master key must have 32 bytes, this one has {len(master_key)}")
        self._wrapping = AESGCM(_derived(master_key, b"jalur wrapping"))
        self._indexing = _derived(master_key, b"jalur index")
        self._unwrapped = lru_cache(maxsize=4096)(self._unwrap)

    def new_key(self, session: Session) -> PersonKey:
        """Make a person's key, and add its wrapped bytes to the session."""
        key_id = secrets.token_hex(16)
        nonce = os.urandom(12)
        wrapped = nonce + self._wrapping.encrypt(nonce, AESGCM.generate_key(256), key_id.encode())
        row = PersonKey(id=key_id, wrapped=wrapped)
        session.add(row)
        return row

    def encrypt(self, key: Key | PersonKey, plain: Any) -> bytes:
        """Return a JSON value encrypted under ``key``: the nonce, then the ciphertext."""
        nonce = os.urandom(12)
        return nonce + self._cipher(key).encrypt(nonce, orjson.dumps(plain), None)

    def decrypt(self, key: Key | PersonKey | None, encrypted: bytes) -> Any:
        """Return the JSON value that was encrypted under ``key``.

        Raises:
            Erased: the key is None, because the person was erased.
            ValueError: the bytes were changed after encryption.
        """
        if key is None:
            raise Erased("gone")
        try:
            return orjson.loads(self._cipher(key).decrypt(encrypted[:12], encrypted[12:], None))
        except InvalidTag as error:
            raise ValueError(f"What key {key.id} sealed was changed afterwards") from error

    def digest(self, kind: str, value: str) -> str:
        """Return the keyed digest by which a ``value`` of that kind is looked up: 64 hex digits."""
        return hmac.new(self._indexing, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()

    def _cipher(self, key: Key | PersonKey) -> AESGCM:
        return self._unwrapped(key.id, key.wrapped)

    def _unwrap(self, key_id: str, wrapped: bytes) -> AESGCM:
        try:
            return AESGCM(self._wrapping.decrypt(wrapped[:12], wrapped[12:], key_id.encode()))
        except InvalidTag as error:
            raise ValueError(
                f"The master key does not open key {key_id}: is JALUR_MASTER_KEY this database's?"
            ) from error


def vault_of(settings: Settings) -> Vault:
    """Return the vault of these settings.

    Demo and test make a missing master key and keep it in ``var/``.

    Raises:
        Refused: production has no master key.
    """
    if settings.master_key is not None:
        return Vault(base64.b64decode(settings.master_key.get_secret_value()))
    if not settings.invents():
        raise Refused(
            "JALUR_MASTER_KEY is not set. Make one (python3 -c 'import base64,os;"
            "print(base64.b64encode(os.urandom(32)).decode())') and keep a copy where the database is not",
            for_people="JALUR_MASTER_KEY belum diatur. Buat kuncinya (python3 -c 'import base64,os;"
            "print(base64.b64encode(os.urandom(32)).decode())') dan simpan salinannya di luar tempat basis data.",
        )
    file = settings.path("var/master.key")
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
            handle.write(base64.b64encode(os.urandom(32)))
    return Vault(base64.b64decode(file.read_bytes()))


def _derived(master_key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=purpose).derive(master_key)
