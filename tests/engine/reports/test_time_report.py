"""How long office, applicant and outside bodies held the cases: by pipeline, office and case, against a count day by day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, insert

from engine.actions.answer import answer
from engine.deadlines.clock import JAKARTA, TurnedClock, end_of, local_date
from engine.errors import Refused
from engine.reports.time_report import by_office, by_pipeline, of_case
from engine.runtime.office import Office
from models import CaseFile, CaseStatus, ClockSegment, Wait, WaitKind
from tests.engine.conftest import Begin
from tests.people import register_person
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop
from tests.stories.nib_legalization.conftest import NibStory

HOLDERS = ("office", "applicant", "outside")
DAYS = ("office_days", "applicant_days", "outside_days")
OPENED = datetime(2026, 3, 9, 9, 0, tzinfo=JAKARTA)  # two weeks before Lebaran and its joint leave
LAST_SECOND = int((end_of(OPENED.date()) - OPENED).total_seconds())
GAPS = st.one_of(st.integers(0, 20 * 86400), st.sampled_from([0, LAST_SECOND, LAST_SECOND + 1, 86400]))
# When it was opened, who held it for how long, and who held it last: nobody, where it is closed.
LIVES = st.tuples(
    GAPS, st.lists(st.tuples(st.sampled_from(HOLDERS), GAPS), max_size=5), st.sampled_from([*HOLDERS, None])
)
OF_A_CASE = {
    "rule_date": OPENED.date(),
    "subject_kind": "business",
    "subject_id": 1,
    "salt": "",
    "facts": b"",
    "version": 1,
}


def lived(opened: int, turns: list[tuple[str, int]], last: str | None) -> list[tuple[datetime, str | None]]:
    """From when on each held the case; the first holder has it from its opening on."""
    moment, segments = OPENED + timedelta(seconds=opened), []
    for holder, seconds in turns:
        segments.append((moment, holder))
        moment += timedelta(seconds=seconds)
    return [*segments, (moment, last)]


def write(session: Session, number: int, segments: list[tuple[datetime, str | None]], **about: Any) -> None:
    """Put a case with such a clock into the database."""
    closed = segments[-1][1] is None
    row = {
        **OF_A_CASE,
        "id": number,
        "number": f"FRM-2026-{number:06d}",
        "pipeline": "farm-visit",
        "person_id": 1,
        "region_code": "3508",
        "status": CaseStatus.CLOSED if closed else CaseStatus.OPEN,
        "opened_at": segments[0][0],
        "ready": False,
        "segments": len(segments),
        **about,
    }
    session.execute(insert(CaseFile).values(**row))
    for seq, (since, holder) in enumerate(segments, start=1):
        session.execute(
            insert(ClockSegment).values(
                case_id=number, seq=seq, since=since, holder=holder, running=False, ground="", key=""
            )
        )


def day_by_day(office: Office, segments: list[tuple[datetime, str | None]], now: datetime) -> dict[str, int]:
    """The slow count: at the last second of each working day after the opening, who holds the case?"""
    counted = dict.fromkeys(DAYS, 0)
    day = local_date(segments[0][0]) + timedelta(days=1)
    while end_of(day) <= now:
        [*_, holder] = [holder for since, holder in segments if since <= end_of(day)]
        if holder and office.calendar.is_working_day(day):
            counted[f"{holder}_days"] += 1
        day += timedelta(days=1)
    return counted


@given(lives=st.lists(LIVES, min_size=1, max_size=4), later=GAPS)
@example(lives=[(0, [("office", LAST_SECOND)], "applicant")], later=86400)
@example(lives=[(0, [("office", 60), ("applicant", 60)], None)], later=0)
@example(lives=[(0, [], "outside")], later=LAST_SECOND)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.slow
def test_the_sums_are_what_a_count_day_by_day_gives(
    office: Office, clock: TurnedClock, workshop: Workshop, lives: list[Any], later: int
) -> None:
    """Over Lebaran and weekends, several turns in a day, a turn in the last second, open and closed; and nothing is lost."""
    cases = [lived(*life) for life in lives]
    clock.moment = now = max(segments[-1][0] for segments in cases) + timedelta(seconds=later)
    slow = [day_by_day(office, segments, now) for segments in cases]
    ready(office, workshop)
    with Session(office.db.engine) as session:
        for number, segments in enumerate(cases, start=1):
            write(session, number, segments)
        [farm] = by_pipeline(office, session, "farm-visit")
        lumajang = [*by_office(office, session), dict.fromkeys(DAYS, 0)][0]  # one with nothing to tell is not listed
        shown = [of_case(office, session, f"FRM-2026-{number:06d}") for number in range(1, len(cases) + 1)]
        session.rollback()
    sums = {days: sum(one[days] for one in slow) for days in DAYS}
    assert {days: farm[days] for days in DAYS} == sums == {days: lumajang[days] for days in DAYS}
    assert [{days: one[days] for days in DAYS} for one in shown] == slow
    assert farm["open"] == sum(segments[-1][1] is not None for segments in cases)
    for segments, one in zip(cases, slow, strict=True):
        end = segments[-1][0] if segments[-1][1] is None else now + timedelta(seconds=1)
        opened, last = local_date(segments[0][0]), local_date(end) - timedelta(days=1)
        assert sum(one.values()) == office.calendar.working_days_between(opened, last)


def ready(office: Office, workshop: Workshop) -> None:
    """The made-up pipeline and one person are there, however often a test asks for them."""
    if not hasattr(workshop, "is_ready"):
        workshop.write()
        register_person(office)
        workshop.is_ready = True  # type: ignore[attr-defined]


def test_each_pipeline_and_each_office_is_told_apart(office: Office, clock: TurnedClock, workshop: Workshop) -> None:
    """Open, late and the days; a pipeline without a case is listed with zeros, one that is unknown is refused."""
    ready(office, workshop)
    clock.moment = OPENED + timedelta(days=2)
    with Session(office.db.engine) as session:
        write(session, 1, [(OPENED, "office"), (OPENED + timedelta(days=1), "applicant")], region_code="35.78")
        write(session, 2, [(OPENED, "outside")], region_code="3578", status=CaseStatus.PARKED)
        write(session, 3, [(OPENED, "office")], pipeline="nib-legalization")
        write(session, 4, [(OPENED, "office"), (OPENED + timedelta(days=2), None)], pipeline="nib-legalization")
        for case, key, days in ((1, "visit#1", 1), (1, "visit#2", 1), (2, "visit#1", 3), (3, "dossier_check#1", 1)):
            due = OPENED + timedelta(days=days)
            wait = {"case_id": case, "key": key, "kind": WaitKind.PERSON, "asked_at": OPENED, "due_at": due}
            session.execute(insert(Wait).values(**wait, pipeline="farm-visit", arguments_hash="", apart_from=[]))
        rows = {row.pop("pipeline"): row for row in by_pipeline(office, session)}
        offices = {row.pop("office"): row for row in by_office(office, session)}
        of_farms = by_office(office, session, "farm-visit")
        with pytest.raises(Refused, match="no pipeline sago"):
            by_pipeline(office, session, "sago")
    nothing: dict[str, Any] = dict.fromkeys(("open", "late", *DAYS), 0)
    sums = partial(dict[str, Any], nothing)
    assert rows["farm-visit"] == sums(open=2, late=1, applicant_days=1, outside_days=1)
    assert rows["nib-legalization"] == sums(open=1, late=1, office_days=2)
    assert rows["halal-regular"] == sums()
    assert offices["3578"] == sums(name="Kota Surabaya", open=2, late=1, applicant_days=1, outside_days=1)
    assert offices["3508"] == sums(name="Kabupaten Lumajang", open=1, late=1, office_days=2)
    assert [row["office"] for row in of_farms] == ["3578"]


def test_a_case_shows_its_stretches(begin: Begin, office: Office, workshop: Workshop, blank_papers: None) -> None:
    """Carried by the engine: an officer takes from Monday to Wednesday, then the companion does."""
    workshop.write()
    story = begin()
    story.on("2026-01-14").answers("budi", "visit", decision="fine")
    story.on("2026-01-15", hour=20)
    with office.db.reading() as session:
        shown = of_case(office, session, story.number)
    assert (shown["case"], *(shown[days] for days in DAYS)) == (story.number, 2, 0, 0)
    assert [(one["holder"], one["days"]) for one in shown["stretches"]] == [("office", 2)]
    assert shown["stretches"][0]["since"].startswith("2026-01-12T09:00:00")


def test_what_an_officer_files_by_hand_lies_with_the_office(
    nib: Callable[..., NibStory], office: Office, blank_papers: None
) -> None:
    """OSS gives a NIB at once; where no machine asks it, the days until somebody does are ours. DPMPTSP's days are its own."""
    story = nib().to_statement("MT").signs_on_paper().on("2026-01-15")
    assert story.waits_for == ["oss_filing#1"]
    story.corrected(phone="081234567890").advance()  # it is played once more, and nothing changes hands
    assert story.shown()["clock"]["holder"] == "office"
    story.filed().recorded().on("2026-01-19", hour=20)
    with office.db.reading() as session:
        shown = of_case(office, session, story.number)
    held = [(one["holder"], one["key"], one["days"]) for one in shown["stretches"]]
    assert ("office", "oss_filing#1", 2) in held and held[-1] == ("outside", "verification#1", 1)
    assert {days: shown[days] for days in DAYS} == {"office_days": 2, "applicant_days": 0, "outside_days": 1}


@pytest.mark.both_databases
def test_a_case_that_nobody_takes_up_lies_with_the_office(
    nib: Callable[..., NibStory], office: Office, workshop: Workshop, begin: Begin, blank_papers: None
) -> None:
    """Opened and parked at its first step; answered by its owner and no worker came by: nobody waits for the owner now."""
    workshop.write(FARM_VISIT, "made_up", ('return "selamat datang"', "return 1 / 0"))
    parked = begin()
    story = nib(national_id="3508166904956221").dossier("return", deficiencies=["foto tempat usaha"]).on("2026-01-14")
    with office.run("cli", by="owner-2") as run:
        answer(office, run, story.number, "correction#1", by="owner-2", data={"business_name": "Sari Sri Jaya"})
    story.on("2026-01-20", hour=20)
    # The 13th to the 15th and the 19th; the 16th is a holiday, the 20th is not over. On the 13th it lay with the owner.
    held = {"office_days": 4, "applicant_days": 0, "outside_days": 0}
    held_by_both = {"office_days": 3, "applicant_days": 1, "outside_days": 0}
    with office.db.reading() as session:
        shown = [of_case(office, session, one.number) for one in (parked, story)]
        rows = {row["pipeline"]: row for row in by_pipeline(office, session)}
    for one, row, days in zip(shown, (rows["farm-visit"], rows["nib-legalization"]), (held, held_by_both), strict=True):
        assert {name: one[name] for name in DAYS} == {name: row[name] for name in DAYS} == days
    story.advance()
    with office.db.reading() as session:
        assert {name: of_case(office, session, story.number)[name] for name in DAYS} == held_by_both
