"""Tests of the test: an engine with a fault that shows only when the power fails turns the comparison red."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from pydantic_core import to_jsonable_python
from sqlalchemy import event
from sqlmodel import Session

from engine.cases import case_state, opening
from engine.cases.case_state import TOGETHER
from engine.definition.case import Applicant
from engine.definition.declarations import Letter
from engine.execution import external_calls, issuing
from engine.execution.external_calls import Calling
from engine.execution.replay import Replay, playing
from engine.pipeline import tell
from engine.runtime.number_series import draw
from engine.runtime.office import Office
from models import CaseFile, Wait
from models import Letter as LetterRow
from outside.channels import Message, message_id_for
from tests.replay.cutting import World, cut_everywhere, uninterrupted
from tests.replay.disks import Place
from tests.replay.scripts import script_named
from tests.replay.state import COUNTED

pytestmark = [pytest.mark.usefixtures("remembered"), pytest.mark.slow]

SHORT = script_named("nib-legalization", "rejected dossier")
BY_MACHINE = script_named("nib-legalization", "filed by machine")
PUT_OFF = script_named("nib-legalization", "OSS files and fails")
OPENED, SIGNED = 1, 4

soundly = Replay.perform
comes_to_rest = case_state.rest
puts_off = external_calls._put_off


def test_a_step_without_a_key_is_found(staffed: Place, folder: Path, outside: World) -> None:
    """A step that is remembered by the process instead of the ledger is done twice when the process is gone."""

    def perform(self: Replay, name: str, arguments: Any, work: Callable[[], Any]) -> Any:
        if name != "confirm_receipt":
            return soundly(self, name, arguments, work)
        memory = self.office.__dict__.setdefault("memory", {})
        if self.case.number in memory:
            return memory[self.case.number]
        self.step_key = name
        result = to_jsonable_python(work())
        self.step_key = None
        event.listen(self.work.session, "after_commit", lambda session: memory.update({self.case.number: result}))
        return result

    with mock.patch.object(Replay, "perform", perform):
        uninterrupted(SHORT, staffed, folder / "shows nothing", outside)
        with pytest.raises(AssertionError, match=r"itself status: parked instead of closed"):
            cut_everywhere(SHORT, staffed, folder, outside, act=OPENED)


def test_a_letter_sent_before_the_commit_is_found(staffed: Place, folder: Path, outside: World) -> None:
    """A letter that leaves inside the transaction is out when the transaction is not."""

    def hasty(whom: Applicant, letter: Letter, facts: Mapping[str, Any], *, attach: Iterable[str] = ()) -> None:
        tell(whom, letter, facts)
        replay = playing()
        row = replay.work.rows._rows[LetterRow][-1]
        row.update(status="sent", attempt=1)
        send_now(replay.office, f"{replay.case.number}/{row['key']}", row)

    with mock.patch.object(sys.modules["flows.nib_legalization.steps"], "tell", hasty):
        uninterrupted(SHORT, staffed, folder / "shows nothing", outside)
        with pytest.raises(AssertionError, match="no letter is on record as being sent"):
            cut_everywhere(SHORT, staffed, folder, outside, act=OPENED)


def send_now(office: Office, name: str, row: Mapping[str, Any]) -> None:
    sender = office.settings.sender
    office.adapters.mail.send(
        Message(
            message_id=message_id_for(name, sender.rsplit("@", 1)[-1]),
            sender=sender,
            to_name=row["to_name"],
            to_address="sri@contoh.example",
            subject=row["subject"],
            text="…",
            written_at=row["at"],
        )
    )


@pytest.mark.parametrize("where", [opening, issuing], ids=["case", "document"])
def test_a_number_drawn_outside_its_transaction_is_found(
    where: Any, staffed: Place, folder: Path, outside: World
) -> None:
    """A number that is committed before the row that bears it is lost between the two: a gap."""

    def apart(session: Session, wanted: Mapping[str, int]) -> dict[str, list[int]]:
        numbers = draw(session, wanted)
        connection = session.connection()
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return numbers

    with mock.patch.object(where, "draw", apart):
        uninterrupted(SHORT, staffed, folder / "shows nothing", outside)
        with pytest.raises(AssertionError, match=r"series \S+: (2|nothing) instead of (1|nothing)"):
            cut_everywhere(SHORT, staffed, folder, outside, act=OPENED if where is opening else OPENED + 1)


def test_an_outside_call_without_look_up_is_found(staffed: Place, folder: Path, outside: World) -> None:
    """Filing again without asking what became of the first time gives one owner two numbers."""

    def trusting(office: Office, reference: str, end_unknown: bool) -> Calling:
        return Calling(office, reference, end_unknown=False)

    with mock.patch.object(external_calls, "Calling", trusting):
        uninterrupted(BY_MACHINE, staffed, folder / "shows nothing", outside)
        with pytest.raises(
            AssertionError, match=r"after oss.file[^\0]*filed at OSS NIB-2026-000001/oss_filing#1 0203260000002"
        ):
            cut_everywhere(BY_MACHINE, staffed, folder, outside, act=SIGNED)


def stays_counted(case: CaseFile) -> None:
    tries = case.attempts
    comes_to_rest(case)
    case.attempts = tries if tries > TOGETHER + 1 else 0  # undisturbed, it was advanced by itself once


def for_a_year(office: Office, wait: Wait, reason: str, *, end_unknown: bool, after: timedelta | None = None) -> None:
    puts_off(office, wait, reason, end_unknown=end_unknown, after=after if wait.attempt == 1 else timedelta(days=365))


@pytest.mark.parametrize("once", [True, False], ids=["each state once", "each cut to its end"])
def test_a_count_of_deaths_that_stays_is_found(once: bool, staffed: Place, folder: Path, outside: World) -> None:
    """A case that a second office brings to rest, and whose tries stay counted, is parked only by the act after."""
    with mock.patch.object(case_state, "rest", stays_counted):
        uninterrupted(SHORT, staffed, folder / "shows nothing", outside)
        with pytest.raises(AssertionError, match=r"itself status: parked instead of closed"):
            cut_everywhere(SHORT, staffed, folder, outside, act=OPENED, once=once)


@pytest.mark.parametrize("once", [True, False], ids=["each state once", "each cut to its end"])
def test_a_pause_that_is_too_long_after_a_cut_is_found(
    once: bool, staffed: Place, folder: Path, outside: World
) -> None:
    """A call that a second office puts off for a year is still open when a later act answers what comes of it."""
    with mock.patch.object(external_calls, "_put_off", for_a_year):
        uninterrupted(PUT_OFF, staffed, folder / "shows nothing", outside)
        with pytest.raises(AssertionError, match=r"of act 4[^\0]*could not go on: NotWaiting"):
            cut_everywhere(PUT_OFF, staffed, folder, outside, act=SIGNED, once=once)


def test_a_state_without_its_column_hides_such_a_fault(staffed: Place, folder: Path, outside: World) -> None:
    """The count shows nothing in the act that was cut: its column in the state has the acts after it played."""
    fewer = [(place, name) for place, name in COUNTED["case_file"] if name != "attempts"]
    with mock.patch.object(case_state, "rest", stays_counted), mock.patch.dict(COUNTED, {"case_file": fewer}):
        cut_everywhere(SHORT, staffed, folder, outside, act=OPENED)
