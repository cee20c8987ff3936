"""The outbox: letters leave when what they attach is ready; whom no channel reaches becomes a task of the office.

A letter goes the way that its recipient chose; one that bounces there goes the next way, and what bounced is remembered.
Mail servers can't be asked what became of a letter, so one whose end is unknown is sent again under the same Message-ID; in a
folder it is the same file, and a gateway is asked first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from functools import partial
from math import inf

from pydantic import Field
from sqlalchemy import tuple_
from sqlmodel import Session, col, func, insert, select, update
from sqlmodel.sql.expression import SelectOfScalar

from engine.alerting import write_alerts
from engine.digest import write_digests
from engine.forms import Form, Question
from engine.leases import same_row
from engine.links import check_url
from engine.office import Office
from engine.outbox import is_of_the_office
from engine.outgoing import COUNTED, OPEN, Outbox, Parcel, record, send_due, unsent
from engine.reaching import Way, as_text_message, ways_to
from engine.telling import DIGESTS
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

SAID_WITHIN = timedelta(days=1)


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


def deliver(office: Office, within: timedelta | None = None) -> dict[str, int]:
    """Send what broke to the administrators, the letters that are due, and in the morning the officers' digests.

    Return how many were sent, bounced on every channel, were put off, given up, or left to be told by hand. What broke goes first:
    letters to a server that hangs could keep it back for hours. No part keeps another back by failing; the first failure
    is raised at the end. ``within`` that time no further letter is begun, so that the next run looks anew for what broke.
    """
    counts, failures = dict.fromkeys(COUNTED, 0), list[Exception]()
    until = time.monotonic() + within.total_seconds() if within else inf

    def tell_accounts(write: Callable[[Office], int]) -> None:
        write(office)
        send_due(office, DIGESTS, counts)

    parts: tuple[Callable[[], None], ...] = (
        partial(tell_accounts, write_alerts),
        partial(send_due, office, Outbox(Letter, _due, _ready, _by_hand), counts, until),
        partial(tell_accounts, write_digests),
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


def _ready(office: Office, letter: Letter) -> Parcel | str | None:
    with office.db.reading() as session:
        number = session.exec(select(Case.number).where(Case.id == letter.case_id)).one()
        person, key = session.exec(
            select(Person, SealingKey)
            .join(SealingKey, col(SealingKey.id) == col(Person.key_id), isouter=True)
            .where(Person.id == letter.to_person_id)
        ).one()
        words = office.vault.unseal(key, letter.sealed) if key else {}
        said = key is not None and _said_before(office, session, letter, key, words["text"])
    if key is None:
        record(office, letter, LetterStatus.GIVEN_UP, error="the person was erased")
        return "given_up"
    if said:
        record(office, letter, LetterStatus.SAID_BEFORE)
        return None
    bounces = {one["way"]: one["why"] for one in letter.remarks}
    ways = ways_to(office.contacts, office.vault.unseal(key, person.sealed), person.channel)
    return Parcel(
        [way for way in ways if way.kind not in bounces],
        lambda way: _message(office, letter, number, words, way),
        lambda way, why: _remember_bounce(office, letter, way, why),
        next(reversed(bounces.values()), None),
    )


def _message(office: Office, letter: Letter, number: str, words: dict[str, str], way: Way) -> Message:
    """Return the letter for one way: whole by mail, shortened and without its papers by telephone."""
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


def _said_before(office: Office, session: Session, letter: Letter, key: SealingKey, text: str) -> bool:
    """Return whether the office's own letter before this one, of its kind, in its case, said the same within a day."""
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
    return before is not None and office.vault.unseal(key, before)["text"] == text


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


def _by_hand(office: Office, letter: Letter, why: str, status: LetterStatus) -> None:
    """Make of a letter that reaches nobody a task in the office's inbox, in one transaction: print it, or telephone."""
    now = office.clock.now()
    with office.db.writing() as session:
        case = session.exec(select(Case).where(Case.id == letter.case_id).with_for_update()).one()
        ended = session.execute(
            update(Letter)
            .where(
                *same_row(letter),
                col(Letter.status).in_(OPEN),
            )
            .values(status=str(status), leased_until=None, error=without_personal_numbers(why)[:500])
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
