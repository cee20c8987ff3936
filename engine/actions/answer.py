"""Record people's answers: each settles its wait and makes its case ready to be advanced.

Forms are filled in before the transaction (engine/actions/filled_forms.py), so that a bad answer never holds the write lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from typing import Any

from engine.actions.filled_forms import Filled, Raw, fill_in, fill_in_all
from engine.actions.time_up import end_by_time
from engine.cases.dossier import Dossier, lock_by_numbers
from engine.cases.evidence import Given, given_in, must_fit, record_uploads
from engine.cases.waits import mark_settled, open_keys, open_wait, write_settlement
from engine.deadlines.clock import is_over, local_date
from engine.definition.forms import ApplicantForm, Form, Question
from engine.definition.incoming import shown
from engine.errors import NotWaiting, Refused, UnknownCase
from engine.letters.hand_delivery import HandDelivery, record_hand_delivery
from engine.people.impartiality import who_took_part
from engine.people.own_codes import record_renewal
from engine.people.permissions import Actor, authorize_answer, must_not_concern_the_stand_in, user_named
from engine.runtime.batches import process_batch
from engine.runtime.leases import CHUNK
from engine.runtime.office import Office, RunHandle, Work
from models import AnyWait, EntryKind, User, WaitKind
from models.privacy import without_personal_numbers


@dataclass(frozen=True)
class Answered:
    """An accepted answer: its case, the key of its question, and the seq of its ledger entry."""

    case: str
    question: str
    entry: int


def answer(office: Office, run: RunHandle, number: str, key: str, *, by: str, data: dict[str, Any]) -> Answered:
    """Record an answer.

    Where the time is up, the silence is recorded first and the answer is refused, whether or not a sweep had come by.

    Raises:
        UnknownCase: No case has this number.
        NotWaiting: The question was never asked, is settled already, or its time is up.
        BadAnswer: The data does not fill in the form.
        NotAllowed: ``by`` may not answer.
    """
    key = key if "#" in key else f"{key}#1"
    [taken] = answer_many(office, run, [(number, key, data)], by=by)
    if isinstance(taken, Refused):
        raise taken
    return taken


def answer_many(office: Office, run: RunHandle, answers: list[Raw], *, by: str) -> list[Answered | Refused]:
    """Record answers to many cases (number, key, data), a chunk in each transaction.

    The chunks go by the order of the case numbers. A refused answer does not stop the others: its refusal stands in its
    place in the result.
    """
    results: dict[int, Answered | Refused] = {}
    waiting = iter(sorted(enumerate(answers), key=lambda item: item[1][0]))
    while chunk := list(islice(waiting, CHUNK)):
        forms = fill_in_all(office, chunk)
        results.update({place: form for place, form in forms.items() if isinstance(form, Refused)})
        good = [(place, raw) for place, raw in chunk if place not in results]
        if good:
            with office.work(run) as work:
                results.update(_answer_chunk(work, good, forms, by))
    run.cases += sum(isinstance(result, Answered) for result in results.values())
    return [results[place] for place in range(len(answers))]


@dataclass(frozen=True)
class _Checked:
    """An answer that passed every check; it counts unless another one settles the wait first."""

    dossier: Dossier
    wait: AnyWait
    question: Question[Any]
    form: Form
    actor: Actor
    files: Sequence[Given]


def _answer_chunk(
    work: Work, answers: list[tuple[int, Raw]], forms: Mapping[int, Filled | Refused], by: str
) -> dict[int, Answered | Refused]:
    """Lock the cases, check every answer, win the waits in one update, and write what was won."""
    # A number with letters that no number has is asked of no database: PostgreSQL stops at NUL.
    dossiers = _lock_cases(work, {number for _, (number, _, _) in answers if number.isprintable()})
    # Looked up once in a chunk, and only if one of its questions is open: else the refusal is `NotWaiting`.
    account = cache(partial(user_named, work.session, by))
    results: dict[int, Answered | Refused] = {}
    given: dict[int, _Checked] = {}
    for place, raw in answers:
        try:
            given[place] = _check(work, dossiers, raw, account, forms.get(place))
        except Refused as refused:
            results[place] = refused
    won = mark_settled(work, [one.wait for one in given.values()], "answered", work.now) if given else set()
    for place, one in given.items():
        number, key = one.dossier.case.number, one.wait.key
        if (one.wait.case_id, key) in won:
            won.remove((one.wait.case_id, key))  # the same question answered twice in one request: the first one counts
            results[place] = Answered(number, key, _write(work, one))
        else:
            results[place] = NotWaiting(number, key, open_keys(one.dossier, but=key), "answered")
    return results


def _lock_cases(work: Work, numbers: set[str]) -> dict[str, Dossier | Refused]:
    """Lock and return the cases; return a refusal for a case whose version has no code."""

    def fetched(group: Sequence[str]) -> Mapping[str, Dossier | Refused]:
        return lock_by_numbers(work, group, history=False)

    def refused(number: str, error: Exception) -> Mapping[str, Dossier | Refused]:
        assert isinstance(error, Refused)
        return {number: error}

    tables = process_batch(sorted(numbers), fetched, refused, catch=Refused)
    return {number: found for table in tables for number, found in table.items()}


def _check(
    work: Work,
    dossiers: Mapping[str, Dossier | Refused],
    raw: Raw,
    account: Callable[[], User],
    filled: Filled | Refused | None,
) -> _Checked:
    number, key, _ = raw
    if number not in dossiers:
        raise UnknownCase(shown(number))
    dossier = dossiers[number]
    if isinstance(dossier, Refused):
        raise dossier
    wait = open_wait(dossier, key)
    now = work.now
    if is_over(wait.silent_at, now):
        end_by_time(work, dossier, wait)
        raise NotWaiting(number, key, open_keys(dossier, but=key), "silent")
    if not isinstance(filled, Filled) or not filled.fits(wait):  # it was asked, or corrected, this very moment
        filled = fill_in(work.office, dossier.pipeline, dossier.key, wait, raw)
    form, question = filled.form, filled.question
    actor = authorize_answer(work.session, account(), dossier.case, wait, question, form, local_date(now))
    if work.session.is_modified(account()):
        record_renewal(work, account())
    took_part = {*wait.apart_from, *who_took_part(work.session, number, question)} if work.run.on_behalf_of else ()
    must_not_concern_the_stand_in(work, dossier.case, took_part, key)
    files = given_in(form, filled.data, filled.known, case_id=dossier.row.id, key=key, by=actor.name)
    must_fit(work.session, work.office.store, files, number, key)
    return _Checked(dossier, wait, question, form, actor, files)


def _write(work: Work, given: _Checked) -> int:
    form, actor = given.form, given.actor
    words = form.model_dump(mode="json")
    words.pop("own_code", None)  # checked, never kept
    if isinstance(form, HandDelivery):
        record_hand_delivery(work.session, given.wait, form)
    entry = write_settlement(
        work,
        given.dossier.row,
        given.wait,
        kind=EntryKind.REMARK if given.wait.kind == WaitKind.HAND_DELIVERY else EntryKind.ANSWER,
        actor=actor.name,
        role=actor.role,
        on_behalf_of=actor.on_behalf_of,
        outcome=form.decided(),
        reason=_reason(form),
        result=_how_signed(form, actor) if given.question.signed else None,
        answer=(given.dossier.key, words),
    )
    record_uploads(work.session, given.files, at=work.now, run_id=work.run.id, used_by=entry)
    return entry


def _reason(form: Form) -> str | None:
    reason = getattr(form, "reason", None)
    return without_personal_numbers(reason) if isinstance(reason, str) and reason else None


def _how_signed(form: Form, actor: Actor) -> dict[str, Any]:
    if actor.on_paper and isinstance(form, ApplicantForm):
        return {"signed": "paper", "evidence": form.paper}
    return {"signed": "own_code"}
