"""Record the office's decisions about days: an added day off, or work on a listed day off.

engine/sweeps/recalculate.py recalculates every clock that such a decision moves.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import text
from sqlmodel import Session, col, select

from engine.cases.ledger import optional_reason
from engine.deadlines.calendar import Calendar
from engine.errors import NotAllowed, Refused
from engine.people.permissions import user_named
from engine.people.roles import roles_of
from engine.runtime.office import Office, RunHandle
from engine.runtime.office_ledger import record
from engine.sweeps.recalculate import Moved, recalculate
from models import CalendarDay, CalendarKind, Role

MAY_DECIDE = (Role.DIVISION_HEAD, Role.OFFICE_HEAD, Role.ADMINISTRATOR)


def add_day_off(office: Office, run: RunHandle, day: date, name: str, *, by: str | None = None) -> list[Moved]:
    """Decide that the office does not work on ``day``; return the questions whose date moved.

    Without ``by`` whoever runs the command decides. Decided once more after a crash, it goes on with the remaining clocks.

    Raises:
        NotAllowed: ``by`` is neither a head nor an administrator.
        Refused: The day is off already, has no name, or lies in a year without a known list.
    """
    return _decide(office, run, day, CalendarKind.OFFICE, name, by)


def cancel_day_off(office: Office, run: RunHandle, day: date, reason: str, *, by: str | None = None) -> list[Moved]:
    """Decide that the office works on a listed day off; return the questions whose date moved.

    Without ``by`` whoever runs the command decides. Decided once more after a crash, it goes on with the remaining clocks.

    Raises:
        NotAllowed: ``by`` is neither a head nor an administrator.
        Refused: No day off is listed there, or no reason is given.
    """
    return _decide(office, run, day, CalendarKind.CANCELLED, reason, by)


def _decide(office: Office, run: RunHandle, day: date, kind: CalendarKind, name: str, by: str | None) -> list[Moved]:
    name = optional_reason(name)
    if not name:
        raise Refused(
            "Say in words why: the name of the day off, or the reason to work on it",
            for_people="Tuliskan nama hari libur itu, atau alasan tetap bekerja.",
        )
    with office.work(run) as work:
        session = work.session
        if by is not None:
            _may_decide(session, by, office.clock.today())
        # The lock waits for every transaction that counts by the old days; SQLite has one writer anyway.
        if not office.db.is_sqlite:
            session.execute(text("LOCK TABLE calendar_day IN ACCESS EXCLUSIVE MODE"))
        office.refresh_calendar(session)
        refused = _refused(office.calendar, day, kind)
        newest = session.exec(
            select(CalendarDay).where(col(CalendarDay.day) == day).order_by(col(CalendarDay.id).desc()).limit(1)
        ).first()
        again = newest is not None and newest.kind == kind
        if newest is not None and again:
            name = newest.name
        elif refused:
            raise refused
        else:
            decided = CalendarDay(
                day=day, kind=str(kind), name=name, recorded_by=by or run.by, recorded_at=office.clock.now()
            )
            session.add(decided)
            session.flush()
            record(work, "day decided", day.isoformat(), {"kind": str(kind)}, rows=[decided], actor=by)
    with office.db.reading() as session:
        office.refresh_calendar(session)
    what = "hari libur baru" if kind is CalendarKind.OFFICE else "hari libur dibatalkan"
    moved = recalculate(office, run, day, f"{what} {day.isoformat()}: {name}")
    if again and refused and not moved:
        raise refused
    return moved


def must_know(calendar: Calendar, year: int) -> None:
    """Refuse a year for which no list of days off is known: an empty list would mislead.

    Raises:
        Refused: Names the year.
    """
    if not calendar.knows(year):
        raise Refused(
            f"No list of days off is known for {year}: neither a decree nor the library has one",
            for_people=f"Daftar hari libur tahun {year} tidak tersedia.",
        )


def _may_decide(session: Session, name: str, on: date) -> None:
    if roles_of(session, user_named(session, name), on).isdisjoint(MAY_DECIDE):
        raise NotAllowed(
            f"{name} may not decide on which days the office works; that takes: {', '.join(MAY_DECIDE)}",
            for_people=f"{name} tidak berwenang menetapkan hari kerja kantor. Mintalah kepala bidang, kepala dinas atau "
            "administrator.",
            user=name,
        )


def _refused(calendar: Calendar, day: date, kind: CalendarKind) -> Refused | None:
    """Return the refusal where there is nothing to decide about ``day``, or None."""
    must_know(calendar, day.year)
    listed = calendar.days_off(day.year).get(day, ("", ""))[0]
    if kind is CalendarKind.OFFICE and not calendar.is_working_day(day):
        known = listed or "akhir pekan"
        return Refused(
            f"{day} is no working day already ({known}); nothing was changed",
            for_people=f"{day.isoformat()} sudah bukan hari kerja ({known}); tidak ada yang diubah.",
        )
    if kind is CalendarKind.CANCELLED and day.weekday() >= 5:
        return Refused(
            f"{day} is a weekend, and stays one; name a listed day off from Monday to Friday",
            for_people=f"{day.isoformat()} jatuh pada akhir pekan. Sebutkan hari libur pada Senin sampai Jumat.",
        )
    if kind is CalendarKind.CANCELLED and not listed:
        return Refused(
            f"{day} is not on the list of days off; see: jalur calendar --year {day.year}",
            for_people=f"{day.isoformat()} tidak ada dalam daftar hari libur. Lihat: jalur calendar --year {day.year}",
        )
    return None
