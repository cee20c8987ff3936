"""Digests and alerts as rows of the outbox: queued once, sent by their account's channel."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select, update
from sqlmodel.sql.expression import SelectOfScalar

from documents.letters import WrittenLetter
from engine.letters.channels import Way, as_text_message, quiet_until, ways_to
from engine.letters.outbox import Outbox, Parcel, end_attempt, unsent
from engine.runtime.database import among, insert_new
from engine.runtime.links import desk_url
from engine.runtime.office import Office
from models import Digest, LetterStatus, Notice, Person, PersonKey, User
from outside.channels import Message, message_id_for

log = logging.getLogger(__name__)

MORNING = "morning"  # the occasion of a digest; each alert has an occasion of its own
# A digest is read on a telephone: it lists the newest of each kind, and says how many more there are.
LINES = 15
Fact = dict[str, Any]


def write_for_each(accounts: Iterable[int], write: Callable[[int], bool]) -> int:
    """Call ``write`` for each account and return the number written; failures are logged."""
    written = 0
    for account in accounts:
        try:
            written += write(account)
        except Exception:
            log.exception("What account %d is to be told could not be written", account)
    return written


def lock_untold_notices(
    session: Session, account: int, kinds: Iterable[str] | None = None
) -> tuple[User, list[Notice]]:
    """Return the account and its untold notices, the newest first.

    Locks: the account until the transaction ends, so that two digests never repeat a notice.
    """
    user = session.exec(select(User).where(User.id == account).with_for_update(key_share=True)).one()
    wanted = select(Notice).where(Notice.account_id == account, col(Notice.told_at).is_(None))
    if kinds is not None:
        wanted = wanted.where(col(Notice.kind).in_(kinds))
    return user, list(
        session.exec(wanted.order_by(col(Notice.at).desc(), col(Notice.case_number).desc(), col(Notice.id)))
    )


def group_by_heading(news: Sequence[Notice], headings: Mapping[str, str]) -> list[Fact]:
    """Return the notices by heading, in the headings' order; other kinds stand under ``""``."""
    kinds = {kind: [one for one in news if (one.kind if one.kind in headings else "") == kind] for kind in headings}
    return [
        {
            "title": headings[kind],
            "count": len(found),
            "lines": shorten([{"about": one.case_number or "Kantor", "words": one.words} for one in found]),
        }
        for kind, found in kinds.items()
        if found
    ]


def shorten(lines: list[Fact]) -> list[Fact]:
    """Return the first `LINES` lines, and one more with the number of those left out."""
    more = len(lines) - LINES
    return [*lines[:LINES], {"about": "Selebihnya", "words": f"{more} lagi, lihat meja kerja"}] if more > 0 else lines


def queue_digest(
    session: Session, office: Office, user: User, occasion: str, written: WrittenLetter, news: Sequence[Notice]
) -> bool:
    """Queue a digest or alert and mark its notices told; return whether it is the first."""
    now = office.clock.now()
    won = session.execute(
        insert_new(session, Digest, "account_id", "day", "occasion")
        .values(
            account_id=user.id,
            day=office.clock.today(),
            occasion=occasion,
            subject=written.subject,
            text=written.text,
            html=written.html,
            status=str(LetterStatus.QUEUED),
            attempt=0,
            at=now,
        )
        .returning(col(Digest.id))
    ).first()
    if won is None:
        return False
    told = update(Notice).where(among(session, col(Notice.id), [notice.id for notice in news]))
    session.execute(told.values(told_at=now).execution_options(synchronize_session=False))
    return True


def _due() -> SelectOfScalar[Digest]:
    return select(Digest).where(unsent(Digest)).order_by(col(Digest.id))


def _prepare(office: Office, digest: Digest) -> Parcel:
    with office.db.reading() as session:
        name, person, key = session.exec(
            select(User.name, Person, PersonKey)
            .join(Person, col(Person.id) == col(User.person_id), isouter=True)
            .join(PersonKey, col(PersonKey.id) == col(Person.key_id), isouter=True)
            .where(User.id == digest.account_id)
        ).one()
    ways = ways_to(office.adapters, office.vault.decrypt(key, person.sealed), person.channel) if key else []
    if digest.occasion != MORNING and quiet_until(office):
        ways.sort(key=lambda way: way.keeps_quiet_hours)  # an alert leaves now where a way without quiet hours is known
    domain = office.settings.sender.rsplit("@", 1)[-1]

    def message(way: Way) -> Message:
        by_mail = way.kind == "mail"
        return Message(
            message_id=message_id_for(f"digest/{digest.account_id}/{digest.day}/{digest.occasion}", domain),
            sender=office.settings.sender,
            to_name=person.name if person else name,
            to_address=way.address,
            subject=digest.subject,
            text=digest.text if by_mail else _short(office, digest),
            html=digest.html if by_mail else None,
            written_at=digest.at,
        )

    return Parcel(ways, message, lambda way, why: None)


def _short(office: Office, digest: Digest) -> str:
    link = desk_url(office)
    return as_text_message(digest.subject, digest.text, number=None, link=link, attached=False, language="id")


def _leave_at_the_desk(office: Office, digest: Digest, why: str, status: LetterStatus) -> None:
    """Give up sending a digest: its account reads the news at the desk."""
    end_attempt(office, digest, status, error=why)


DIGESTS = Outbox(Digest, _due, _prepare, _leave_at_the_desk)
