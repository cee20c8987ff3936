"""Letters as rows of the outbox, and the round that sends alerts, letters and digests.

A letter leaves when its attachments are ready, by its recipient's channel; one that bounces goes by the next channel, and
one that no channel delivers becomes a task of the office. A letter whose end is unknown is sent again under the same
Message-ID (a folder overwrites the file, a gateway is asked first).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from math import inf

from sqlalchemy import tuple_
from sqlmodel import Session, col, select, update
from sqlmodel.sql.expression import SelectOfScalar

from engine.letters.alerts import write_alerts
from engine.letters.channels import Way, as_text_message, ways_to
from engine.letters.digest import write_digests
from engine.letters.digest_outbox import DIGESTS
from engine.letters.hand_delivery import leave_to_an_officer
from engine.letters.outbox import COUNTED, Outbox, Parcel, end_attempt, send_due, unsent
from engine.letters.queue import is_of_the_office
from engine.runtime.leases import same_row
from engine.runtime.links import check_url
from engine.runtime.office import Office
from models import (
    CaseFile,
    Document,
    DocumentStatus,
    Letter,
    LetterStatus,
    Person,
    PersonKey,
)
from models.privacy import without_personal_numbers
from outside.channels import Attachment, Message, message_id_for

SAID_WITHIN = timedelta(days=1)


def deliver(office: Office, within: timedelta | None = None) -> dict[str, int]:
    """Send the alerts, the letters that are due, and the digests; return counts of their ends.

    1. Alerts go first: letters to a server that hangs could keep them back for hours.
    2. Letters follow. After ``within`` no further batch is begun, so that the next run looks for troubles again.
    3. Digests are written and sent.

    Raises:
        Exception: the first failure of a part, once all three parts were tried.
    """
    counts, failures = dict.fromkeys(COUNTED, 0), list[Exception]()
    until = time.monotonic() + within.total_seconds() if within else inf

    def write_and_send(write: Callable[[Office], int]) -> None:
        write(office)
        send_due(office, DIGESTS, counts)

    parts: tuple[Callable[[], None], ...] = (
        partial(write_and_send, write_alerts),
        partial(send_due, office, Outbox(Letter, _due, _prepare, leave_to_an_officer), counts, until),
        partial(write_and_send, write_digests),
    )
    for part in parts:
        try:
            part()
        except Exception as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return counts


def _due() -> SelectOfScalar[Letter]:
    attachments_ready = (
        ~select(Document.key)
        .where(col(Document.case_id) == col(Letter.case_id), Document.status == DocumentStatus.PENDING)
        .exists()
    )
    return (
        select(Letter)
        .where(unsent(Letter), (col(Letter.status) == LetterStatus.QUEUED) | attachments_ready)
        .order_by(col(Letter.at), col(Letter.case_id), col(Letter.key))
    )


def _prepare(office: Office, letter: Letter) -> Parcel | str | None:
    with office.db.reading() as session:
        number = session.exec(select(CaseFile.number).where(CaseFile.id == letter.case_id)).one()
        person, key = session.exec(
            select(Person, PersonKey)
            .join(PersonKey, col(PersonKey.id) == col(Person.key_id), isouter=True)
            .where(Person.id == letter.to_person_id)
        ).one()
        words = office.vault.decrypt(key, letter.sealed) if key else {}
        said = key is not None and _said_before(office, session, letter, key, words["text"])
    if key is None:
        end_attempt(office, letter, LetterStatus.GIVEN_UP, error="the person was erased")
        return "given_up"
    if said:
        end_attempt(office, letter, LetterStatus.SAID_BEFORE)
        return None
    bounces = {one["way"]: one["why"] for one in letter.remarks}
    ways = ways_to(office.adapters, office.vault.decrypt(key, person.sealed), person.channel)
    return Parcel(
        [way for way in ways if way.kind not in bounces],
        lambda way: _message(office, letter, number, words, way),
        lambda way, why: _remember_bounce(office, letter, way, why),
        next(reversed(bounces.values()), None),
    )


def _message(office: Office, letter: Letter, number: str, words: dict[str, str], way: Way) -> Message:
    """Return the letter for one way: whole by mail, short and without attachments by telephone."""
    by_mail = way.kind == "mail"
    return Message(
        message_id=message_id_for(f"{number}/{letter.key}", office.settings.sender.rsplit("@", 1)[-1]),
        sender=office.settings.sender,
        to_name=letter.to_name,
        to_address=way.address,
        subject=letter.subject,
        text=words["text"] if by_mail else _short(office, letter, number, words["text"]),
        html=words["html"] if by_mail else None,
        attachments=tuple(_attachments(office, letter)) if by_mail else (),
        language=letter.language,
        written_at=letter.at,
    )


def _short(office: Office, letter: Letter, number: str, text: str) -> str:
    link, attached = check_url(office, number), bool(letter.attachments)
    return as_text_message(letter.subject, text, number=number, link=link, attached=attached, language=letter.language)


def _remember_bounce(office: Office, letter: Letter, way: Way, why: str) -> None:
    letter.remarks = [*letter.remarks, {"way": way.kind, "why": without_personal_numbers(why)[:500]}]
    with office.db.writing() as session:
        changed = update(Letter).where(*same_row(letter))
        session.execute(changed.values(remarks=letter.remarks, channel=way.channel.name))


def _said_before(office: Office, session: Session, letter: Letter, key: PersonKey, text: str) -> bool:
    """Return whether the previous letter of the same kind and case said the same within a day.

    Only the office's own letters without attachments are compared.
    """
    if letter.attachments or not is_of_the_office(letter.letter):
        return False
    before = session.exec(
        select(Letter.sealed)
        .where(
            Letter.case_id == letter.case_id,
            Letter.letter == letter.letter,
            Letter.to_person_id == letter.to_person_id,
            Letter.status != LetterStatus.SAID_BEFORE,
            col(Letter.at) >= letter.at - SAID_WITHIN,
            tuple_(col(Letter.at), col(Letter.seq), col(Letter.key)) < (letter.at, letter.seq, letter.key),
        )
        .order_by(col(Letter.at).desc(), col(Letter.seq).desc(), col(Letter.key).desc())
    ).first()
    return before is not None and office.vault.decrypt(key, before)["text"] == text


def _attachments(office: Office, letter: Letter) -> list[Attachment]:
    with office.db.reading() as session:
        documents = session.exec(
            select(Document).where(
                Document.case_id == letter.case_id,
                col(Document.key).in_(letter.attachments),
                Document.status == DocumentStatus.READY,
            )
        ).all()
    return [
        _attachment(office, document)
        for document in sorted(documents, key=lambda document: letter.attachments.index(document.key))
    ]


def _attachment(office: Office, document: Document) -> Attachment:
    path = document.path or ""
    suffix = path.rsplit(".", 1)[-1]
    return Attachment(f"{document.number or document.kind}.{suffix}", office.store.get(path), f"application/{suffix}")
