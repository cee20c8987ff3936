"""Tests of the drives: an engine with a fault does not get through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from pydantic_core import to_jsonable_python
from sqlmodel import col, update

from engine.actions import answer
from engine.cases import ledger
from engine.cases.dossier import WAITED, Dossier
from engine.definition.registry import pipeline_named
from engine.execution.replay import Replay
from engine.people import permissions
from engine.runtime.office import Work
from models import AnyWait, Wait
from tests.drives.conftest import Begin
from tests.drives.test_drives import SETTINGS, drive

pytestmark = [pytest.mark.usefixtures("laid_out_only"), pytest.mark.slow]
SOUND = pipeline_named("nib-legalization")


def found(begin: Begin, *, examples: int = 40) -> str:
    """Drive until something is found; return what. Its draws are fixed: at random, some runs found nothing."""

    @seed(1)
    @settings(max_examples=examples, **{**SETTINGS, "phases": SETTINGS["phases"][:1]})
    @given(st.data())
    def many(data: st.DataObject) -> None:
        drive(begin, SOUND, data.draw, acts=15)

    with pytest.raises(Exception) as caught:  # whatever the fault makes of it: a broken invariant, or a broken row
        many()
    return f"{type(caught.value).__name__}: {caught.value}"


def test_a_wait_that_is_settled_twice_is_found(drive_on_sqlite: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the condition of the update, and without a look at the wait, a second answer is taken."""

    def open_to_all(dossier: Dossier, key: str) -> AnyWait:
        return dossier.past.waits[key]

    def mark_settled(work: Work, waits: Iterable[AnyWait], settled_as: str, now: Any) -> set[tuple[int, str]]:
        won = {(wait.case_id, wait.key) for wait in waits}
        for case_id, key in won:
            settled = update(Wait).where(col(Wait.case_id) == case_id, col(Wait.key) == key)
            changed = work.session.execute(settled.values(settled_at=now, settled_as=settled_as).returning(*WAITED))
            for wait in changed.all():
                work.rows.note(Wait, wait._asdict())  # else the audit would find it, and not the drive
        return won

    monkeypatch.setattr(answer, "open_wait", open_to_all)
    monkeypatch.setattr(answer, "mark_settled", mark_settled)
    assert "answer" in found(drive_on_sqlite)


def test_a_step_that_is_not_recorded_is_found(drive_on_sqlite: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is done anew at every play: its letter is written twice."""
    soundly = Replay.perform

    def forgetful(replay: Replay, name: str, arguments: Any, work: Callable[[], Any]) -> Any:
        if name != "confirm_completeness":
            return soundly(replay, name, arguments, work)
        replay.step_key = name
        result = to_jsonable_python(work())
        replay.step_key = None
        return result

    monkeypatch.setattr(Replay, "perform", forgetful)
    what = found(drive_on_sqlite)
    assert "parked" in what or "played again" in what


def test_who_is_barred_and_answers_is_found(drive_on_sqlite: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks whose case it is, who took part, or who declared a conflict."""
    monkeypatch.setattr(permissions, "must_be_impartial", lambda *_: None)
    what = found(drive_on_sqlite)
    assert "barred" in what or "against a declared conflict" in what


def test_a_number_in_the_ledger_is_found(drive_on_sqlite: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reason that stands in the ledger as it was typed, with a telephone number."""
    for module in (answer, ledger):
        monkeypatch.setattr(module, "without_personal_numbers", lambda text: text)
    assert "shows a personal number" in found(drive_on_sqlite)
