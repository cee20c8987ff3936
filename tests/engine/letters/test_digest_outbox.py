"""Digest and alert go the way that their reader chose, shortened where that is a telephone; what broke waits for no morning."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from engine.letters.channels import LONGEST_TEXT
from engine.letters.letter_delivery import deliver
from engine.people.accounts import add_user
from engine.people.persons import choose_channel
from engine.runtime.office import Office
from tests.engine.letters.test_alerts import alerts, parks
from tests.engine.letters.test_channels import NOTHING
from tests.engine.letters.test_channels import post as post
from tests.engine.letters.test_digest import digests, found_nothing, tell, watched
from tests.outside.misbehaving_gateway import MisbehavingGateway
from tests.outside.test_letters_by_mail import PostOffice
from tests.people import register_person

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]


def hired(office: Office, role: str, email: str | None, chosen: str | None = None) -> None:
    """Somebody in that role with a telephone, who chose a channel."""
    person = register_person(office, "3578010107900003", name="Adi", email=email)
    add_user(office, "adi", [role], person=person)
    choose_channel(office, person, chosen, by="budi")


def test_an_officer_who_chose_a_telephone_reads_the_morning_there(
    nib: Nib, office: Office, post: PostOffice, gateway: MisbehavingGateway
) -> None:
    """One short message with what counts and where the rest is; no mail beside it."""
    story = nib()
    deliver(office)
    hired(office, "officer", "adi@dinkop.example", "whatsapp")
    watched(office)
    tell(office, "adi", what="a", number=story.number, words="NIK 3508166904956220")
    mails = len(post.taken)
    story.on("2026-01-13", 8)
    found_nothing(office)
    assert deliver(office) == {**NOTHING, "sent": 1}
    assert (len(post.taken), digests(office)["adi"].channel) == (mails, "whatsapp")
    text = gateway.taken[-1].text
    assert text.startswith("Ringkasan 13 Januari 2026: 1 kabar baru, 1 menunggu, 0 jatuh tempo. Selamat pagi, adi.")
    assert text.endswith("Selengkapnya: http://127.0.0.1:8000/desk")
    assert len(text) <= LONGEST_TEXT and "3508166904956220" not in text


@pytest.mark.parametrize(("email", "told"), [("adi@dinkop.example", "smtp"), (None, None)])
def test_what_broke_at_night_goes_where_it_wakes_nobody_or_at_seven(
    nib: Nib, office: Office, post: PostOffice, gateway: MisbehavingGateway, email: str | None, told: str | None
) -> None:
    """An administrator who chose SMS has it by mail at three; one without an address by SMS in the morning."""
    story = nib()
    deliver(office)
    hired(office, "administrator", email, "sms")
    story.on("2026-01-18", 3)
    watched(office)
    parks(office, story, "ValueError: salah")
    deliver(office)
    assert [one.channel for one in alerts(office, "adi")] == [told]
    story.on("2026-01-18", 7)
    found_nothing(office)
    deliver(office)
    assert [one.channel for one in alerts(office, "adi")] == [told or "sms"]
