"""What officers are told in their morning digest: a notice is written once, whoever writes it how often."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from engine.office import Office
from models import Notice, User


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
    """Tell these accounts ``words`` tomorrow morning; what was said to one of them already is not said again.

    ``what`` names the thing said, ``kind`` the pile that it belongs to. A name without an account is passed over.
    """
    ids = session.exec(select(User.id).where(col(User.name).in_(list(accounts)))).all()
    if not ids:
        return
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = {"what": what, "kind": kind, "case_number": case_number, "words": words, "at": office.clock.now()}
    session.execute(insert(Notice).values([{"account_id": account, **row} for account in ids]).on_conflict_do_nothing())
