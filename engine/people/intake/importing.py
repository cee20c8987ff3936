"""Import of an intake file: check its rows without a lock, write them in one transaction.

The transaction matches rows to the register, inserts new ones, keeps every line and drops the file's content. A crash
before its end leaves nothing; the same file again changes nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import PurePath
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from engine.definition.incoming import has_control_letters
from engine.errors import BadText, Refused
from engine.people.intake.bounds import MOST_REMARKS
from engine.people.intake.cleaned import FILE, Note
from engine.people.intake.importers import refuse_other_regions, regions_to_import
from engine.people.intake.reader import Checked, read_rows
from engine.people.intake.registering import MatchedRow, in_batches, insert_businesses, match_rows
from engine.people.intake.rows import Limits, Row
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
    """The result of an import. ``refused`` has one remark per fault; a line may have several.

    Of faults and of warnings the first `MOST_REMARKS` are told, and one more remark counts the rest. ``refused_lines`` is
    the number of refused rows.
    """

    import_id: int | None = None
    accepted: int = 0
    unchanged: int = 0
    refused_lines: int = 0
    refused: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)
    file_refused: bool = False

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
    """Keep a file, encrypted under a key of its own, until `take_over`; return its number.

    Raises:
        BadText: the name of the file holds letters that can't be kept.
    """
    _must_be_a_name(name)
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
        BadText: the name of the file holds letters that can't be kept.
        NotAllowed: ``by`` is an account that may not import.
    """
    return _import(office, run, name, content, import_id=None, dry_run=dry_run, by=by or run.by)


def _import(
    office: Office, run: RunHandle, name: str, content: bytes, *, import_id: int | None, dry_run: bool, by: str
) -> Imported:
    _must_be_a_name(name)
    with office.db.reading() as session:
        reached = regions_to_import(session, by, office.clock.today())
    checked = read_rows(content, Limits.on(office.clock.today()))
    for attempt in range(1, ATTEMPTS + 1):
        # Copied for each attempt, since matching adds its remarks to the rows.
        rows = [replace(row, faults=[*row.faults], cautions=[*row.cautions]) for row in checked.rows]
        refuse_other_regions(rows, reached)
        try:
            if dry_run:
                with office.db.reading() as session:
                    result = _result(checked, match_rows(session, office.vault, rows))
                    result.import_id = import_id
            else:
                with office.work(run) as work:
                    result = _take_over(work, name, content, checked, rows, import_id, by)
            break
        except IntegrityError:
            if attempt == ATTEMPTS:
                raise
    if result.file_refused:
        run.state = "refused"
    return result


def _must_be_a_name(name: str) -> None:
    if has_control_letters(name):
        raise BadText("file", "has a name with letters that can't be kept; rename it", "ganti nama berkasnya")


def _take_over(
    work: Work,
    name: str,
    content: bytes,
    checked: Checked,
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
    result = _result(checked, matched)
    now = office.clock.now()
    assert row.id is not None
    result.import_id = row.id
    accepted = [one for one in matched if one.status == "accepted"]
    accounts = insert_businesses(session, office.vault, accepted, row.id, now)
    _keep_lines(office, session, row.id, key, checked, matched)
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
    office: Office, session: Session, import_id: int, key: PersonKey, checked: Checked, matched: list[MatchedRow]
) -> None:
    """Keep every raw line, encrypted under the key of its person or, if unknown, of the file."""
    header = [checked.fault] if checked.fault else []
    lines = [
        {
            "import_id": import_id,
            "line": 1,
            "status": "refused" if checked.fault else "header",
            "business_id": None,
            "key_id": key.id,
            "sealed": office.vault.encrypt(key, checked.header),
            "remarks": _remarks("fault", header) + _remarks("caution", checked.warnings),
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


def _result(checked: Checked, matched: list[MatchedRow]) -> Imported:
    result = Imported(file_refused=checked.fault is not None)
    result.accepted = sum(one.status == "accepted" for one in matched)
    result.unchanged = sum(one.status == "unchanged" for one in matched)
    result.refused_lines = sum(one.status == "refused" for one in matched)
    header = [checked.fault] if checked.fault else []
    faults = [(1, header), *((one.row.line, one.row.faults) for one in matched)]
    cautions = [(1, checked.warnings), *((one.row.line, one.row.cautions) for one in matched)]
    result.refused = _told((line, asdict(note)) for line, notes in faults for note in notes)
    result.warnings = _told((line, asdict(note)) for line, notes in cautions for note in notes)
    return result


def recorded_result(session: Session, row: Import) -> Imported:
    """Return the recorded result of an import."""
    assert row.id is not None
    result = Imported(row.id, row.accepted, row.unchanged, row.refused)
    wanted = select(ImportLine.line, ImportLine.status, ImportLine.remarks).where(ImportLine.import_id == row.id)
    lines = session.exec(wanted.order_by(col(ImportLine.line))).all()
    result.file_refused = any(line == 1 and status == "refused" for line, status, _ in lines)
    notes = [(line, note) for line, _, remarks in lines for note in remarks]
    result.refused = _told((line, note) for line, note in notes if note["kind"] == "fault")
    result.warnings = _told((line, note) for line, note in notes if note["kind"] != "fault")
    return result


def _told(notes: Iterable[tuple[int, dict[str, Any]]]) -> list[Remark]:
    """Return the first `MOST_REMARKS` remarks, and one more that counts the rest."""
    told: list[Remark] = []
    left_out, begins = 0, 0
    for line, note in notes:
        if len(told) < MOST_REMARKS:
            told.append(Remark(line, note["column"], note["reason_id"], note["reason_en"]))
        else:
            left_out, begins = left_out + note.get("count", 1), begins or line
    if left_out:
        told.append(
            Remark(
                begins,
                FILE,
                f"Mulai baris ini masih ada {left_out} catatan lagi yang tidak ditulis di sini. Perbaiki dahulu yang "
                f"tertulis, atau unduh baris yang ditolak: di sana setiap baris ada.",
                f"From this line on there are {left_out} more remarks, which are not written here. Correct those that "
                f"are, or download the refused rows: each row is there.",
            )
        )
    return told


def _remarks(kind: str, notes: list[Note]) -> list[dict[str, Any]]:
    return [{"kind": kind, **_as_kept(note)} for note in notes]


def _as_kept(note: Note) -> dict[str, Any]:
    kept = asdict(note)
    if note.count == 1:
        del kept["count"]
    return kept


def _remark_as_json(remark: Remark, language: str) -> dict[str, Any]:
    reason = remark.reason if language == "id" else remark.reason_en
    return {"line": remark.line, "column": remark.column, "reason": reason}
