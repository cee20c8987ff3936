"""Import of an intake file: check its rows without a lock, write them in one transaction.

The transaction matches rows to the register, inserts new ones, keeps every line and drops the file's content. A crash
before its end leaves nothing; the same file again changes nothing.
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
from engine.people.intake.importers import refuse_other_regions, regions_to_import
from engine.people.intake.reading import Table, read_table
from engine.people.intake.registering import MatchedRow, in_batches, insert_businesses, match_rows
from engine.people.intake.rows import Limits, Row, check_rows
from engine.runtime.office import Office, RunHandle, Work
from engine.runtime.office_ledger import record
from models import Import, ImportLine, PersonKey, metadata
from models.privacy import without_personal_numbers

# PostgreSQL's advisory lock of imports: they run one at a time, so that the later sees what the earlier wrote.
IMPORT_LOCK = 20_210_207
# An officer may register a person between our matching and our insert; the next attempt matches them.
ATTEMPTS = 3


@dataclass(frozen=True)
class Remark:
    """A fault or caution in a column of a line, with personal numbers masked."""

    line: int
    column: str
    reason: str
    reason_en: str


@dataclass
class Imported:
    """The result of an import. ``refused`` has one remark per fault; a line may have several."""

    import_id: int | None = None
    accepted: int = 0
    unchanged: int = 0
    refused: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)
    file_refused: bool = False

    @property
    def refused_lines(self) -> int:
        """The number of refused rows."""
        return 0 if self.file_refused else len({remark.line for remark in self.refused})

    def as_json(self, language: str = "id") -> dict[str, Any]:
        """Return the JSON of ``jalur import --json``, with reasons in ``language`` (id or en)."""
        return {
            "accepted": self.accepted,
            "refused": [_remark_as_json(remark, language) for remark in self.refused],
            "warnings": [_remark_as_json(remark, language) for remark in self.warnings],
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
    """Keep a file, encrypted under a key of its own, until `take_over`; return its number."""
    with office.db.writing() as session:
        row, key = _kept(office, session, name, content, by or run.by)
        row.content = office.vault.encrypt(key, base64.b64encode(content).decode())
        session.flush()
        assert row.id is not None
        return row.id


def take_over(office: Office, run: RunHandle, import_id: int, *, dry_run: bool = False) -> Imported:
    """Take over the rows of an uploaded file; ``dry_run`` returns the result and writes nothing.

    For a file that has been taken over already, return the recorded result.

    Raises:
        UnknownImport: there is no upload of that number.
        NotAllowed: who uploaded it may not import.
    """
    with office.db.reading() as session:
        row = session.get(Import, import_id)
        if row is None:
            raise UnknownImport(import_id)
        if row.content is None:
            return recorded_result(session, row)
        name, by = row.name, row.uploaded_by
        content = base64.b64decode(office.vault.decrypt(session.get(PersonKey, row.key_id), row.content))
    return _import(office, run, name, content, import_id=import_id, dry_run=dry_run, by=by)


def import_file(
    office: Office, run: RunHandle, *, name: str, content: bytes, by: str | None = None, dry_run: bool = False
) -> Imported:
    """Upload a file and take it over in the same transaction.

    Rows outside the importer's region are refused.

    Raises:
        NotAllowed: ``by`` is an account that may not import.
    """
    return _import(office, run, name, content, import_id=None, dry_run=dry_run, by=by or run.by)


def _import(
    office: Office, run: RunHandle, name: str, content: bytes, *, import_id: int | None, dry_run: bool, by: str
) -> Imported:
    with office.db.reading() as session:
        reached = regions_to_import(session, by, office.clock.today())
    table = read_table(content)
    limits = Limits.on(office.clock.today())
    for attempt in range(1, ATTEMPTS + 1):
        # Checked for each attempt, since matching adds its remarks to the rows.
        rows = [] if table.fault else check_rows(table, limits)
        refuse_other_regions(rows, reached)
        try:
            if dry_run:
                with office.db.reading() as session:
                    result = _result(table, match_rows(session, office.vault, rows))
                    result.import_id = import_id
            else:
                with office.work(run) as work:
                    result = _take_over(work, name, content, table, rows, import_id, by)
            break
        except IntegrityError:
            if attempt == ATTEMPTS:
                raise
    if result.file_refused:
        run.state = "refused"
    return result


def _take_over(
    work: Work,
    name: str,
    content: bytes,
    table: Table,
    rows: list[Row],
    import_id: int | None,
    by: str,
) -> Imported:
    office, session = work.office, work.session
    if not office.db.is_sqlite:
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": IMPORT_LOCK})
    if import_id is None:
        row, key = _kept(office, session, name, content, by)
    else:
        found = session.get(Import, import_id)
        if found is None:
            raise UnknownImport(import_id)
        if found.taken_over_at is not None:
            return recorded_result(session, found)
        loaded = session.get(PersonKey, found.key_id)
        assert loaded is not None
        row, key = found, loaded
    matched = match_rows(session, office.vault, rows)
    result = _result(table, matched)
    now = office.clock.now()
    assert row.id is not None
    result.import_id = row.id
    accepted = [one for one in matched if one.status == "accepted"]
    accounts = insert_businesses(session, office.vault, accepted, row.id, now)
    _keep_lines(office, session, row.id, key, table, matched)
    row.taken_over_at, row.content = now, None
    row.accepted, row.unchanged, row.refused = result.accepted, result.unchanged, result.refused_lines
    for some in in_batches(accounts):
        record(work, "accounts opened", f"import {row.id}", rows=some)
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
    office: Office, session: Session, import_id: int, key: PersonKey, table: Table, matched: list[MatchedRow]
) -> None:
    """Keep every raw line, encrypted under the key of its person or, if unknown, of the file."""
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
    for one in matched:
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


def _result(table: Table, matched: list[MatchedRow]) -> Imported:
    result = Imported(file_refused=table.fault is not None)
    result.accepted = sum(one.status == "accepted" for one in matched)
    result.unchanged = sum(one.status == "unchanged" for one in matched)
    if table.fault:
        result.refused.append(_remark(1, asdict(table.fault)))
    result.warnings += [_remark(1, asdict(note)) for note in table.warnings]
    for one in matched:
        result.refused += [_remark(one.row.line, asdict(note)) for note in one.row.faults]
        result.warnings += [_remark(one.row.line, asdict(note)) for note in one.row.cautions]
    return result


def recorded_result(session: Session, row: Import) -> Imported:
    """Return the recorded result of an import."""
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


def _remark_as_json(remark: Remark, language: str) -> dict[str, Any]:
    reason = remark.reason if language == "id" else remark.reason_en
    return {"line": remark.line, "column": remark.column, "reason": reason}
