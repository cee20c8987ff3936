"""What an account is told of its notices, as digest or alert: put into the outbox once, and sent by the channel that it chose."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select, update
from sqlmodel.sql.expression import SelectOfScalar

from documents.letters import Written
from engine.letters.channels import Way, as_text_message, quiet_until, ways_to
from engine.letters.outbox import Outbox, Parcel, record, unsent
from engine.runtime.database import among, insert_new
from engine.runtime.links import desk_url
from engine.runtime.office import Office
from models import Digest, LetterStatus, Notice, Person, PersonKey, User
from outside.channels import Message, message_id_for

log = logging.getLogger(__name__)

MORNING = "morning"  # the occasion of a digest; what broke is told on occasions of its own
# It is read on a telephone: of each kind the newest, and how many more there are.
LINES = 15
Fact = dict[str, Any]


def for_each(accounts: Iterable[int], write: Callable[[int], bool]) -> int:
    """Write for one account after the other, and return for how many; one that fails is logged and stops none of the others."""
    written = 0
    for account in accounts:
        try:
            written += write(account)
        except Exception:
            log.exception("What account %d is to be told could not be written", account)
    return written


def untold(session: Session, account: int, kinds: Iterable[str] | None = None) -> tuple[User, list[Notice]]:
    """Return the account and what it was not told yet, the newest first.

    Until the transaction ends nobody else writes to that account: what one tells it, another finds told.
    """
    user = session.exec(select(User).where(User.id == account).with_for_update(key_share=True)).one()
    wanted = select(Notice).where(Notice.account_id == account, col(Notice.told_at).is_(None))
    if kinds is not None:
        wanted = wanted.where(col(Notice.kind).in_(kinds))
    return user, list(
        session.exec(wanted.order_by(col(Notice.at).desc(), col(Notice.case_number).desc(), col(Notice.id)))
    )


def grouped(news: Sequence[Notice], headings: Mapping[str, str]) -> list[Fact]:
    """Return the news under their kind's heading, in the headings' order; other kinds stand under that of ``""``."""
    kinds = {kind: [one for one in news if (one.kind if one.kind in headings else "") == kind] for kind in headings}
    return [
        {
            "title": headings[kind],
            "count": len(found),
            "lines": shortened([{"about": one.case_number or "Kantor", "words": one.words} for one in found]),
        }
        for kind, found in kinds.items()
        if found
    ]


def shortened(lines: list[Fact]) -> list[Fact]:
    """Return so many lines as a telephone shows, and how many more there are."""
    more = len(lines) - LINES
    return [*lines[:LINES], {"about": "Selebihnya", "words": f"{more} lagi, lihat meja kerja"}] if more > 0 else lines


def put(session: Session, office: Office, user: User, occasion: str, written: Written, news: Sequence[Notice]) -> bool:
    """Put it into the outbox and mark its news told; return False where this account has had it on this occasion."""
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


# -- on their way out, as letters go ---------------------------------------------------------------------------------


def _due() -> SelectOfScalar[Digest]:
    return select(Digest).where(unsent(Digest)).order_by(col(Digest.id))


def _ready(office: Office, digest: Digest) -> Parcel:
    with office.db.reading() as session:
        name, person, key = session.exec(
            select(User.name, Person, PersonKey)
            .join(Person, col(Person.id) == col(User.person_id), isouter=True)
            .join(PersonKey, col(PersonKey.id) == col(Person.key_id), isouter=True)
            .where(User.id == digest.account_id)
        ).one()
    ways = ways_to(office.contacts, office.vault.decrypt(key, person.sealed), person.channel) if key else []
    if digest.occasion != MORNING and quiet_until(office):
        ways.sort(key=lambda way: way.is_calm)  # what broke waits for no morning where it can be told now
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


def _left(office: Office, digest: Digest, why: str, status: LetterStatus) -> None:
    """Leave what reaches nobody where it is: its account reads it at the desk."""
    record(office, digest, status, error=why)


DIGESTS = Outbox(Digest, _due, _ready, _left)
