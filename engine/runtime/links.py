"""Public addresses that letters and papers name."""

from __future__ import annotations

from engine.runtime.office import Office


def check_url(office: Office, number: str) -> str:
    """Return the public address at which anybody can check a document."""
    return f"{office.settings.public_url.rstrip('/')}/check/{number}"


def desk_url(office: Office) -> str:
    """Return the address of the desk, where an account reads its cases."""
    return f"{office.settings.public_url.rstrip('/')}/desk"
