"""The office decides about a day: every open clock that it can touch is derived again, and what moved is told.

A wait moves in the transaction that writes the remark into its case's ledger, a chunk of cases at a time: after a crash
`rederive` goes on with what is still wrong, and moves nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Row, bindparam
from sqlmodel import Session, col, insert, or_, select, update

from engine import ledger
from engine.book import Book
from engine.climbing import told_of
from engine.clock import JAKARTA, local_date
from engine.database import among
from engine.deadlines import Times, times_of
from engine.dossiers import Dossier, fetch_waiting
from engine.errors import Refused
from engine.legal_clock import legal_clock, legal_due, stop_limit
from engine.notices import notify
from engine.office import Office, RunHandle
from engine.outbox import OFFICE, letter_facts, queue_letter
from engine.registry import pipeline_named
from models import CalendarDay, CalendarKind, Case, ClockSegment, EntryKind, LedgerEntry, Role, Wait
from rules import RulesAt

CHUNK = 2000


@dataclass(frozen=True)
class Moved:
    """An open question whose date changed."""

    case: str
    question: str
    before: date | None
    after: date | None

    def as_json(self) -> dict[str, Any]:
        """Return it as ``jalur calendar add`` prints it."""
        shown = {"from": self.before, "to": self.after}
        return {"case": self.case, "question": self.question, **{k: v and v.isoformat() for k, v in shown.items()}}


def add_day_off(office: Office, run: RunHandle, day: date, name: str, *, by: str) -> list[Moved]:
    """Decide that the office does not work on ``day``; return what that moved. Raises `Refused` where it is off already."""
    if not office.calendar.is_working_day(day):
        known = office.calendar.days_off(day.year).get(day, ("akhir pekan", ""))[0]
        raise Refused(
            f"{day} is no working day already ({known}); nothing was changed",
            for_people=f"{day.isoformat()} sudah bukan hari kerja ({known}); tidak ada yang diubah.",
        )
    return _decide(office, run, day, CalendarKind.OFFICE, name, by)


def cancel_day_off(office: Office, run: RunHandle, day: date, reason: str, *, by: str) -> list[Moved]:
    """Decide that the office works on a listed day off; return what that moved. Raises `Refused` where none is listed."""
    if day not in office.calendar.days_off(day.year):
        raise Refused(
            f"{day} is not on the list of days off; see: jalur calendar --year {day.year}",
            for_people=f"{day.isoformat()} tidak ada dalam daftar hari libur. Lihat: jalur calendar --year {day.year}",
        )
    return _decide(office, run, day, CalendarKind.CANCELLED, reason, by)


def _decide(office: Office, run: RunHandle, day: date, kind: CalendarKind, name: str, by: str) -> list[Moved]:
    with office.db.writing() as session:
        row = {"day": day, "kind": str(kind), "name": name, "recorded_by": by, "recorded_at": office.clock.now()}
        session.execute(insert(CalendarDay).values(**row))
        office.look_at_the_calendar(session)
    what = "hari libur baru" if kind is CalendarKind.OFFICE else "hari libur dibatalkan"
    return rederive(office, run, day, f"{what} {day.isoformat()}: {name}")


def rederive(office: Office, run: RunHandle, day: date, reason: str) -> list[Moved]:
    """Derive again every open clock that runs over ``day``; return those whose date changed, by case and question."""
    moved: list[Moved] = []
    after: tuple[int, str] = (0, "")
    known: dict[Any, Times] = {}
    while rows := _open_clocks(office, day, after):
        after = (rows[-1].case_id, rows[-1].key)
        segments = _segments(office, rows)
        changed = [
            (row, times)
            for row in rows
            if (times := _times(office, row, segments, known))
            and (times.due_at, times.silent_at, times.next_due_at) != (row.due_at, row.silent_at, row.next_due_at)
        ]
        if changed:
            with office.db.writing() as session:
                moved += _move(office, run, session, changed, reason)
    run.cases += len({one.case for one in moved})
    return moved


_OPEN = (Wait.case_id, Wait.key, Wait.question, Wait.asked_at, Wait.due_at, Wait.silent_at, Wait.next_due_at, Wait.rung)
_OF_CASE = (Case.number, Case.pipeline, Case.version, Case.rule_date, Case.complete_at)


def _open_clocks(office: Office, day: date, after: tuple[int, str]) -> Sequence[Row[Any]]:
    """Return the next chunk of open waits that began before the end of ``day`` and end, or are due, on it or later."""
    begins = datetime.combine(day, time(0), JAKARTA)
    late = [col(column) >= begins for column in (Wait.due_at, Wait.silent_at, Wait.next_due_at)]
    with office.db.reading() as session:
        return session.execute(
            select(*_OPEN, Wait.extended_until, *_OF_CASE)  # type: ignore[call-overload]
            .join(Case, col(Case.id) == col(Wait.case_id))
            .where(
                col(Wait.settled_at).is_(None),
                col(Wait.due_at).is_not(None),
                or_(*late),
                or_(col(Wait.case_id) > after[0], (col(Wait.case_id) == after[0]) & (col(Wait.key) > after[1])),
            )
            .order_by(col(Wait.case_id), col(Wait.key))
            .limit(CHUNK)
        ).all()


def _segments(office: Office, rows: Sequence[Row[Any]]) -> dict[int, list[Any]]:
    """Return the clock's segments of those cases whose legal clock has begun."""
    counted = {row.case_id for row in rows if row.complete_at}
    found: dict[int, list[Any]] = {case_id: [] for case_id in counted}
    if counted:
        with office.db.reading() as session:
            wanted = select(ClockSegment).where(among(session, col(ClockSegment.case_id), counted))
            for segment in session.exec(wanted.order_by(col(ClockSegment.seq))):
                found[segment.case_id].append(segment)
    return found


def _times(office: Office, row: Row[Any], segments: dict[int, list[Any]], known: dict[Any, Times]) -> Times:
    """Return the times of a wait as they are now; many cases share pipeline, rules and day of asking."""
    pipeline = pipeline_named(row.pipeline, row.version)
    rules, asked_on = RulesAt(pipeline.rules, row.rule_date), local_date(row.asked_at)
    budget = rules.quietly(pipeline.clock) if pipeline.clock and row.complete_at else None
    legal = None
    if budget:
        limit, turns = stop_limit(rules), [one for one in segments[row.case_id] if one.since <= row.asked_at]
        clock = legal_clock(office.calendar, budget, limit, row.complete_at, turns, row.asked_at)
        legal = legal_due(office.calendar, clock, limit, asked_on)
    key = (row.pipeline, row.version, row.rule_date, row.question, asked_on, row.rung, row.extended_until, legal)
    if key not in known:
        known[key] = times_of(
            office.calendar,
            rules,
            pipeline.questions[row.question],
            row.asked_at,
            rung=row.rung,
            extended_until=row.extended_until,
            legal_due=legal,
        )
    return known[key]


def _move(
    office: Office, run: RunHandle, session: Session, changed: list[tuple[Row[Any], Times]], reason: str
) -> list[Moved]:
    """Move the waits that nobody settled meanwhile; remark and tell where the date itself changed."""
    ids = {row.case_id for row, _ in changed}
    cases = {
        case.id: case
        for case in session.exec(
            select(Case).where(among(session, col(Case.id), ids)).order_by(col(Case.id)).with_for_update()
        )
    }
    still = set(
        session.exec(
            select(Wait.case_id, Wait.key).where(among(session, col(Wait.case_id), ids), col(Wait.settled_at).is_(None))
        ).all()
    )
    changed = [(row, times) for row, times in changed if (row.case_id, row.key) in still]
    moves = update(Wait.__table__).where(  # type: ignore[attr-defined]
        col(Wait.case_id) == bindparam("of_case"), col(Wait.key) == bindparam("of_key")
    )
    if changed:
        session.connection().execute(
            moves, [{"of_case": row.case_id, "of_key": row.key, **times.values()} for row, times in changed]
        )
    book, moved = Book(), []
    dated = [(row, times) for row, times in changed if times.due_at != row.due_at]
    for row, times in dated:
        one = Moved(
            row.number, row.key, row.due_at and local_date(row.due_at), times.due_at and local_date(times.due_at)
        )
        entry = ledger.append(
            cases[row.case_id],
            at=office.clock.now(),
            run_id=run.id,
            kind=EntryKind.REMARK,
            key=f"{row.key}/moved",
            actor=run.by,
            outcome="moved",
            reason=f"{one.before} menjadi {one.after}; {reason}",
        )
        book.write(LedgerEntry, **entry)
        moved.append(one)
    _tell(office, session, book, [(row, one) for (row, _), one in zip(dated, moved, strict=True)], reason)
    book.insert(session)
    return moved


def _tell(office: Office, session: Session, book: Book, moved: list[tuple[Row[Any], Moved]], reason: str) -> None:
    """Write to the applicants whose own question moved; officers read in their digest how many of theirs did."""
    dossiers = {one.row.id: one for one in fetch_waiting(office, session, {row.case_id for row, _ in moved})}
    theirs: dict[tuple[str, ...], int] = {}
    for row, one in moved:
        dossier = dossiers[row.case_id]
        wait = dossier.past.waits[row.key]
        if wait.role == Role.APPLICANT:
            _write(office, book, dossier, one, reason)
        else:
            names = tuple(_holders(session, dossier, wait))
            theirs[names] = theirs.get(names, 0) + 1
    for names, count in theirs.items():
        first = moved[0][1]
        what = f"moved/{reason[:60]}/{first.case}/{'+'.join(names)[:60]}"
        words = f"{count} tenggat bergeser: {reason}"
        notify(session, office, names, what=what, kind="moved", case_number=None, words=words)


def _holders(session: Session, dossier: Dossier, wait: Any) -> Iterator[str]:
    known: dict[Any, list[str]] = session.info.setdefault("holders", {})
    key = (wait.holder, wait.role, dossier.case.region_code)
    if key not in known:
        known[key] = told_of(session, dossier, wait, "holder")
    yield from known[key]


def _write(office: Office, book: Book, dossier: Dossier, one: Moved, reason: str) -> None:
    facts = {
        **letter_facts(office, dossier.case),
        "question": dossier.pipeline.questions[one.question.split("#")[0]].title,
        "before": one.before and one.before.isoformat(),
        "after": one.after and one.after.isoformat(),
        "reason": reason,
    }
    queue_letter(
        book,
        dossier.row,
        lambda plain: office.vault.seal(dossier.key, plain),
        office.clock.now(),
        key=f"{one.question}/date_moved-{dossier.row.last_seq}",
        folder=OFFICE,
        letter="date_moved",
        whom=dossier.case.applicant,
        facts=facts,
    )


__all__ = ["Moved", "add_day_off", "cancel_day_off", "rederive"]
