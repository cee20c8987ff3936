"""Answers, withdrawals and silences: each settles a wait in one transaction and makes its case ready to be advanced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from typing import Any

from sqlmodel import Session

from engine.authority import Actor, may_act_for_applicant, may_answer, user_named
from engine.book import Book
from engine.claiming import CHUNK
from engine.clock import is_over, local_date
from engine.computing import queue_computation
from engine.deadlines import effect_of
from engine.delivering import HAND_DELIVERY, HandDelivery, handed_over
from engine.dossiers import Dossier, by_number, by_numbers, known_of
from engine.errors import NotWaiting, Refused, UnknownCase
from engine.filling import filled_in
from engine.forms import ApplicantForm, Form, Question
from engine.office import Office, RunHandle
from engine.overseeing import in_words
from engine.parking import note
from engine.replay import SYSTEM
from engine.settling import drop, record, settle, win
from models import AnyWait, CaseStatus, EntryKind, User, WaitKind
from models.privacy import without_personal_numbers

FOR_PEOPLE = (WaitKind.PERSON, WaitKind.HAND_DELIVERY)


@dataclass(frozen=True)
class Answered:
    """An answer that was taken: the case, the key of its question, and the ledger entry that records it."""

    case: str
    question: str
    entry: int


def answer(office: Office, run: RunHandle, number: str, key: str, *, by: str, data: dict[str, Any]) -> Answered:
    """Record an answer.

    Raises `UnknownCase`, `NotWaiting` (never asked, or somebody or the deadline was first), `BadAnswer` and
    `NotAllowed`; then nothing was changed. Where the time is up the silence is recorded first, and the answer is
    refused by name, whether or not a sweep had come by.
    """
    key = key if "#" in key else f"{key}#1"
    [taken] = answer_many(office, run, [(number, key, data)], by=by)
    if isinstance(taken, Refused):
        raise taken
    return taken


def answer_many(
    office: Office, run: RunHandle, answers: list[tuple[str, str, dict[str, Any]]], *, by: str
) -> list[Answered | Refused]:
    """Record answers to many cases (number, key, data), a chunk a transaction, in the order of their numbers.

    One that is refused does not stop the others; what it was refused for stands in its place.
    """
    results: dict[int, Answered | Refused] = {}
    waiting = iter(sorted(enumerate(answers), key=lambda item: item[1][0]))
    while chunk := list(islice(waiting, CHUNK)):
        with office.db.writing() as session:
            results.update(_answer_chunk(office, run, session, chunk, by))
    run.cases += sum(isinstance(result, Answered) for result in results.values())
    return [results[place] for place in range(len(answers))]


@dataclass(frozen=True)
class _Given:
    """An answer that may be taken, if nobody is first."""

    dossier: Dossier
    wait: AnyWait
    question: Question[Any]
    form: Form
    actor: Actor


def _answer_chunk(
    office: Office,
    run: RunHandle,
    session: Session,
    answers: list[tuple[int, tuple[str, str, dict[str, Any]]]],
    by: str,
) -> dict[int, Answered | Refused]:
    """Fetch and check all, win their waits in one update, write what was won; one answer is a chunk of one."""
    dossiers = _on_the_table(office, session, {number for _, (number, _, _) in answers})
    account = cache(partial(user_named, session, by))  # once a chunk, and only where something is waiting for an answer
    results: dict[int, Answered | Refused] = {}
    given: dict[int, _Given] = {}
    for place, (number, key, data) in answers:
        try:
            given[place] = _given(office, run, session, dossiers, number, key, account, data)
        except Refused as refused:
            results[place] = refused
    won = win(session, [one.wait for one in given.values()], "answered", office.clock.now()) if given else set()
    book = Book()
    for place, one in given.items():
        number, key = one.dossier.case.number, one.wait.key
        if (one.wait.case_id, key) in won:
            won.remove((one.wait.case_id, key))  # the same question answered twice in one request: the first one counts
            results[place] = Answered(number, key, _take(office, run, session, book, one))
        else:
            results[place] = NotWaiting(number, key, _open_keys(one.dossier, but=key), "answered")
    book.insert(session)
    return results


def _on_the_table(office: Office, session: Session, numbers: set[str]) -> dict[str, Dossier | Refused]:
    """Fetch and lock the cases; one whose version has no code any more is refused by itself."""
    try:
        return {**by_numbers(office, session, numbers, lock=True, history=False)}
    except Refused as refused:
        if len(numbers) == 1:
            return dict.fromkeys(numbers, refused)
    one_by_one = (_on_the_table(office, session, {number}) for number in sorted(numbers))
    return {number: found for table in one_by_one for number, found in table.items()}


def _given(
    office: Office,
    run: RunHandle,
    session: Session,
    dossiers: Mapping[str, Dossier | Refused],
    number: str,
    key: str,
    account: Callable[[], User],
    data: dict[str, Any],
) -> _Given:
    if number not in dossiers:
        raise UnknownCase(number)
    dossier = dossiers[number]
    if isinstance(dossier, Refused):
        raise dossier
    wait = open_wait(dossier, key)
    now = office.clock.now()
    if is_over(wait.silent_at, now):
        end_by_time(office, run, session, dossier, wait)
        raise NotWaiting(number, key, _open_keys(dossier, but=key), "silent")
    by_hand = wait.kind == WaitKind.HAND_DELIVERY
    question = HAND_DELIVERY if by_hand else dossier.pipeline.questions[wait.question or ""]
    data = {**known_of(office, dossier.key, wait), **data}
    form = filled_in(number, key, question, data, lambda sha256: office.store.find(sha256) is not None)
    actor = may_answer(session, account(), dossier.case, wait, question, form, local_date(now))
    return _Given(dossier, wait, question, form, actor)


def _take(office: Office, run: RunHandle, session: Session, book: Book, given: _Given) -> int:
    form, actor = given.form, given.actor
    words = form.model_dump(mode="json")
    words.pop("own_code", None)  # checked, never kept
    if isinstance(form, HandDelivery):
        handed_over(session, given.wait, form)
    return record(
        office,
        run,
        book,
        given.dossier.row,
        given.wait,
        kind=EntryKind.REMARK if given.wait.kind == WaitKind.HAND_DELIVERY else EntryKind.ANSWER,
        actor=actor.name,
        role=actor.role,
        on_behalf_of=actor.on_behalf_of,
        outcome=form.decided(),
        reason=_reason(form),
        result=_how_signed(form) if given.question.signed else None,
        words=(given.dossier.key, words),
    )


def open_wait(dossier: Dossier, key: str) -> AnyWait:
    """Return the open wait for a person under ``key``. Raises `NotWaiting`, with what was first."""
    wait = dossier.past.waits.get(key)
    if wait is None or wait.settled_at is not None or wait.kind not in FOR_PEOPLE:
        raise NotWaiting(dossier.case.number, key, _open_keys(dossier), wait.settled_as if wait else None)
    return wait


def withdraw(office: Office, run: RunHandle, number: str, *, by: str, reason: str) -> None:
    """Take an application back, at any wait. During a machine wait it is noted, and takes effect once that is recorded.

    Where the time of a question is up, that is recorded first, whether or not a sweep had come by. Who withdraws for an owner
    says why, in words; owners owe no reason. Raises `UnknownCase`, `NotAllowed`, and `Refused` where that is missing, or the
    case is closed or is being withdrawn already.
    """
    with office.db.writing() as session:
        dossier = by_number(office, session, number, lock=True)
        row = dossier.row
        taken_back = any(wait.settled_as == "withdrawn" for wait in dossier.past.waits.values())
        if row.status == CaseStatus.CLOSED or row.withdrawal or taken_back:
            what = f"closed ({row.outcome})" if row.status == CaseStatus.CLOSED else "being withdrawn"
            raise Refused(
                f"Case {number} is already {what}. See: jalur case show {number}",
                for_people=f"Permohonan {number} sudah selesai atau sedang ditarik.",
                case=number,
            )
        now = office.clock.now()
        actor = may_act_for_applicant(session, user_named(session, by), dossier.case, local_date(now))
        reason = in_words(reason) if actor.on_behalf_of else without_personal_numbers(reason)
        found = (wait for wait in dossier.past.waits.values() if wait.settled_at is None)
        waits = sorted((wait for wait in found if wait.kind != WaitKind.HAND_DELIVERY), key=lambda wait: wait.key)
        for over in [wait for wait in waits if is_over(wait.silent_at, now)]:
            end_by_time(office, run, session, dossier, over)
            waits.remove(over)
        people = [wait for wait in waits if wait.kind == WaitKind.PERSON]
        if people and len(people) == len(waits):
            settle(
                office,
                run,
                session,
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
            for wait in people[1:]:
                drop(session, wait, "withdrawn", now)
        else:
            row.withdrawal = {
                "by": actor.name,
                "role": actor.role,
                "on_behalf_of": actor.on_behalf_of,
                "reason": reason,
            }
            said = {"role": actor.role, "on_behalf_of": actor.on_behalf_of}
            note(session, row, office, run, "withdrawal_noted", actor.name, reason, **said)
            session.add(row)
    run.cases += 1


def end_by_time(office: Office, run: RunHandle, session: Session, dossier: Dossier, wait: AnyWait) -> bool:
    """Record that the time of a question is up: silence, or what the law says of its deadline. Return False if it ended before.

    An effect of the law comes with the page that counts the days to it.
    """
    effect = effect_of(dossier.case.rules, dossier.pipeline.questions[wait.question or ""])
    if effect and not effect.by_law:
        effect = None
    book, row = Book(), dossier.row
    if not win(session, [wait], "passed" if effect else "silent", office.clock.now()):
        return False
    until = local_date(wait.silent_at or office.clock.now())
    said: dict[str, Any] = {"outcome": "silent", "reason": f"no answer until {until}"}
    if effect:
        page = queue_computation(office, session, book, dossier, wait, effect)
        named = {"authority": effect.authority, "effect": effect.effect, "citation": effect.citation}
        said = {
            "outcome": "passed",
            "reason": f"{effect.effect}: {effect.authority}, {effect.citation}",
            "result": {**named, "computation": page},
        }
    record(office, run, book, row, wait, kind=EntryKind.ANSWER, actor=SYSTEM, **said)
    book.insert(session)
    session.add(row)
    return True


def _reason(form: Form) -> str | None:
    reason = getattr(form, "reason", None)
    return without_personal_numbers(reason) if isinstance(reason, str) and reason else None


def _how_signed(form: Form) -> dict[str, Any]:
    paper = form.paper if isinstance(form, ApplicantForm) else None
    return {"signed": "paper", "evidence": paper} if paper else {"signed": "own_code"}


def _open_keys(dossier: Dossier, but: str | None = None) -> list[str]:
    waits = dossier.past.waits.values()
    return sorted(wait.key for wait in waits if wait.settled_at is None and wait.key != but)
