"""Delivery by hand: an officer prints a letter that no channel delivers, or telephones."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field
from sqlmodel import Session, col, func, select, update

from engine.definition.forms import Form, Question
from engine.letters.outbox import unsent
from engine.runtime.leases import same_row
from engine.runtime.office import NO_RUN, Office
from models import AnyWait, CaseFile, Letter, LetterStatus, Role, Wait, WaitKind
from models.privacy import without_personal_numbers


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


def leave_to_an_officer(office: Office, letter: Letter, why: str, status: LetterStatus) -> None:
    """Stop sending a letter and ask an officer to deliver it by hand, in one transaction.

    Locks: the letter's case, so that two workers never give one number to two tasks.
    """
    now = office.clock.now()
    with office.work(NO_RUN) as work:
        session = work.session
        case = session.exec(select(CaseFile).where(CaseFile.id == letter.case_id).with_for_update()).one()
        ended = session.execute(
            update(Letter)
            .where(*same_row(letter), unsent(Letter))
            .values(status=str(status), leased_until=None, error=without_personal_numbers(why)[:500])
            .returning(col(Letter.key))
        ).first()
        if ended is None:
            return  # another worker made the task first
        known = session.exec(
            select(func.count()).where(Wait.case_id == case.id, Wait.kind == WaitKind.HAND_DELIVERY)
        ).one()
        work.rows.write(
            Wait,
            case_id=case.id,
            key=f"{HAND_DELIVERY.name}#{known + 1}",
            pipeline=case.pipeline,
            kind=str(WaitKind.HAND_DELIVERY),
            question=HAND_DELIVERY.name,
            role=str(HAND_DELIVERY.of),
            arguments_hash="",
            note=f"{letter.key}: {letter.subject} ({without_personal_numbers(why)[:200]})",
            asked_at=now,
        )


def record_hand_delivery(session: Session, wait: AnyWait, how: HandDelivery) -> None:
    """Record on the letter whether its recipient was reached.

    The caller has settled the officer's wait.
    """
    letter_key = (wait.note or "").split(": ", 1)[0]
    status = LetterStatus.GIVEN_UP if how.decision is Reached.NOT_REACHED else LetterStatus.HANDED_OVER
    session.execute(
        update(Letter)
        .where(col(Letter.case_id) == wait.case_id, col(Letter.key) == letter_key)
        .values(status=str(status))
    )
