"""A telephone stays silent at night: text messages wait for the morning, mail may go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from engine.deadlines.clock import JAKARTA, TurnedClock
from engine.letters.channels import quiet_until
from engine.letters.letter_delivery import deliver
from engine.runtime.office import Office
from rules import Rule, RuleBook
from tests.engine.letters.test_channels import NOBODY, NOTHING, chooses, letters
from tests.engine.letters.test_channels import post as post
from tests.outside.misbehaving_gateway import MisbehavingGateway
from tests.outside.moods import Mood
from tests.outside.test_letters_by_mail import PostOffice

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]
MORNING = datetime(2026, 1, 13, 7, tzinfo=JAKARTA)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-01-12T07:00:00", None),
        ("2026-01-12T19:59:59", None),
        ("2026-01-12T20:00:00", MORNING),
        ("2026-01-12T23:59:59", MORNING),
        ("2026-01-13T00:00:00", MORNING),
        ("2026-01-13T06:59:59", MORNING),
    ],
)
def test_the_night_begins_at_eight_and_ends_at_seven(
    office: Office, clock: TurnedClock, now: str, until: datetime | None
) -> None:
    """In Surabaya, whatever the day."""
    clock.moment = datetime.fromisoformat(now).replace(tzinfo=JAKARTA)
    assert quiet_until(office) == until


def test_the_hours_are_the_offices_to_set(office: Office, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours that end on the day on which they begin are those between, not all others."""
    rule = Rule("quiet_hours", {"from": "12:00", "until": "13:00"}, "hours_of_day", date.min, None, "-", "policy")
    monkeypatch.setattr("engine.letters.channels.book", lambda name: RuleBook([rule]))
    clock.moment = datetime(2026, 1, 12, 12, 30, tzinfo=JAKARTA)
    assert quiet_until(office) == datetime(2026, 1, 12, 13, tzinfo=JAKARTA)
    clock.moment = datetime(2026, 1, 12, 22, tzinfo=JAKARTA)
    assert quiet_until(office) is None


def test_a_text_message_of_the_night_leaves_in_the_morning(
    nib: Nib, post: PostOffice, gateway: MisbehavingGateway
) -> None:
    """It waits, is no failed attempt, and needs no look-up afterwards; the neighbour's mail goes at once."""
    story = nib()
    neighbour = nib(national_id="3508166904956221")
    chooses(story, "whatsapp")
    story.on("2026-01-12", hour=22)
    assert deliver(story.office) == {**NOTHING, "sent": 1, "later": 1}
    assert (letters(neighbour)[0].status, len(post.taken)) == ("sent", 1)
    [letter] = letters(story)
    assert (letter.status, letter.attempt, letter.next_attempt_at) == ("waiting", 0, MORNING)
    story.clock.turn(hours=8, minutes=59)
    assert deliver(story.office) == NOTHING
    story.clock.turn(minutes=1)
    assert deliver(story.office) == {**NOTHING, "sent": 1}
    assert (letters(story)[0].channel, gateway.look_ups_heard, len(gateway.taken)) == ("whatsapp", 0, 1)


def test_a_mail_that_bounces_at_night_wakes_nobody(nib: Nib, post: PostOffice, gateway: MisbehavingGateway) -> None:
    """The bounce is remembered, and the message goes to the telephone in the morning: the mailbox is not tried again."""
    story = nib()
    post.to_recipient = NOBODY
    story.on("2026-01-12", hour=23)
    assert deliver(story.office) == {**NOTHING, "later": 1}
    assert gateway.filings_heard == 0
    post.to_recipient = ""
    story.on("2026-01-13", hour=7)
    assert deliver(story.office) == {**NOTHING, "sent": 1}
    assert (len(gateway.taken), post.taken) == (1, [])


def test_an_end_that_was_unknown_before_the_night_is_looked_up_after_it(nib: Nib, gateway: MisbehavingGateway) -> None:
    """The last attempt of the evening is not forgotten over the night."""
    story = nib(email=None)
    story.clock.moment = datetime(2026, 1, 12, 19, 59, tzinfo=JAKARTA)
    gateway.next(Mood.FAIL_AFTER)
    assert deliver(story.office) == {**NOTHING, "later": 1}
    story.clock.turn(minutes=2)
    assert deliver(story.office) == {**NOTHING, "later": 1}
    story.clock.moment = MORNING + timedelta(seconds=1)
    assert deliver(story.office) == {**NOTHING, "sent": 1}
    assert (gateway.filings_heard, gateway.look_ups_heard) == (1, 1)
