"""Numbers have no gaps and no doubles, however many draw them at the same moment."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from engine.cases.opening import Opened, open_cases
from engine.definition.registry import Pipeline
from engine.execution.drain import DrainResult, drain
from engine.people.intake.importing import import_file
from engine.runtime.number_series import draw
from engine.runtime.office import Office
from models import CaseFile, Document, Series
from tests.engine.people.intake.listing import as_csv, row
from tests.engine.together import at_once
from tests.pipelines_for_tests.workshop import CERTIFICATES, Workshop


class Regret(Exception):
    """Somebody who draws numbers and then does not commit."""


def drawn(office: Office, wanted: dict[str, int], *, regret: bool = False) -> dict[str, list[int]]:
    """Draw numbers in a transaction of its own; one that regrets it rolls back."""
    with office.db.writing() as session:
        numbers = draw(session, wanted)
        if regret:
            raise Regret
        return numbers


def registered(office: Office, count: int) -> None:
    """Register as many businesses."""
    listed = as_csv(*(row(number) for number in range(1, count + 1)))
    with office.run("cli", by="budi") as run:
        assert import_file(office, run, name="daftar.csv", content=listed.encode()).accepted == count


def opened(office: Office, pipeline: Pipeline, subjects: range) -> Opened:
    """Open a case for each subject."""
    with office.run("cli", by="budi") as run:
        return open_cases(office, run, pipeline, subjects, by="budi")


def test_numbers_that_are_rolled_back_are_drawn_again(office: Office) -> None:
    """A gap in a series would have to be explained to every auditor."""
    assert drawn(office, {"SRT-2026": 2}) == {"SRT-2026": [1, 2]}
    with pytest.raises(Regret):
        drawn(office, {"SRT-2026": 5, "TLK-2026": 1}, regret=True)
    assert drawn(office, {"SRT-2026": 1, "TLK-2026": 1}) == {"SRT-2026": [3], "TLK-2026": [1]}


@pytest.mark.both_databases
def test_many_who_draw_at_once_leave_neither_gap_nor_double(office: Office) -> None:
    """Six draw at the same moment, again and again, from a series that does not exist yet; every third regrets it."""

    def much(person: int) -> list[int]:
        mine: list[int] = []
        for turn in range(6):
            try:
                mine += drawn(office, {"SRT-2026": 1 + turn % 3}, regret=(person + turn) % 3 == 0)["SRT-2026"]
            except Regret:
                continue
        return mine

    ends = at_once(*(partial(much, person) for person in range(6)))
    assert not [end for end in ends if isinstance(end, Exception)]
    numbers = sorted(number for end in ends for number in end)
    assert numbers == list(range(1, len(numbers) + 1))
    with office.db.reading() as session:
        assert session.get_one(Series, "SRT-2026").last == len(numbers)


@pytest.mark.both_databases
def test_two_series_in_either_order_do_not_wait_for_each_other_for_ever(office: Office) -> None:
    """One names LEG before TLK, the other TLK before LEG: both are drawn in sorted order, so nobody deadlocks."""

    def often(*order: str) -> None:
        for _ in range(10):
            drawn(office, dict.fromkeys(order, 1))

    ends = at_once(*(partial(often, *order) for order in (("LEG", "TLK"), ("TLK", "LEG")) * 2))
    assert ends == [None] * 4
    assert drawn(office, {"LEG": 1, "TLK": 1}) == {"LEG": [41], "TLK": [41]}


@pytest.mark.both_databases
def test_cases_opened_at_once_are_numbered_in_one_row(office: Office, workshop: Workshop) -> None:
    """Four open five cases each at the same moment: twenty numbers in a row."""
    pipeline = workshop.write()
    registered(office, 20)
    ends = at_once(*(partial(opened, office, pipeline, range(first, first + 5)) for first in (1, 6, 11, 16)))
    numbers = sorted(number for end in ends for number in end.opened)
    assert numbers == [f"FRM-2026-{number:06d}" for number in range(1, 21)]


@pytest.mark.both_databases
def test_of_two_who_open_a_case_for_the_same_business_one_is_refused(office: Office, workshop: Workshop) -> None:
    """The second is told the number of the case that the first one opened."""
    pipeline = workshop.write()
    registered(office, 3)
    ends = at_once(*(partial(opened, office, pipeline, subjects) for subjects in (range(1, 4), range(3, 0, -1))))
    assert sorted(len(end.opened) for end in ends) == [0, 3]
    [refused] = [end.refused for end in ends if end.refused]
    assert [one["reason"].rsplit(" ", 1)[0] for one in refused] == ["It has an open case already:"] * 3
    with office.db.reading() as session:
        assert len(session.exec(select(CaseFile)).all()) == 3


@pytest.mark.both_databases
@pytest.mark.usefixtures("blank_papers")
def test_documents_issued_by_two_workers_are_numbered_in_one_row(office: Office, workshop: Workshop) -> None:
    """Two runs drain the same pipeline: each case gets one certificate, and the series has no gap."""
    pipeline = workshop.write(CERTIFICATES)
    registered(office, 60)
    numbers = opened(office, pipeline, range(1, 61)).opened

    def work() -> DrainResult:
        with office.run("flow", by="test", pipeline="certificates") as run:
            return drain(office, run, "certificates")

    ends: list[Any] = at_once(work, work, work)
    assert not [end for end in ends if isinstance(end, Exception)]
    work()
    with office.db.reading() as session:
        documents = session.exec(select(Document).order_by(col(Document.number))).all()
        closed = session.exec(select(CaseFile.number).where(CaseFile.outcome == "done")).all()
    assert sorted(closed) == numbers
    assert [document.number for document in documents] == [f"SRT-2026-{number:06d}" for number in range(1, 61)]
    assert {document.status for document in documents} == {"ready"}
    assert len({document.case_id for document in documents}) == 60


def test_the_database_refuses_a_number_that_is_there(office: Office, workshop: Workshop) -> None:
    """Should the counting ever fail, the table says no."""
    pipeline = workshop.write()
    registered(office, 2)
    opened(office, pipeline, range(1, 2))
    with office.db.writing() as session:
        session.get_one(Series, "FRM-2026").last = 0
    with pytest.raises(DBAPIError, match=r"(?i)unique"):
        opened(office, pipeline, range(2, 3))
