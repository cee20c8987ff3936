"""Another officer gets a question: one, or all that somebody holds. The clock is not touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select, update

from engine.answering import open_wait
from engine.authority import in_region, may_steer, roles_of, user_named
from engine.clock import local_date
from engine.dossiers import Dossier, by_number
from engine.errors import NotAllowed, NotWaiting, Refused
from engine.impartiality import must_be_impartial, who_took_part
from engine.notices import notify
from engine.office import Office, RunHandle
from engine.parking import note
from models import AnyWait, Case, Role, Wait, WaitKind
from models.privacy import without_personal_numbers

NOBODY = "nobody"


@dataclass(frozen=True)
class Reassigned:
    """A question that has another holder now; None: the whole role."""

    case: str
    question: str
    to: str | None


def reassign(
    office: Office, run: RunHandle, number: str, key: str | None, *, to: str, by: str, reason: str
) -> Reassigned:
    """Give an open question to the account ``to``, or with `NOBODY` back to its whole role.

    ``key`` may be left out where one question waits. Raises `UnknownCase`, `NotWaiting`, `NotAllowed` (who may not steer, who
    may not answer it) and `Refused`; then nothing was changed.
    """
    with office.db.writing() as session:
        dossier = by_number(office, session, number, lock=True)
        wait = the_wait(dossier, key)
        actor = may_steer(session, user_named(session, by), dossier.case, wait.holder)
        new = None if to == NOBODY else to
        if wait.role == Role.APPLICANT:
            raise NotAllowed(
                f"{wait.key} of {number} is the applicant's own; a mandate lets somebody act for them",
                for_people=f"{wait.key} hanya untuk pemohon. Orang lain dapat bertindak dengan surat kuasa.",
                case=number,
            )
        if new == wait.holder:
            raise Refused(
                f"{wait.key} of {number} is with {wait.holder or 'the whole role'} already",
                for_people=f"{wait.key} sudah pada {wait.holder or 'seluruh peran'}.",
                case=number,
            )
        if new:
            _may_hold(office, session, dossier, wait, new)
        changed = session.execute(
            update(Wait)
            .where(
                col(Wait.case_id) == wait.case_id,
                col(Wait.key) == wait.key,
                col(Wait.settled_at).is_(None),
                col(Wait.holder).is_not_distinct_from(wait.holder),
            )
            .values(holder=new)
            .returning(col(Wait.key))
        ).first()
        if changed is None:
            raise NotWaiting(number, wait.key, [], "answered")
        words = without_personal_numbers(f"{wait.holder or 'seluruh peran'} → {new or 'seluruh peran'}: {reason}")
        note(session, dossier.row, office, run, "reassigned", actor.name, f"{wait.key}, {words}", role=actor.role)
        session.add(dossier.row)
        notify(
            session,
            office,
            [name for name in (wait.holder, new) if name and name != by],
            what=f"{number}/{wait.key}/reassigned-{dossier.row.last_seq}",
            kind="reassigned",
            case_number=number,
            words=f"{dossier.pipeline.questions[wait.question or ''].title}: {words}",
        )
    run.cases += 1
    return Reassigned(number, wait.key, new)


def reassign_all(
    office: Office,
    run: RunHandle,
    holder: str,
    *,
    to: Sequence[str],
    by: str,
    reason: str,
    role: str | None = None,
    pipeline: str | None = None,
) -> tuple[list[Reassigned], list[dict[str, str]]]:
    """Give all that ``holder`` holds to others, each to whoever of ``to`` holds the fewest and may answer it.

    Return what was given, and case, question and reason of what nobody of them may answer: one does not stop the others.
    """
    with office.db.reading() as session:
        wanted = select(Case.number, Wait.key).join(Case, col(Case.id) == col(Wait.case_id))
        wanted = wanted.where(Wait.holder == holder, col(Wait.settled_at).is_(None), Wait.kind == WaitKind.PERSON)
        if role:
            wanted = wanted.where(Wait.role == role)
        if pipeline:
            wanted = wanted.where(Wait.pipeline == pipeline)
        held = session.exec(wanted.order_by(col(Wait.due_at), col(Case.number), col(Wait.key))).all()
        busy = select(Wait.holder).where(col(Wait.holder).in_(to), col(Wait.settled_at).is_(None))
        load = Counter({name: 0 for name in to}) + Counter(session.exec(busy))
    given: list[Reassigned] = []
    refused: list[dict[str, str]] = []
    for number, key in held:
        why = ""
        for name in sorted(to, key=lambda name: (load[name], name)):
            try:
                given.append(reassign(office, run, number, key, to=name, by=by, reason=reason))
            except Refused as error:
                why = str(error)
                continue
            load[name] += 1
            break
        else:
            refused.append({"case": number, "question": key, "reason": why})
    return given, refused


def the_wait(dossier: Dossier, key: str | None) -> AnyWait:
    """Return the open wait for a person under ``key``, or the only one. Raises `NotWaiting`, and `Refused` where several wait."""
    if key:
        return open_wait(dossier, key if "#" in key else f"{key}#1")
    waits = dossier.past.waits.values()
    waiting = sorted(wait.key for wait in waits if wait.settled_at is None and wait.kind == WaitKind.PERSON)
    if len(waiting) != 1:
        number, keys = dossier.case.number, ", ".join(waiting) or "nothing of a person's"
        raise Refused(
            f"{number} waits for {keys}: name the question",
            for_people=f"{number} menunggu {', '.join(waiting) or 'tidak ada pertanyaan'}: sebutkan pertanyaannya.",
            case=number,
        )
    return dossier.past.waits[waiting[0]]


def _may_hold(office: Office, session: Session, dossier: Dossier, wait: AnyWait, name: str) -> None:
    """Do nothing where ``name`` may answer ``wait``. Raises `NotAllowed` and `Refused`."""
    user, question = user_named(session, name), dossier.pipeline.questions[wait.question or ""]
    if question.of not in roles_of(session, user):
        raise NotAllowed(
            f"{wait.key} is for the role {question.of}, which {name} does not have",
            for_people=f"{wait.key} untuk peran {question.of}; {name} tidak memilikinya.",
            user=name,
        )
    in_region(user, dossier.case)
    took_part: set[Any] = {*wait.apart_from, *who_took_part(session, dossier.case.number, question)}
    must_be_impartial(session, user, dossier.case, question, local_date(office.clock.now()), took_part, wait.key)
