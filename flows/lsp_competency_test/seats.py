"""Seats at a test site and candidates of an assessor, counted under a lock.

They are rows of `Standing` of a day. At READ COMMITTED two workers could both count the last seat as free: whoever counts in order
to take takes the lock first.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlmodel import col, select

from engine.pipeline import Case, enter_in_register, held, in_register, strike_from_register, this_step
from flows.lsp_competency_test.decisions import Schedule
from models import CaseFile, Person, RecordedCertificate, Standing, User
from models.privacy import masked
from rules import book

SITE, ASSESSOR, DECIDED = "lsp_seat", "lsp_assessor", "lsp_decided"
LOCK = "lsp_competency_test"


def reserve(case: Case, schedule: Schedule) -> str:
    """Take a seat and a place with the assessor on that day; return why not where none is free.

    Locks: the register of seats.
    """
    this_step.lock(LOCK)
    site = book(LOCK).at("test_sites", this_step.today).value.get(schedule.test_site)
    if site is None or not site["verified"] or site["until"] < schedule.test_date:
        return (
            f"test_site: {schedule.test_site} tidak terverifikasi atau lisensinya berakhir sebelum "
            f"{schedule.test_date.isoformat()}; pilih TUK lain"
        )
    for what, reference, most in (
        (SITE, schedule.test_site, site["capacity"]),
        (ASSESSOR, schedule.assessor, case.rules.assessor_capacity.value),
    ):
        if taken(what, reference, schedule.test_date) >= most:
            return f"test_date: {reference} penuh pada {schedule.test_date.isoformat()} ({most} asesi sehari); pilih hari lain"
    for what, reference in ((SITE, schedule.test_site), (ASSESSOR, schedule.assessor)):
        day = schedule.test_date
        enter_in_register(what, kind="test_day", of=day.toordinal(), reference=reference, until=day)
    return ""


def taken(what: str, reference: str, day: date) -> int:
    """Return how many other candidates have that site, or that assessor, on ``day``."""
    wanted = select(Standing.case_id).where(
        Standing.subject_kind == "test_day",
        Standing.subject_id == day.toordinal(),
        Standing.what == what,
        Standing.reference == reference,
        Standing.case_id != this_step.case_id,
    )
    return len(this_step.session.exec(wanted).all())


def release() -> None:
    """Give back the seat of a test that is still ahead."""
    for what in (SITE, ASSESSOR):
        seat = in_register(what)
        if seat and seat.subject_id >= this_step.today.toordinal():
            strike_from_register(seat)


def note_decision(case: Case, schedule: Schedule, result: str) -> None:
    """Record K or BK among those decided on that test day at that site, with the masked NIK."""
    day = schedule.test_date
    who = f"{result} {masked(case.facts.national_id)} {schedule.test_site}"
    enter_in_register(DECIDED, kind="test_day", of=day.toordinal(), reference=who, until=day)


class Decided(NamedTuple):
    """A candidate with the plenary's decision: K or BK, and the masked NIK."""

    person_id: int
    case_number: str
    name: str
    result: str
    national_id: str


def decided(schedule: Schedule) -> list[Decided]:
    """Return all who were decided on that test day at that site, K and BK.

    They come in the order of their cases.
    """
    wanted = (
        select(Person, CaseFile.number, Standing.reference)
        .select_from(Standing)
        .join(CaseFile, col(CaseFile.id) == col(Standing.case_id))
        .join(Person, col(Person.id) == col(CaseFile.person_id))
        .where(
            Standing.what == DECIDED,
            Standing.subject_kind == "test_day",
            Standing.subject_id == schedule.test_date.toordinal(),
        )
        .order_by(col(CaseFile.number))
    )
    candidates = []
    for person, number, reference in this_step.session.exec(wanted):
        result, national_id, site = (reference or "").split(" ", 2)
        if site == schedule.test_site:
            candidates.append(Decided(person.id or 0, number, person.name, result, national_id))
    return candidates


def certified_until(account: str, *what: str) -> date | None:
    """Return the last day on which the account's person holds all of these standings.

    None: one of them is missing.
    """
    ends = []
    for one in what:
        lasting = [row.until or date.max for row in held(one, kind="person", of=account)]
        ends.append(max(lasting, default=None))
    known = [end for end in ends if end is not None]
    return min(known) if len(known) == len(ends) else None


def number_is_taken(number: str) -> bool:
    """Return whether another certificate on record bears that number, ours or another body's."""
    ours = select(Standing.case_id).where(
        Standing.subject_kind == "person", Standing.reference == number, Standing.case_id != this_step.case_id
    )
    recorded = select(RecordedCertificate.id).where(RecordedCertificate.number == number)
    return any(this_step.session.exec(wanted).first() is not None for wanted in (ours, recorded))


def unknown(accounts: list[str]) -> list[str]:
    """Return the names that belong to no account, or to one that has ended."""
    there = select(User.name).where(col(User.name).in_(accounts), col(User.ended_at).is_(None))
    known = this_step.session.exec(there).all()
    return sorted(set(accounts) - set(known))


def name_of(account: str) -> str:
    """Return the name of the person behind an account, as papers show it."""
    found = select(Person).join(User, col(User.person_id) == col(Person.id)).where(User.name == account)
    person = this_step.session.exec(found).first()
    return person.name if person else account
