"""How the actor of a command is known: by a token, by claim, or as the machine's own user."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from enum import StrEnum

MACHINE_PREFIX = "cli:"


class Way(StrEnum):
    """The way by which an actor is known; the record of each run says it.

    PROVED: the account's token was shown. ON_BEHALF: an administrator's token was shown, who acts for another account.
    CLAIMED: an account was named and believed, in demo and test alone. MACHINE: nobody was named; the actor is the user of the
    operating system, a claim of no account. FIRST: the same in production, while no administrator can sign in yet.
    """

    PROVED = "token"
    ON_BEHALF = "on_behalf"
    CLAIMED = "claimed"
    MACHINE = "machine"
    FIRST = "first"


@dataclass(frozen=True)
class Proof:
    """The actor of a command and the way by which it is known.

    ``on_behalf_of`` is the account for which an administrator acts, for the ``reason``.
    """

    by: str
    way: Way
    on_behalf_of: str | None = None
    reason: str | None = None

    @property
    def acts_as(self) -> str:
        """Return the account whose rights count."""
        return self.on_behalf_of or self.by


def machine_user() -> str:
    """Return the actor of a command that names nobody: ``cli:`` and the system's user."""
    return f"{MACHINE_PREFIX}{getpass.getuser()}"
