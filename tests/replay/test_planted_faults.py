"""Tests of the test: an engine with a fault that shows only when the power fails turns the comparison red."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from pydantic_core import to_jsonable_python
from sqlalchemy import event
from sqlmodel import Session

from engine.cases import opening
from engine.definition.case import Applicant
from engine.definition.declarations import Letter
from engine.execution import external_calls, issuing
from engine.execution.external_calls import Calling
from engine.execution.replay import Replay, playing
from engine.pipeline import tell
from engine.runtime.number_series import draw
from engine.runtime.office import Office
from models import Letter as LetterRow
from outside.channels import Message, message_id_for
from tests.replay.cutting import World, cut_everywhere, uninterrupted
from tests.replay.disks import Place
from tests.replay.scripts import script_named

pytestmark = [pytest.mark.usefixtures("remembered"), pytest.mark.slow]

SHORT = script_named("nib-legalization", "rejected dossier")
BY_MACHINE = script_named("nib-legalization", "filed by machine")
OPENED, SIGNED = 1, 4

soundly = Replay.perform


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
