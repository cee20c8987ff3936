"""The office's signing key, from the settings.

Demo and test make a key, whose certificate says DEMO.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from documents.signing import LocalSigner, Signer, create_demo_key, load_certificates
from engine.errors import Refused
from engine.runtime.settings import Settings


def signer_of(settings: Settings) -> Signer:
    """Return the signer of the office's documents.

    Raises:
        Refused: production has no signing key.
    """
    key, certificate = _identity(settings)
    return LocalSigner.from_pem(key, certificate)


def trusted_by(settings: Settings) -> list[Any]:
    """Return the certificates whose signatures count as the office's own."""
    return load_certificates(_identity(settings)[1])


def _identity(settings: Settings) -> tuple[Path, Path]:
    if settings.signer_key and settings.signer_certificate:
        return settings.path(settings.signer_key), settings.path(settings.signer_certificate)
    if not settings.invents():
        raise Refused(
            "JALUR_SIGNER_KEY and JALUR_SIGNER_CERTIFICATE are not set: documents can't be signed",
            for_people="JALUR_SIGNER_KEY dan JALUR_SIGNER_CERTIFICATE belum diatur: dokumen tidak dapat ditandatangani.",
        )
    made = create_demo_key(
        settings.path("var/signer"), now=settings.now or datetime.now(UTC), environment=str(settings.env)
    )
    return made.key, made.certificate
