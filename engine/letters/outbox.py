"""The outbox: leases unsent letters and digests, tries one channel after the other, retries.

A row is leased and its attempt counted before a channel gets it: a row that kills the process is given up in the end, too.
Where a channel can't tell what became of an attempt, the row says so from before the attempt on, and later copies are marked.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement
from sqlmodel import col, update
from sqlmodel.sql.expression import SelectOfScalar

from engine.letters.channels import Way, quiet_until
from engine.runtime.leases import backoff, claim, lease, renew_lease, same_row
from engine.runtime.office import Office
from models import Digest, Letter, LetterStatus
from models.privacy import without_personal_numbers
from outside.channels import Message, may_repeat, send_once
from outside.errors import Bounced, EndUnknown, TryLater

log = logging.getLogger(__name__)

# So few that the lease of the last row holds, or nearly, when a channel timed out on each row before it.
BATCH = 10
ATTEMPTS = 8
FIRST_PAUSE = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(hours=12)
OPEN = (LetterStatus.WAITING, LetterStatus.QUEUED)
COUNTED = ("sent", "bounced", "later", "given_up", "by_hand")

T = TypeVar("T", Letter, Digest)


@dataclass(frozen=True)
class Parcel:
    """A row that is ready to be sent: the ways to its recipient, and the message for each."""

    ways: Iterable[Way]
    message_for: Callable[[Way], Message]
    record_bounce: Callable[[Way, str], None]
    earlier_bounce: str | None = None


@dataclass(frozen=True)
class Outbox(Generic[T]):
    """The way in which rows of one table are found, prepared, and left to people if undelivered.

    For a row that needs no sending, ``prepare`` returns the name of its count, or None where the row is not counted.
    """

    table: type[T]
    due: Callable[[], SelectOfScalar[T]]
    prepare: Callable[[Office, T], Parcel | str | None]
    leave_to_people: Callable[[Office, T, str, LetterStatus], None]


def send_due(office: Office, outbox: Outbox[T], counts: dict[str, int], until: float = inf) -> None:
    """Send the due rows of an outbox; begin no further batch at ``until`` (monotonic time).

    Mutates: ``counts``, which gets one more for the end of each row ("sent", "later", …).
    """
    while time.monotonic() < until and (rows := _claim(office, outbox)):
        for row in rows:
            if renew_lease(office, row) and (end := _send_or_put_off(office, outbox, row)):
                counts[end] += 1


def unsent(table: type[T]) -> ColumnElement[bool]:
    """Return the SQL condition that a row is neither sent nor given up."""
    return col(table.status).in_(OPEN)


def end_attempt(office: Office, row: Letter | Digest, status: LetterStatus | None = None, **values: Any) -> None:
    """End an attempt: give the lease back, and write the row's status and other values."""
    if status is not None:
        values["status"] = str(status)
    if values.get("error"):
        values["error"] = without_personal_numbers(values["error"])[:500]
    with office.db.writing() as session:
        session.execute(update(type(row)).where(*same_row(row)).values(leased_until=None, **values))


def _claim(office: Office, outbox: Outbox[T]) -> list[T]:
    now = office.clock.now()
    with office.db.writing() as session:
        rows: list[T] = claim(session, outbox.due(), outbox.table, now, BATCH)
        for row in rows:
            lease(session, row, now)
        return rows


def _send_or_put_off(office: Office, outbox: Outbox[T], row: T) -> str | None:
    """Send a row and return its count; put it off where its file or words cannot be read."""
    try:
        parcel = outbox.prepare(office, row)
        return _send(office, outbox, row, parcel) if isinstance(parcel, Parcel) else parcel
    except Exception as error:
        trace = without_personal_numbers(traceback.format_exc())
        log.error("%s could not be sent: %s", _name(row), trace)
        return _put_off(office, outbox, row, f"{type(error).__name__}: {error}")


def _send(office: Office, outbox: Outbox[T], row: T, parcel: Parcel) -> str:
    bounce, tried = parcel.earlier_bounce, row.channel if row.attempt > 1 else None
    ways = sorted(parcel.ways, key=lambda way: way.channel.name != tried)
    perhaps_sent = row.end_unknown
    for way in ways:
        name = way.channel.name
        if way.keeps_quiet_hours and (morning := quiet_until(office)):
            end_attempt(office, row, attempt=row.attempt - 1, next_attempt_at=morning, error=bounce)
            return "later"
        message = parcel.message_for(way).model_copy(update={"perhaps_sent": perhaps_sent})
        _begin_attempt(office, row, way, changed=name != tried and len(ways) > 1)
        known = {"end_unknown": perhaps_sent} if may_repeat(way.channel) else {}
        try:
            receipt = send_once(way.channel, message, earlier_attempt_unknown=row.attempt > 1)
        except Bounced as bounced:
            bounce = str(bounced)
            parcel.record_bounce(way, bounce)
            if known:
                _write(office, row, **known)
        except EndUnknown as unknown:
            row.end_unknown = True
            return _put_off(office, outbox, row, str(unknown), unknown.after, channel=name, end_unknown=True)
        except TryLater as later:
            kept = {"channel": name if name == tried else None, **known}
            row.end_unknown = perhaps_sent
            return _put_off(office, outbox, row, str(later), later.after, **kept)
        else:
            now = office.clock.now()
            end_attempt(office, row, LetterStatus.SENT, channel=receipt.channel, sent_at=now, error=None, **known)
            return "sent"
    if bounce is None:
        outbox.leave_to_people(office, row, "no channel reaches them", LetterStatus.BY_HAND)
        return "by_hand"
    outbox.leave_to_people(office, row, bounce, LetterStatus.BOUNCED)
    return "bounced"


def _begin_attempt(office: Office, row: Letter | Digest, way: Way, *, changed: bool) -> None:
    """Write the channel of an attempt before it is made, and that its end is unknown.

    After an attempt with an unknown end the next one tries the same channel first, whatever the reader chose meanwhile: that
    channel can be asked, or recognises the message by its id, while another one would deliver it twice.
    """
    values: dict[str, Any] = {"channel": way.channel.name} if changed else {}
    if may_repeat(way.channel):
        values |= {"channel": way.channel.name, "end_unknown": True}
    if values:
        _write(office, row, **values)


def _write(office: Office, row: Letter | Digest, **values: Any) -> None:
    with office.db.writing() as session:
        session.execute(update(type(row)).where(*same_row(row)).values(**values))


def _put_off(office: Office, outbox: Outbox[T], row: T, why: str, after: timedelta | None = None, **values: Any) -> str:
    if row.attempt >= ATTEMPTS:
        if row.end_unknown:
            why = f"{why}; an attempt may have reached them"
        if "end_unknown" in values:
            _write(office, row, end_unknown=values["end_unknown"])
        outbox.leave_to_people(office, row, why, LetterStatus.GIVEN_UP)
        return "given_up"
    pause = after or backoff(row.attempt, FIRST_PAUSE, LONGEST_PAUSE)
    end_attempt(office, row, error=why, next_attempt_at=office.clock.now() + pause, **values)
    return "later"


def _name(row: Letter | Digest) -> str:
    if isinstance(row, Letter):
        return f"The letter {row.key} of case {row.case_id}"
    return f"The digest of {row.day} for account {row.account_id}"
