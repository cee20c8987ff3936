"""Importers: which accounts may import, and the regions whose businesses they may register."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlmodel import Session, select

from engine.errors import NotAllowed
from engine.people.intake.cleaned import Note
from engine.people.intake.rows import Row
from engine.people.permissions import user_named
from engine.people.roles import roles_of
from engine.people.sight import reach
from models import Role, User

MAY_IMPORT = frozenset({Role.OFFICER, Role.SUPERVISOR, Role.ADMINISTRATOR})


def regions_to_import(session: Session, name: str, on: date) -> str:
    """Return the prefix of the regions from which ``name`` may import; "" for all.

    A name without an account is the machine's own user, whom the command line lets in.

    Raises:
        NotAllowed: the account's roles do not import, or it has no region.
    """
    user = session.exec(select(User).where(User.name == name)).first()
    if user is None:
        return ""
    user_named(session, name)  # refuses an ended one
    roles = roles_of(session, user, on) & MAY_IMPORT
    if not roles:
        raise NotAllowed(
            f"{name} may not import; that is for: {', '.join(sorted(MAY_IMPORT))}",
            for_people="Impor data hanya untuk petugas, penyelia, dan administrator.",
            user=name,
        )
    reached = reach(user, roles)
    if reached is None:
        raise NotAllowed(
            f"{name} has no region and may import from none. Give one: jalur user add {name} --role ROLE --region CODE",
            for_people=f"{name} belum memiliki wilayah tugas, jadi tidak dapat mengimpor. Mintalah administrator mengisinya.",
            user=name,
        )
    return reached


def refuse_other_regions(rows: Iterable[Row], reached: str) -> None:
    """Give each row of a region outside ``reached`` a fault, before the register is asked.

    Mutates: ``rows``.
    """
    for row in rows:
        region = row.values.get("region_code")
        if region is not None and not region.startswith(reached):
            row.faults.append(
                Note(
                    "region_code",
                    f"Wilayah {region} di luar wilayah tugas Anda ({reached}). Serahkan baris ini kepada petugas wilayahnya, "
                    f"atau perbaiki kodenya.",
                    f"Region {region} is outside your own ({reached}). Leave the row to that region's officer, or correct "
                    f"its code.",
                )
            )
