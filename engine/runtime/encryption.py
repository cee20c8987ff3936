"""Personal data under a key per person: sealed, indexed by keyed digest, masked, and erased by losing the key.

AES-256-GCM (NIST SP 800-38D) seals; a person's key is wrapped by the master key; look-up digests are
HMAC-SHA-256 under a key derived from it (HKDF, RFC 5869). UU 27/2022 is why.
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
    """The key is gone: the person was erased, and what it sealed can't be read by anybody."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            "This person was erased; what was sealed under their key can no longer be read",
            for_people="Data orang ini telah dihapus dan tidak dapat dibaca lagi.",
            key_id=key_id,
        )


class Key(NamedTuple):
    """A sealing key as it is read in bulk: its id and its wrapped bytes."""

    id: str
    wrapped: bytes


class Vault:
    """Seals and unseals with the keys that the master key unwraps."""

    def __init__(self, master_key: bytes) -> None:
        """Take the 32 bytes of the master key; ValueError when they are not 32."""
        if len(master_key) != 32:
            raise ValueError(f"The master key must have 32 bytes, this one has {len(master_key)}")
        self._wrapping = AESGCM(_derived(master_key, b"jalur wrapping"))
        self._indexing = _derived(master_key, b"jalur index")
        self._unwrapped = lru_cache(maxsize=4096)(self._unwrap)

    def new_key(self, session: Session) -> PersonKey:
        """Make a key and store it wrapped, in the caller's transaction."""
        key_id = secrets.token_hex(16)
        nonce = os.urandom(12)
        wrapped = nonce + self._wrapping.encrypt(nonce, AESGCM.generate_key(256), key_id.encode())
        row = PersonKey(id=key_id, wrapped=wrapped)
        session.add(row)
        return row

    def encrypt(self, key: Key | PersonKey, plain: Any) -> bytes:
        """Seal a JSON value under ``key``."""
        nonce = os.urandom(12)
        return nonce + self._cipher(key).encrypt(nonce, orjson.dumps(plain), None)

    def decrypt(self, key: Key | PersonKey | None, sealed: bytes) -> Any:
        """Open what ``key`` sealed. Raises `Erased` when the key is gone, ValueError when the bytes were changed."""
        if key is None:
            raise Erased("gone")
        try:
            return orjson.loads(self._cipher(key).decrypt(sealed[:12], sealed[12:], None))
        except InvalidTag as error:
            raise ValueError(f"What key {key.id} sealed was changed afterwards") from error

    def digest(self, kind: str, value: str) -> str:
        """Return the keyed digest under which ``value`` of that kind is looked up: 64 hex digits."""
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
    """Return the vault of these settings; in demo and test a missing master key is made and kept beside the data."""
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
