"""The morning digest: one letter a day with an officer's news, open questions and late ones."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from orjson import loads
from sqlalchemy import Row, String, cast
from sqlmodel import Session, col, func, select

from documents.formats import day_in_words
from documents.letters import write_letter
from engine.deadlines.clock import JAKARTA, end_of, local_date
from engine.definition.declarations import DIGEST, OFFICE
from engine.definition.registry import pipeline_named
from engine.errors import Refused
from engine.letters.digest_outbox import (
    MORNING,
    Fact,
    group_by_heading,
    lock_untold_notices,
    queue_digest,
    shorten,
    write_for_each,
)
from engine.letters.sweep_health import stale_warning
from engine.people.delegations import DelegationInForce, delegations_to
from engine.people.roles import is_staff, roles_of
from engine.runtime.links import desk_url
from engine.runtime.office import Office
from models import CaseFile, Delegation, Digest, Notice, User, Wait, WaitKind
from rules import book

# Notices of any other kind stand under the last heading.
HEADINGS = {
    "escalation": "Diteruskan kepada Anda",
    "reassigned": "Berpindah tangan",
    "reminder": "Pengingat",
    "moved": "Tenggat yang bergeser",
    "renewal": "Masa berlaku",
    "": "Kabar lain",
}
MISSING = "Yang sudah jatuh tempo mungkin belum tercatat di sini. Beri tahu administrator."


@dataclass(frozen=True)
class _Open:
    """Open questions with the same role or holder, region and barred accounts (``apart_from``).

    ``case_id`` is set where a delegation covers their case alone.
    """

    role: str | None
    holder: str | None
    region: str
    case_id: int | None
    apart_from: Sequence[str]

    def is_for(self, user: User, roles: Container[str | None], absences: Iterable[DelegationInForce]) -> bool:
        """Return whether the account may answer these questions, for itself or as a delegate."""
        if user.name in self.apart_from:
            return False
        covered = (one for one in absences if one.covers(self.case_id, self.role))
        return self._is_of(user, roles) or any(self._is_of(one.delegator, one.roles) for one in covered)

    def _is_of(self, user: User, roles: Container[str | None]) -> bool:
        if self.holder is not None:
            return self.holder == user.name
        return self.role in roles and user.works_in(self.region)


@dataclass(frozen=True)
class _Board:
    """The open questions of the whole office, read once for all digests."""

    counts: list[tuple[_Open, int]]
    due: list[tuple[_Open, Fact]]
    warning: str | None


def write_digests(office: Office) -> int:
    """Write a digest for each account with untold notices; return how many were written.

    Digests are written on working days, from the hour of the rule ``digest_time`` on. An account gets one a day, however
    many workers call this: the row's insertion decides, in the transaction that marks the notices told. Later notices wait
    for the next working day.

    Without sweeps there are no notices. Then each account for which questions wait gets a digest with a warning.
    """
    now, today = office.clock.now(), office.clock.today()
    morning = datetime.combine(today, time.fromisoformat(book("common").at("digest_time", today).value), JAKARTA)
    if now < morning or not office.calendar.is_working_day(today):
        return 0
    with office.db.reading() as session:
        warning = stale_warning(office, session)
        accounts = _without_digest(session, today, with_news=warning is None)
        if not accounts:
            return 0
        board = _board(session, now, warning)
    return write_for_each(accounts, lambda account: _write(office, account, today, board))


def _without_digest(session: Session, today: date, *, with_news: bool) -> list[int]:
    """Return the accounts without a digest today: those with untold notices, or all of staff.

    ``with_news`` chooses the former.
    """
    had = (
        select(Digest.id).where(Digest.account_id == User.id, Digest.day == today, Digest.occasion == MORNING).exists()
    )
    news = select(Notice.id).where(Notice.account_id == User.id, col(Notice.told_at).is_(None)).exists()
    wanted = select(User.id).where(news if with_news else is_staff(today), ~had, col(User.ended_at).is_(None))
    return sorted(number or 0 for number in session.exec(wanted))


def _write(office: Office, account: int, today: date, board: _Board) -> bool:
    """Write one digest and mark its notices told; return whether one was written.

    None is written where there is nothing to say, or where another worker was first.
    """
    with office.db.writing() as session:
        user, news = lock_untold_notices(session, account)
        facts = _facts(session, office, user, news, today, board)
        if not news and not (board.warning and facts["waiting"]):
            return False
        return queue_digest(session, office, user, MORNING, write_letter(DIGEST, facts, "id"), news)


def _facts(
    session: Session, office: Office, user: User, news: list[Notice], today: date, board: _Board
) -> dict[str, Any]:
    roles, absences = roles_of(session, user, today), delegations_to(session, user, today)
    waiting = sum(count for one, count in board.counts if one.is_for(user, roles, absences))
    due = [fact for one, fact in board.due if one.is_for(user, roles, absences)]
    said = {fact["what"] for fact in due}
    # A question that is listed as due needs no reminder beside it.
    news = [one for one in news if one.kind != "reminder" or tuple(one.what.split("/")[:2]) not in said]
    return {
        "name": user.name,
        "day": today.isoformat(),
        "warning": board.warning,
        "new": len(news),
        "waiting": waiting,
        "late": len(due),
        "due": shorten([{"about": fact["about"], "words": fact["words"]} for fact in due]),
        "groups": group_by_heading(news, HEADINGS),
        "office": book(OFFICE).at("office", today).value,
        "desk": desk_url(office),
    }


def _board(session: Session, now: datetime, warning: str | None) -> _Board:
    today = local_date(now)
    single = select(col(Delegation.case_id)).where(col(Delegation.case_id).is_not(None)).distinct().subquery()
    barred = cast(col(Wait.apart_from), String)  # PostgreSQL cannot group by JSON
    alike: list[Any] = [col(Wait.role), col(Wait.holder), col(CaseFile.region_code), single.c.case_id, barred]

    def open_waits(*more: Any) -> Any:
        return (
            select(*alike, *more)
            .join(CaseFile, col(CaseFile.id) == col(Wait.case_id))
            .join(single, single.c.case_id == col(Wait.case_id), isouter=True)
            .where(col(Wait.settled_at).is_(None), col(Wait.kind).in_([WaitKind.PERSON, WaitKind.HAND_DELIVERY]))
        )

    named = map(col, (Wait.key, Wait.question, Wait.due_at, CaseFile.number, CaseFile.pipeline, CaseFile.version))
    late = open_waits(*named).where(col(Wait.due_at) <= end_of(today))
    return _Board(
        [(_of(*row[:5]), row[5]) for row in session.execute(open_waits(func.count()).group_by(*alike))],
        [
            (_of(*row[:5]), _due_fact(row, today))
            for row in session.execute(late.order_by(col(Wait.due_at), col(Wait.case_id), col(Wait.key)))
        ],
        f"{warning} {MISSING}" if warning else None,
    )


def _of(role: str | None, holder: str | None, region: str, case_id: int | None, barred: str) -> _Open:
    return _Open(role, holder, region, case_id, loads(barred))


def _due_fact(row: Row[Any], today: date) -> Fact:
    try:
        title = pipeline_named(row.pipeline, row.version).questions[row.question].title
    except (Refused, KeyError):  # the code of the case's version is gone, or the wait is a delivery by hand
        title = row.key
    due_on = local_date(row.due_at)
    when = "hari ini" if due_on == today else f"lewat sejak {day_in_words(due_on, 'id')}"
    return {"about": row.number, "what": (row.number, row.key), "words": f"{title}, {when}"}
