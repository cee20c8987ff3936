"""What an administrator of the database can do by hand, and what an audit finds of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, select

from engine.reports.audit.findings import Finding
from engine.reports.audit.whole_audit import Audit, audit_records
from engine.runtime.office import Office
from models import triggers
from models.base import Base

SOON = timedelta(days=1)


@contextmanager
def by_hand(office: Office) -> Iterator[Session]:
    """Open a transaction in which nothing is refused, neither by triggers nor by foreign keys; it is undone at its end."""
    with office.db.writing() as session:
        unguarded(session)
        yield session
        session.rollback()


def unguarded(session: Session) -> None:
    """Let this transaction change what it likes, as only the database's owner can."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL session_replication_role = replica"))
        return
    session.execute(text("PRAGMA defer_foreign_keys = ON"))
    for name in session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
        session.execute(text(f"DROP TRIGGER {name}"))


def put_back(session: Session) -> None:
    """Make the triggers anew, as if nobody had been here."""
    triggers.install(session.connection())


def everything(office: Office, session: Session | None = None, **how: Any) -> list[Finding]:
    """Return what an audit of the whole office finds."""
    return audited(office, session, **how).findings


def audited(office: Office, session: Session | None = None, **how: Any) -> Audit:
    """Audit the whole office: as it is, or as a transaction under way has made it."""
    if session is not None:
        put_back(session)
        return audit_records(office, session, **how)
    with office.db.reading() as reading:
        return audit_records(office, reading, **how)


def other(value: Any, name: str) -> Any:
    """Return another value of the same kind, which fits into the same column."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1000
        case datetime() | date():
            return value + SOON
        case bytes():
            return value[:-1] + bytes([value[-1] ^ 1])
        case dict():
            return {**value, "x": "y"}
        case list():
            return [*value, "x"]
        case str() if value:
            return value[:-1] + ("1" if value[-1] == "0" else "0")
        case _:
            return _something(name)


def _something(name: str) -> Any:
    """Return a value for a column that is empty."""
    if name in ("result", "rows", "pending_rows"):
        return {"x": "y"}
    if name == "request":
        return b"x"
    if name.endswith(("_at", "_since")):
        return datetime(2026, 2, 1, tzinfo=UTC)
    if name.endswith("until") or name == "since":
        return date(2026, 2, 1)
    if name.endswith("_id") and name not in ("run_id", "flow_run_id"):
        return 1
    return 7 if name in ("size", "seconds") else "x"


def changed(session: Session, table: type[Base], key: Mapping[str, Any], name: str) -> None:
    """Change one column of one row."""
    core: Any = table.__table__  # type: ignore[attr-defined]
    where = [core.c[column] == value for column, value in key.items()]
    [value] = session.execute(select(core.c[name]).where(*where)).one()
    session.execute(core.update().where(*where).values({name: other(value, name)}))


def keys_of(session: Session, table: type[Base], **which: Any) -> list[dict[str, Any]]:
    """Return the primary keys of a table's rows."""
    core: Any = table.__table__  # type: ignore[attr-defined]
    names = [column.name for column in core.primary_key]
    wanted = select(*(core.c[name] for name in names)).where(*(core.c[name] == value for name, value in which.items()))
    return [dict(zip(names, row, strict=True)) for row in session.execute(wanted.order_by(*core.primary_key))]
