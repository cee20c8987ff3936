"""Numbers that our own code draws at random, the same at every run: uuid4, secrets and os.urandom, seeded.

Only calls from files of this project are answered from the seed: Prefect's threads draw beside ours, in no fixed order.
Keys and nonces that C code draws for itself stay random. They encrypt and sign; the ledger holds neither, except through the
hash of a signed file, so the office's key and the serial number of its certificate are drawn from the seed as well.
"""

from __future__ import annotations

import os
import random
import secrets
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

ROOT = Path(__file__).parents[2]


class Randomness:
    """Streams of numbers, one a kind and length, so that a nonce more or less moves no id."""

    def __init__(self) -> None:
        self.words = ""
        self._streams: dict[str, random.Random] = {}
        self._keys: dict[int, rsa.RSAPrivateKey] = {}

    def seed(self, words: str) -> None:
        """Begin all streams anew, from these words."""
        self.words = words
        self._streams.clear()

    def install(self) -> None:
        """Answer from the seed what our own code draws. Call it before our own modules are imported."""
        self._replace(uuid, "uuid4", self._uuid4)
        self._replace(os, "urandom", lambda size: self._stream(f"urandom {size}").randbytes(size))
        self._replace(secrets, "token_bytes", lambda size=32: self._stream(f"bytes {size}").randbytes(size))
        self._replace(secrets, "token_hex", lambda size=32: self._stream(f"hex {size}").randbytes(size).hex())
        self._replace(secrets, "token_urlsafe", lambda size=32: self._stream(f"url {size}").randbytes(size).hex())
        self._replace(secrets, "randbelow", lambda end: self._stream(f"below {end}").randrange(end))
        self._replace(secrets, "choice", lambda among: self._stream("choice").choice(among))
        self._replace(rsa, "generate_private_key", self._rsa_key)
        self._replace(x509, "random_serial_number", lambda: self._stream("serial").getrandbits(150))

    def _stream(self, kind: str) -> random.Random:
        if kind not in self._streams:
            self._streams[kind] = random.Random(f"{self.words}/{kind}")
        return self._streams[kind]

    def _replace(self, module: Any, name: str, seeded: Callable[..., Any]) -> None:
        real = getattr(module, name)

        def drawn(*arguments: Any, **named: Any) -> Any:
            return (seeded if _ours(sys._getframe(1).f_globals) else real)(*arguments, **named)

        setattr(module, name, drawn)

    def _uuid4(self) -> uuid.UUID:
        return uuid.UUID(bytes=self._stream("uuid4").randbytes(16), version=4)

    def _rsa_key(self, public_exponent: int, key_size: int) -> rsa.RSAPrivateKey:
        if key_size not in self._keys:
            stream = random.Random(key_size)
            p, q = (_prime(stream, key_size // 2, public_exponent) for _ in range(2))
            d = pow(public_exponent, -1, (p - 1) * (q - 1))
            public = rsa.RSAPublicNumbers(public_exponent, p * q)
            first, second, inverse = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
            self._keys[key_size] = rsa.RSAPrivateNumbers(p, q, d, first, second, inverse, public).private_key()
        return self._keys[key_size]


def _ours(caller: dict[str, Any]) -> bool:
    file = caller.get("__file__") or ""
    return file.startswith(f"{ROOT}/") and not file.startswith(f"{ROOT}/.venv/")


def _prime(stream: random.Random, bits: int, public_exponent: int) -> int:
    small = [n for n in range(3, 2000, 2) if all(n % m for m in range(3, int(n**0.5) + 1, 2))]
    while True:
        found = stream.getrandbits(bits) | 3 << (bits - 2) | 1
        if not all(found % n for n in small) or (found - 1) % public_exponent == 0:
            continue
        if all(pow(base, found - 1, found) == 1 for base in (2, 3, 5, 7, 11)):
            return found
