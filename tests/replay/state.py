"""Everything that an office could go by: two disks with the same state have the same future.

Stricter than `record_of`, which leaves out the traces of a second try: attempts, leases, pauses and unknown ends count here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Select, Table, select
from sqlmodel import Session

from engine.runtime.office import Office
from models import metadata
from tests.replay.record import letters_sent, record_of

# Drawn at random in each run, or a hash of what was. Sealed words count by their length; those of a case are in `record_of`.
DRAWN = {"salt", "head", "hash", "previous_hash", "arguments_hash", "run_id", "flow_run_id", "key_id", "seconds"}
DRAWN_IN = {"run": {"id"}, "sealing_key": {"id"}, "ledger_entry": {"result"}}


def state_of(office: Office, home: Path, filed: list[str]) -> str:
    """Return a hash of all that is on record, of every row of every table, and of what left the house how often."""
    with office.db.reading() as session:
        rows = sorted(_rows(session))
    whole = (record_of(office, home, filed), rows, sorted(letters_sent(home).items()))
    return hashlib.sha256(repr(whole).encode()).hexdigest()


def _rows(session: Session) -> Iterator[str]:
    for name, statement in STATEMENTS.items():
        for row in session.execute(statement):
            yield repr((name, [len(value) if isinstance(value, bytes) else value for value in row]))


def _without_chance(table: Table) -> Select[Any]:
    """Select what is not drawn; of the runs those that failed, since alerts go by them, and nothing by the others."""
    drawn = DRAWN | DRAWN_IN.get(table.name, set())
    found = select(*[column for column in table.columns if column.name not in drawn])
    return found.where(table.c.state == "failed") if table.name == "run" else found


STATEMENTS = {table.name: _without_chance(table) for table in metadata.sorted_tables}
