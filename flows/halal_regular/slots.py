"""Slots of the facilitation programme and engagements of supervisors, counted under a lock.

Both are rows of `Standing`. A slot stands under its budget year, a supervisor under a keyed digest of the NIK, never the NIK. At
READ COMMITTED two workers could both count the last slot as free: whoever counts in order to take, takes the lock first. It is
one row of `Series` for both, so that nobody waits for the other one in a circle.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlmodel import col, select

from engine.pipeline import Case, amend_in_register, enter_in_register, in_register, this_step
from models import CaseFile, Standing
from rules import book

SLOT, SUPERVISOR = "halal_regular_slot", "halal_supervisor"
LOCK = "halal_regular"


@dataclass(frozen=True)
class Quota:
    """The programme in a budget year: slots and rupiah, and how much of both is taken.

    Slots are reserved or used; rupiah are bound.
    """

    year: int
    slots: int
    rupiah: int
    reserved: int = 0
    used: int = 0
    bound: int = 0

    def has_room(self, rupiah: int) -> bool:
        """Return whether one more slot of that many rupiah can be reserved."""
        return self.reserved + self.used < self.slots and self.bound + rupiah <= self.rupiah

    def in_words(self) -> str:
        """Return the quota as an officer reads it."""
        left = f"{self.rupiah - self.bound:,}".replace(",", ".")
        return (
            f"Kuota {self.year}: {self.slots} slot, {self.reserved} dicadangkan, {self.used} terpakai; "
            f"sisa anggaran Rp{left}"
        )


def allotted(day: date) -> Quota:
    """Return the quota of the year of ``day``, as decreed today, not on the day of the case."""
    rule = book("halal_regular").at("facilitation_quota", day)
    return Quota(day.year, rule.value["slots"], rule.value["rupiah"])


def counted(day: date) -> Quota:
    """Return the quota of that year with what is taken of it.

    What was paid stays bound when its slot is released.
    """
    quota = allotted(day)
    wanted = select(col(Standing.reference)).where(
        Standing.subject_kind == "budget_year", Standing.subject_id == quota.year, Standing.what == SLOT
    )
    taken = [(reference or "").split() for reference in this_step.session.exec(wanted)]
    return Quota(
        quota.year,
        quota.slots,
        quota.rupiah,
        reserved=sum(state in ("reserved", "paid") for _, state in taken),
        used=sum(state == "used" for _, state in taken),
        bound=sum(int(rupiah) for rupiah, _ in taken),
    )


def reserve(rupiah: int) -> Quota | None:
    """Reserve a slot of this year for this case; return the full quota where there is no room.

    Locks: the register of slots.
    """
    this_step.lock(LOCK)
    quota = counted(this_step.today)
    if not quota.has_room(rupiah):
        return quota
    enter_in_register(SLOT, kind="budget_year", of=quota.year, reference=f"{rupiah} reserved")
    return None


def pay(rupiah: int) -> None:
    """Bind the rupiah that were paid instead of those that were reserved."""
    slot = in_register(SLOT)
    assert slot is not None, "what is paid was reserved before"
    amend_in_register(slot, reference=f"{rupiah} paid")


def use() -> None:
    """Mark the slot of a certified case as used; a case without a slot has nothing to mark."""
    if slot := in_register(SLOT):
        amend_in_register(slot, reference=(slot.reference or "").replace("paid", "used"))


def release() -> None:
    """Give back the slot and the supervisor of a case that ends without a certificate.

    A slot keeps its rupiah bound if they were paid.
    """
    if slot := in_register(SLOT):
        rupiah, state = (slot.reference or "").split()
        amend_in_register(slot, reference=f"{rupiah if state == 'paid' else 0} released", until=this_step.today)
    if supervisor := in_register(SUPERVISOR):
        amend_in_register(supervisor, until=this_step.today)


def engage(case: Case, national_id: str) -> bool:
    """Record the firm that a supervisor serves; return False where they serve another already.

    Then nothing is recorded.
    """
    digest = this_step.digest(SUPERVISOR, national_id)
    number = int(digest[:8], 16) >> 1
    this_step.lock(LOCK)
    elsewhere = (
        select(Standing.case_id)
        .join(CaseFile, col(CaseFile.id) == col(Standing.case_id))
        .where(
            Standing.subject_kind == "supervisor",
            Standing.subject_id == number,
            Standing.what == SUPERVISOR,
            Standing.reference == digest,
            col(Standing.until).is_(None),
            CaseFile.subject_id != case.subject_id,
        )
    )
    if this_step.session.exec(elsewhere).first():
        return False
    enter_in_register(SUPERVISOR, kind="supervisor", of=number, reference=digest)
    return True
