"""Attempts to sign or to sign in: counted by account and address, with pauses that grow.

Whoever gives wrong codes waits at their own address. Another address's first attempt is always looked at, and one from which the
account has signed before is slowed by its own attempts alone: nobody locks another's account.
"""

from __future__ import annotations

import ipaddress
import math
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, func, select

from engine.errors import Refused
from engine.runtime.database import insert_new
from engine.runtime.office import Office
from models import Attempt

SIGN_IN = "sign_in"
FREE = 5
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
FORGOTTEN_AFTER = timedelta(days=1)
KNOWN_FOR = timedelta(days=90)

# A wrong token can't be guessed; its answer is only slowed. From so many on, one a minute is counted.
LONGEST_WAIT = 5.0
COUNTED_SINGLY = 20


class TooManyAttempts(Refused):
    """A wrong code was given too often; the next attempt must wait ``seconds``."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(
            f"The own code was wrong too often. Try again in {seconds} seconds, or hand in the signed paper",
            for_people=f"Kode pribadi terlalu sering salah. Coba lagi {seconds} detik lagi, "
            "atau serahkan kertas bertanda tangan.",
            seconds=seconds,
        )


def pause_after(failures: int) -> timedelta:
    """Return the pause after so many failures: 30 s from the fifth on, doubled up to an hour."""
    return min(FIRST_PAUSE * 2 ** min(failures - FREE, 20), LONGEST_PAUSE) if failures >= FREE else timedelta(0)


def count_code(office: Office, user_id: int, address: str) -> None:
    """Count an attempt to sign with an own code, before the code is looked at.

    Of many at the same moment, each counts.

    Raises:
        TooManyAttempts: the pause after the last one is not over; the code is not looked at.
    """
    subject, where, now = f"own_code/{user_id}", _place(office, address), office.clock.now()
    with office.db.writing() as session:
        _forget(session, now)
        row = _row(session, subject, where, now)
        ends = row.failed_at + _pause(session, row)
        if now < ends:
            raise TooManyAttempts(math.ceil((ends - now).total_seconds()))
        row.failures, row.failed_at = row.failures + 1, now
        session.add(row)


def code_was_right(office: Office, session: Session, user_id: int, address: str) -> None:
    """Begin to count anew, and remember that the account signs at this address."""
    now = office.clock.now()
    row = _row(session, f"own_code/{user_id}", _place(office, address), now)
    row.failures, row.right_at = 0, now
    session.add(row)


def forget_codes(session: Session, user_id: int) -> None:
    """Begin to count anew everywhere, since the account has a new code."""
    session.execute(delete(Attempt).where(col(Attempt.subject) == f"own_code/{user_id}"))


def failed_sign_in(office: Office, address: str) -> float:
    """Count a wrong token; return the seconds after which its sender is told.

    These are 0 for the first four of an address, then 1, 2, 4 and 5.
    """
    where, now = _place(office, address), office.clock.now()
    with office.db.reading() as session:
        known = session.get(Attempt, (SIGN_IN, where))
    if known and known.failures >= COUNTED_SINGLY and now - known.failed_at < timedelta(minutes=1):
        return LONGEST_WAIT  # nothing is written: a flood of wrong tokens must not hold the database
    with office.db.writing() as session:
        _forget(session, now)
        row = _row(session, SIGN_IN, where, now)
        row.failures, row.failed_at = row.failures + 1, now
        session.add(row)
        return min(2.0 ** min(row.failures - FREE, 8), LONGEST_WAIT) if row.failures >= FREE else 0.0


def _pause(session: Session, row: Attempt) -> timedelta:
    """Return the pause after an attempt.

    At an address that is known by failures alone, those of the account at all addresses count.
    """
    if not row.failures or row.right_at is not None:
        return pause_after(row.failures)
    of_all = session.exec(select(func.sum(col(Attempt.failures))).where(Attempt.subject == row.subject)).one()
    return pause_after(int(of_all))


def _row(session: Session, subject: str, where: str, now: datetime) -> Attempt:
    """Return the row of an account at an address, made where there is none.

    Locks: the row.
    """
    values = {"subject": subject, "address": where, "failures": 0, "failed_at": now}
    session.execute(insert_new(session, Attempt, "subject", "address").values(**values))
    wanted = select(Attempt).where(Attempt.subject == subject, Attempt.address == where)
    return session.exec(wanted.with_for_update()).one()


def _forget(session: Session, now: datetime) -> None:
    unknown, right_at = col(Attempt.right_at).is_(None), col(Attempt.right_at)
    session.execute(
        delete(Attempt).where(col(Attempt.failed_at) < now - FORGOTTEN_AFTER, unknown | (right_at < now - KNOWN_FOR))
    )


def _place(office: Office, address: str) -> str:
    """Return the digest of an address: in IPv6 of its network, of which one household has all."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return office.vault.digest("address", address)
    if found.version == 6:
        address = str(ipaddress.ip_network((found, 64), strict=False))
    return office.vault.digest("address", address)
