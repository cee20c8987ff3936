"""Reassign one open question to another assignee, or back to its whole role.

A reassignment is won by one conditional update, as an answer is: of two at the same moment one is first, and the other is
judged by the result. The question, its arguments and its clock stay. Of many at once: engine/actions/reassign_many.py.
"""

from __future__ import annotations

from engine.cases.dossier import Dossier, lock_by_number
from engine.cases.ledger import valid_reason, write_remark
from engine.cases.waits import compare_and_set, question_of_a_person
from engine.deadlines.clock import is_over
from engine.errors import NotAllowed, NotWaiting, Refused
from engine.letters.notices import notify
from engine.people.delegations import sibling_accounts
from engine.people.hierarchy import must_oversee
from engine.people.impartiality import must_be_impartial, who_took_part
from engine.people.permissions import must_be_in_region, must_not_concern_the_stand_in, user_named
from engine.people.roles import cached_roles
from engine.runtime.office import Office, RunHandle, Work
from models import AnyWait, Role, User


def reassign(
    office: Office, run: RunHandle, number: str, key: str | None, *, to: str | None, by: str, reason: str
) -> None:
    """Give an open question to the account ``to``, or to its whole role where ``to`` is None.

    ``key`` may be left out where only one question is open.

    Raises:
        UnknownCase: No case has this number.
        NotWaiting: The question is not open.
        NotAllowed: ``by`` may not reassign it, or ``to`` may not answer it.
        Refused: The question is with ``to`` already, or changed meanwhile.
    """
    reason = valid_reason(reason)
    with office.work(run) as work:
        dossier = lock_by_number(work, number)
        wait = question_of_a_person(dossier, key)
        holder = user_named(work.session, to) if to is not None else None
        give(work, dossier, wait, user_named(work.session, by), holder, reason)
        work.session.add(dossier.row)
        title = dossier.pipeline.questions[wait.question or ""].title
        notify(
            work.session,
            office,
            {name for name in (wait.holder, to) if name} - {by},
            what=f"{number}/{wait.key}/reassigned-{dossier.row.last_seq}",
            kind="reassigned",
            case_number=number,
            words=f"{title}: {from_to(wait.holder, to)}; {reason}",
        )
    run.cases += 1


def give(
    work: Work,
    dossier: Dossier,
    wait: AnyWait,
    by: User,
    to: User | None,
    reason: str,
) -> None:
    """Move one wait to ``to`` and write the remark.

    A question whose time is up is nobody's any more, whether or not a sweep had come by.

    Raises:
        NotAllowed: ``by`` may not reassign it, or ``to`` may not answer it.
        NotWaiting: Its time is up.
        Refused: The question is with ``to`` already, or changed meanwhile. In each case nothing was changed.
    """
    number, question = dossier.case.number, dossier.pipeline.questions[wait.question or ""]
    if question.of is Role.APPLICANT:
        raise NotAllowed(
            f"{wait.key} of {number} is the applicant's own; nobody else is asked for it",
            for_people=f"{wait.key} adalah langkah pemohon sendiri dan tidak dapat dialihkan.",
            question=wait.key,
        )
    must_not_concern_the_stand_in(work, dossier.case)
    role = must_oversee(work.session, by, wait.holder, on=work.today, case=dossier.case)
    if is_over(wait.silent_at, work.now):
        raise NotWaiting(number, wait.key, [], "silent")
    _must_be_able(work, dossier, wait, to)
    if not compare_and_set(work, wait, holder=to.name if to else None):
        raise Refused(
            f"{wait.key} of {number} was settled or given to somebody else meanwhile. See: jalur case show {number}",
            for_people=f"{wait.key} pada {number} baru saja dijawab atau dialihkan. Lihat kembali permohonannya.",
            case=number,
        )
    names = {"question": wait.key, "from": wait.holder, "to": to.name if to else None}
    said = f"{wait.key}: {from_to(wait.holder, names['to'])}; {reason}"
    write_remark(work, dossier.row, "reassigned", by.name, said, role=role, result=names)


def _must_be_able(work: Work, dossier: Dossier, wait: AnyWait, to: User | None) -> None:
    """Refuse an assignee who may not answer now, as when the question was asked.

    Raises:
        NotAllowed: ``to`` lacks the role, is barred, or answers the same question already.
        Refused: The question is with ``to`` already, or must stay with a named account.
    """
    number, question = dossier.case.number, dossier.pipeline.questions[wait.question or ""]
    whom = to.name if to else None
    if wait.holder == whom:
        where = whom or f"the whole role {question.of}"
        raise Refused(
            f"{wait.key} of {number} is with {where} already",
            for_people=f"{wait.key} pada {number} sudah ada pada {whom or f'semua {question.of}'}.",
            case=number,
        )
    beside = sibling_accounts(work.session, wait) if _has_others_beside(dossier, wait) else set()
    if to is None:
        if beside:
            raise Refused(
                f"{wait.key} of {number} is asked of several by name; name who answers instead: --to NAME",
                for_people=f"{wait.key} ditanyakan kepada beberapa orang; sebutkan penggantinya.",
                case=number,
            )
        return
    if question.of not in cached_roles(work.session, to, work.today):
        raise NotAllowed(
            f"{wait.key} is for the role {question.of}, which {to.name} does not hold",
            for_people=f"{wait.key} hanya untuk peran {question.of}; {to.name} tidak memegangnya.",
            user=to.name,
            role=question.of,
        )
    if to.name in beside:
        raise NotAllowed(
            f"{to.name} is asked the same question of {number} beside {wait.key}, and answers it once. Name somebody else",
            for_people=f"{to.name} sudah diminta menjawab hal yang sama pada {number}. Sebutkan orang lain.",
            user=to.name,
        )
    must_be_in_region(to, dossier.case)
    took_part = {*wait.apart_from, *who_took_part(work.session, number, question)}
    must_be_impartial(work.session, to, dossier.case, question, work.today, took_part, wait.key)


def _has_others_beside(dossier: Dossier, wait: AnyWait) -> bool:
    """Return whether the case asked this question of several; only then the database is asked."""
    return any(one.question == wait.question and one.key != wait.key for one in dossier.past.waits.values())


def from_to(before: str | None, after: str | None) -> str:
    """Return both names in words; None stands for the whole role."""
    return f"dari {before or 'semua'} kepada {after or 'semua'}"
