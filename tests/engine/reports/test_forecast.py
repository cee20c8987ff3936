"""What will be late at the present pace: a queue a desk, oldest date first, as fast as it was when something lay there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session, insert

from engine.deadlines.clock import JAKARTA, TurnedClock
from engine.reports.forecast import forecast
from engine.runtime.office import Office
from models import CaseFile, Wait, WaitKind
from tests.people import register_person


class Desks:
    """Questions that were asked and answered, written straight into the tables."""

    def __init__(self, office: Office, session: Session) -> None:
        self.office, self.session, self.cases = office, session, 0

    def asked(self, on: str, *, due: str | None = None, answered: str | None = None, **about: Any) -> str:
        """Ask a question of a new case; return the case's number."""
        self.cases += 1
        about = {"question": "visit", "role": "officer", "holder": "budi", "region": "3508", **about}
        number = f"FRM-2026-{self.cases:06d}"
        pipeline = about.pop("pipeline", "farm-visit")
        case = {"id": self.cases, "number": number, "pipeline": pipeline, "region_code": about.pop("region")}
        rest = {"version": 1, "rule_date": at(on).date(), "subject_kind": "business", "subject_id": 1, "person_id": 1}
        self.session.execute(insert(CaseFile).values(**case, **rest, salt="", facts=b"", opened_at=at(on)))
        wait = {"case_id": self.cases, "key": f"{about['question']}#1", "pipeline": pipeline, **about}
        times = {"asked_at": at(on), "due_at": at(due, 23) if due else None}
        ended = {"settled_at": at(answered), "settled_as": "answered"} if answered else {}
        made = {"kind": WaitKind.PERSON, "arguments_hash": "", "apart_from": []}
        self.session.execute(insert(Wait).values(**wait, **made, **times, **ended))
        return number

    def told(self, **options: Any) -> dict[str, Any]:
        """The forecast, its cases by number: expected day and whether that is too late."""
        found = forecast(self.office, self.session, **options)
        found["cases"] = {one["case"]: (one["expected_on"], one["breaches"]) for one in found["cases"]}
        return found


def at(day: str, hour: int = 10) -> datetime:
    """That hour in Surabaya."""
    return datetime.fromisoformat(f"{day}T{hour:02d}:00:00").replace(tzinfo=JAKARTA)


@pytest.fixture
def desks(office: Office, clock: TurnedClock) -> Any:
    """Monday 13 July 2026, a month without holidays."""
    register_person(office)
    clock.moment = at("2026-07-13")
    with Session(office.db.engine) as session:
        yield Desks(office, session)


def test_a_backlog_is_answered_one_after_the_other(desks: Desks) -> None:
    """Ten answers in five working days: two a day, so of five the fifth comes on the third day. Today counts."""
    for day in range(6, 11):
        for _ in range(2):
            desks.asked("2026-07-06", answered=f"2026-07-{day:02d}")
    later = [desks.asked("2026-07-13", due="2026-07-16") for _ in range(2)]
    first = [desks.asked("2026-07-13", due="2026-07-14") for _ in range(3)]
    told = desks.told()
    on_monday, on_tuesday, on_wednesday = "2026-07-13", "2026-07-14", "2026-07-15"
    assert list(told["cases"].items()) == [
        (first[0], (on_monday, False)),
        (first[1], (on_monday, False)),
        (first[2], (on_tuesday, False)),
        (later[0], (on_tuesday, False)),
        (later[1], (on_wednesday, False)),
    ]
    assert told["by_officer"] == [{"officer": "budi", "open": 5, "late": 0, "will_breach": 0, "pace_days": 0.5}]
    more = [desks.asked("2026-07-13", due="2026-07-13") for _ in range(6)]
    told = desks.told()
    assert [told["cases"][number] for number in (more[1], more[5], first[0], first[2], later[1])] == [
        ("2026-07-13", False),
        ("2026-07-15", True),
        ("2026-07-16", True),
        ("2026-07-17", True),
        ("2026-07-20", True),  # Monday, after a weekend
    ]
    assert told["by_officer"][0]["will_breach"] == told["by_office"][0]["will_breach"] == 9


def test_an_empty_desk_says_nothing_of_its_pace(desks: Desks) -> None:
    """Five answers in two months, each on the day it was asked: one a day, and not one in eight days."""
    for day in ("2026-05-18", "2026-05-25", "2026-06-08", "2026-06-22", "2026-07-06"):
        desks.asked(day, answered=day)
    number = desks.asked("2026-07-13", due="2026-07-14")
    told = desks.told()
    assert told["cases"] == {number: ("2026-07-13", False)}
    assert told["by_officer"][0]["pace_days"] == 1


def test_who_has_no_pace_goes_at_the_pace_of_the_question_and_then_at_its_budget(desks: Desks) -> None:
    """Each owner is asked once: they all take two days. A question that nobody answered yet is believed its date."""
    for owner in range(6):
        desks.asked(
            "2026-07-06", answered="2026-07-07", role="applicant", holder=f"owner-{owner}", question="correction"
        )
    fresh = desks.asked("2026-07-13", due="2026-07-20", role="applicant", holder="owner-9", question="correction")
    short = desks.asked("2026-07-13", due="2026-07-13", role="applicant", holder="owner-8", question="correction")
    unknown = desks.asked("2026-07-13", due="2026-07-15", question="sample")
    passed = desks.asked("2026-07-01", due="2026-07-10", question="sample")
    dateless = desks.asked("2026-07-13", question="sample")
    told = desks.told()
    assert told["cases"] == {
        passed: ("2026-07-13", True),
        short: ("2026-07-14", True),
        unknown: ("2026-07-15", False),
        fresh: ("2026-07-14", False),
        dateless: (None, False),
    }
    assert told["by_officer"] == [{"officer": "budi", "open": 3, "late": 1, "will_breach": 0, "pace_days": None}]
    assert told["by_office"] == [
        {"office": "3508", "name": "Kabupaten Lumajang", "open": 5, "late": 1, "will_breach": 1}
    ]
    assert list(desks.told(within=2)["cases"]) == [passed, short, unknown]


def test_a_role_is_one_desk_in_each_office_and_what_is_long_past_is_forgotten(desks: Desks) -> None:
    """Officers who were asked as a role share their queue; another city has its own; 90 days are looked back on."""
    for _ in range(10):
        desks.asked("2026-07-06", answered="2026-07-06", holder=None)
        desks.asked("2026-01-05", answered="2026-03-05", holder=None, region="35.78")
    here = [desks.asked("2026-07-13", due="2026-07-13", holder=None) for _ in range(11)]
    there = desks.asked("2026-07-13", due="2026-07-13", holder=None, region="3578")
    told = desks.told()
    assert [told["cases"][number] for number in (here[9], here[10])] == [("2026-07-13", False), ("2026-07-14", True)]
    assert told["cases"][there] == ("2026-07-13", False)  # at the pace of the question everywhere
    assert [(one["officer"], one["pace_days"]) for one in told["by_officer"]] == [
        ("officer 3508", 0.1),
        ("officer 3578", None),
    ]


def test_who_has_stopped_answering_is_slow(desks: Desks) -> None:
    """Ten answers in the first week of June, and none since, with forty on the desk: 30 days' work for ten is no one a day."""
    for day in range(1, 6):
        for _ in range(2):
            desks.asked(f"2026-06-0{day}", answered=f"2026-06-0{day}")
    waiting = [desks.asked("2026-06-08", due="2026-07-20") for _ in range(40)]
    told = desks.told()
    # 1-5 June without the holiday of the 1st are four working days; 8 June to 10 July, without that of 16 June, are 24.
    [budi] = told["by_officer"]
    assert budi == {"officer": "budi", "open": 40, "late": 0, "will_breach": 38, "pace_days": 2.8}
    assert [told["cases"][number] for number in waiting[:3]] == [
        ("2026-07-15", False),  # in 2.8 working days, of which today is the first
        ("2026-07-20", False),
        ("2026-07-23", True),
    ]


def test_what_an_outside_body_decides_is_on_no_officers_desk(desks: Desks) -> None:
    """DPMPTSP takes ten days over each; the officers, who record it, check a dossier on the day it comes."""
    check = {"pipeline": "nib-legalization", "question": "dossier_check", "holder": None}
    verify = {**check, "question": "verification"}
    for _ in range(5):
        desks.asked("2026-07-06", answered="2026-07-06", **check)
        desks.asked("2026-06-22", answered="2026-07-03", **verify)
    there = [desks.asked("2026-07-10", due="2026-07-14", **verify) for _ in range(2)]
    here = desks.asked("2026-07-13", due="2026-07-15", **check)
    told = desks.told()
    assert [told["cases"][number] for number in (*there, here)] == [
        ("2026-07-15", True),
        ("2026-07-17", True),
        ("2026-07-13", False),
    ]
    assert told["by_officer"] == [
        {"officer": "DPMPTSP 3508", "open": 2, "late": 0, "will_breach": 2, "pace_days": 2.2},
        {"officer": "officer 3508", "open": 1, "late": 0, "will_breach": 0, "pace_days": 0.2},
    ]
