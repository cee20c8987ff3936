"""The channels to a person in the order in which they are tried; quiet hours; text messages."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from engine.deadlines.clock import JAKARTA
from engine.runtime.adapters import ADDRESSED_BY, CHANNELS, Adapters
from engine.runtime.office import Office
from models.privacy import without_personal_numbers
from outside.channels import Channel
from rules import book

LONGEST_TEXT = 300

_WHERE = {
    "id": ("Lampirannya dapat diambil di kantor kami.", "Selengkapnya"),
    "en": ("The papers that go with it are at our office.", "More"),
}


@dataclass(frozen=True)
class Way:
    """A channel of this office, and somebody's address on it."""

    kind: str
    channel: Channel
    address: str

    @property
    def keeps_quiet_hours(self) -> bool:
        """Return whether this way is closed at night, as a telephone wakes people."""
        return self.kind != "mail"


def ways_to(adapters: Adapters, numbers: dict[str, Any], chosen: str | None) -> list[Way]:
    """Return the ways to somebody with these ``numbers`` (email, phone), their chosen one first."""
    having = {"mail": adapters.mail, "whatsapp": adapters.whatsapp, "sms": adapters.sms}
    order = sorted(CHANNELS, key=lambda kind: kind != chosen)
    possible = ((kind, having[kind], numbers.get(ADDRESSED_BY[kind])) for kind in order)
    return [Way(kind, channel, address) for kind, channel, address in possible if channel and address]


def quiet_until(office: Office) -> datetime | None:
    """Return when the present quiet hours end, or None by day."""
    now = office.clock.now().astimezone(JAKARTA)
    hours = book("common").at("quiet_hours", now.date()).value
    begin, end = time.fromisoformat(hours["from"]), time.fromisoformat(hours["until"])
    after_begin, before_end = begin <= now.time(), now.time() < end
    if not (after_begin and before_end if begin < end else after_begin or before_end):
        return None
    morning = datetime.combine(now.date(), end, JAKARTA)
    return morning if now < morning else morning + timedelta(days=1)


def as_text_message(subject: str, text: str, *, number: str | None, link: str, attached: bool, language: str) -> str:
    """Return a letter as a text message of at most `LONGEST_TEXT` characters.

    The message holds the letter's beginning, where to get its papers, the case's number and the link. Personal numbers are
    masked.
    """
    papers, more = _WHERE[language]
    end = " ".join(filter(None, (papers if attached else "", f"{number}." if number else "", f"{more}: {link}")))
    words = without_personal_numbers(f"{subject}. {text.replace(link, ' ')}")
    return f"{textwrap.shorten(words, max(LONGEST_TEXT - len(end) - 1, 40), placeholder='...')} {end}"
