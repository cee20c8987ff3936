"""Who chooses another channel between two attempts is told once: by the one that may have it, or by the new one."""

from __future__ import annotations

from collections.abc import Callable
from email.parser import BytesParser
from typing import TYPE_CHECKING

import pytest

from engine.letters import outbox
from engine.letters.letter_delivery import deliver
from tests.engine.letters.test_channels import NOTHING, chooses, letters
from tests.engine.letters.test_channels import post as post
from tests.engine.together import Killed
from tests.outside.misbehaving_gateway import MisbehavingGateway
from tests.outside.moods import Mood
from tests.outside.test_letters_by_mail import PostOffice

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]


@pytest.mark.parametrize("mood", [Mood.FAIL_AFTER, Mood.GARBAGE])
def test_who_chooses_another_channel_meanwhile_is_not_told_twice(
    nib: Nib, post: PostOffice, gateway: MisbehavingGateway, mood: Mood
) -> None:
    """WhatsApp has it and its answer was lost; mail is chosen then: WhatsApp is asked first, and the mail stays unwritten."""
    story = nib()
    chooses(story, "whatsapp")
    gateway.next(mood)
    assert deliver(story.office) == {**NOTHING, "later": 1}
    chooses(story, "mail")
    story.clock.turn(minutes=2)
    gateway.next_look_up(Mood.FAIL_BEFORE)
    assert deliver(story.office) == {**NOTHING, "later": 1}, "while WhatsApp can't be asked nobody knows"
    story.clock.turn(minutes=4)
    assert deliver(story.office) == {**NOTHING, "sent": 1}
    assert (len(gateway.taken), len(post.taken), letters(story)[0].channel) == (1, 0, "whatsapp")


def test_what_surely_did_not_leave_goes_the_way_that_is_chosen_now(
    nib: Nib, post: PostOffice, gateway: MisbehavingGateway
) -> None:
    """WhatsApp was busy and took nothing: mail is chosen, and it goes by mail."""
    story = nib()
    chooses(story, "whatsapp")
    gateway.next(Mood.BUSY)
    assert deliver(story.office) == {**NOTHING, "later": 1}
    chooses(story, "mail")
    story.clock.turn(minutes=2)
    assert deliver(story.office) == {**NOTHING, "sent": 1}
    assert (len(gateway.taken), len(post.taken), letters(story)[0].channel) == (0, 1, "smtp")


@pytest.mark.parametrize(("first", "then"), [("whatsapp", "mail"), ("mail", "whatsapp")])
def test_a_worker_that_dies_after_sending_says_it_once_though_another_channel_is_chosen(
    nib: Nib, post: PostOffice, gateway: MisbehavingGateway, monkeypatch: pytest.MonkeyPatch, first: str, then: str
) -> None:
    """WhatsApp is asked; a mail goes again under the id by which a mail program knows it."""
    story = nib()
    chooses(story, first)
    with monkeypatch.context() as dying:
        dying.setattr(outbox, "end_attempt", lambda *_, **__: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            deliver(story.office)
    chooses(story, then)
    story.clock.turn(minutes=3)
    assert deliver(story.office) == {**NOTHING, "sent": 1}
    if first == "whatsapp":
        assert (len(gateway.taken), len(post.taken)) == (1, 0)
    else:
        ids = [BytesParser().parsebytes(one.original_content or b"")["Message-ID"] for one in post.taken]
        assert (len(gateway.taken), len(ids), len(set(ids))) == (0, 2, 1)
