"""The rows of a chunk arrive as they were written, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import StatementError

from engine.runtime.batch_writer import BatchWriter
from engine.runtime.office import Office
from models import Answer, Role, Wait, WaitKind

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = [pytest.mark.usefixtures("blank_papers"), pytest.mark.both_databases]
AT = datetime(2026, 1, 12, 9, 0, 0, 123456, tzinfo=timezone(timedelta(hours=7)))


def test_a_moment_without_a_zone_is_refused(office: Office) -> None:
    """Moments come from the injected clock, whatever way they take into the database."""
    rows = BatchWriter()
    rows.write(Answer, case_id=1, key="visit#1", sealed=b"\x00", at=AT.replace(tzinfo=None))
    with pytest.raises((ValueError, StatementError), match="bears no time zone"), office.db.writing() as session:
        rows.insert(session)


@pytest.mark.by_hand
def test_whatever_a_column_holds_comes_back(nib: Callable[..., NibStory], office: Office) -> None:
    """Bytes of every kind, letters that JSON escapes, moments to the microsecond, dates, and nothing at all."""
    case_id = nib().case.id
    held: dict[str, Any] = {
        "pipeline": "nib-legalization",
        "kind": WaitKind.PERSON,
        "role": Role.OFFICER,
        "apart_from": ['bu "sri"\\', "D’Arcy\t\x07", "{}", "null"],
        "arguments_hash": "0" * 64,
        "request": bytes(range(256)),
        "note": 'Jl. "Ahmad\\Yani"\r\n’李\x1f',
        "asked_at": AT,
        "extended_until": date(2026, 2, 28),
        "end_unknown": True,
    }
    rows = BatchWriter()
    rows.write(Wait, case_id=case_id, key="x#1", **held)
    rows.write(Wait, case_id=case_id, key="x#2", **held | {"request": None, "note": None, "apart_from": []})
    with office.db.writing() as session:
        rows.insert(session)
    with office.db.reading() as session:
        first, second = (session.get_one(Wait, (case_id, key)) for key in ("x#1", "x#2"))
    assert {name: getattr(first, name) for name in held} == held
    assert (second.request, second.note, second.apart_from, second.due_at, second.rung) == (None, None, [], None, 0)
