"""What breaks a sweep: a process that is killed in the middle of it, and a case that can't be handled."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from sqlmodel import col, select

from engine.deadlines.due_dates import ladder_of
from engine.letters.alerts import write_alerts
from engine.letters.notices import notify
from engine.runtime.office import Office
from engine.sweeps import sweep
from models import Digest, User
from models import Sweep as SweepRow
from tests.engine.sweeps.test_sweep import Nib, remarks, swept, told

pytestmark = pytest.mark.usefixtures("blank_papers")


@pytest.mark.both_databases
def test_a_process_that_is_killed_for_good_in_mid_sweep_repeats_nothing(
    nib: Nib, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL at the second of three cases, with the first committed: the next sweep does the other two, that one never ended."""
    stories = [nib(national_id=f"35081669049562{place}") for place in range(20, 23)]
    monkeypatch.setattr(sweep, "CHUNK", 1)
    stories[0].on("2026-01-14", 9)
    assert killed_in_mid_sweep(office, at=2) == signal.SIGKILL
    assert [len(remarks(story)) for story in stories] == [1, 0, 0]
    assert (swept(office).due, swept(office).due) == (2, 0)
    assert [remarks(story) for story in stories] == [[("dossier_check#1/holder", "reminded")]] * 3
    assert len(told(office)) == len(set(told(office))) == 6
    with office.db.reading() as session:
        assert [row.finished_at is None for row in session.exec(select(SweepRow).order_by(col(SweepRow.id)))] == [
            *(True, False, False)
        ]


def killed_in_mid_sweep(office: Office, at: int) -> int:
    """Sweep in a process of its own, which is killed where the case at that place would be told; return by which signal."""
    child = os.fork()
    if child:
        return os.WTERMSIG(os.waitpid(child, 0)[1])
    left = [at]

    def dies(*given: Any, **more: Any) -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        notify(*given, **more)

    try:
        vars(sweep)["notify"] = dies
        swept(Office.open(office.settings, office.clock))
    finally:
        os._exit(1)


@pytest.mark.both_databases
@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_a_broken_case_is_passed_over_and_reported(
    chunk: int, nib: Nib, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of three can't be handled: it is named with its reason, to an administrator once, and the others are reminded."""
    monkeypatch.setattr(sweep, "CHUNK", chunk)
    numbers = ("3508166904956220", "3508166904956221", "3508166904956222")
    stories = [nib(national_id=number) for number in numbers]
    broken, right = stories[1].case.id, ladder_of

    def breaks(rules: Any, question: Any) -> Any:
        if question.name == "dossier_check" and sweeping_now[-1] == broken:
            raise ValueError("NIK 3508166904956221 tidak dikenal")
        return right(rules, question)

    sweeping_now: list[int | None] = []
    one_of = sweep._sweep_one

    def notes(work: Any, dossier: Any, *rest: Any) -> None:
        sweeping_now.append(dossier.row.id)
        one_of(work, dossier, *rest)

    monkeypatch.setattr(sweep, "_sweep_one", notes)
    monkeypatch.setattr(sweep, "ladder_of", breaks)
    stories[0].on("2026-01-14", 9)
    found = swept(office)
    assert (found.due, found.reminded) == (3, 2)
    assert found.failed == [{"case": stories[1].number, "reason": "ValueError: NIK 350816********21 tidak dikenal"}]
    assert [len(remarks(story)) for story in stories] == [1, 0, 1]
    with office.db.reading() as session:
        row = session.exec(select(SweepRow)).one()
        assert (row.due, row.failed, row.finished_at) == (3, 1, office.clock.now())
    stories[0].clock.turn(minutes=15)
    assert swept(office).as_json()["due"] == 1, "it is tried again"
    write_alerts(office)
    with office.db.reading() as session:
        [(name, alert)] = session.exec(select(User.name, Digest).join(User))
    assert (name, alert.subject[:15]) == ("admin", "1 gangguan baru")
    assert (
        f"- {stories[1].number}: dossier_check#1 jatuh tempo, tetapi tidak dapat dikerjakan: ValueError" in alert.text
    )
