"""The time report: working days on which office, applicants and outside bodies held cases.

A working day belongs to the holder at 23:59:59 Asia/Jakarta; a case's opening day counts for nobody. So the days of all
holders add up to the working days from opening to end. A parked case, or an answered one that no worker has taken up, lies
with the office, though its clock gets that segment only when it goes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, func, literal, literal_column, or_, type_coerce, union_all
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from engine.cases.dossier import fetch_row
from engine.cases.ledger import RECALLED
from engine.deadlines.clock import JAKARTA, LAST_SECOND, end_of, local_date
from engine.deadlines.legal_clock import DAY, stretches
from engine.definition.registry import current, pipeline_named
from engine.runtime.office import Office
from models import CaseFile, CaseStatus, ClockSegment, EntryKind, Holder, LedgerEntry, Wait, WaitKind
from rules.regions import region_name

HELD = tuple(f"{holder}_days" for holder in Holder)


def by_pipeline(office: Office, session: Session, pipeline: str | None = None) -> list[dict[str, Any]]:
    """Return the report by pipeline as ``jalur report time`` prints it.

    ``open`` counts the cases that are not closed (parked ones are open), ``late`` those that wait for a person whose date has
    passed; the days are working days, summed over all cases, open and closed. A pipeline without a case is listed with zeros.

    Raises:
        Refused: there is no such pipeline.
    """
    names = {pipeline_named(pipeline).name} if pipeline else {one.name for one in current()}
    sums = _sums(office, session, col(CaseFile.pipeline), pipeline)
    return [{"pipeline": name, **sums[name]} for name in sorted(names | set(sums))]


def by_office(office: Office, session: Session, pipeline: str | None = None) -> list[dict[str, Any]]:
    """Return the report by office: the regency or city of the cases' subjects.

    Raises:
        Refused: there is no such pipeline.
    """
    if pipeline:
        pipeline_named(pipeline)
    found = _sums(office, session, col(CaseFile.region_code), pipeline)
    sums: dict[str, dict[str, int]] = defaultdict(_nothing)
    for code, of_code in found.items():
        for what, number in of_code.items():
            sums[office_code(code)][what] += number
    return [{"office": code, "name": region_name(code), **sums[code]} for code in sorted(sums)]


def of_case(office: Office, session: Session, number: str) -> dict[str, Any]:
    """Return the report of one case: days by holder, and the stretches with their grounds.

    Raises:
        UnknownCase: there is no case of this number.
    """
    case = fetch_row(session, number)
    wanted = select(ClockSegment).where(ClockSegment.case_id == case.id).order_by(col(ClockSegment.seq))
    segments = list(session.exec(wanted))
    if idle := session.execute(_not_taken_up().where(col(CaseFile.id) == case.id)).first():
        segments.append(ClockSegment(**idle._mapping, ground="not taken up yet", key=""))
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


def office_code(region_code: str) -> str:
    """Return the four-digit code of the regency or city of a region, as in regions.toml."""
    return region_code.replace(".", "")[:4]


def local_day(session: Session, moment: Any) -> ColumnElement[date]:
    """Return the SQL for the day of ``moment`` in Asia/Jakarta.

    The zone is UTC+7 since 1964; in PostgreSQL a named zone is five times slower than the interval.
    """
    sqlite = session.get_bind().dialect.name == "sqlite"
    ahead: Any = literal_column("INTERVAL '7 hours'")
    return type_coerce(func.date(moment, "+7 hours") if sqlite else func.date(func.timezone(ahead, moment)), Date)


def _sums(office: Office, session: Session, by: Any, pipeline: str | None) -> dict[str, dict[str, int]]:
    now = office.clock.now()
    sums: dict[str, dict[str, int]] = defaultdict(_nothing)
    only = [CaseFile.pipeline == pipeline_named(pipeline).name] if pipeline else []
    is_open = CaseFile.status != CaseStatus.CLOSED
    for name, count in session.exec(select(by, func.count()).where(is_open, *only).group_by(by)):
        sums[name]["open"] = count
    over = col(Wait.due_at) <= now - LAST_SECOND
    late = (
        select(by, func.count(func.distinct(Wait.case_id)))
        .join(Wait, col(Wait.case_id) == col(CaseFile.id))
        .where(is_open, *only, Wait.kind == WaitKind.PERSON, col(Wait.settled_at).is_(None), over)
    )
    for name, count in session.exec(late.group_by(by)):
        sums[name]["late"] = count
    for (name, holder), days in _held(office, session, by, only, now).items():
        sums[name][f"{holder}_days"] = days
    return sums


def _held(office: Office, session: Session, by: Any, only: Iterable[Any], now: datetime) -> dict[tuple[str, str], int]:
    """Return the working days by name and holder.

    For speed the database counts equal stretches, and the calendar counts the days of each kind once.
    """
    columns: list[Any] = [ClockSegment.case_id, ClockSegment.seq, ClockSegment.holder, ClockSegment.since]
    segments = union_all(select(*columns), _not_taken_up()).subquery()
    following = func.lead(segments.c.since).over(partition_by=segments.c.case_id, order_by=segments.c.seq)
    each = select(
        segments.c.case_id,
        segments.c.holder,
        local_day(session, segments.c.since).label("since"),
        local_day(session, following).label("until"),
    ).subquery()
    at_opening = (each.c.since == local_day(session, col(CaseFile.opened_at))).label("at_opening")
    alike: list[Any] = [by, each.c.holder, each.c.since, each.c.until, at_opening]
    counted: list[Any] = [*alike, func.count()]
    stretched = (
        select(*counted)
        .select_from(each)
        .join(CaseFile, col(CaseFile.id) == each.c.case_id)
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


def _not_taken_up() -> Select[Any]:
    """Return the query for the segments that waiting cases will get once a worker takes them up.

    Such a segment lies with the office, and begins at the last answer or the opening.
    """
    entry: Any = LedgerEntry
    ended = or_(col(entry.kind).in_((EntryKind.ANSWER, EntryKind.MACHINE)), col(entry.outcome) == RECALLED)
    came_back = select(func.max(entry.at)).where(entry.case_id == CaseFile.id, ended).scalar_subquery()
    since: Any = func.coalesce(came_back, CaseFile.opened_at)
    last: Any = aliased(ClockSegment)
    seen = select(last.since).where(last.case_id == CaseFile.id, last.seq == CaseFile.segments).scalar_subquery()
    columns: list[Any] = [col(CaseFile.id).label("case_id"), (col(CaseFile.segments) + 1).label("seq")]
    columns += [literal(str(Holder.OFFICE)).label("holder"), since.label("since")]
    waits_for_us = or_(col(CaseFile.ready), col(CaseFile.status) == CaseStatus.PARKED)
    segments: Select[Any] = select(*columns).where(
        col(CaseFile.status) != CaseStatus.CLOSED, waits_for_us, or_(seen.is_(None), since > seen)
    )
    return segments


def _nothing() -> dict[str, int]:
    return dict.fromkeys(("open", "late", *HELD), 0)
