"""Notices: news for accounts, which their next morning digest or alert tells them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from sqlmodel import Session, col, select

from engine.deadlines.clock import local_date
from engine.people.roles import has_role, is_staff
from engine.runtime.database import among, insert_new
from engine.runtime.office import Office
from models import Notice, Role, User
from models.privacy import without_personal_numbers


class News(NamedTuple):
    """One piece of news for some accounts (their names); each is told a ``what`` once, for good."""

    accounts: Iterable[str]
    what: str
    kind: str
    case_number: str | None
    words: str


def administrators(session: Session, on: date) -> dict[str, int]:
    """Return the ids of the administrators' accounts on ``on`` by name."""
    wanted = select(User.name, User.id).where(has_role(Role.ADMINISTRATOR, on), col(User.ended_at).is_(None))
    return {name: number or 0 for name, number in session.exec(wanted)}


def notify(
    session: Session,
    office: Office,
    accounts: Iterable[str],
    *,
    what: str,
    kind: str,
    case_number: str | None,
    words: str,
) -> None:
    """Add one piece of news to the next digest of these accounts, in the caller's transaction.

    ``accounts`` are names; those without an account are skipped, and so are applicants, who are told by letter. ``what``
    identifies the news ("NIB-2026-000001/dossier_check#1/rung-2", at most 200 characters): an account that has it, told or
    untold, does not get it again, whatever the number of workers. ``kind`` has 16 characters at most; ``words`` are
    Indonesian.
    """
    notify_all(session, office, [News(accounts, what, kind, case_number, words)])


def notify_all(session: Session, office: Office, news: Iterable[News]) -> None:
    """Add many pieces of news to the next digests, as `notify` does, in one statement."""
    rows = [(name, one) for one in news for name in sorted(set(one.accounts))]
    names = sorted({name for name, _ in rows})
    if not names:
        return
    now = office.clock.now()
    wanted = select(User.name, User.id).where(among(session, col(User.name), names), is_staff(local_date(now)))
    ids = dict(session.exec(wanted.where(col(User.ended_at).is_(None))).all())
    values = [
        {
            "account_id": ids[name],
            "what": one.what,
            "kind": one.kind,
            "case_number": one.case_number,
            "words": without_personal_numbers(one.words),
            "at": now,
        }
        for name, one in rows
        if name in ids
    ]
    if values:
        # Every worker inserts in this order, so that two with the same news never deadlock.
        values.sort(key=lambda row: (row["account_id"], row["what"]))
        session.execute(insert_new(session, Notice, "account_id", "what"), values)
