"""Suspects after a crash: the innocent are run alone before anybody is parked, and an outage is nobody's fault."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select

from engine.deadlines.clock import TurnedClock
from engine.execution import drain as draining
from engine.runtime.office import Office
from models import CaseFile
from tests.engine.conftest import workshop as workshop
from tests.engine.execution.test_poisoned_cases import advanced, opened
from tests.engine.together import Killed
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop

pytestmark = [pytest.mark.usefixtures("blank_papers"), pytest.mark.both_databases]
FARM = "farm-visit"


def statuses(office: Office) -> dict[str, tuple[str, bool, int]]:
    """Status, readiness and attempts of each case."""
    with office.db.reading() as session:
        return {
            case.number: (case.status, case.ready, case.attempts)
            for case in session.exec(select(CaseFile).order_by(col(CaseFile.id)))
        }


class Reaper:
    """Ends the process when it has played so many cases."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        self.played: list[str] = []
        self.deadly: set[str] = set()
        play = draining._play

        def playing(work: Any, dossier: Any, stage: Any) -> Any:
            self.played.append(dossier.row.number)
            if dossier.row.number in self.deadly:
                raise Killed
            if self.left is not None:
                self.left -= 1
                if self.left < 0:
                    raise Killed
            return play(work, dossier, stage)

        monkeypatch.setattr(draining, "_play", playing)

    def runs(self, office: Office, left: int | None = None) -> bool:
        """Let a run come by that dies at its ``left``-th case; return whether it came to its end."""
        self.left, self.played = left, []
        try:
            advanced(office, FARM)
        except Killed:
            return False
        return True


@pytest.fixture
def reaper(monkeypatch: pytest.MonkeyPatch) -> Reaper:
    """Ends processes."""
    return Reaper(monkeypatch)


@pytest.mark.parametrize("seed", range(3))
def test_no_healthy_case_is_parked_after_twenty_two_kills(
    office: Office, workshop: Workshop, clock: TurnedClock, reaper: Reaper, seed: int
) -> None:
    """Of 378 cases five were parked, each of which had died once in a crowd and once by chance alone."""
    numbers = opened(office, workshop.write(), 60)
    kills, chance = 0, Random(seed)
    while kills < 22:
        kills += not reaper.runs(office, chance.randrange(3))
        clock.turn(minutes=3)
        if kills and not any(ready for _, ready, _ in statuses(office).values()):
            break
    assert reaper.runs(office)
    assert statuses(office) == dict.fromkeys(numbers, ("open", False, 0))


def test_a_crowd_that_died_is_run_one_by_one(
    office: Office, workshop: Workshop, clock: TurnedClock, reaper: Reaper
) -> None:
    """Thirty cases committed together; after the death each is alone, and none has died alone by that."""
    numbers = opened(office, workshop.write(), 30)
    assert not reaper.runs(office, 10)
    assert {attempts for _, _, attempts in statuses(office).values()} == {1}
    clock.turn(minutes=3)
    assert not reaper.runs(office, 0)
    assert reaper.played == numbers[:1]
    clock.turn(minutes=3)
    assert not reaper.runs(office, 0)
    assert reaper.played == numbers[1:2], "who has died alone waits for those who have not"
    clock.turn(minutes=3)
    assert reaper.runs(office)
    assert reaper.played == [*numbers[2:], *numbers[:2]]
    assert statuses(office) == dict.fromkeys(numbers, ("open", False, 0))


@pytest.mark.parametrize("count", [1, 5, 30])
def test_a_case_that_kills_is_parked_after_two_deaths_alone(
    office: Office, workshop: Workshop, clock: TurnedClock, reaper: Reaper, count: int
) -> None:
    """Whether it was one of few or of many; the others go on."""
    numbers = opened(office, workshop.write(), count)
    reaper.deadly = {numbers[-1]}
    deaths = 0
    while not reaper.runs(office):
        deaths += 1
        clock.turn(minutes=3)
    assert deaths == (2 if count <= draining.FINE_UP_TO else 3), "a death in a crowd is nobody's"
    with office.db.reading() as session:
        parked = session.exec(select(CaseFile).where(col(CaseFile.status) == "parked")).one()
    assert parked.number == numbers[-1]
    assert parked.error == "The process died 2 times while it advanced this case"
    assert [status for number, status in statuses(office).items() if number != numbers[-1]] == [("open", False, 0)] * (
        count - 1
    )


def test_of_few_cases_only_the_one_under_way_is_suspected(
    office: Office, workshop: Workshop, clock: TurnedClock, reaper: Reaper
) -> None:
    """Those that were only leased with it are as they were."""
    numbers = opened(office, workshop.write(), 5)
    assert not reaper.runs(office, 2)
    assert [attempts for _, _, attempts in statuses(office).values()] == [0, 0, 2, 0, 0]
    clock.turn(minutes=3)
    assert reaper.runs(office)
    assert reaper.played == numbers[2:]


@pytest.mark.parametrize("count", [1, 3, 30])
def test_an_outage_of_the_database_parks_nobody(
    office: Office, workshop: Workshop, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """The run ends with it; the case is as it was, and the next run takes it up."""
    numbers = opened(office, workshop.write(), count)
    play, left = draining._play, [3]

    def failing(work: Any, dossier: Any, stage: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise OperationalError("SELECT 1", {}, ConnectionError("server closed the connection"), False, True)
        return play(work, dossier, stage)

    monkeypatch.setattr(draining, "_play", failing)
    failed = 0
    while left[0]:
        with pytest.raises(OperationalError):
            advanced(office, FARM)
        failed += 1
        assert failed < 5
    assert not [one for one in statuses(office).values() if one[0] == "parked" or one[2] > 1]
    clock.turn(minutes=3)
    advanced(office, FARM)
    assert statuses(office) == dict.fromkeys(numbers, ("open", False, 0))


def test_a_case_that_asks_nonsense_of_the_database_is_parked(
    office: Office, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error about what was asked is the case's own."""
    [number] = opened(office, workshop.write(FARM_VISIT, "made_up"), 1)
    play = draining._play

    def asking(work: Any, dossier: Any, stage: Any) -> Any:
        work.session.execute(text("SELECT nothing_of_the_kind FROM case_file"))
        return play(work, dossier, stage)

    monkeypatch.setattr(draining, "_play", asking)
    assert list(advanced(office, FARM).failed) == [number]
