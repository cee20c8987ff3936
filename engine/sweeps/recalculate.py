"""Recalculate every open clock after a decision about a day, and tell whose date changed.

Each wait moves in the transaction of its remark, a chunk of cases at a time, by its locked row: the same decision, given again
after a crash, moves nothing twice. A date that people were told never moves behind today: no application lapses by a decision.
A case whose version has no code stops no other: it is logged, and the administrators are told.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session, col, or_, select

from engine.cases.dossier import SEGMENTS, Dossier, lock_dossiers, lock_rows
from engine.cases.ledger import write_remark
from engine.cases.waits import overwrite_many
from engine.deadlines.clock import JAKARTA, local_date
from engine.deadlines.due_dates import Times, keep_told_dates, times_of
from engine.deadlines.legal_clock import case_due_date
from engine.definition.registry import pipeline_named
from engine.letters.notices import News, administrators, notify_all
from engine.letters.queue import write_to_applicant
from engine.runtime.batches import process_batch
from engine.runtime.database import among
from engine.runtime.office import Office, RunHandle, Work
from engine.sweeps.escalation import asked_of
from models import CaseFile, ClockSegment, Role, Wait
from models.privacy import without_personal_numbers
from rules import RulesAt

log = logging.getLogger(__name__)
CHUNK = 2000
NAMED = 5  # cases that a digest names; the log has them all


@dataclass(frozen=True)
class Moved:
    """An open question whose date changed."""

    case: str
    question: str
    before: date | None
    after: date | None

    def as_json(self) -> dict[str, Any]:
        """Return the change as ``jalur calendar add`` prints it."""
        shown = {"from": self.before, "to": self.after}
        return {"case": self.case, "question": self.question, **{k: v and v.isoformat() for k, v in shown.items()}}


def recalculate(office: Office, run: RunHandle, day: date, reason: str) -> list[Moved]:
    """Recalculate every open clock that runs over ``day``; return the questions that moved.

    They come by case and question.
    """
    moved: list[Moved] = []
    after: tuple[int, str] = (0, "")
    known: dict[Any, Times] = {}
    failed: dict[str, Exception] = {}
    while True:
        with office.db.reading() as session:
            rows = _open_clocks(session, day, after)
            wrong = {row.case_id: row.number for row, _ in _outdated(office, session, rows, known, failed)}
        if not rows:
            break
        after = (rows[-1].case_id, rows[-1].key)
        moved += _move_group(office, run, wrong, day, reason, known, failed)
    if failed:
        _report(office, run, failed, reason)
    run.cases += len({one.case for one in moved})
    return moved


def _move_group(
    office: Office,
    run: RunHandle,
    cases: dict[int, str],
    day: date,
    reason: str,
    known: dict[Any, Times],
    failed: dict[str, Exception],
) -> list[Moved]:
    """Move the waits of some cases in one transaction; if it fails, in halves, down to one case.

    Mutates: ``failed``, with each case that could not be moved.
    """

    def moved(group: Sequence[int]) -> list[Moved]:
        with office.work(run) as work:
            return _move(work, set(group), day, reason, known)

    def not_moved(case_id: int, error: Exception) -> list[Moved]:
        failed[cases[case_id]] = error
        return []

    return [one for group in process_batch(list(cases), moved, not_moved, bisect=True) for one in group]


def _report(office: Office, run: RunHandle, failed: dict[str, Exception], reason: str) -> None:
    """Log each case whose clock could not be recalculated, and tell the administrators once."""
    for number, error in failed.items():
        why = without_personal_numbers(f"{type(error).__name__}: {error}")
        log.error("The clock of case %s was not derived again: %s", number, why)
    named = ", ".join([*list(failed)[:NAMED], *([f"dan {len(failed) - NAMED} lainnya"] if len(failed) > NAMED else [])])
    words = f"Tenggat {len(failed)} permohonan belum dihitung ulang ({named}): {reason}. Perbaiki, lalu ulangi keputusan itu."
    with office.work(run) as work:
        notify_all(
            work.session,
            office,
            [News(administrators(work.session, work.today), f"not-moved/{run.id}", "failed", None, words)],
        )


_TIMES = (Wait.asked_at, Wait.due_at, Wait.silent_at, Wait.next_due_at, Wait.rung)
_OPEN = (Wait.case_id, Wait.key, Wait.question, Wait.role, Wait.holder, *_TIMES)
_OF_CASE = (
    CaseFile.number,
    CaseFile.pipeline,
    CaseFile.version,
    CaseFile.rule_date,
    CaseFile.complete_at,
    CaseFile.region_code,
)


def _open_clocks(
    session: Session, day: date, after: tuple[int, str] = (0, ""), *, of: set[int] | None = None
) -> Sequence[Row[Any]]:
    """Return the next chunk of open waits that are due or end on ``day`` or later.

    ``of`` returns all of those of some cases instead.
    """
    begins = datetime.combine(day, time(0), JAKARTA)
    late = [col(column) >= begins for column in (Wait.due_at, Wait.silent_at, Wait.next_due_at)]
    wanted = (
        select(*_OPEN, Wait.extended_until, *_OF_CASE)  # type: ignore[call-overload]
        .join(CaseFile, col(CaseFile.id) == col(Wait.case_id))
        .where(col(Wait.settled_at).is_(None), col(Wait.due_at).is_not(None), or_(*late))
        .order_by(col(Wait.case_id), col(Wait.key))
    )
    if of is not None:
        return session.execute(wanted.where(among(session, col(Wait.case_id), of))).all()
    further = or_(col(Wait.case_id) > after[0], (col(Wait.case_id) == after[0]) & (col(Wait.key) > after[1]))
    return session.execute(wanted.where(further).limit(CHUNK)).all()


def _outdated(
    office: Office,
    session: Session,
    rows: Sequence[Row[Any]],
    known: dict[Any, Times],
    failed: dict[str, Exception],
) -> list[tuple[Row[Any], Times]]:
    """Return the waits whose times have changed, with their new times.

    Mutates: ``failed``, with each case that can't be recalculated.
    """
    segments, now = _segments(session, rows), office.clock.now()
    found: list[tuple[Row[Any], Times]] = []
    for row in rows:
        try:
            times = _times(office, row, segments, known, now)
        except Exception as error:
            failed[row.number] = error
            continue
        same = (times.due_at, times.silent_at, times.next_due_at) == (row.due_at, row.silent_at, row.next_due_at)
        if not same:
            found.append((row, times))
    return found


def _segments(session: Session, rows: Sequence[Row[Any]]) -> dict[int, list[Any]]:
    """Return the clock's segments of the cases whose legal clock has started."""
    counted = {row.case_id for row in rows if row.complete_at}
    found: dict[int, list[Any]] = {case_id: [] for case_id in counted}
    if counted:
        wanted = select(*SEGMENTS).where(among(session, col(ClockSegment.case_id), counted))
        for segment in session.execute(wanted.order_by(col(ClockSegment.seq))):
            found[segment.case_id].append(segment)
    return found


def _times(
    office: Office, row: Row[Any], segments: dict[int, list[Any]], known: dict[Any, Times], now: datetime
) -> Times:
    """Return the times of a wait under today's calendar.

    Many cases share pipeline, rules and day of asking: ``known`` keeps what was computed for one.
    """
    pipeline = pipeline_named(row.pipeline, row.version)
    rules, asked_on = RulesAt(pipeline.rules, row.rule_date), local_date(row.asked_at)
    question = pipeline.questions[row.question]
    of_case = segments.get(row.case_id, [])
    legal = case_due_date(office.calendar, rules, pipeline.clock, row.complete_at, of_case, row.asked_at)
    key = (row.pipeline, row.version, row.rule_date, row.question, asked_on, row.rung, row.extended_until, legal)
    if key not in known:
        known[key] = times_of(
            office.calendar,
            rules,
            question,
            row.asked_at,
            rung=row.rung,
            extended_until=row.extended_until,
            legal_due=legal,
        )
    return keep_told_dates(office.calendar, rules, question, row, known[key], now)


def _move(work: Work, ids: set[int], day: date, reason: str, known: dict[Any, Times]) -> list[Moved]:
    """Move the outdated waits of these cases; remark each change of a date, and tell people.

    Locks: the cases, before their waits are read again.
    """
    cases = lock_rows(work, ids)
    changed = _outdated(work.office, work.session, _open_clocks(work.session, day, of=ids), known, {})
    if not changed:
        return []
    alike: dict[tuple[str, Times], list[int]] = defaultdict(list)
    for row, times in changed:
        alike[row.key, times].append(row.case_id)
    for (key, times), of in alike.items():  # a few updates: many cases were asked the same on the same day
        overwrite_many(work, key, of, times.values())
    dated = [(row, times) for row, times in changed if (times.due_at, times.silent_at) != (row.due_at, row.silent_at)]
    for row, times in dated:
        said = "; ".join([*_in_words(row, times), reason])
        write_remark(work, cases[row.case_id], f"{row.key}/moved", work.run.by, said, outcome="moved")
    _tell(work, dated, reason)
    return [
        Moved(row.number, row.key, local_date(row.due_at), local_date(times.due_at) if times.due_at else None)
        for row, times in dated
        if times.due_at != row.due_at
    ]


def _in_words(row: Row[Any], times: Times) -> Iterator[str]:
    for name, before, after in (("", row.due_at, times.due_at), ("batas akhir ", row.silent_at, times.silent_at)):
        if before != after and before and after:
            yield f"{name}{local_date(before)} menjadi {local_date(after)}"


def _tell(work: Work, dated: list[tuple[Row[Any], Times]], reason: str) -> None:
    """Write to applicants whose own question moved; tell officers in their digest how many did."""
    theirs: dict[tuple[str | None, str, str], list[Row[Any]]] = defaultdict(list)
    for row, _ in dated:
        theirs[row.holder, row.role, row.region_code].append(row)
    letters = {row.case_id for row, _ in dated if row.role == Role.APPLICANT}
    firsts = {rows[0].case_id for rows in theirs.values()}
    dossiers = {one.row.id: one for one in lock_dossiers(work, letters | firsts, history=False)}
    for row, times in dated:
        if row.role == Role.APPLICANT:
            _write(work, dossiers[row.case_id], row, times, reason)
    counts: Counter[tuple[str, ...]] = Counter()
    for (_, role, _), rows in theirs.items():
        if role != Role.APPLICANT:
            counts[tuple(asked_of(work.session, dossiers[rows[0].case_id], rows[0], work.today))] += len(rows)
    news = [
        News(
            names,
            f"moved/{work.run.id}/{dated[0][0].number}/{place}",
            "moved",
            None,
            f"{count} tenggat bergeser: {reason}",
        )
        for place, (names, count) in enumerate(counts.items())
    ]
    notify_all(work.session, work.office, news)


def _write(work: Work, dossier: Dossier, row: Row[Any], times: Times, reason: str) -> None:
    facts = {
        "question": dossier.pipeline.questions[row.question].title,
        "due": _change(row.due_at, times.due_at),
        "ends": _change(row.silent_at, times.silent_at),
        "reason": reason,
        "provisional": work.calendar.provisional_years(
            *(local_date(one) for one in (times.due_at, times.silent_at) if one)
        ),
    }
    key = f"{row.key}/date_moved-{dossier.row.last_seq}"
    write_to_applicant(work, dossier, key=key, letter="date_moved", facts=facts)


def _change(before: datetime | None, after: datetime | None) -> list[dict[str, str]]:
    if not before or not after or before == after:
        return []
    return [{"before": local_date(before).isoformat(), "after": local_date(after).isoformat()}]
