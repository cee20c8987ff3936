"""Delegate questions during an absence, until a date: in one role or all, one case or all.

Both names stand in the ledger. A delegation is not passed on and gives nobody a standing (a curator's certificate stays its
holder's). Who is barred on a case stays barred, as delegate and as delegator: permissions.py checks both with each answer.
"""

from __future__ import annotations

from datetime import date

from sqlmodel import Session, col, select, update

from engine.cases.dossier import Dossier, lock_by_number, lock_rows
from engine.cases.ledger import valid_reason, write_remark
from engine.cases.waits import open_waits
from engine.errors import NotAllowed, Refused
from engine.letters.notices import notify
from engine.people.hierarchy import must_not_be_the_applicant, must_oversee
from engine.people.impartiality import must_be_impartial, who_took_part
from engine.people.permissions import must_be_in_region, user_named
from engine.people.roles import role_named, roles_of
from engine.runtime.office import Office, RunHandle, Work
from engine.runtime.office_ledger import record
from models import CaseStatus, Delegation, Role, User, WaitKind

ADMINISTRATOR = (Role.ADMINISTRATOR,)


def delegate(
    office: Office,
    run: RunHandle,
    away: str,
    to: str,
    *,
    until: date,
    reason: str,
    by: str,
    since: date | None = None,
    role: str | None = None,
    number: str | None = None,
) -> int:
    """Let ``to`` answer for ``away`` from ``since`` to ``until``; return the delegation's id.

    Both days are included; ``since`` is today where it is None. ``role`` narrows the delegation to one role, ``number`` to one
    case.

    Raises:
        UnknownCase: No case has this number.
        NotAllowed: ``by`` is neither ``away`` nor a superior nor an administrator, or ``to`` is barred on that case.
        Refused: The delegation makes no sense, or stands against another one.

    Locks: both accounts, and the case where one is named.
    """
    reason, since = valid_reason(reason), since or office.clock.today()
    role = role_named(role) if role is not None else None
    with office.work(run) as work:
        dossier = lock_by_number(work, number) if number is not None else None
        absent, to_user = _lock_accounts(work.session, away, to)
        actor = user_named(work.session, by)
        case = dossier.case if dossier else None
        acting = must_oversee(work.session, actor, away, on=work.today, case=case, officials=ADMINISTRATOR)
        made = Delegation(
            from_id=absent.id or 0,
            to_id=to_user.id or 0,
            role=role,
            case_id=dossier.row.id if dossier else None,
            since=since,
            until=until,
            reason=reason,
            recorded_by=by,
            recorded_at=work.now,
        )
        _must_make_sense(work, absent, to_user, made)
        _must_be_free(work.session, absent, to_user, made)
        if dossier:
            _must_be_of_use(work, dossier, absent, to_user, made)
        work.session.add(made)
        work.session.flush()
        said = f"{away} kepada {to}, {since.isoformat()} sampai {until.isoformat()}; {reason}"
        if dossier:
            told = {"delegation": made.id, "from": away, "to": to, "until": until.isoformat()}
            write_remark(
                work,
                dossier.row,
                "delegated",
                by,
                said,
                role=acting,
                on_behalf_of=None if by == away else away,
                result=told,
            )
            work.session.add(dossier.row)
        _tell(work, {away, to} - {by}, f"delegated/{made.id}", number, f"Tugas didelegasikan dari {said}")
        record(work, "delegated", away, {"delegation": made.id, "to": to}, rows=[made], actor=by)
        assert made.id is not None
        return made.id


def revoke(
    office: Office, run: RunHandle, away: str, to: str, *, by: str, role: str | None = None, reason: str = ""
) -> int:
    """End the delegations from ``away`` to ``to`` that are not over; return their count.

    ``role`` ends only the delegations of that one role.

    Raises:
        NotAllowed: ``by`` is neither ``away`` nor a superior nor an administrator.
        Refused: There is no such delegation.
    """
    why = f"; {valid_reason(reason)}" if reason else ""
    role = role_named(role) if role is not None else None
    with office.work(run) as work:
        absent, to_user = user_named(work.session, away), user_named(work.session, to)
        actor, today = user_named(work.session, by), work.today
        acting = must_oversee(work.session, actor, away, on=today, officials=ADMINISTRATOR)
        running = (
            col(Delegation.from_id) == absent.id,
            col(Delegation.to_id) == to_user.id,
            col(Delegation.until) >= today,
            col(Delegation.revoked_at).is_(None),
        )
        ended = work.session.execute(
            update(Delegation)
            .where(*running, *([col(Delegation.role) == role] if role is not None else []))
            .values(revoked_at=work.now)
            .returning(col(Delegation.id), col(Delegation.case_id))
            .execution_options(synchronize_session=False)
        ).all()
        if not ended:
            raise _nothing_to_end(
                away, to, role, {one for one in work.session.exec(select(Delegation.role).where(*running))}
            )
        which = f"{away} kepada {to}" + (f" untuk peran {role}" if role else "")
        case_ids = sorted({case_id for _, case_id in ended if case_id is not None})
        for row in lock_rows(work, case_ids).values():
            said = f"pendelegasian {which} dicabut{why}"
            write_remark(
                work,
                row,
                "delegation_revoked",
                by,
                said,
                role=acting,
                on_behalf_of=None if by == away else away,
            )
            work.session.add(row)
        last = max(made for made, _ in ended)
        words = f"Pendelegasian dari {which} dicabut{why}"
        _tell(work, {away, to} - {by}, f"delegation-revoked/{last}", None, words)
        rows = work.session.exec(select(Delegation).where(col(Delegation.id).in_([made for made, _ in ended]))).all()
        record(work, "delegations revoked", away, {"to": to}, rows=rows, actor=by)
        return len(ended)


def _nothing_to_end(away: str, to: str, role: str | None, others: set[str | None]) -> Refused:
    """Return the refusal to revoke nothing, naming the delegations that do run.

    ``role`` is None where delegations of any role were to end.
    """
    if not others:
        return Refused(
            f"{away} has delegated nothing to {to} that is still to run",
            for_people=f"Tidak ada pendelegasian dari {away} kepada {to} yang masih berlaku.",
        )
    english = ", ".join(sorted(one or "all roles together (end it without --role)" for one in others))
    indonesian = ", ".join(sorted(one or "semua peran sekaligus (cabut tanpa menyebut peran)" for one in others))
    return Refused(
        f"{away} has delegated nothing to {to} for the role {role} alone; what is still to run is for: {english}",
        for_people=f"Tidak ada pendelegasian dari {away} kepada {to} khusus peran {role}; yang masih berlaku: {indonesian}.",
    )


def _tell(work: Work, names: set[str], what: str, number: str | None, words: str) -> None:
    notify(work.session, work.office, names, what=what, kind="delegated", case_number=number, words=words)


def _lock_accounts(session: Session, away: str, to: str) -> tuple[User, User]:
    """Lock and return both accounts.

    Locks: both rows, so that of two delegations at once the second sees the first.
    """
    names = {user_named(session, name).name for name in (away, to)}
    rows = session.exec(select(User).where(col(User.name).in_(names)).order_by(col(User.id)).with_for_update())
    found = {user.name: user for user in rows}
    return found[away], found[to]


def _must_make_sense(work: Work, away: User, to: User, made: Delegation) -> None:
    roles, today = roles_of(work.session, away, work.today) - {Role.APPLICANT}, work.today
    wrong: tuple[str, str] | None = None
    if away.id == to.id or (to.person_id is not None and away.person_id == to.person_id):
        wrong = (
            f"{away.name} can't stand in for themselves. Name somebody else",
            f"{away.name} tidak dapat menggantikan dirinya sendiri. Sebutkan orang lain.",
        )
    elif made.until < made.since:
        wrong = (
            f"It would end on {made.until}, before it begins on {made.since}: --since, --until",
            f"Tanggal akhir {made.until.isoformat()} mendahului tanggal mulai {made.since.isoformat()}.",
        )
    elif made.until < today:
        wrong = (
            f"It would end on {made.until}, in the past: today is {today}. Name a later day: --until",
            f"Tanggal akhir {made.until.isoformat()} sudah lewat; hari ini {today.isoformat()}. Sebutkan tanggal lain.",
        )
    elif made.role == Role.APPLICANT:
        wrong = (
            "What applicants answer is not delegated; who acts for one needs a mandate: jalur mandate add",
            "Langkah pemohon tidak dapat didelegasikan; wakil pemohon memerlukan surat kuasa.",
        )
    elif not roles:
        wrong = (
            f"{away.name} holds no role of the office to delegate",
            f"{away.name} tidak memegang peran kantor yang dapat didelegasikan.",
        )
    elif made.role and made.role not in roles:
        theirs = ", ".join(sorted(roles))
        wrong = (
            f"{away.name} holds no {made.role} role to delegate; theirs: {theirs}",
            f"{away.name} tidak memegang peran {made.role}. Perannya: {theirs}.",
        )
    elif not roles_of(work.session, to, work.today) - {Role.APPLICANT}:
        wrong = f"{to.name} holds no role of the office", f"{to.name} tidak memegang peran apa pun di kantor."
    if wrong:
        raise Refused(f"{wrong[0]}; nothing was delegated", for_people=wrong[1])


def _must_be_free(session: Session, away: User, to: User, made: Delegation) -> None:
    """Refuse a delegation that repeats a running one, or goes to somebody who is away.

    Raises:
        Refused: A running delegation stands in the way; the refusal names it.
    """
    running = session.exec(
        select(Delegation, User.name)
        .join(User, col(User.id) == col(Delegation.to_id))
        .where(
            col(Delegation.from_id).in_([away.id, to.id]),
            col(Delegation.revoked_at).is_(None),
            col(Delegation.since) <= made.until,
            col(Delegation.until) >= made.since,
        )
        .order_by(col(Delegation.id))
    )
    for one, other in running:
        if one.role and made.role and one.role != made.role:
            continue
        days = f"{one.since} to {one.until}"
        hari = f"{one.since.isoformat()} sampai {one.until.isoformat()}"
        if one.from_id == away.id and one.case_id == made.case_id:
            raise Refused(
                f"{away.name} has delegated that to {other} from {days} already. "
                f"Revoke it first: jalur delegate {away.name} {other} --revoke{f' --role {one.role}' if one.role else ''}",
                for_people=f"{away.name} sudah mendelegasikan tugas itu kepada {other} pada {hari}. Cabut dahulu.",
            )
        circle = one.to_id == away.id and made.case_id in (None, one.case_id)
        if one.from_id == to.id and (one.case_id in (None, made.case_id) or circle):
            raise Refused(
                f"{to.name} has delegated to {other} from {days}; a delegation is not passed on. Name somebody who is there",
                for_people=f"{to.name} mendelegasikan tugasnya kepada {other} pada {hari}, dan pendelegasian tidak dapat "
                "diteruskan. Sebutkan orang lain.",
            )


def _must_be_of_use(work: Work, dossier: Dossier, away: User, to: User, made: Delegation) -> None:
    """Refuse a delegation in a case that asks nothing of ``away`` which ``to`` may answer.

    Raises:
        NotAllowed: One of the two is barred.
        Refused: The case is closed, or asks nothing more of ``away``.
    """
    case, number = dossier.case, dossier.case.number
    must_be_in_region(away, case)
    must_not_be_the_applicant(away, case)
    roles = {made.role} if made.role else roles_of(work.session, away, work.today)
    theirs = [one for one in dossier.pipeline.questions.values() if one.of in roles - {Role.APPLICANT}]
    if dossier.row.status == CaseStatus.CLOSED or not theirs:
        raise Refused(
            f"Case {number} asks nothing more of {away.name}; nothing was delegated",
            for_people=f"Permohonan {number} tidak lagi meminta apa pun dari {away.name}.",
            case=number,
        )
    today, bars = work.today, dict[str, NotAllowed]()
    waiting = [one for one in open_waits(dossier, WaitKind.PERSON) if one.holder in (None, away.name)]
    for question in theirs:
        asked = [one for one in waiting if one.question == question.name]
        took_part = {
            *who_took_part(work.session, number, question),
            *(name for one in asked for name in one.apart_from),
        }
        try:
            for user in (to, away):  # nobody can delegate what they may not do themselves
                must_be_impartial(work.session, user, case, question, today, took_part)
        except NotAllowed as barred:
            if asked:
                raise
            bars[question.name] = barred
    if len(bars) == len(theirs):
        raise next(iter(bars.values()))
