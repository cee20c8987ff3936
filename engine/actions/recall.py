"""Recall the last answer of a case, before anything irreversible was built on it.

The ledger keeps a recalled answer; a remark ``recall#n`` names its keys, and a replay skips them (engine/cases/recalled_keys.py).
Steps run anew; letters and papers that went out stay. If the answer had completed the dossier, the legal clock starts anew when
the dossier is complete again (UU 33/2014 art. 30 as amended by UU 6/2023).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session, col, select

from engine.cases import case_state
from engine.cases.dossier import Dossier, lock_by_number
from engine.cases.ledger import (
    CHANGES_REGISTER,
    OPENS_WAY,
    RECALLED,
    REPLAYED,
    STARTS_CLOCK,
    valid_reason,
    write_remark,
)
from engine.cases.recalled_keys import numbers_by_name
from engine.cases.waits import MACHINE_KINDS, mark_settled, open_waits
from engine.deadlines.clock import is_over, local_date
from engine.deadlines.due_dates import effect_of
from engine.errors import NotAllowed, Refused
from engine.letters.queue import write_to_applicant
from engine.people.hierarchy import superiors
from engine.people.impartiality import must_be_impartial, must_not_be_concerned, who_took_part
from engine.people.permissions import (
    Actor,
    authorize_for_applicant,
    must_be_in_region,
    must_not_concern_the_stand_in,
    user_named,
)
from engine.people.roles import roles_of
from engine.runtime.office import Office, RunHandle, Work
from models import AnyWait, CaseFile, CaseStatus, EntryKind, Letter, Role, User, WaitKind

MAY_RECALL = (Role.DIVISION_HEAD, Role.ADMINISTRATOR)
BY_TIME = ("silent", "passed")
Reason = tuple[str, str]


def recall(office: Office, run: RunHandle, number: str, *, by: str, reason: str) -> None:
    """Take back the last answer and all that followed; its question is asked under a new key.

    Open questions, also those asked together with it, are asked anew; an answer to their old key gets `NotWaiting`. An earlier
    answer of the same ask stays. A parked case is tried again. An applicant who was told of an official's answer is told of this.

    Raises:
        UnknownCase: No case has this number.
        NotAllowed: ``by`` neither gave the answer nor is a superior, head of division or administrator, or is barred.
        Refused: The reason is missing, or something was built on the answer that can't be undone. Nothing was changed.
    """
    reason = valid_reason(reason)
    with office.work(run) as work:
        dossier = lock_by_number(work, number)
        user = user_named(work.session, by)
        must_not_concern_the_stand_in(work, dossier.case)
        row, now = dossier.row, work.now
        last = _last_answer(dossier)
        waits = open_waits(dossier)
        for english, indonesian in _obstacles(work, dossier, last, waits):
            raise Refused(
                f"{last.key} of case {number} can't be taken back: {english}. See: jalur case history {number}",
                for_people=f"Jawaban {last.key} pada {number} tidak dapat dicabut: {indonesian}.",
                case=number,
                key=last.key,
            )
        actor = _may_recall(work.session, user, dossier, last, local_date(now))
        mark_settled(work, waits, RECALLED, now)
        since = [entry for entry in _since(dossier, last) if entry.kind in REPLAYED]
        superseded = [last.key, *(entry.key for entry in since), *sorted(wait.key for wait in waits)]
        recounted = any(entry.outcome == STARTS_CLOCK for entry in since)
        if recounted:
            row.complete_at = None
            work.rows.note(CaseFile, row.model_dump())
        _tell(work, dossier, last, reason, recounted)
        case_state.resume(row)
        write_remark(
            work,
            row,
            f"recall#{len(dossier.past.recalled.recalls) + 1}",
            actor.name,
            reason,
            role=actor.role,
            on_behalf_of=actor.on_behalf_of,
            outcome=RECALLED,
            result={"superseded": superseded, "counted": _counted(dossier, superseded)},
        )
        work.session.add(row)
    run.cases += 1


def _last_answer(dossier: Dossier) -> Row[Any]:
    answers = [entry for entry in dossier.past.entries.values() if entry.kind == EntryKind.ANSWER]
    if not answers:
        number = dossier.case.number
        raise Refused(
            f"Nobody has answered anything in case {number} that could be taken back. See: jalur case history {number}",
            for_people=f"Belum ada jawaban pada {number} yang dapat dicabut.",
            case=number,
        )
    return max(answers, key=lambda entry: entry.seq)


def _since(dossier: Dossier, last: Row[Any]) -> list[Row[Any]]:
    found = [entry for entry in dossier.past.entries.values() if entry.seq > last.seq]
    return sorted(found, key=lambda entry: entry.seq)


def _obstacles(work: Work, dossier: Dossier, last: Row[Any], waits: list[AnyWait]) -> Iterator[Reason]:
    """Yield each reason why it is too late, with the next move, in English and in Indonesian."""
    since = _since(dossier, last)
    if dossier.row.status == CaseStatus.CLOSED or any(entry.kind == EntryKind.CLOSED for entry in since):
        yield (
            "the case is closed. Correct a name or number (jalur case correct), or appeal (jalur case appeal)",
            "perkara sudah selesai. Perbaiki nama atau nomor, atau ajukan keberatan",
        )
    if dossier.row.withdrawal or last.outcome == "withdrawn":
        yield (
            "the application is being withdrawn. Open a new case",
            "permohonan sedang ditarik. Ajukan permohonan baru",
        )
    if last.key not in dossier.past.waits and last.outcome != "withdrawn":
        yield (
            "it was no answer to a question, but an objection. Withdraw it (jalur case withdraw)",
            "itu bukan jawaban, melainkan keberatan. Tarik keberatannya",
        )
    if last.outcome in BY_TIME:
        yield (
            "nobody gave it, its time passed. Open a new case, or appeal (jalur case appeal)",
            "tenggatnya telah lewat dan tidak ada yang menjawab. Ajukan permohonan baru atau keberatan",
        )
    if over := next((wait.key for wait in waits if is_over(wait.silent_at, work.now)), None):
        yield (
            f"the time for {over} is up, and that counts. Withdraw (jalur case withdraw), or appeal (jalur case appeal)",
            f"waktu untuk {over} sudah habis dan itu tetap berlaku. Tarik permohonan, atau ajukan keberatan",
        )
    for wait in (dossier.past.waits.get(last.key), *waits):
        if wait and (law := _counts_by_law(work.office, dossier, wait)):
            yield (
                f"the days for {wait.key} count since {local_date(wait.asked_at)} by law ({law}), and would count anew. "
                f"Withdraw (jalur case withdraw), or appeal (jalur case appeal)",
                f"tenggat {wait.key} berjalan sejak {local_date(wait.asked_at).isoformat()} menurut {law} dan tidak boleh "
                f"diulang. Tarik permohonan, atau ajukan keberatan",
            )
    if _was_outside(work.office, dossier, dossier.past.waits.get(last.key)):
        yield (
            "it records what was done in somebody else's system. Answer the next question accordingly, or withdraw",
            "jawaban itu mencatat tindakan di sistem luar. Nyatakan pada pertanyaan berikutnya, atau tarik permohonan",
        )
    if built := next((entry.key for entry in since if entry.kind == EntryKind.MACHINE), None):
        yield (
            f"{built} was built on it. Correct a name or number (jalur case correct), or withdraw (jalur case withdraw)",
            f"{built} sudah dibuat berdasarkan jawaban itu. Perbaiki nama atau nomor, atau tarik permohonan",
        )
    for wait in waits:
        if wait.kind in MACHINE_KINDS or (wait.end_unknown and _was_outside(work.office, dossier, wait)):
            yield (
                f"{wait.key} is under way and may have gone out. Wait for its end, or withdraw (jalur case withdraw)",
                f"{wait.key} sedang berjalan dan mungkin sudah terkirim. Tunggu hasilnya, atau tarik permohonan",
            )
    if given := next((entry.reason for entry in since if entry.outcome == OPENS_WAY), None):
        yield (
            f"the standing {given} was given. Withdraw (jalur case withdraw), or appeal (jalur case appeal)",
            f"status {given} sudah diberikan. Tarik permohonan, atau ajukan keberatan",
        )
    if taken := next((entry.reason for entry in since if entry.outcome == CHANGES_REGISTER), None):
        yield (
            f"{taken} stands in a register that other cases go by since. Withdraw (jalur case withdraw)",
            f"{taken} sejak itu tercatat dalam daftar yang dipakai permohonan lain. Tarik permohonan",
        )


def _counts_by_law(office: Office, dossier: Dossier, wait: AnyWait) -> str | None:
    """Return the law that ends the office's own time for that question, asked before today.

    No recall starts that time anew. None: no law does.
    """
    question = dossier.pipeline.questions.get(wait.question or "")
    if question is None or question.recorded_for or local_date(wait.asked_at) == office.clock.today():
        return None
    effect = effect_of(dossier.case.rules, question)
    return effect.citation if effect and effect.by_law else None


def _was_outside(office: Office, dossier: Dossier, wait: AnyWait | None) -> bool:
    """Return whether that wait was, or began as, a call to an external system."""
    if wait is None or wait.request is None:
        return False
    return wait.kind == WaitKind.EXTERNAL or "step" in office.vault.decrypt(dossier.key, wait.request)


def _tell(work: Work, dossier: Dossier, last: Row[Any], reason: str, recounted: bool) -> None:
    """Write to the applicant if they were told of the official's answer that is taken back."""
    row, case = dossier.row, dossier.case
    question = dossier.pipeline.questions[dossier.past.waits[last.key].question or ""]
    wanted = select(Letter.subject).where(
        Letter.case_id == row.id, Letter.seq > last.seq, Letter.to_person_id == case.applicant.person_id
    )
    told = work.session.exec(wanted.order_by(col(Letter.seq), col(Letter.key))).all()
    if question.of is Role.APPLICANT or not told:
        return
    facts = {"question": question.title, "reason": reason, "told": list(told), "recounted": recounted}
    key = f"{last.key}/taken_back"
    write_to_applicant(work, dossier, key=key, letter="answer_taken_back", facts=facts)


def _counted(dossier: Dossier, superseded: list[str]) -> dict[str, int]:
    """Return the highest number on record of each name whose keys are taken back."""
    past = dossier.past
    replayed = [key for key, entry in past.entries.items() if entry.kind in REPLAYED]
    on_record = numbers_by_name({*replayed, *past.waits, *past.recalled.keys})
    return {name: on_record[name][-1] for name in numbers_by_name(superseded)}


def _may_recall(session: Session, user: User, dossier: Dossier, last: Row[Any], on: date) -> Actor:
    """Return the capacity in which ``user`` may take the answer back.

    It is their own answer, one given in their name, or one of somebody below them.

    Raises:
        NotAllowed: The answer is none of these, or ``user`` is barred.
    """
    case, wait = dossier.case, dossier.past.waits[last.key]
    question = dossier.pipeline.questions[wait.question or ""]
    roles = roles_of(session, user, on)
    own = user.name in (last.actor, last.on_behalf_of)
    if own and question.of is Role.APPLICANT:
        return authorize_for_applicant(session, user, case, on)
    took_part = {*wait.apart_from, *who_took_part(session, case.number, question)}
    delegated_by = last.on_behalf_of if user.name == last.actor else None
    if own and (delegated_by or question.of in roles):
        must_be_impartial(session, user, case, question, on, took_part, last.key)
        if not delegated_by:
            must_be_in_region(user, case)
        return Actor(user.name, question.of, delegated_by)
    above = next((role for role in MAY_RECALL if role in roles), None)
    if above is None and user.id in {one.id for one in superiors(session, last.actor)}:
        above = Role.SUPERVISOR if Role.SUPERVISOR in roles else min(roles, default=None)
    if above is None:
        raise NotAllowed(
            f"{user.name} did not give {last.key} of {case.number}: {last.actor} did. They, their superior, who they stood "
            f"in for, a head of division or an administrator may take it back",
            for_people=f"{last.key} dijawab oleh {last.actor}. Hanya ia, atasannya, yang diwakilinya, kepala bidang atau "
            f"administrator yang dapat mencabutnya.",
            user=user.name,
            key=last.key,
        )
    must_not_be_concerned(session, user, case, on, took_part, last.key)
    must_be_in_region(user, case)
    return Actor(user.name, above)
