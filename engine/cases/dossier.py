"""Fetches cases with all that a replay needs, in a handful of queries however many cases there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlmodel import Session, col

from engine.cases.ledger import RECALLED
from engine.cases.recalled_keys import NOTHING, Superseded, superseded_by
from engine.cases.subject_facts import kind_of
from engine.deadlines.legal_clock import Segment
from engine.definition.case import Applicant, Case, HandedOn
from engine.definition.registry import Pipeline, pipeline_named
from engine.errors import UnknownCase
from engine.runtime.batches import together_or_alone
from engine.runtime.database import among
from engine.runtime.encryption import Erased, Key
from engine.runtime.office import Office, Work
from models import Answer, AnyWait, ClockSegment, LedgerEntry, Person, PersonKey, Wait, WaitKind
from models import Case as CaseRow
from rules import RulesAt

# What a replay looks at.
_ENTRY = LedgerEntry.__table__.c  # type: ignore[attr-defined]
RECORDED = [
    _ENTRY[name]
    for name in (
        "case_id",
        "seq",
        "at",
        "kind",
        "key",
        "actor",
        "on_behalf_of",
        "outcome",
        "reason",
        "arguments_hash",
        "result",
    )
]
APPLICANTS = [col(column) for column in (Person.id, Person.name, Person.language, PersonKey.id, PersonKey.wrapped)]
WAITED = list(Wait.__table__.c)  # type: ignore[attr-defined]
SEGMENTS = list(ClockSegment.__table__.c)  # type: ignore[attr-defined]
ANSWERED = list(Answer.__table__.c)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Past:
    """What is on record of one case: entries and waits by key, the unsealed words of its answers, whose turn it was when.

    Of what recalls took back the entries are left out, and the waits stay: they tell what became of a question.
    """

    entries: Mapping[str, Row[Any]]
    waits: Mapping[str, AnyWait]
    answers: Mapping[str, tuple[dict[str, Any], datetime]]
    segments: Sequence[Segment] = ()
    superseded: Superseded = NOTHING


@dataclass(frozen=True)
class Dossier:
    """A case on the table: its row (locked where it was fetched for writing), the frozen case, its key and its past."""

    row: CaseRow
    case: Case
    pipeline: Pipeline
    key: Key
    past: Past


def fetch(
    office: Office, session: Session, ids: Iterable[int], *, history: bool = True, under: Pipeline | None = None
) -> list[Dossier]:
    """Return the cases in the order of their ids; without their ``history`` they have their waits, but can't be replayed.

    ``under`` puts them on the table under that version, whichever they began with: to see what it would make of them.
    """
    return _fetch(office, session, among(session, col(CaseRow.id), ids), history=history, under=under)


def lock(work: Work, ids: Iterable[int]) -> list[Dossier]:
    """Return the cases in the order of their ids.

    Locks: their rows, in one order for all workers.
    """
    return _fetch(work.office, work.session, among(work.session, col(CaseRow.id), ids), lock=True)


def lock_rows(work: Work, ids: Iterable[int]) -> dict[int, CaseRow]:
    """Return the rows of cases by their ids, for who needs nothing else of them.

    Locks: the rows, in one order for all workers.
    """
    which = among(work.session, col(CaseRow.id), ids)
    rows = work.session.scalars(select(CaseRow).where(which).order_by(col(CaseRow.id)).with_for_update())
    return {row.id or 0: row for row in rows}


def lock_waiting(work: Work, ids: Iterable[int]) -> list[Dossier]:
    """Return the cases with their waits and without their history: they can't be replayed.

    Locks: their rows, in one order for all workers.
    """
    return _fetch(work.office, work.session, among(work.session, col(CaseRow.id), ids), lock=True, history=False)


def fetch_readable(
    office: Office, session: Session, ids: Iterable[int], *, history: bool = True, under: Pipeline | None = None
) -> tuple[dict[int, Dossier], dict[int, Exception]]:
    """Return the cases that can be put on the table, as `fetch` does, and why the others can't: a version's code is gone, a key.

    One case that can't be read must not stop those that were claimed with it.
    """
    unreadable: dict[int, Exception] = {}

    def read(group: Sequence[int]) -> list[Dossier]:
        return fetch(office, session, group, history=history, under=under)

    def not_read(case_id: int, error: Exception) -> list[Dossier]:
        unreadable[case_id] = error
        return []

    found = together_or_alone(sorted(set(ids)), read, not_read)
    return {dossier.row.id or 0: dossier for dossiers in found for dossier in dossiers}, unreadable


def by_numbers(office: Office, session: Session, numbers: Iterable[str], *, history: bool = True) -> dict[str, Dossier]:
    """Return the cases that exist, by their numbers; without their ``history`` they have their waits, but can't be replayed."""
    return _by_numbers(_fetch(office, session, among(session, col(CaseRow.number), numbers), history=history))


def by_number(office: Office, session: Session, number: str) -> Dossier:
    """Return one case. Raises `UnknownCase`, and `Erased` when its applicant was."""
    return _known(number, by_numbers(office, session, [number]))


def lock_numbers(work: Work, numbers: Iterable[str]) -> dict[str, Dossier]:
    """Return the cases that exist, by their numbers, with their waits and without their history: they can't be replayed.

    Locks: their rows, in one order for all workers.
    """
    which = among(work.session, col(CaseRow.number), numbers)
    return _by_numbers(_fetch(work.office, work.session, which, lock=True, history=False))


def lock_number(work: Work, number: str) -> Dossier:
    """Return one case. Raises `UnknownCase`, and `Erased` when its applicant was.

    Locks: its row.
    """
    which = col(CaseRow.number) == number
    return _known(number, _by_numbers(_fetch(work.office, work.session, which, lock=True)))


def _by_numbers(found: Iterable[Dossier]) -> dict[str, Dossier]:
    return {dossier.row.number: dossier for dossier in found}


def _known(number: str, found: Mapping[str, Dossier]) -> Dossier:
    if number not in found:
        raise UnknownCase(number)
    return found[number]


def case_numbered(session: Session, number: str) -> CaseRow:
    """Return the row of a case. Raises `UnknownCase`."""
    case = session.scalars(select(CaseRow).where(col(CaseRow.number) == number)).first()
    if case is None:
        raise UnknownCase(number)
    return case


def _fetch(
    office: Office,
    session: Session,
    which: ColumnElement[bool],
    *,
    lock: bool = False,
    history: bool = True,
    under: Pipeline | None = None,
) -> list[Dossier]:
    wanted = select(CaseRow).where(which).order_by(col(CaseRow.id))
    rows = session.scalars(wanted.with_for_update() if lock else wanted).all()
    if not rows:
        return []
    case_ids = [row.id for row in rows]
    people = {
        person_id: (Applicant(person_id or 0, name, language), Key(key_id, wrapped))
        for person_id, name, language, key_id, wrapped in session.execute(
            select(*APPLICANTS)
            .join(PersonKey, col(PersonKey.id) == col(Person.key_id))
            .where(among(session, col(Person.id), {row.person_id for row in rows}))
        )
    }
    if any(row.person_id not in people for row in rows):
        raise Erased("gone")
    waits: dict[int, dict[str, Any]] = defaultdict(dict)
    for wait in session.execute(select(*WAITED).where(among(session, col(Wait.case_id), case_ids))):
        waits[wait.case_id][wait.key] = wait
    entries: dict[int, dict[str, Any]] = defaultdict(dict)
    answers: dict[int, dict[str, Any]] = defaultdict(dict)
    segments: dict[int, list[Any]] = defaultdict(list)
    recalls: dict[int, list[Any]] = defaultdict(list)
    if history:
        # Rows with the names of the columns: an ORM object for each of a chunk's thousand entries costs twice the time.
        for entry in session.execute(select(*RECORDED).where(among(session, col(LedgerEntry.case_id), case_ids))):
            entries[entry.case_id][entry.key] = entry
            if entry.outcome == RECALLED:
                recalls[entry.case_id].append(entry)
        keys = {row.id: people[row.person_id][1] for row in rows}
        for answer in session.execute(select(*ANSWERED).where(among(session, col(Answer.case_id), case_ids))):
            answers[answer.case_id][answer.key] = (office.vault.decrypt(keys[answer.case_id], answer.sealed), answer.at)
        turns = (
            select(*SEGMENTS).where(among(session, col(ClockSegment.case_id), case_ids)).order_by(col(ClockSegment.seq))
        )
        for segment in session.execute(turns):
            segments[segment.case_id].append(segment)
    superseded = {case_id: superseded_by(found) for case_id, found in recalls.items()}
    for case_id, taken_back in superseded.items():
        for kept in (entries[case_id], answers[case_id]):
            for key in taken_back.keys & kept.keys():
                del kept[key]
    pipelines = {name: under or pipeline_named(*name) for name in {(row.pipeline, row.version) for row in rows}}
    return [
        Dossier(
            row,
            frozen(office, row, pipelines[row.pipeline, row.version], *people[row.person_id]),
            pipelines[row.pipeline, row.version],
            people[row.person_id][1],
            Past(
                entries[row.id or 0],
                waits[row.id or 0],
                answers[row.id or 0],
                segments[row.id or 0],
                superseded.get(row.id or 0, NOTHING),
            ),
        )
        for row in rows
    ]


def frozen(office: Office, row: CaseRow, pipeline: Pipeline, applicant: Applicant, key: Key) -> Case:
    """Return the case as its pipeline may see it."""
    facts = office.vault.decrypt(key, row.facts)
    return Case(
        number=row.number,
        pipeline=row.pipeline,
        version=row.version,
        opened_on=row.rule_date,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        region_code=row.region_code,
        applicant=applicant,
        facts=kind_of(row.subject_kind).facts.model_validate(facts),
        rules=RulesAt(pipeline.rules, row.rule_date),
        handed_on=HandedOn(**facts["handed_on"]) if "handed_on" in facts else None,
    )


def known_of(office: Office, key: Key | PersonKey, wait: AnyWait) -> dict[str, Any]:
    """Return what is known already of the answer to ``wait``, by field: nobody has to type it again."""
    if wait.request is None or wait.kind != WaitKind.PERSON:
        return {}
    known: dict[str, Any] = office.vault.decrypt(key, wait.request).get("known", {})
    return known
