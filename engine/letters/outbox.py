"""What goes out, letters and digests alike: leased, counted, tried on one channel after the other, put off, recorded.

A row is leased and counted before anything is handed to a channel, so that one that kills the process comes to an end too.
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
from outside.channels import Message, send_once
from outside.errors import Bounced, EndUnknown, TryLater

log = logging.getLogger(__name__)

# So few that the lease of the last one still holds, or nearly, when a channel hung for its whole patience with each before it.
BATCH = 10
ATTEMPTS = 8
FIRST_PAUSE = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(hours=12)
OPEN = (LetterStatus.WAITING, LetterStatus.QUEUED)
COUNTED = ("sent", "bounced", "later", "given_up", "by_hand")

T = TypeVar("T", Letter, Digest)


@dataclass(frozen=True)
class Parcel:
    """A row made ready: the ways that are left to its recipient, the words for one of them, and how a bounce is kept."""

    ways: Iterable[Way]
    message: Callable[[Way], Message]
    bounced: Callable[[Way, str], None]
    bounce_before: str | None = None


@dataclass(frozen=True)
class Outbox(Generic[T]):
    """A kind of row: its table, how the unsent ones are found, made ready, and left to people.

    Of what needs no sending, ``ready`` returns under which count it goes, or None where it is not counted.
    """

    table: type[T]
    due: Callable[[], SelectOfScalar[T]]
    ready: Callable[[Office, T], Parcel | str | None]
    by_hand: Callable[[Office, T, str, LetterStatus], None]


def send_due(office: Office, outbox: Outbox[T], counts: dict[str, int], until: float = inf) -> None:
    """Send what is due of one kind, and add to ``counts`` what became of it; begin nothing more at ``until`` (monotonic time)."""
    while time.monotonic() < until and (rows := _claim(office, outbox)):
        for row in rows:
            if renew_lease(office, row) and (became := _sent(office, outbox, row)):
                counts[became] += 1


def unsent(table: type[T]) -> ColumnElement[bool]:
    """Return the condition that a row has not left yet, nor been given up."""
    return col(table.status).in_(OPEN)


def record(office: Office, row: Letter | Digest, status: LetterStatus | None = None, **values: Any) -> None:
    """Give the lease back and write what became of a row."""
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


def _sent(office: Office, outbox: Outbox[T], row: T) -> str | None:
    """Send a row; one whose file or words can't be read is put off, and stops none of the others."""
    try:
        parcel = outbox.ready(office, row)
        return _send(office, outbox, row, parcel) if isinstance(parcel, Parcel) else parcel
    except Exception as error:
        trace = without_personal_numbers(traceback.format_exc())
        log.error("%s could not be sent: %s", _name(row), trace)
        return _put_off(office, outbox, row, f"{type(error).__name__}: {error}")


def _send(office: Office, outbox: Outbox[T], row: T, parcel: Parcel) -> str:
    bounce, tried = parcel.bounce_before, row.channel if row.attempt > 1 else None
    ways = sorted(parcel.ways, key=lambda way: way.channel.name != tried)
    for way in ways:
        name = way.channel.name
        if way.is_calm and (morning := quiet_until(office)):
            record(office, row, attempt=row.attempt - 1, next_attempt_at=morning, error=bounce)
            return "later"
        if name != tried and len(ways) > 1:
            _begin(office, row, name)
        try:
            receipt = send_once(way.channel, parcel.message(way), earlier_attempt_unknown=row.attempt > 1)
        except Bounced as bounced:
            bounce = str(bounced)
            parcel.bounced(way, bounce)
        except EndUnknown as unknown:
            return _put_off(office, outbox, row, str(unknown), unknown.after, channel=name)
        except TryLater as later:
            return _put_off(office, outbox, row, str(later), later.after, channel=name if name == tried else None)
        else:
            now = office.clock.now()
            record(office, row, LetterStatus.SENT, channel=receipt.channel, sent_at=now, error=None)
            return "sent"
    if bounce is None:
        outbox.by_hand(office, row, "no channel reaches them", LetterStatus.BY_HAND)
        return "by_hand"
    outbox.by_hand(office, row, bounce, LetterStatus.BOUNCED)
    return "bounced"


def _begin(office: Office, row: Letter | Digest, channel: str) -> None:
    """Write down on which of several channels it goes, before it goes.

    After an attempt whose end nobody knows it goes on there, whatever its reader chose meanwhile: another channel would say it
    twice, while the same one can be asked, or knows the message again by its id. What surely did not leave is free to go elsewhere.
    """
    with office.db.writing() as session:
        session.execute(update(type(row)).where(*same_row(row)).values(channel=channel))


def _put_off(office: Office, outbox: Outbox[T], row: T, why: str, after: timedelta | None = None, **values: Any) -> str:
    if row.attempt >= ATTEMPTS:
        outbox.by_hand(office, row, why, LetterStatus.GIVEN_UP)
        return "given_up"
    pause = after or backoff(row.attempt, FIRST_PAUSE, LONGEST_PAUSE)
    record(office, row, error=why, next_attempt_at=office.clock.now() + pause, **values)
    return "later"


def _name(row: Letter | Digest) -> str:
    if isinstance(row, Letter):
        return f"The letter {row.key} of case {row.case_id}"
    return f"The digest of {row.day} for account {row.account_id}"
