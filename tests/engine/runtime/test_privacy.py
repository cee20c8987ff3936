"""Nobody's number leaks: not into logs, tables, run records or what is shown, on the whole way to a NIB and with every mishap."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import select

from engine.deadlines.clock import TurnedClock
from engine.letters.letter_delivery import deliver
from engine.people.accounts import add_user
from engine.people.intake.importing import import_file
from engine.reports.case_views import case_history
from engine.reports.inbox import inbox
from engine.reports.runs import run_list
from engine.runtime.office import Office
from engine.sweeps.sweep import sweep
from models import Business
from tests.engine.people.intake.listing import as_csv, row
from tests.engine.together import everything_stored
from tests.outside.misbehaving_oss import MisbehavingOss, Mood
from tests.outside.test_letters_by_mail import PostOffice, channel, opened
from tests.people import hire_staff
from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")

NIK, NPWP, PHONE = "3508166904500102", "013121660091000", "81162300001"
PERSONAL = (NIK, NPWP, "01.312.166.0-091.000", PHONE, "sri1@contoh.example", "Jl. Santoso No. 179")


@pytest.fixture
def told(
    office: Office, clock: TurnedClock, oss: MisbehavingOss, caplog: pytest.LogCaptureFixture
) -> Iterator[NibStory]:
    """A whole story with every mishap on the way, logged to the last detail."""
    caplog.set_level(logging.DEBUG)
    office.db.engine.echo = True  # every statement with its values
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # the test's own mail server, not ours
    hire_staff(office)
    add_user(office, "budi", ["officer"], region="35")
    post = PostOffice()
    controller = opened(post)
    office.adapters.mail = channel(controller.port)
    listed = as_csv(row(1, tax_id="01.312.166.0-091.000"), row(2, national_id=NIK + "9"), row(3, national_id=NIK[:15]))
    with office.run("cli", by="budi") as run:
        import_file(office, run, name=f"{NIK}.csv", content=listed.encode())
    with office.db.reading() as session:
        [business] = session.exec(select(Business.id)).all()
    assert business is not None
    story = NibStory(office, clock, "nib-legalization", business)
    owner = f"owner-{story.case.person_id}"
    story.dossier(
        "return", deficiencies=[f"NIK {NIK} tidak sama dengan KTP", "telepon 0" + PHONE], reason=f"lihat {NIK}"
    )
    story.answers(owner, "correction#1", note=f"NIK saya {NIK}", address="Jl. Santoso No. 179, Lumajang")
    post.to_recipient = "550 5.1.1 no such user sri1@contoh.example"
    deliver(office)
    for data in ({"decision": NIK}, {"decision": "complete", NPWP: "x"}, {"decision": "complete", "reason": [NIK]}):
        with pytest.raises(Exception, match="dossier_check#2"):
            story.answers("budi", "dossier_check#2", **data)
    oss.next(Mood.FAIL_BEFORE, Mood.REFUSE)
    oss.next_look_up(Mood.CLOSED)
    story.dossier().classified().signs_on_paper()
    for _ in range(3):
        clock.turn(hours=1)
        story.advance()
    story.answers(owner, "correction#2", owner_name="Sri Purnomo 1")
    story.recorded()
    with office.run("flow", by="escalation") as run:
        sweep(office, run)
    deliver(office)
    assert story.outcome == "legalized"
    yield story
    controller.stop()


def leaks(text: str) -> list[str]:
    """Which personal numbers stand in ``text``."""
    return [personal for personal in PERSONAL if personal in text]


def test_no_personal_number_leaves_its_encryption(
    told: NibStory, office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    """Logs at their most talkative, each value of each table, and everything that people and programs are shown."""
    logged = [record.getMessage() + str(record.exc_text or "") for record in caplog.get_records("setup")]
    assert any("INSERT INTO ledger_entry" in line for line in logged), "statements and their values are in the log"
    assert any("HTTP Request: POST" in line for line in logged)
    assert [(line[:80], found) for line in logged if (found := leaks(line))] == []

    stored = list(everything_stored(office))
    assert {table for table, _, _ in stored} >= {"ledger_entry", "wait", "letter", "document", "run", "import_line"}
    for table, column, value in stored:
        text = bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
        assert (table, column, leaks(text)) == (table, column, [])

    with office.db.reading() as session:
        shown: list[Any] = [told.shown(), case_history(session, told.number), inbox(office, session), run_list(session)]
    assert leaks(json.dumps(shown, default=str, ensure_ascii=False)) == []
    assert "350816********02" in json.dumps(shown), "what people may see of it is masked, and there"


def test_the_owner_is_found_all_the_same(told: NibStory, office: Office) -> None:
    """What is encrypted is not lost: look-up goes by digest, and the words come back under the owner's key."""
    from engine.cases.dossier import fetch_by_number

    with office.db.reading() as session:
        dossier = fetch_by_number(office, session, told.number)
    assert dossier.case.facts.owner.national_id == NIK
    assert dossier.past.answers["correction#1"][0]["note"] == f"NIK saya {NIK}"
