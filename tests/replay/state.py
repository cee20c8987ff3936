"""Everything that an office could go by: two disks with the same state have the same future.

Stricter than `record_of`, which leaves out the traces of a second try: attempts, leases, pauses and unknown ends count here.
What chance draws counts as what it stands for; tests/replay/test_state.py changes each column, and names the few that do not
count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from engine.reports.audit.whole_audit import audit_records
from engine.runtime.encryption import Key, Vault
from engine.runtime.office import Office
from models import metadata
from tests.replay.disks import folders

# The hashes of a chain cover the ids of runs, which chance draws: what an audit finds counts instead of them.
CHAINED = {("case_file", "head"), ("ledger_entry", "previous_hash"), ("ledger_entry", "hash")}
BINDING = {("case_file", "pending_rows"), ("ledger_entry", "rows")}
# Only lists for people read how long a run took and how many cases it counted; a second try has a run more, with fewer cases.
# Only /health reads when, by the machine's own clock, a sweep ended.
MEASURED = {("run", "seconds"), ("run", "cases"), ("sweep", "really_finished_at")}
# The audit alone reads the office's ledger, in which a second try has an entry more for its run.
AUDITED = {"office_entry", "office_chain"}
STATEMENTS = {table.name: select(table) for table in metadata.sorted_tables if table.name not in AUDITED}
COUNTED = {
    name: [
        (place, column.name)
        for place, column in enumerate(table.columns)
        if (name, column.name) not in CHAINED | MEASURED
    ]
    for name, table in metadata.tables.items()
    if name in STATEMENTS
}

Rows = Mapping[str, Sequence[Row[Any]]]


def state_of(office: Office, home: Path, *beside: Any) -> str:
    """Return a hash of all rows of all tables, of all files in the home, and of what stands ``beside`` them.

    The log of sendings belongs to the test, and no office reads it: what counts of it is `letters_left`.
    """
    with office.db.reading() as session:
        rows = {name: session.execute(statement).all() for name, statement in STATEMENTS.items()}
        found = audit_records(office, session, files=True).as_json()["findings"]
    whole = (found, sorted(_told(rows, _Meaning(office.vault, rows))), sorted(_files(home)), beside)
    return hashlib.sha256(repr(whole).encode()).hexdigest()


class _Meaning:
    """What random values stand for: a key for its owner, a run for who began it and when, sealed bytes for their words."""

    def __init__(self, vault: Vault, rows: Rows) -> None:
        self._vault = vault
        self._keys = [Key(*row) for row in rows["sealing_key"]]
        self._owners = {row.key_id: (name, row.id) for name in ("import_file", "person") for row in rows[name]}
        self._runs = {row.id: (row.kind, row.by, row.pipeline, row.flow_run_id, row.started_at) for row in rows["run"]}

    def of(self, table: str, column: str, value: Any) -> Any:
        """Return what counts of a value."""
        match table, column:
            case ("sealing_key", "id") | (_, "key_id"):
                return self._owners.get(value, value)
            case ("run", "id") | (_, "run_id"):
                return self._runs.get(value, value)
            case ("run", "state") if value == "running":
                return "completed"  # as a dead process leaves it; only a run of Prefect is told to have been lost
            case ("sealing_key", "wrapped"):
                return any(self._opens(key) for key in self._keys if key.wrapped == value)
            case binding if binding in BINDING:
                return sorted(value or ())
            case _:
                return self._unsealed(value) if isinstance(value, bytes) else value

    def _opens(self, key: Key) -> bool:
        try:
            self._vault.encrypt(key, None)
        except ValueError:
            return False
        return True

    def _unsealed(self, sealed: bytes) -> Any:
        for key in self._keys:
            try:
                return self._owners.get(key.id), self._vault.decrypt(key, sealed)
            except ValueError:
                continue
        return sealed


def _told(rows: Rows, meaning: _Meaning) -> Iterator[str]:
    """Give each row as a line; runs that are alike only once, since a second try has the same one once more."""
    for table, found in rows.items():
        lines = (
            repr((table, [meaning.of(table, name, row[place]) for place, name in COUNTED[table]])) for row in found
        )
        yield from set(lines) if table == "run" else lines


def _files(home: Path) -> Iterator[tuple[str, str]]:
    """Give each file that is neither the database's nor the test's, with the hash of its content."""
    for folder, names in folders(home):
        for name in names:
            if not name.startswith(("jalur.db", "sent.log")):
                file = Path(folder, name)
                yield str(file.relative_to(home)), hashlib.sha256(file.read_bytes()).hexdigest()
