"""Withdraw an application, at any wait."""

from __future__ import annotations

from engine.actions.time_up import end_by_time
from engine.cases.dossier import lock_by_number
from engine.cases.ledger import valid_reason, write_remark
from engine.cases.waits import mark_settled, open_waits, settle
from engine.deadlines.clock import is_over, local_date
from engine.errors import Refused
from engine.people.permissions import authorize_for_applicant, user_named
from engine.runtime.office import Office, RunHandle
from models import CaseStatus, EntryKind, WaitKind
from models.privacy import without_personal_numbers


def withdraw(office: Office, run: RunHandle, number: str, *, by: str, reason: str) -> None:
    """Withdraw an application, at any wait.

    During a machine wait the withdrawal is noted, and takes effect once the machine's result is recorded. Where the time of a
    question is up, the silence is recorded first, whether or not a sweep had come by. Whoever withdraws for an owner gives a
    reason in words; owners need none.

    Raises:
        UnknownCase: No case has this number.
        NotAllowed: ``by`` is neither the applicant nor somebody who acts for them.
        Refused: The reason is missing, or the case is closed or being withdrawn already.
    """
    with office.work(run) as work:
        dossier = lock_by_number(work, number)
        row = dossier.row
        taken_back = any(wait.settled_as == "withdrawn" for wait in dossier.past.waits.values())
        if row.status == CaseStatus.CLOSED or row.withdrawal or taken_back:
            what = f"closed ({row.outcome})" if row.status == CaseStatus.CLOSED else "being withdrawn"
            raise Refused(
                f"Case {number} is already {what}. See: jalur case show {number}",
                for_people=f"Permohonan {number} sudah selesai atau sedang ditarik.",
                case=number,
            )
        now = work.now
        actor = authorize_for_applicant(work.session, user_named(work.session, by), dossier.case, local_date(now))
        reason = valid_reason(reason) if actor.on_behalf_of else without_personal_numbers(reason)
        waits = sorted(open_waits(dossier), key=lambda wait: wait.key)
        for over in [wait for wait in waits if is_over(wait.silent_at, now)]:
            end_by_time(work, dossier, over)
            waits.remove(over)
        people = [wait for wait in waits if wait.kind == WaitKind.PERSON]
        if people and len(people) == len(waits):
            mark_settled(work, people[1:], "withdrawn", now)  # the first one bears the entry
            settle(
                work,
                row,
                people[0],
                settled_as="withdrawn",
                kind=EntryKind.ANSWER,
                actor=actor.name,
                role=actor.role,
                on_behalf_of=actor.on_behalf_of,
                outcome="withdrawn",
                reason=reason,
            )
        else:
            signed = run.signed(actor.name, actor.on_behalf_of)
            row.withdrawal = {
                "by": signed["actor"],
                "role": actor.role,
                "on_behalf_of": signed["on_behalf_of"],
                "reason": reason,
            }
            said = {"role": actor.role, "on_behalf_of": actor.on_behalf_of}
            write_remark(work, row, "withdrawal_noted", actor.name, reason, **said)
            work.session.add(row)
    run.cases += 1
