"""Questions to SiHalal that both paths to a halal certificate share."""

from __future__ import annotations

from typing import Any

from engine.pipeline import ByHand, Case, calling
from flows.halal_number import HALAL_NUMBER, unknown_province
from flows.recorded import recorded
from outside.errors import CannotTell
from outside.sihalal import Owner, certificate_of


def owner_of(case: Case, nib: str) -> Owner:
    """Return the owner for whom an application is made."""
    return Owner(name=case.facts.owner.name, national_id=case.facts.owner.national_id, nib=nib)


def certificate(case: Case, nib: str, receipt_number: str, kh_number: str) -> dict[str, Any] | ByHand:
    """Return number and date of BPJPH's certificate, with its source and file.

    Raises:
        CannotTell: The certificate rests on another fatwa than the recorded one, or bears no known province: an officer looks.
            A failed look-up raises as in `certificate_of`.
    """
    result = certificate_of(calling().office.adapters.sihalal, receipt_number, owner_of(case, nib))
    if isinstance(result, ByHand):
        return result
    if _plain(result.kh_number) != _plain(kh_number):
        raise CannotTell(
            f"{result.source} answered with a certificate that rests on another fatwa than the one on record",
            for_people="Nomor KH pada sertifikat di SiHalal berbeda dari nomor KH yang tercatat. Petugas perlu "
            "membandingkannya.",
        )
    found = HALAL_NUMBER.fullmatch(result.number)
    if found is None or unknown_province(found):
        raise CannotTell(
            f"{result.source} answered with a certificate number of no province",
            for_people="Nomor SH di SiHalal tidak dapat dicatat: kode provinsinya tidak dikenal. Petugas perlu "
            "memeriksanya.",
        )
    return {"number": result.number, "issued_on": result.issued_on, **recorded(result)}


def _plain(number: str) -> str:
    return "".join(number.split()).casefold()
