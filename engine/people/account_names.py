"""Names of accounts that may be given: they stand in ledgers, logs and letters for good."""

from __future__ import annotations

import re

from engine.cases.ledger import SYSTEM
from engine.definition.case import handle_of
from engine.errors import Refused
from engine.runtime.proofs import MACHINE_PREFIX
from models.privacy import masked, without_personal_numbers

LONGEST = 64
# What the ledgers, the command line and Prefect's flows write where no account acted.
RESERVED = frozenset({SYSTEM, "nobody", "unattributed"})
_OWNER = re.compile(r"owner-\d+")
_APART = re.compile(r"[\s._/\-]")


def must_be_a_name(name: str, person: int | None = None) -> None:
    """Refuse a name that no new account may have.

    Raises:
        Refused: it is or holds a personal number or mail address, is taken by the machinery, is another person's own, or
            can't be printed.
    """
    must_be_printable(name)
    if is_personal(name):
        raise Refused(
            f"{_hidden(name)} is a personal number or mail address; the name of an account stands in ledgers for good. "
            "Choose another",
            for_people=f"{_hidden(name)} adalah nomor atau surel pribadi. Nama akun tercatat untuk seterusnya: pilih nama lain.",
        )
    if name.casefold() in RESERVED or name.casefold().startswith(MACHINE_PREFIX):
        raise Refused(
            f"{name} stands in the ledgers for the machinery itself. Choose another name",
            for_people=f"Nama {name} dipakai oleh sistem. Pilih nama lain.",
        )
    if _OWNER.fullmatch(name) and (person is None or name != handle_of(person)):
        raise Refused(
            f"{name} is the name of that person's own account. Choose another name, or register the person: jalur person add",
            for_people=f"Nama {name} disediakan untuk akun orangnya sendiri. Pilih nama lain.",
        )


def must_be_printable(name: str) -> None:
    """Refuse a name that is empty, too long, or has control letters or spaces at its ends.

    Raises:
        Refused: says what a name is made of.
    """
    if not 0 < len(name) <= LONGEST or name != name.strip() or not name.isprintable():
        raise Refused(
            f"A name has 1 to {LONGEST} letters, none of them a control letter, and no space at its ends",
            for_people=f"Nama akun terdiri dari 1 sampai {LONGEST} huruf, tanpa spasi di awal dan akhir.",
        )


def is_personal(name: str) -> bool:
    """Return whether a name holds a NIK, NPWP, telephone number or mail address, however spaced."""
    joined = _APART.sub("", name)
    return without_personal_numbers(name) != name or without_personal_numbers(joined) != joined


def _hidden(name: str) -> str:
    return masked(_APART.sub("", name)) if "@" not in name else without_personal_numbers(name)
