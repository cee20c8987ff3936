"""The office's own signer: its key from the settings; in demo and test one that is made here and says DEMO."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.documents.signing import LocalSigner, Signer, create_demo_key
from engine.errors import Refused
from engine.settings import Settings


def signer_of(settings: Settings) -> Signer:
    """Return the signer. Raises `Refused` in production when no key is set."""
    if settings.signer_key and settings.signer_certificate:
        return LocalSigner.from_pem(settings.path(settings.signer_key), settings.path(settings.signer_certificate))
    if not settings.invents():
        raise Refused("JALUR_SIGNER_KEY and JALUR_SIGNER_CERTIFICATE are not set: documents can't be signed")
    made = create_demo_key(
        settings.path("var/signer"), now=settings.now or datetime.now(UTC), environment=str(settings.env)
    )
    return LocalSigner.from_pem(made.key, made.certificate)
