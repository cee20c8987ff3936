"""The outbox: letters leave when what they attach is ready; whom no channel reaches becomes a task of the office.

A letter is leased and counted before it is handed to a channel. Mail servers can't be asked what became of a letter, so
one whose end is unknown is sent again under the same Message-ID; in a folder it is the same file.
"""

from __future__ import annotations

import logging
import traceback
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pydantic import Field
from sqlmodel import Session, col, func, insert, select, update

from engine.claiming import LEASE, free, still_ours
from engine.forms import Form, Question
from engine.office import Office
from models import (
    AnyWait,
    Case,
    Document,
    DocumentStatus,
    Letter,
    LetterStatus,
    Person,
    Role,
    SealingKey,
    Wait,
    WaitKind,
)
from models.privacy import without_personal_numbers
from outside.channels import Attachment, Message, message_id_for
from outside.errors import Bounced, EndUnknown, TryLater

log = logging.getLogger(__name__)

BATCH = 50
ATTEMPTS = 8
FIRST_PAUSE = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(hours=12)


class Reached(StrEnum):
    """How a person was reached by hand, or that they were not."""

    PRINTED = "printed"
    TELEPHONED = "telephoned"
    NOT_REACHED = "not_reached"


class HandDelivery(Form):
    """An officer prints a letter or reads it out on the telephone, and says which."""

    decision: Reached
    note: str = Field(default="", max_length=500)


HAND_DELIVERY = Question(HandDelivery, of=Role.OFFICER, title="Cetak surat ini atau telepon penerimanya")


def deliver(office: Office) -> dict[str, int]:
    """Send what is due; return how many letters were sent, bounced, put off, given up, or became a task by hand."""
    counts = dict.fromkeys(("sent", "bounced", "later", "given_up", "by_hand"), 0)
    while letters := _claim(office):
        for letter in letters:
            if still_ours(office, letter):
                counts[_sent(office, letter)] += 1
    return counts


def _sent(office: Office, letter: Letter) -> str:
    """Send a letter; one whose file or words can't be read is put off, and stops none of the others."""
    try:
        return _send(office, letter)
    except Exception as error:
        trace = without_personal_numbers(traceback.format_exc())
        log.error("The letter %s of case %d could not be sent: %s", letter.key, letter.case_id, trace)
        return _put_off(office, letter, f"{type(error).__name__}: {error}", None)


def _put_off(office: Office, letter: Letter, why: str, after: timedelta | None) -> str:
    if letter.attempt >= ATTEMPTS:
        _by_hand(office, letter, why, LetterStatus.GIVEN_UP)
        return "given_up"
    pause = after or min(FIRST_PAUSE * 2 ** (letter.attempt - 1), LONGEST_PAUSE)
    _record(office, letter, None, error=why, next_attempt_at=office.clock.now() + pause)
    return "later"


def _claim(office: Office) -> list[Letter]:
    now = office.clock.now()
    attachments_ready = (
        ~select(Document.key)
        .where(col(Document.case_id) == col(Letter.case_id), Document.status == DocumentStatus.PENDING)
        .exists()
    )
    with office.db.writing() as session:
        letters = list(
            session.exec(
                select(Letter)
                .where(
                    col(Letter.status).in_([LetterStatus.WAITING, LetterStatus.QUEUED]),
                    (col(Letter.status) == LetterStatus.QUEUED) | attachments_ready,
                    free(Letter.leased_until, now),
                    free(Letter.next_attempt_at, now + timedelta(microseconds=1)),
                )
                .order_by(col(Letter.at), col(Letter.case_id), col(Letter.key))
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            )
        )
        for letter in letters:
            letter.leased_until, letter.attempt = now + LEASE, letter.attempt + 1
            session.add(letter)
        return letters


def _send(office: Office, letter: Letter) -> str:
    channel = office.contacts.mail
    with office.db.reading() as session:
        number = session.exec(select(Case.number).where(Case.id == letter.case_id)).one()
        person, key = session.exec(
            select(Person, SealingKey)
            .join(SealingKey, col(SealingKey.id) == col(Person.key_id), isouter=True)
            .where(Person.id == letter.to_person_id)
        ).one()
        attached = _attachments(office, session, letter)
    if key is None:
        _record(office, letter, LetterStatus.GIVEN_UP, error="the person was erased")
        return "given_up"
    address = office.vault.unseal(key, person.sealed).get("email")
    if not address:
        _by_hand(office, letter, "no e-mail address is known", LetterStatus.BY_HAND)
        return "by_hand"
    words = office.vault.unseal(key, letter.sealed)
    message = Message(
        message_id=message_id_for(f"{number}/{letter.key}", office.settings.sender.rsplit("@", 1)[-1]),
        sender=office.settings.sender,
        to_name=letter.to_name,
        to_address=address,
        subject=letter.subject,
        text=words["text"],
        html=words["html"],
        attachments=tuple(attached),
        language=letter.language,
        written_at=letter.at,
    )
    try:
        receipt = channel.send(message)
    except Bounced as bounced:
        _by_hand(office, letter, str(bounced), LetterStatus.BOUNCED)
        return "bounced"
    except (TryLater, EndUnknown) as later:
        return _put_off(office, letter, str(later), later.after)
    _record(office, letter, LetterStatus.SENT, channel=receipt.channel, sent_at=office.clock.now(), error=None)
    return "sent"


def _attachments(office: Office, session: Session, letter: Letter) -> list[Attachment]:
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


def _record(office: Office, letter: Letter, status: LetterStatus | None, **values: Any) -> None:
    if status is not None:
        values["status"] = str(status)
    if values.get("error"):
        values["error"] = without_personal_numbers(values["error"])[:500]
    with office.db.writing() as session:
        session.execute(
            update(Letter)
            .where(col(Letter.case_id) == letter.case_id, col(Letter.key) == letter.key)
            .values(leased_until=None, **values)
        )


def _by_hand(office: Office, letter: Letter, why: str, status: LetterStatus) -> None:
    """Make of a letter that reaches nobody a task in the office's inbox, in one transaction: print it, or telephone."""
    now = office.clock.now()
    with office.db.writing() as session:
        case = session.exec(select(Case).where(Case.id == letter.case_id).with_for_update()).one()
        ended = session.execute(
            update(Letter)
            .where(
                col(Letter.case_id) == letter.case_id,
                col(Letter.key) == letter.key,
                col(Letter.status).in_([LetterStatus.WAITING, LetterStatus.QUEUED]),
            )
            .values(
                status=str(status),
                leased_until=None,
                channel=office.contacts.mail.name if status is not LetterStatus.BY_HAND else None,
                error=without_personal_numbers(why)[:500],
            )
            .returning(col(Letter.key))
        ).first()
        if ended is None:
            return  # another worker was first
        known = session.exec(
            select(func.count()).where(Wait.case_id == case.id, Wait.kind == WaitKind.HAND_DELIVERY)
        ).one()
        session.execute(
            insert(Wait).values(
                case_id=case.id,
                key=f"{HAND_DELIVERY.name}#{known + 1}",
                pipeline=case.pipeline,
                kind=str(WaitKind.HAND_DELIVERY),
                question=HAND_DELIVERY.name,
                role=str(HAND_DELIVERY.of),
                arguments_hash="",
                apart_from=[],
                note=f"{letter.key}: {letter.subject} ({without_personal_numbers(why)[:200]})",
                asked_at=now,
                attempt=0,
                end_unknown=False,
            )
        )


def handed_over(session: Session, wait: AnyWait, how: HandDelivery) -> None:
    """Record on the letter what the officer's task came to. The caller has settled the task."""
    letter_key = (wait.note or "").split(": ", 1)[0]
    status = LetterStatus.GIVEN_UP if how.decision is Reached.NOT_REACHED else LetterStatus.HANDED_OVER
    session.execute(
        update(Letter)
        .where(col(Letter.case_id) == wait.case_id, col(Letter.key) == letter_key)
        .values(status=str(status))
    )
