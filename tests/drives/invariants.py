"""What must hold of every case, whatever was answered: the invariants of the house that a drive can show."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

import orjson
from sqlmodel import Session, col, select

from engine.cases.dossier import Dossier, fetch_by_numbers
from engine.cases.ledger import LODGED, RECALLED
from engine.definition.registry import pipeline_named
from engine.execution.replay import PlainStage, Replay
from engine.reports.audit.whole_audit import audit_records
from engine.runtime.office import Office, RunHandle, Work
from models import (
    Answer,
    CaseFile,
    CaseStatus,
    Document,
    EntryKind,
    LedgerEntry,
    Letter,
    Person,
    PersonKey,
    Run,
    Series,
    User,
    Wait,
    WaitKind,
)
from tests.drives.ground import BARRED, Ground

ANSWERS = (EntryKind.ANSWER, EntryKind.MACHINE)
NOT_SAID = ("silent", "withdrawn")


class Undone(Exception):
    """Ends a transaction that was only to be looked at."""


def broken(office: Office, before: set[int | None], ground: Ground) -> None:
    """Raise AssertionError with everything that does not hold in this office."""
    with office.db.reading() as session:
        cases = [case for case in session.exec(select(CaseFile).order_by(col(CaseFile.id))) if case.id not in before]
        faults = [
            *_whole(office, session, cases),
            *_without_gaps(session, cases),
            *_keeps_numbers(office, session, cases),
        ]
        for case in cases:
            entries = session.exec(select(LedgerEntry).where(LedgerEntry.case_id == case.id)).all()
            waits = {wait.key: wait for wait in session.exec(select(Wait).where(Wait.case_id == case.id))}
            entries = sorted(entries, key=lambda entry: entry.seq)
            faults += [f"{case.number}: {fault}" for fault in _of_entries(session, case, entries, waits)]
            faults += [f"{case.number}: {fault}" for fault in _of_impartiality(session, case, entries, waits, ground)]
            faults += [f"{case.number}: {fault}" for fault in _of_status(session, case, waits)]
            faults += [f"{case.number}: {fault}" for fault in _of_rules(case, entries)]
    faults += _replays(office, [case.number for case in cases])
    assert not faults, "\n".join(faults)


def _whole(office: Office, session: Session, cases: list[CaseFile]) -> Iterator[str]:
    for finding in audit_records(office, session, [case.number for case in cases]).findings:
        yield f"{finding.case}: {finding.detail}"


def _without_gaps(session: Session, cases: list[CaseFile]) -> Iterator[str]:
    """Numbers of cases and documents go from one without gap or double, and the counter says the same."""
    drawn = [case.number for case in cases]
    drawn += [number for number in session.exec(select(Document.number)) if number]
    series: dict[str, list[int]] = defaultdict(list)
    for number in drawn:
        name, _, place = number.rpartition("-")
        series[name].append(int(place))
    for name, places in series.items():
        if sorted(places) != list(range(1, len(places) + 1)):
            yield f"series {name} has {sorted(places)}"
    for row in session.exec(select(Series)):
        counted = re.search(r"-\d{4}$", row.name)  # others are no series of numbers: a quota is locked by a row
        if counted and row.last != len(series.get(row.name, [])):
            yield f"series {row.name} counts {row.last}, and {len(series.get(row.name, []))} numbers are used"


def _keeps_numbers(office: Office, session: Session, cases: list[CaseFile]) -> Iterator[str]:
    """No applicant's NIK, NPWP or telephone number stands where it is not sealed."""
    secrets: set[str] = set()
    for person in {case.person_id for case in cases}:
        row = session.get_one(Person, person)
        sealed = office.vault.decrypt(session.get_one(PersonKey, row.key_id), row.sealed)
        found = [re.sub(r"\D", "", sealed[name] or "") for name in ("national_id", "tax_id", "phone")]
        secrets |= {number.removeprefix("62").removeprefix("0") for number in found if number}
    open_to_all = [
        *((f"entry {row.case_id}/{row.key}", row.model_dump()) for row in session.exec(select(LedgerEntry))),
        *((f"run {row.id}", row.model_dump()) for row in session.exec(select(Run))),
        *((f"letter {row.key}", {"subject": row.subject, "error": row.error}) for row in session.exec(select(Letter))),
        *((f"wait {row.key}", {"note": row.note}) for row in session.exec(select(Wait))),
        *((f"document {row.key}", {"no": row.number, "error": row.error}) for row in session.exec(select(Document))),
        *((f"case {case.number}", {"reason": case.reason, "error": case.error}) for case in cases),
    ]
    for where, shown_to_all in open_to_all:
        text = re.sub(r"[ .\-()]", "", orjson.dumps(shown_to_all, default=str).decode())
        if shown := sorted(secret for secret in secrets if secret in text):
            yield f"{where} shows a personal number ({shown[0][:3]}…)"


def _of_entries(session: Session, case: CaseFile, entries: list[LedgerEntry], waits: dict[str, Wait]) -> Iterator[str]:
    """Each wait is settled at most once, and nothing is settled that was never asked."""
    if [entry.seq for entry in entries] != list(range(1, len(entries) + 1)):
        yield f"seq goes {[entry.seq for entry in entries]}"
    told = Counter(entry.key for entry in entries if entry.kind != EntryKind.REMARK)
    yield from (f"{key} is in the ledger {times} times" for key, times in told.items() if times > 1)
    answers = {entry.key: entry for entry in entries if entry.kind in ANSWERS}
    for key, wait in waits.items():
        if wait.kind == WaitKind.HAND_DELIVERY:
            continue
        if wait.settled_at is None and key in answers:
            yield f"{key} is open and answered"
        if wait.settled_as == "withdrawn" and any(one.outcome == "withdrawn" for one in answers.values()):
            continue
        if wait.settled_as == RECALLED and key in taken_back(entries):
            continue
        if wait.settled_at is not None and key not in answers:
            yield f"{key} is settled and nothing says by whom"
        if wait.settled_as == "silent" and (wait.silent_at is None or answers[key].at <= wait.silent_at):
            yield f"{key} ended in silence before its time"
        if wait.settled_as == "answered" and wait.silent_at is not None and answers[key].at > wait.silent_at:
            yield f"{key} was answered after its time"
    noted = {key for key, entry in answers.items() if entry.outcome == "withdrawn" or key == LODGED}
    yield from (f"{key} was answered and never asked" for key in answers.keys() - waits.keys() - noted)
    said = {key for key, wait in waits.items() if wait.settled_as == "answered" and key in answers}
    words = set(session.exec(select(Answer.key).where(Answer.case_id == case.id)))
    people = {key for key in said if waits[key].kind == WaitKind.PERSON}
    yield from (f"{key} was answered and its words are lost" for key in people - words)


def taken_back(entries: list[LedgerEntry]) -> set[str]:
    """Return the keys that recalls took back."""
    return {key for entry in entries if entry.outcome == RECALLED for key in (entry.result or {})["superseded"]}


def _of_impartiality(
    session: Session, case: CaseFile, entries: list[LedgerEntry], waits: dict[str, Wait], ground: Ground
) -> Iterator[str]:
    """Nobody answered who was barred: by the process, by the declaration of the question, as applicant, by a conflict."""
    questions = pipeline_named(case.pipeline, case.version).questions
    own = set(session.exec(select(User.name).where(User.person_id == case.person_id)))
    answered: dict[str, set[str]] = defaultdict(set)
    undone = taken_back(entries)
    for entry in entries:
        name = entry.key.split("#")[0]
        if entry.kind != EntryKind.ANSWER or entry.outcome in NOT_SAID or name not in questions:
            continue
        question, wait = questions[name], waits[entry.key]
        apart = set(wait.apart_from).union(*(answered[other] for other in question.apart_from))
        if question.of != "applicant" and entry.actor in apart | own:
            yield f"{entry.actor} answered {entry.key} and was barred"
        if question.of != "applicant" and entry.actor == BARRED and case.person_id == ground.subjects["person"][0]:
            yield f"{entry.actor} answered {entry.key} against a declared conflict"
        if question.of != "applicant" and wait.holder not in (None, entry.actor, entry.on_behalf_of):
            yield f"{entry.actor} answered {entry.key}, which {wait.holder} holds"
        if question.of == "applicant" and entry.actor not in own and not entry.on_behalf_of:
            yield f"{entry.actor} answered {entry.key} as if it were theirs"
        if entry.key not in undone:
            answered[name].add(entry.actor)


def _of_status(session: Session, case: CaseFile, waits: dict[str, Wait]) -> Iterator[str]:
    """A closed case ended, waits for nothing and was told; an open one waits. None is parked by what people may say."""
    letters = session.exec(select(Letter).where(Letter.case_id == case.id)).all()
    open_waits = [key for key, w in waits.items() if w.settled_at is None and w.kind != WaitKind.HAND_DELIVERY]
    if case.status == CaseStatus.PARKED:
        yield f"it is parked: {case.error}"
    elif case.status == CaseStatus.OPEN and (case.ready or not open_waits):
        yield f"it is open and {'ready' if case.ready else 'waits for nothing'}"
    elif case.status == CaseStatus.CLOSED:
        if case.outcome not in {str(one) for one in pipeline_named(case.pipeline, case.version).outcomes}:
            yield f"it ended in {case.outcome}"
        if open_waits:
            yield f"it is closed and waits for {open_waits}"
        if not any(letter.to_person_id == case.person_id and letter.seq > 1 for letter in letters):
            yield f"it ended as {case.outcome} and nobody told the applicant"
    papers = {document.key: document for document in session.exec(select(Document).where(Document.case_id == case.id))}
    for key, document in papers.items():
        newer = any(other.startswith(f"{key.split('~')[0]}~") and other != key for other in papers)
        if document.error or (document.status != "ready" and not (document.status == "replaced" and newer)):
            yield f"the paper {key} is {document.status}: {document.error}"
    yield from (f"{key} is put off: {w.note}" for key, w in waits.items() if w.next_attempt_at and not w.settled_at)


def _of_rules(case: CaseFile, entries: list[LedgerEntry]) -> Iterator[str]:
    """Every entry went by the rules of the case's own date, and by the version it began with."""
    book = pipeline_named(case.pipeline, case.version).rules
    for entry in entries:
        if entry.pipeline_version != case.version:
            yield f"{entry.key} went by version {entry.pipeline_version}"
        for name, since in entry.rule_versions.items():
            if since != book.at(name, case.rule_date).since.isoformat():
                yield f"{entry.key} went by {name} of {since}, the case began on {case.rule_date}"


def _replays(office: Office, numbers: list[str]) -> list[str]:
    """Replay every case from the top, in a transaction that is undone: nothing new may come of it but a closed case's end."""
    faults: list[str] = []
    try:
        with office.db.writing() as session:
            for number, dossier in fetch_by_numbers(office, session, numbers).items():
                faults += [f"{number}: played again, it {fault}" for fault in _played_again(office, session, dossier)]
            raise Undone
    except Undone:
        return faults


def _played_again(office: Office, session: Session, dossier: Dossier) -> Iterator[str]:
    row, outcome = dossier.row, dossier.row.outcome
    if row.status == CaseStatus.PARKED:
        return
    work = Work(office, RunHandle("again", "cli", "test"), session)
    try:
        Replay(work, dossier, PlainStage()).play()
    except Exception as error:
        yield f"fails: {type(error).__name__}: {error}"
    written = [(table.__name__, one["key"]) for table, rows in work.rows._rows.items() for one in rows]
    expected = [("LedgerEntry", "closed#2" if LODGED in dossier.past.entries else "closed#1")] if outcome else []
    if written != expected:
        yield f"writes {written}"
    if row.outcome != outcome:
        yield f"ends as {row.outcome} instead of {outcome}"
