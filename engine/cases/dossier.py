"""Dossiers: cases with what a replay needs, loaded for many cases in a handful of queries.

``fetch_…`` reads, ``lock_…`` also locks the cases' rows until the transaction ends. The history of a case (ledger entries,
decrypted answers, clock segments) costs most; with ``history=False`` a dossier has its waits, and can't be replayed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlmodel import Session, col

from engine.cases.ledger import RECALLED
from engine.cases.recalled_keys import NO_RECALLS, RecalledKeys, read_recalls
from engine.cases.subject_facts import kind_of
from engine.deadlines.legal_clock import Segment
from engine.definition.case import Applicant, Case, HandedOn
from engine.definition.incoming import shown
from engine.definition.registry import Pipeline, pipeline_named
from engine.errors import UnknownCase
from engine.runtime.batches import process_batch
from engine.runtime.database import among
from engine.runtime.encryption import Erased, Key
from engine.runtime.office import Office, Work
from models import Answer, AnyWait, CaseFile, ClockSegment, LedgerEntry, Person, PersonKey, Wait, WaitKind
from rules import RulesAt

# The columns that are loaded of each table.
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
    """The record of one case: entries, waits and decrypted answers by key; clock segments.

    Recalled entries and answers are left out; recalled waits stay, because they tell what became of a question.
    """

    entries: Mapping[str, Row[Any]]
    waits: Mapping[str, AnyWait]
    answers: Mapping[str, tuple[dict[str, Any], datetime]]
    segments: Sequence[Segment] = ()
    recalled: RecalledKeys = NO_RECALLS


@dataclass(frozen=True)
class Dossier:
    """A case in work: its row, its frozen case, its pipeline, the key of its person, its past."""

    row: CaseFile
    case: Case
    pipeline: Pipeline
    key: Key
    past: Past


def fetch_dossiers(
    office: Office, session: Session, ids: Iterable[int], *, history: bool = True, under: Pipeline | None = None
) -> list[Dossier]:
    """Return the dossiers of cases in the order of their ids.

    ``under`` gives them that pipeline version instead of the one they began with, to see what it would make of them.

    Raises:
        Refused: the code of a case's version is gone.
        Erased: the applicant of a case was erased.
    """
    return _fetch(office, session, among(session, col(CaseFile.id), ids), history=history, under=under)


def lock_dossiers(work: Work, ids: Iterable[int], *, history: bool = True) -> list[Dossier]:
    """Return the dossiers of cases in the order of their ids; raise as `fetch_dossiers` does.

    Locks: the cases' rows, in the order of their ids, so that two workers can't deadlock.
    """
    which = among(work.session, col(CaseFile.id), ids)
    return _fetch(work.office, work.session, which, lock=True, history=history)


def lock_rows(work: Work, ids: Iterable[int]) -> dict[int, CaseFile]:
    """Return the rows of cases, without their dossiers, by their ids.

    Locks: the rows, in the order of their ids, so that two workers can't deadlock.
    """
    which = among(work.session, col(CaseFile.id), ids)
    rows = work.session.scalars(select(CaseFile).where(which).order_by(col(CaseFile.id)).with_for_update())
    return {row.id or 0: row for row in rows}


def fetch_readable(
    office: Office, session: Session, ids: Iterable[int], *, history: bool = True, under: Pipeline | None = None
) -> tuple[dict[int, Dossier], dict[int, Exception]]:
    """Return the dossiers that can be loaded, and the errors of the others, by case id.

    A case whose applicant was erased, or whose version has no code any more, does not stop the cases that were
    claimed with it.
    """
    unreadable: dict[int, Exception] = {}

    def read(group: Sequence[int]) -> list[Dossier]:
        return fetch_dossiers(office, session, group, history=history, under=under)

    def not_read(case_id: int, error: Exception) -> list[Dossier]:
        unreadable[case_id] = error
        return []

    found = process_batch(sorted(set(ids)), read, not_read)
    return {dossier.row.id or 0: dossier for dossiers in found for dossier in dossiers}, unreadable


def fetch_by_numbers(
    office: Office, session: Session, numbers: Iterable[str], *, history: bool = True
) -> dict[str, Dossier]:
    """Return the dossiers of existing cases by number; raise as `fetch_dossiers` does."""
    return _by_numbers(_fetch(office, session, among(session, col(CaseFile.number), numbers), history=history))


def fetch_by_number(office: Office, session: Session, number: str) -> Dossier:
    """Return the dossier of one case, with its history; raise as `fetch_dossiers` does.

    Raises:
        UnknownCase: there is no case of that number.
    """
    _must_be_printable(number)
    return _known(number, fetch_by_numbers(office, session, [number]))


def lock_by_numbers(work: Work, numbers: Iterable[str], *, history: bool = True) -> dict[str, Dossier]:
    """Return the dossiers of existing cases by number; raise as `fetch_dossiers` does.

    Locks: the cases' rows, in the order of their ids, so that two workers can't deadlock.
    """
    which = among(work.session, col(CaseFile.number), numbers)
    return _by_numbers(_fetch(work.office, work.session, which, lock=True, history=history))


def lock_by_number(work: Work, number: str) -> Dossier:
    """Return the dossier of one case, with its history; raise as `fetch_dossiers` does.

    Raises:
        UnknownCase: there is no case of that number.

    Locks: the case's row.
    """
    _must_be_printable(number)
    which = col(CaseFile.number) == number
    return _known(number, _by_numbers(_fetch(work.office, work.session, which, lock=True)))


def _by_numbers(found: Iterable[Dossier]) -> dict[str, Dossier]:
    return {dossier.row.number: dossier for dossier in found}


def _must_be_printable(number: str) -> None:
    """Refuse a number with letters that no number has: PostgreSQL stops at NUL."""
    if not number.isprintable():
        raise UnknownCase(shown(number))


def _known(number: str, found: Mapping[str, Dossier]) -> Dossier:
    if number not in found:
        raise UnknownCase(number)
    return found[number]


def fetch_row(session: Session, number: str) -> CaseFile:
    """Return the row of one case, without its dossier.

    Raises:
        UnknownCase: there is no case of that number.
    """
    _must_be_printable(number)
    case = session.scalars(select(CaseFile).where(col(CaseFile.number) == number)).first()
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
    wanted = select(CaseFile).where(which).order_by(col(CaseFile.id))
    rows = session.scalars(wanted.with_for_update() if lock else wanted).all()
    if not rows:
        return []
    people = _applicants(session, {row.person_id for row in rows})
    if any(row.person_id not in people for row in rows):
        raise Erased("gone")
    pipelines = {name: under or pipeline_named(*name) for name in {(row.pipeline, row.version) for row in rows}}
    pasts = _pasts(office, session, {row.id or 0: people[row.person_id][1] for row in rows}, history)
    dossiers = []
    for row in rows:
        pipeline, (applicant, key) = pipelines[row.pipeline, row.version], people[row.person_id]
        case = frozen_case(office, row, pipeline, applicant, key)
        dossiers.append(Dossier(row, case, pipeline, key, pasts[row.id or 0]))
    return dossiers


def _applicants(session: Session, ids: set[int]) -> dict[int, tuple[Applicant, Key]]:
    """Return the applicants with their keys, by their id; whoever was erased is not among them."""
    found = session.execute(
        select(*APPLICANTS)
        .join(PersonKey, col(PersonKey.id) == col(Person.key_id))
        .where(among(session, col(Person.id), ids))
    )
    return {
        person: (Applicant(person, name, language), Key(key, wrapped)) for person, name, language, key, wrapped in found
    }


def _pasts(office: Office, session: Session, keys: Mapping[int, Key], history: bool) -> dict[int, Past]:
    """Return the past of each case of ``keys``; without ``history`` its waits alone.

    Rows have the names of the columns: an ORM object for each of a chunk's thousand entries costs twice the time.
    """
    waits: dict[int, dict[str, Any]] = defaultdict(dict)
    for wait in session.execute(select(*WAITED).where(among(session, col(Wait.case_id), keys))):
        waits[wait.case_id][wait.key] = wait
    if not history:
        return {case_id: Past({}, waits[case_id], {}) for case_id in keys}
    entries: dict[int, dict[str, Any]] = defaultdict(dict)
    recalls: dict[int, list[Any]] = defaultdict(list)
    for entry in session.execute(select(*RECORDED).where(among(session, col(LedgerEntry.case_id), keys))):
        entries[entry.case_id][entry.key] = entry
        if entry.outcome == RECALLED:
            recalls[entry.case_id].append(entry)
    answers: dict[int, dict[str, Any]] = defaultdict(dict)
    for answer in session.execute(select(*ANSWERED).where(among(session, col(Answer.case_id), keys))):
        answers[answer.case_id][answer.key] = (office.vault.decrypt(keys[answer.case_id], answer.sealed), answer.at)
    segments: dict[int, list[Any]] = defaultdict(list)
    held = select(*SEGMENTS).where(among(session, col(ClockSegment.case_id), keys)).order_by(col(ClockSegment.seq))
    for segment in session.execute(held):
        segments[segment.case_id].append(segment)
    recalled = {case_id: read_recalls(found) for case_id, found in recalls.items()}
    for case_id, taken_back in recalled.items():
        for kept in (entries[case_id], answers[case_id]):
            for key in taken_back.keys & kept.keys():
                del kept[key]
    return {
        one: Past(entries[one], waits[one], answers[one], segments[one], recalled.get(one, NO_RECALLS)) for one in keys
    }


def frozen_case(office: Office, row: CaseFile, pipeline: Pipeline, applicant: Applicant, key: Key) -> Case:
    """Return the frozen case that the code of its pipeline sees."""
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


def prefilled_values(office: Office, key: Key | PersonKey, wait: AnyWait) -> dict[str, Any]:
    """Return the prefilled values of the answer to ``wait``, by field."""
    if wait.request is None or wait.kind != WaitKind.PERSON:
        return {}
    known: dict[str, Any] = office.vault.decrypt(key, wait.request).get("known", {})
    return known
