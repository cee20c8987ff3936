"""What an office has on record, without what chance made: two runs of one script must have the same."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, func, select

from engine.cases import ledger
from engine.cases.dossier import Dossier, fetch_by_numbers
from engine.reports.audit.whole_audit import audit_records
from engine.runtime.office import Office
from models import Business, CaseFile, Document, LedgerEntry, Letter, Person, Series, Standing, User, Wait
from outside.channels import message_id_for

# Columns that differ between two runs: ids and salts, sealed words (they are compared unsealed), and traces of a second
# try. Everything else counts, times to the microsecond.
CHANCE: dict[type[Any], set[str]] = {
    LedgerEntry: {"case_id", "run_id", "arguments_hash", "rows", "previous_hash", "hash"},
    Wait: {"case_id", "arguments_hash", "request", "note", "attempt", "end_unknown", "next_attempt_at"},
    Document: {"case_id", "facts", "attempt", "leased_until"},
    Letter: {"case_id", "sealed", "to_person_id", "attempt"},
    Standing: {"case_id", "subject_id"},
}
OF_CASES = {"case_id", "id", "salt", "facts", "head", "pending_rows", "person_id", "subject_id"}
OF_CASE = "case "

Record = dict[str, Any]


def record_of(office: Office, home: Path, filed: list[str]) -> Record:
    """Return everything that an auditor could ask for, by name. ``filed`` is OSS's own account of what it took."""
    with office.db.reading() as session:
        numbers = session.exec(select(CaseFile.number).order_by(col(CaseFile.id))).all()
        record: Record = {
            "what an audit finds": audit_records(office, session, files=True).as_json()["findings"],
            "series": {series.name: series.last for series in session.exec(select(Series))},
            "persons, businesses": [session.scalar(select(func.count()).select_from(t)) for t in (Person, Business)],
            "filed at OSS": filed,
            "letters in the folder": sorted(file.name for file in (home / "letters").glob("*.eml")),
            "letters that left": {name: sorted(set(contents)) for name, contents in sorted(letters_sent(home).items())},
            "files kept": sorted(file.name for file in (home / "documents").rglob("*.*")),
        }
        owners = dict(session.exec(select(User.name, Person.name).join(Person, col(User.person_id) == Person.id)).all())
        for number, dossier in fetch_by_numbers(office, session, numbers).items():
            record |= {f"{OF_CASE}{number} {name}": facts for name, facts in _case(office, session, dossier)}
    named: Record = _named(record, {handle: f"the owner {name}" for handle, name in owners.items()})
    return named


def differences(here: Record, there: Record) -> list[str]:
    """Return in words where two records differ, what is of no single case first."""
    told: list[str] = []
    for name in sorted({*here, *there}, key=lambda name: (name.startswith(OF_CASE), name)):
        told += _differences(name, here.get(name), there.get(name))
    return told


def _differences(name: str, mine: Any, theirs: Any) -> Iterator[str]:
    if mine == theirs:
        return
    if isinstance(mine, list) and isinstance(theirs, list):
        mine, theirs = _by_key(mine), _by_key(theirs)
    if not isinstance(mine, dict) or not isinstance(theirs, dict):
        yield f"{name}: {_short(mine)} instead of {_short(theirs)}"
        return
    for key in sorted({*mine, *theirs}):
        yield from _differences(f"{name} {key}", mine.get(key), theirs.get(key))


def _by_key(rows: list[Any]) -> dict[str, Any]:
    named = [(str(row.get("key", row.get("what"))) if isinstance(row, dict) else _short(row), row) for row in rows]
    return {name if count == 1 else f"{name} ({count})": row for name, row, count in _counted(named)}


def _counted(rows: list[tuple[str, Any]]) -> Iterator[tuple[str, Any, int]]:
    seen: Counter[str] = Counter()
    for name, row in rows:
        seen[name] += 1
        yield name, row, seen[name]


def _short(value: Any) -> str:
    words = "nothing" if value is None else str(value)
    return words if len(words) < 160 else f"{words[:150]} …"


def letters_sent(home: Path) -> dict[str, list[str]]:
    """Return the fingerprints of what was handed to the channel, by Message-ID, in order."""
    sent: dict[str, list[str]] = defaultdict(list)
    log = home / "sent.log"
    for line in log.read_text().splitlines() if log.exists() else ():
        message_id, contents = line.split()
        sent[message_id].append(contents)
    return dict(sent)


def ahead_of_the_record(office: Office, home: Path, filed: list[str]) -> list[str]:
    """Return what the world outside has, at a cut, that no committed row announces: nobody could know of it again."""
    with office.db.reading() as session:
        cases = {case.id: case.number for case in session.exec(select(CaseFile))}
        letters = session.exec(select(Letter).where(Letter.attempt > 0)).all()
        calls = session.exec(select(Wait).where(Wait.attempt > 0)).all()
    domain = office.settings.sender.rsplit("@", 1)[-1]
    announced = {message_id_for(f"{cases[letter.case_id]}/{letter.key}", domain) for letter in letters}
    called = {f"{cases[wait.case_id]}/{wait.key}" for wait in calls}
    told = [
        f"the letter {name} left, and no letter is on record as being sent"
        for name in letters_sent(home)
        if name not in announced
    ]
    return told + [f"{one} was filed at OSS, and no call is on record" for one in filed if one.split()[0] not in called]


def sent_too_often(home: Path, before: dict[str, list[str]], under_way: set[str]) -> list[str]:
    """Return the letters that left again though they were not on their way when the power failed."""
    sent, left = letters_sent(home), letters_left(home, before, under_way)
    return [f"the letter {name} left {len(sent[name])} times" for name, (_, again) in left.items() if again < 0]


def letters_left(home: Path, before: dict[str, list[str]], under_way: set[str]) -> dict[str, tuple[list[str], int]]:
    """Return by Message-ID the fingerprints that left, and how often the letter may leave again.

    A letter may leave twice if it had left, and its end was not recorded, when the power failed.
    """
    return {
        name: (sorted(set(contents)), 1 + (name in before and name in under_way) - len(contents))
        for name, contents in sorted(letters_sent(home).items())
    }


def letters_under_way(office: Office) -> set[str]:
    """Return the Message-IDs of letters that were handed to a channel, and whose end is not recorded."""
    domain = office.settings.sender.rsplit("@", 1)[-1]
    with office.db.reading() as session:
        found = session.exec(
            select(CaseFile.number, Letter.key)
            .join(Letter, col(Letter.case_id) == col(CaseFile.id))
            .where(col(Letter.leased_until).is_not(None))
        )
        return {message_id_for(f"{number}/{key}", domain) for number, key in found}


def fingerprint(content: bytes) -> str:
    """Return the first half of SHA-256."""
    return hashlib.sha256(content).hexdigest()[:32]


def _case(office: Office, session: Session, dossier: Dossier) -> Iterator[tuple[str, Any]]:
    row = dossier.row
    yield "itself", _plain(row, OF_CASES)
    yield "answers", [[key, *words] for key, words in sorted(dossier.past.answers.items())]
    for table in CHANCE:
        found = session.exec(select(table).where(table.case_id == row.id)).all()
        rows = [_plain(one, CHANCE[table]) | _unsealed(office, dossier, one) for one in found]
        yield table.__name__, sorted(rows, key=lambda one: (one.get("seq", 0), str(one.get("key"))))


def _plain(row: Any, chance: set[str]) -> dict[str, Any]:
    facts: dict[str, Any] = row.model_dump(exclude=chance)
    return facts


def _unsealed(office: Office, dossier: Dossier, row: Any) -> dict[str, Any]:
    """Return what the row's own columns do not show: the words of letters, the facts and the file of documents."""
    match row:
        case Letter():
            return {"words": office.vault.decrypt(dossier.key, row.sealed)}
        case Document():
            kept = len(office.store.get(row.path)) if row.path else None
            return {"facts": office.vault.decrypt(dossier.key, row.facts), "kept": kept}
        case LedgerEntry(result={"answer": hashed}):
            words, _ = dossier.past.answers[row.key]
            fits = hashed == ledger.salted_hash(dossier.row.salt, words)
            return {"result": {**row.result, "answer": "fits" if fits else "does not fit"}}
        case _:
            return {}


def _named(value: Any, names: dict[str, str]) -> Any:
    """Return ``value`` with the handles of applicants, which bear a database's own ids, as the names of people."""
    match value:
        case dict():
            return {key: _named(one, names) for key, one in value.items()}
        case list() | tuple():
            return [_named(one, names) for one in value]
        case str():
            return names.get(value, value)
        case _:
            return value
