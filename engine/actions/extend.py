"""Extend an open question to a later date, agreed between the office and the other side.

The ladder of reminders starts anew towards the new date. A budget that the law sets is extended only where a rule
``<due>_extension`` says so; the case's own budget is never extended. One extension runs at a time.
"""

from __future__ import annotations

from datetime import date
from functools import partial

from sqlmodel import Session, col, func, select

from engine.cases.dossier import Dossier, lock_by_number
from engine.cases.ledger import valid_reason, write_remark
from engine.cases.waits import compare_and_set, question_of_a_person
from engine.deadlines.clock import is_over, local_date
from engine.deadlines.due_dates import Times, effect_of, ladder_of, rungs_due, times_of
from engine.deadlines.legal_clock import case_due_date
from engine.definition.forms import Question
from engine.errors import NotAllowed, NotWaiting, Refused
from engine.letters.notices import notify
from engine.letters.queue import write_to_applicant
from engine.people.hierarchy import must_oversee
from engine.people.impartiality import must_not_be_concerned
from engine.people.permissions import must_not_concern_the_stand_in, user_named
from engine.people.roles import cached_roles
from engine.runtime.office import Office, RunHandle, Work
from models import AnyWait, LedgerEntry, Role, User
from rules import Rule

CASE_OFFICERS = (Role.OFFICER, Role.LSP_OFFICER)


def extend(
    office: Office,
    run: RunHandle,
    number: str,
    key: str | None,
    *,
    until: date,
    reason: str,
    by: str,
    agreed_with: str,
) -> None:
    """Move the date of an open question to ``until``.

    ``key`` may be left out where only one question is open. ``by`` is an official, or the officer of the case, without a
    conflict of interest; ``agreed_with`` is the other side.

    Raises:
        UnknownCase: No case has this number.
        NotWaiting: The question is not open.
        NotAllowed: ``by`` may not agree to an extension.
        Refused: Another extension runs, there were too many, the date is out of bounds, or the law gives no extension.
    """
    reason = valid_reason(reason)
    with office.work(run) as work:
        dossier = lock_by_number(work, number)
        wait = question_of_a_person(dossier, key)
        if is_over(wait.silent_at, work.now):
            raise NotWaiting(number, wait.key, [], "silent")
        question, actor = dossier.pipeline.questions[wait.question or ""], user_named(work.session, by)
        must_not_be_concerned(work.session, actor, dossier.case, work.today)
        must_not_concern_the_stand_in(work, dossier.case)
        role = _may_agree(work.session, actor, dossier, wait, question, work.today)
        _must_be_the_other_side(
            work.session, actor, user_named(work.session, agreed_with), dossier, wait, question, work.today
        )
        before = _date_of(dossier, wait)
        _must_be_in_turn(work, dossier, wait)
        _must_be_of_a_length(office, dossier, question, before, until)
        times, rung = _times(office, dossier, wait, question, until)
        after = local_date(times.due_at or times.silent_at or work.now)
        if after <= before:
            raise _refused(
                dossier,
                f"{wait.key} stays at {before}: the case's own budget ends then, and no extension moves that",
                f"Tenggat {wait.key} tetap {before.isoformat()} karena batas waktu perkara sendiri berakhir saat itu.",
            )
        if not compare_and_set(work, wait, extended_until=until, rung=rung, **times.values()):
            raise NotWaiting(number, wait.key, [])
        said = (
            f"{wait.key}: {before.isoformat()} menjadi {after.isoformat()}, disepakati dengan {agreed_with}; {reason}"
        )
        told = {"question": wait.key, "from": before.isoformat(), "to": after.isoformat(), "agreed_with": agreed_with}
        used = dossier.case.rules.take_used()
        write_remark(work, dossier.row, "extended", by, said, role=role, result=told, rule_versions=used)
        work.session.add(dossier.row)
        _tell(work, dossier, wait, question, before, after, reason, by)
    run.cases += 1


def _may_agree(
    session: Session, user: User, dossier: Dossier, wait: AnyWait, question: Question[object], on: date
) -> Role:
    """Return the role in which ``user`` agrees: overseer, asked role, or officer of the case.

    Raises:
        NotAllowed: ``user`` is none of these.
    """
    try:
        return must_oversee(session, user, wait.holder, on=on, case=dossier.case)
    except NotAllowed:
        roles = cached_roles(session, user, on)
        here = {one.of for one in dossier.pipeline.questions.values()}
        theirs = {role for role in CASE_OFFICERS if role in here}
        if wait.holder is None and question.of is not Role.APPLICANT:
            theirs.add(question.of)
        mine = sorted(theirs & roles)
        if not mine or not user.works_in(dossier.case.region_code):
            raise
        return mine[0]


def _must_be_the_other_side(
    session: Session, user: User, other: User, dossier: Dossier, wait: AnyWait, question: Question[object], on: date
) -> None:
    applicant = dossier.case.applicant
    side = other.person_id == applicant.person_id
    if question.of is not Role.APPLICANT:
        side = side or (wait.holder in (None, other.name) and question.of in cached_roles(session, other, on))
    if not side or other.id == user.id:
        asked = (
            applicant.handle if question.of is Role.APPLICANT else f"{wait.holder or question.of}, {applicant.handle}"
        )
        raise _refused(
            dossier,
            f"{wait.key} is agreed on between the office and the other side ({asked}), not with {other.name}",
            f"Perpanjangan {wait.key} disepakati dengan pihak lain ({asked}), bukan dengan {other.name}.",
        )


def _date_of(dossier: Dossier, wait: AnyWait) -> date:
    """Return the present date of the question.

    Raises:
        Refused: The question has no date.
    """
    moment = wait.due_at or wait.silent_at
    if moment is None:
        raise _refused(dossier, f"{wait.key} has no date to extend", f"{wait.key} tidak mempunyai tenggat.")
    return local_date(moment)


def _must_be_in_turn(work: Work, dossier: Dossier, wait: AnyWait) -> None:
    """Refuse an extension while another one runs, or beyond the limit.

    Raises:
        Refused: An extension runs, or the question was extended too often.
    """
    if wait.extended_until is not None and wait.extended_until >= work.today:
        raise _refused(
            dossier,
            f"{wait.key} is extended until {wait.extended_until}; the next extension is agreed on after that day",
            f"{wait.key} sudah diperpanjang sampai {wait.extended_until.isoformat()}; tunggu sampai tanggal itu lewat.",
        )
    limit = dossier.case.rules.extension_limit
    made = work.session.exec(
        select(func.count()).where(
            LedgerEntry.case_id == wait.case_id,
            LedgerEntry.key == "extended",
            col(LedgerEntry.reason).startswith(f"{wait.key}: ", autoescape=True),
        )
    ).one()
    if made >= limit.value:
        raise _refused(
            dossier,
            f"{wait.key} was extended {made} times, and {limit.value} is the limit ({limit.citation})",
            f"{wait.key} sudah diperpanjang {made} kali, batasnya {limit.value} ({limit.citation}).",
        )


def _must_be_of_a_length(
    office: Office, dossier: Dossier, question: Question[object], before: date, until: date
) -> None:
    """Refuse a new date that is not later than the present one, or beyond the rule's longest.

    Raises:
        Refused: The date is out of bounds.
    """
    today, longest = office.clock.today(), _longest(dossier, question)
    last = office.calendar.due_date(max(before, today), longest)
    if not max(before, today) < until <= last:
        raise _refused(
            dossier,
            f"{until} is no date to extend to: later than {max(before, today)}, until {last} ({longest.citation})",
            f"Tanggal baru harus setelah {max(before, today).isoformat()} dan paling lambat {last.isoformat()} "
            f"({longest.citation}).",
        )


def _longest(dossier: Dossier, question: Question[object]) -> Rule:
    rules = dossier.case.rules
    budgets = [rules[name] for name in (question.due, question.silent_after) if name]
    effect = effect_of(rules, question)
    # A budget whose end has a legal effect is the law's, even if its own rule does not say so.
    by_law = next((one for one in budgets if one.is_law or (effect is not None and effect.by_law)), None)
    if by_law is None:
        return rules.extension_longest
    if rules.peek(f"{by_law.name}_extension") is None:
        raise _refused(
            dossier,
            f"The time for {question.name} is the law's ({by_law.citation}), which gives no extension",
            f"Waktu untuk {question.title} ditetapkan oleh {by_law.citation} dan tidak dapat diperpanjang.",
        )
    return rules[f"{by_law.name}_extension"]


def _times(
    office: Office, dossier: Dossier, wait: AnyWait, question: Question[object], until: date
) -> tuple[Times, int]:
    """Return the times of the wait under its new date, and the count of rungs that are past.

    The case's own budget is counted as it was when the question was asked.
    """
    rules, calendar = dossier.case.rules, office.calendar
    legal = case_due_date(
        calendar, rules, dossier.pipeline.clock, dossier.row.complete_at, dossier.past.segments, wait.asked_at
    )
    asked, moved = wait.asked_at, partial(times_of, extended_until=until, legal_due=legal)
    due_at = moved(calendar, rules, question, asked).due_at
    rung = rungs_due(calendar, ladder_of(rules, question), asked, due_at, office.clock.now())
    return moved(calendar, rules, question, asked, rung=rung), rung


def _tell(
    work: Work,
    dossier: Dossier,
    wait: AnyWait,
    question: Question[object],
    before: date,
    after: date,
    reason: str,
    by: str,
) -> None:
    """Write to the applicant if the step is theirs, else add the news to the assignee's digest."""
    if question.of is not Role.APPLICANT:
        notify(
            work.session,
            work.office,
            {wait.holder or by} - {by},
            what=f"{dossier.case.number}/{wait.key}/extended-{after}",
            kind="moved",
            case_number=dossier.case.number,
            words=f"{question.title}: tenggat {before.isoformat()} menjadi {after.isoformat()}; {reason}",
        )
        return
    facts = {
        "question": question.title,
        "before": before.isoformat(),
        "after": after.isoformat(),
        "reason": reason,
        "provisional": work.calendar.provisional_years(after),
    }
    key = f"{wait.key}/date_extended-{dossier.row.last_seq}"
    write_to_applicant(work, dossier, key=key, letter="date_extended", facts=facts)


def _refused(dossier: Dossier, english: str, indonesian: str) -> Refused:
    number = dossier.case.number
    return Refused(f"{english}. See: jalur case show {number}", for_people=indonesian, case=number)
