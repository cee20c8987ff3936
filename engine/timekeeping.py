"""Where the time goes: the working days that office, applicant and outside bodies held cases, derived from the clock's segments.

A working day belongs to whoever holds the case at 23:59:59 Asia/Jakarta of it; the day on which a case is opened counts for nobody.
So the days of all holders together are the working days between a case's opening and its end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Date, func, literal_column, type_coerce
from sqlmodel import Session, col, select

from engine.clock import JAKARTA, LAST_SECOND, end_of, local_date
from engine.legal_clock import DAY, stretches
from engine.office import Office
from engine.registry import current, pipeline_named
from engine.showing import case_numbered
from models import Case, CaseStatus, ClockSegment, Holder, Wait, WaitKind
from rules.regions import region_name

HELD = tuple(f"{holder}_days" for holder in Holder)


def by_pipeline(office: Office, session: Session, pipeline: str | None = None) -> list[dict[str, Any]]:
    """Return for each pipeline, by name, what ``jalur report time`` does. Raises `Refused` where there is no such pipeline.

    ``open`` cases are not closed (parked ones are open), ``late`` ones wait for a person whose date has passed; the days are
    working days, summed over all cases, open and closed. A pipeline without a case is there with zeros.
    """
    names = {pipeline_named(pipeline).name} if pipeline else {one.name for one in current()}
    sums = _sums(office, session, col(Case.pipeline), pipeline)
    return [{"pipeline": name, **sums[name]} for name in sorted(names | set(sums))]


def by_office(office: Office, session: Session, pipeline: str | None = None) -> list[dict[str, Any]]:
    """Return the same for each office, by code: that of the regency or city in which the cases' subjects are."""
    if pipeline:
        pipeline_named(pipeline)
    found = _sums(office, session, col(Case.region_code), pipeline)
    sums: dict[str, dict[str, int]] = defaultdict(_nothing)
    for code, of_code in found.items():
        for what, number in of_code.items():
            sums[office_of(code)][what] += number
    return [{"office": code, "name": region_name(code), **sums[code]} for code in sorted(sums)]


def of_case(office: Office, session: Session, number: str) -> dict[str, Any]:
    """Return the days that each held one case, and its stretches with their grounds. Raises `UnknownCase`."""
    case = case_numbered(session, number)
    wanted = select(ClockSegment).where(ClockSegment.case_id == case.id).order_by(col(ClockSegment.seq))
    segments = session.exec(wanted).all()
    opened_on, sums, shown = local_date(case.opened_at), dict.fromkeys(HELD, 0), []
    for segment, stretch in zip(segments, stretches(segments, office.clock.now()), strict=True):
        if segment.holder is None:
            continue
        days = office.calendar.working_days_between(max(stretch.first - DAY, opened_on), stretch.last)
        sums[f"{segment.holder}_days"] += days
        since = segment.since.astimezone(JAKARTA).isoformat()
        shown.append(
            {"since": since, "holder": segment.holder, "days": days, "key": segment.key, "ground": segment.ground}
        )
    return {"case": case.number, "pipeline": case.pipeline, **sums, "stretches": shown}


def office_of(region_code: str) -> str:
    """Return the four digits of the regency or city in which a region lies, as regions.toml has them."""
    return region_code.replace(".", "")[:4]


def local_day(session: Session, moment: Any) -> ColumnElement[date]:
    """Return the SQL for the day of ``moment`` in Asia/Jakarta: UTC+7 since 1964; a named zone is five times slower."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    ahead: Any = literal_column("INTERVAL '7 hours'")
    return type_coerce(func.date(moment, "+7 hours") if sqlite else func.date(func.timezone(ahead, moment)), Date)


def _sums(office: Office, session: Session, by: Any, pipeline: str | None) -> dict[str, dict[str, int]]:
    now = office.clock.now()
    sums: dict[str, dict[str, int]] = defaultdict(_nothing)
    only = [Case.pipeline == pipeline_named(pipeline).name] if pipeline else []
    is_open = Case.status != CaseStatus.CLOSED
    for name, count in session.exec(select(by, func.count()).where(is_open, *only).group_by(by)):
        sums[name]["open"] = count
    over = col(Wait.due_at) <= now - LAST_SECOND
    late = (
        select(by, func.count(func.distinct(Wait.case_id)))
        .join(Wait, col(Wait.case_id) == col(Case.id))
        .where(is_open, *only, Wait.kind == WaitKind.PERSON, col(Wait.settled_at).is_(None), over)
    )
    for name, count in session.exec(late.group_by(by)):
        sums[name]["late"] = count
    for (name, holder), days in _held(office, session, by, only, now).items():
        sums[name][f"{holder}_days"] = days
    return sums


def _held(office: Office, session: Session, by: Any, only: Iterable[Any], now: datetime) -> dict[tuple[str, str], int]:
    """Return the working days by name and holder: the database counts equal stretches, the calendar each length once."""
    following = func.lead(ClockSegment.since).over(
        partition_by=col(ClockSegment.case_id), order_by=col(ClockSegment.seq)
    )
    each = select(
        ClockSegment.case_id,
        ClockSegment.holder,
        local_day(session, col(ClockSegment.since)).label("since"),
        local_day(session, following).label("until"),
    ).subquery()
    at_opening = (each.c.since == local_day(session, col(Case.opened_at))).label("at_opening")
    alike: list[Any] = [by, each.c.holder, each.c.since, each.c.until, at_opening]
    counted: list[Any] = [*alike, func.count()]
    stretched = (
        select(*counted)
        .select_from(each)
        .join(Case, col(Case.id) == each.c.case_id)
        .where(each.c.holder.is_not(None), *only)
        .group_by(*alike)
    )
    today = local_date(now)
    running_until = today + DAY if now >= end_of(today) else today
    between = cache(office.calendar.working_days_between)
    days: dict[tuple[str, str], int] = defaultdict(int)
    for name, holder, first, end, opening, count in session.execute(stretched):
        before, last = first if opening else first - DAY, (end or running_until) - DAY
        if last > before:
            days[name, holder] += count * between(before, last)
    return days


def _nothing() -> dict[str, int]:
    return dict.fromkeys(("open", "late", *HELD), 0)
