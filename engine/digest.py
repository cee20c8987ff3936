"""One digest a morning tells an officer what is new, what waits for them and what is late, rather than a letter a case."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from orjson import loads
from sqlalchemy import Row, String, cast
from sqlalchemy import select as columns
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, col, func, select, update
from sqlmodel.sql.expression import SelectOfScalar

from engine.authority import roles_of
from engine.clock import JAKARTA, end_of, local_date
from engine.database import among
from engine.documents.letters import write
from engine.documents.words import day_in_words, moment_in_words
from engine.errors import Refused
from engine.office import Office
from engine.outgoing import Outbox, Parcel, due_now, record
from engine.reaching import Way
from engine.registry import DIGEST, OFFICE, pipeline_named
from models import Case, Digest, LetterStatus, Notice, Person, Role, SealingKey, Sweep, User, Wait, WaitKind
from outside.channels import Message, message_id_for
from rules import book

log = logging.getLogger(__name__)

BATCH = 50
# A digest is read on a telephone: of each kind the newest, and how many more there are.
LINES = 15
# Other kinds stand under the last heading.
HEADINGS = {
    "escalation": "Diteruskan kepada Anda",
    "reminder": "Pengingat",
    "failed": "Gagal berjalan",
    "parked": "Perkara yang tertahan",
    "moved": "Tenggat yang bergeser",
    "renewal": "Masa berlaku",
    "": "Kabar lain",
}
Fact = dict[str, Any]


@dataclass(frozen=True)
class _Open:
    """Open questions of one kind: for whom they are, where, and who may not answer them."""

    role: str | None
    holder: str | None
    region: str
    apart_from: Sequence[str]

    def is_for(self, user: User, roles: Container[str | None]) -> bool:
        """Return whether they wait for this account."""
        if self.holder is not None:
            return self.holder == user.name
        at_home = self.region.startswith(user.region_code or "")
        return self.role in roles and at_home and user.name not in self.apart_from


@dataclass(frozen=True)
class _Board:
    """What waits for people, once for all who get a digest now: how many, and those that are due today or late."""

    counts: list[tuple[_Open, int]]
    due: list[tuple[_Open, Fact]]
    warning: str | None


def write_digests(office: Office) -> int:
    """Write a digest for each account with untold notices, on a working day from the rule's hour on; return how many.

    An account gets one a day, however often and by how many this is called: the day is won by the row's insertion, in the
    transaction that marks the notices told. What is new after that waits until the next working day.
    """
    now, today = office.clock.now(), office.clock.today()
    morning = datetime.combine(today, time.fromisoformat(book("common").at("digest_time", today).value), JAKARTA)
    if now < morning or not office.calendar.is_working_day(today):
        return 0
    with office.db.reading() as session:
        accounts = _with_news(session, today)
        if not accounts:
            return 0
        board = _board(office, session, now)
    written = 0
    for account in accounts:
        try:
            written += _write(office, account, today, board)
        except Exception:
            log.exception("The digest of account %d could not be written", account)
    return written


def _with_news(session: Session, today: date) -> list[int]:
    """Return who has untold notices and no digest today."""
    had = select(Digest.id).where(Digest.account_id == Notice.account_id, Digest.day == today).exists()
    wanted = select(Notice.account_id).where(col(Notice.told_at).is_(None), ~had).distinct()
    return sorted(session.exec(wanted))


def _write(office: Office, account: int, today: date, board: _Board) -> bool:
    """Write one digest and mark its notices told; return False where another worker was first."""
    now = office.clock.now()
    with office.db.writing() as session:
        user = session.get_one(User, account)
        roles = roles_of(session, user)
        untold = (
            select(Notice)
            .where(Notice.account_id == account, col(Notice.told_at).is_(None))
            .order_by(col(Notice.at).desc(), col(Notice.case_number).desc(), col(Notice.id))
        )
        news = list(session.exec(untold))
        written = write(DIGEST, _facts(office, user, roles, news, today, board), "id")
        make = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
        won = session.execute(
            make(Digest)
            .values(
                account_id=account,
                day=today,
                subject=written.subject,
                text=written.text,
                html=written.html,
                status=str(LetterStatus.QUEUED),
                attempt=0,
                at=now,
            )
            .on_conflict_do_nothing(index_elements=["account_id", "day"])
            .returning(col(Digest.id))
        ).first()
        if won is None:
            return False
        told = update(Notice).where(among(session, col(Notice.id), [notice.id for notice in news]))
        session.execute(told.values(told_at=now).execution_options(synchronize_session=False))
        return True


def _facts(
    office: Office, user: User, roles: set[Role], news: list[Notice], today: date, board: _Board
) -> dict[str, Any]:
    waiting = sum(count for one, count in board.counts if one.is_for(user, roles))
    due = [fact for one, fact in board.due if one.is_for(user, roles)]
    known = Counter(notice.kind if notice.kind in HEADINGS else "" for notice in news)
    groups = [
        {
            "title": heading,
            "count": known[kind],
            "lines": _shortened(
                [
                    {"about": notice.case_number or "Kantor", "words": notice.words}
                    for notice in news
                    if (notice.kind if notice.kind in HEADINGS else "") == kind
                ]
            ),
        }
        for kind, heading in HEADINGS.items()
        if known[kind]
    ]
    return {
        "name": user.name,
        "day": today.isoformat(),
        "warning": board.warning,
        "new": len(news),
        "waiting": waiting,
        "late": len(due),
        "due": _shortened(due),
        "groups": groups,
        "office": book(OFFICE).at("office", today).value,
        "desk": f"{office.settings.public_url.rstrip('/')}/desk",
    }


def _shortened(lines: list[Fact]) -> list[Fact]:
    more = len(lines) - LINES
    return [*lines[:LINES], {"about": "Selebihnya", "words": f"{more} lagi, lihat meja kerja"}] if more > 0 else lines


def _board(office: Office, session: Session, now: datetime) -> _Board:
    today = local_date(now)
    waits = (col(Wait.settled_at).is_(None), col(Wait.kind).in_([WaitKind.PERSON, WaitKind.HAND_DELIVERY]))
    barred = cast(col(Wait.apart_from), String)  # PostgreSQL groups by no JSON
    alike = (col(Wait.role), col(Wait.holder), col(Case.region_code), barred)
    grouped = columns(*alike, func.count()).join(Case, col(Case.id) == col(Wait.case_id)).where(*waits).group_by(*alike)
    late = (
        columns(*alike, *map(col, (Wait.key, Wait.question, Wait.due_at, Case.number, Case.pipeline, Case.version)))
        .join(Case, col(Case.id) == col(Wait.case_id))
        .where(*waits, col(Wait.due_at) <= end_of(today))
        .order_by(col(Wait.due_at), col(Wait.case_id), col(Wait.key))
    )
    return _Board(
        [(_of(*row[:4]), row[4]) for row in session.execute(grouped)],
        [(_of(*row[:4]), _due_fact(row, today)) for row in session.execute(late)],
        _warning(session, now),
    )


def _of(role: str | None, holder: str | None, region: str, barred: str) -> _Open:
    return _Open(role, holder, region, loads(barred))


def _due_fact(row: Row[Any], today: date) -> Fact:
    try:
        title = pipeline_named(row.pipeline, row.version).questions[row.question].title
    except (Refused, KeyError):  # the code of its version is gone, or it is the office's own task
        title = row.key
    due_on = local_date(row.due_at)
    when = "hari ini" if due_on == today else f"lewat sejak {day_in_words(due_on, 'id')}"
    return {"about": row.number, "words": f"{title}, {when}"}


def _warning(session: Session, now: datetime) -> str | None:
    """Return what to say where nobody watches the deadlines: no sweep came to its end within the rule's minutes."""
    last = session.exec(select(func.max(Sweep.finished_at))).one()
    if last is None:
        return "Pengawasan tenggat belum pernah berjalan. Beri tahu administrator."
    if now - last <= timedelta(minutes=book("common").at("watch_limit", local_date(now)).value):
        return None
    return (
        f"Pengawasan tenggat terakhir selesai pada {moment_in_words(last, 'id')}. Yang jatuh tempo sesudahnya belum "
        "tercatat di sini. Beri tahu administrator."
    )


# -- on their way out, as letters go ---------------------------------------------------------------------------------


def _due(office: Office) -> SelectOfScalar[Digest]:
    return select(Digest).where(*due_now(office, Digest)).order_by(col(Digest.id)).limit(BATCH)


def _ready(office: Office, digest: Digest) -> Parcel:
    with office.db.reading() as session:
        name, person, key = session.exec(
            select(User.name, Person, SealingKey)
            .join(Person, col(Person.id) == col(User.person_id), isouter=True)
            .join(SealingKey, col(SealingKey.id) == col(Person.key_id), isouter=True)
            .where(User.id == digest.account_id)
        ).one()
    address = office.vault.unseal(key, person.sealed).get("email") if key else None
    domain = office.settings.sender.rsplit("@", 1)[-1]

    def message(way: Way) -> Message:
        return Message(
            message_id=message_id_for(f"digest/{digest.account_id}/{digest.day}", domain),
            sender=office.settings.sender,
            to_name=person.name if person else name,
            to_address=way.address,
            subject=digest.subject,
            text=digest.text,
            html=digest.html,
            written_at=digest.at,
        )

    return Parcel([Way("mail", office.contacts.mail, address)] if address else [], message, lambda way, why: None)


def _left(office: Office, digest: Digest, why: str, status: LetterStatus) -> None:
    """Leave a digest that reaches nobody where it is: its account reads it at the desk."""
    record(office, digest, status, error=why)


DIGESTS = Outbox(_due, _ready, _left)
