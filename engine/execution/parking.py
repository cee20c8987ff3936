"""Parking: a case is set aside with its error, stops nobody else, and is freed later."""

from __future__ import annotations

from sqlmodel import col, update

from engine.cases import case_state
from engine.cases.dossier import lock_by_number, lock_rows
from engine.cases.ledger import SYSTEM, write_remark
from engine.cases.waits import reset_attempts
from engine.definition.incoming import must_be_clean
from engine.errors import Refused
from engine.runtime.office import Office, RunHandle
from models import CaseStatus, Document, DocumentStatus
from models.privacy import without_personal_numbers


def park(office: Office, run: RunHandle, case_id: int, error: str) -> tuple[str, str]:
    """Set a case aside with its error, personal numbers masked; return its number and the error.

    Locks: the case's row.
    """
    message = without_personal_numbers(error)[:2000]
    with office.work(run) as work:
        case = lock_rows(work, [case_id])[case_id]
        case_state.park(case, message)
        write_remark(work, case, "parked", SYSTEM, message)
        work.session.add(case)
        return case.number, message


def retry(office: Office, run: RunHandle, number: str, *, by: str) -> None:
    """Free a parked case, so that the next run tries it again.

    Raises:
        BadText: ``by`` holds letters that can't be kept.
        UnknownCase: there is no such case.
        Refused: the case is not parked.
    """
    must_be_clean(by=by)
    with office.work(run) as work:
        dossier = lock_by_number(work, number)
        row = dossier.row
        if row.status != CaseStatus.PARKED:
            raise Refused(
                f"Case {number} is {row.status}, not parked; there is nothing to retry. See: jalur case show {number}",
                for_people=f"Permohonan {number} tidak sedang terhenti; tidak ada yang perlu diulang.",
                case=number,
            )
        case_state.resume(row)
        reset_attempts(work.session, row)
        work.session.execute(
            update(Document)
            .where(col(Document.case_id) == row.id, col(Document.status) == DocumentStatus.PENDING)
            .values(attempt=0, leased_until=None)
        )
        write_remark(work, row, "retried", by, None)
        work.session.add(row)
    run.cases += 1
