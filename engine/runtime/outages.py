"""Outages of the database: errors that say nothing about what was asked of it."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError

OF_SQLITE = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
)


def is_outage(error: BaseException) -> bool:
    """Return whether an error is the database's own: away, busy, full, or a deadlock."""
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in OF_SQLITE
    # PostgreSQL's classes 08, 40, 53, 55, 57 and 58; psycopg has one name for them.
    return isinstance(error, OperationalError)
