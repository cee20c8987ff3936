"""Takes an intake file over: whole rows, in one transaction, as often as somebody likes to send it.

1. Read the file and check each row; that needs no database and holds no lock.
2. In one transaction, alone: ask the register, write what is new, keep every line as it came, forget the file.
A crash before the end leaves nothing of it. The same file again finds every row registered, and changes nothing.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import PurePath
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from engine.errors import Refused
from engine.people.intake.cleaned import Note
from engine.people.intake.reading import Table, read
from engine.people.intake.registering import Settled, register, settle
from engine.people.intake.rows import Limits, Row, check
from engine.runtime.office import Office, RunHandle
from models import Import, ImportLine, PersonKey, metadata
from models.privacy import without_personal_numbers

# PostgreSQL's lock for imports, by number: one import at a time, so that the later of two sees what the earlier wrote.
IMPORT_LOCK = 20_210_207
# Somebody at the desk may register a person between our look and our write; the second look sees them.
ATTEMPTS = 3


@dataclass(frozen=True)
class Remark:
    """What is wrong (or to be looked at) in a column of a line, for people; personal numbers are masked."""

    line: int
    column: str
    reason: str
    reason_en: str


@dataclass
class Imported:
    """What became of a file. ``refused`` has one remark a fault; a line may have several."""

    import_id: int | None = None
    accepted: int = 0
    unchanged: int = 0
    refused: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)
    file_refused: bool = False

    @property
    def refused_lines(self) -> int:
        """Return how many rows were refused."""
        return 0 if self.file_refused else len({remark.line for remark in self.refused})

    def as_json(self, language: str = "id") -> dict[str, Any]:
        """Return the shape of ``jalur import --json``; reasons in ``language`` (id or en)."""
        return {
            "accepted": self.accepted,
            "refused": [_plain(remark, language) for remark in self.refused],
            "warnings": [_plain(remark, language) for remark in self.warnings],
        }


class UnknownImport(Refused):
    """There is no import of that number."""

    def __init__(self, import_id: int) -> None:
        """Name the number that was asked for."""
        super().__init__(
            f"There is no import {import_id}. Upload the file again: jalur import FILE",
            for_people=f"Tidak ada unggahan bernomor {import_id}. Unggah kembali berkasnya.",
            import_id=import_id,
        )


def upload(office: Office, run: RunHandle, *, name: str, content: bytes, by: str | None = None) -> int:
    """Keep a file, sealed under a key of its own, until `take_over`; return its number. Nothing is read yet."""
    with office.db.writing() as session:
        row, key = _kept(office, session, name, content, by or run.by)
        sealed = base64.b64encode(content).decode()
        row.content = office.vault.encrypt(key, sealed)
        session.flush()
        assert row.id is not None
        return row.id


def take_over(office: Office, run: RunHandle, import_id: int, *, dry_run: bool = False) -> Imported:
    """Take over the rows of an uploaded file; ``dry_run`` says what would happen, and writes nothing.

    A file that has been taken over is not read again: the answer is what happened then. Raises `UnknownImport`.
    """
    with office.db.reading() as session:
        row = session.get(Import, import_id)
        if row is None:
            raise UnknownImport(import_id)
        if row.content is None:
            return recorded(session, row)
        name = row.name
        content = base64.b64decode(office.vault.decrypt(session.get(PersonKey, row.key_id), row.content))
    return _settle(office, run, name, content, import_id=import_id, dry_run=dry_run, by=run.by)


def import_file(
    office: Office, run: RunHandle, *, name: str, content: bytes, by: str | None = None, dry_run: bool = False
) -> Imported:
    """Upload a file and take it over in the same transaction."""
    return _settle(office, run, name, content, import_id=None, dry_run=dry_run, by=by or run.by)


def _settle(
    office: Office, run: RunHandle, name: str, content: bytes, *, import_id: int | None, dry_run: bool, by: str
) -> Imported:
    table = read(content)
    limits = Limits.on(office.clock.today())
    for attempt in range(1, ATTEMPTS + 1):
        # Anew for each attempt: the register's remarks are added to the rows.
        rows = [] if table.fault else check(table, limits)
        try:
            if dry_run:
                with office.db.reading() as session:
                    result = _result(table, settle(session, office.vault, rows))
                    result.import_id = import_id
            else:
                with office.db.writing() as session:
                    result = _take(office, session, name, content, table, rows, import_id, by)
            break
        except IntegrityError:
            if attempt == ATTEMPTS:
                raise
    if result.file_refused:
        run.state = "refused"
    return result


def _take(
    office: Office,
    session: Session,
    name: str,
    content: bytes,
    table: Table,
    rows: list[Row],
    import_id: int | None,
    by: str,
) -> Imported:
    if not office.db.is_sqlite:
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": IMPORT_LOCK})
    if import_id is None:
        row, key = _kept(office, session, name, content, by)
    else:
        found = session.get(Import, import_id)
        if found is None:
            raise UnknownImport(import_id)
        if found.taken_over_at is not None:
            return recorded(session, found)
        loaded = session.get(PersonKey, found.key_id)
        assert loaded is not None
        row, key = found, loaded
    settled = settle(session, office.vault, rows)
    result = _result(table, settled)
    now = office.clock.now()
    assert row.id is not None
    result.import_id = row.id
    register(session, office.vault, [one for one in settled if one.status == "accepted"], row.id, now)
    _keep_lines(office, session, row.id, key, table, settled)
    row.taken_over_at, row.content = now, None
    row.accepted, row.unchanged, row.refused = result.accepted, result.unchanged, result.refused_lines
    return result


def _kept(office: Office, session: Session, name: str, content: bytes, by: str) -> tuple[Import, PersonKey]:
    key = office.vault.new_key(session)
    row = Import(
        name=without_personal_numbers(PurePath(name.replace("\\", "/")).name)[:255],
        sha256=hashlib.sha256(content).hexdigest(),
        key_id=key.id,
        uploaded_by=by,
        uploaded_at=office.clock.now(),
    )
    session.add(row)
    session.flush()
    return row, key


def _keep_lines(
    office: Office, session: Session, import_id: int, key: PersonKey, table: Table, settled: list[Settled]
) -> None:
    """Keep every line as it came: a person's under their key, to be erased with them; the others under the file's."""
    header = [table.fault] if table.fault else []
    lines = [
        {
            "import_id": import_id,
            "line": 1,
            "status": "refused" if table.fault else "header",
            "business_id": None,
            "key_id": key.id,
            "sealed": office.vault.encrypt(key, table.header),
            "remarks": _remarks("fault", header) + _remarks("caution", table.warnings),
        }
    ]
    for one in settled:
        own = one.known.key if one.known else key
        lines.append(
            {
                "import_id": import_id,
                "line": one.row.line,
                "status": one.status,
                "business_id": one.business_id,
                "key_id": own.id,
                "sealed": office.vault.encrypt(own, one.row.cells),
                "remarks": _remarks("fault", one.row.faults) + _remarks("caution", one.row.cautions),
            }
        )
    session.execute(insert(metadata.tables["import_line"]), lines)


def _result(table: Table, settled: list[Settled]) -> Imported:
    result = Imported(file_refused=table.fault is not None)
    result.accepted = sum(one.status == "accepted" for one in settled)
    result.unchanged = sum(one.status == "unchanged" for one in settled)
    if table.fault:
        result.refused.append(_remark(1, asdict(table.fault)))
    result.warnings += [_remark(1, asdict(note)) for note in table.warnings]
    for one in settled:
        result.refused += [_remark(one.row.line, asdict(note)) for note in one.row.faults]
        result.warnings += [_remark(one.row.line, asdict(note)) for note in one.row.cautions]
    return result


def recorded(session: Session, row: Import) -> Imported:
    """Return what became of a file that has been taken over."""
    assert row.id is not None
    result = Imported(row.id, row.accepted, row.unchanged)
    lines = select(ImportLine).where(ImportLine.import_id == row.id).order_by(col(ImportLine.line))
    for line in session.exec(lines):
        result.file_refused |= line.line == 1 and line.status == "refused"
        for note in line.remarks:
            (result.refused if note["kind"] == "fault" else result.warnings).append(_remark(line.line, note))
    return result


def _remarks(kind: str, notes: list[Note]) -> list[dict[str, str]]:
    return [{"kind": kind, **asdict(note)} for note in notes]


def _remark(line: int, note: dict[str, str]) -> Remark:
    return Remark(line, note["column"], note["reason_id"], note["reason_en"])


def _plain(remark: Remark, language: str) -> dict[str, Any]:
    reason = remark.reason if language == "id" else remark.reason_en
    return {"line": remark.line, "column": remark.column, "reason": reason}
