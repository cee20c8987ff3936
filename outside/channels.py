"""Letters to send: `Message`, the `Channel` that sends it, and the `Receipt` that proves it.

Delivery is "at least once": a mail server can't be asked about a letter. A Message-ID made from the letter's key lets
mail programs and folders recognise a second sending, and its reader is told; a gateway for text messages can be asked.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, NamedTuple, Protocol, runtime_checkable

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from outside.errors import Bounced

__all__ = [
    "Attachment",
    "Bounced",
    "Channel",
    "Message",
    "Receipt",
    "SupportsLookUp",
    "may_repeat",
    "message_id_for",
    "send_once",
]


_BREAKING = frozenset({"Cc", "Zl", "Zp", "Cs"})
"""Unicode categories of control characters, line and paragraph separators, which may break a header."""


def _on_one_line(text: str) -> str:
    # A line break in a header would begin another header, such as Bcc.
    if any(unicodedata.category(character) in _BREAKING for character in text):
        raise ValueError("a line break or control character may not stand here")
    return text


def _plain_file_name(name: str) -> str:
    if "/" in name or "\\" in name or name.startswith("."):
        raise ValueError("an attachment's name is a bare file name")
    return _on_one_line(name)


_Line = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(_on_one_line)]


class Attachment(NamedTuple):
    """A file attached to a letter; `mime` is a type such as 'application/pdf'."""

    filename: Annotated[str, StringConstraints(min_length=1, max_length=150), AfterValidator(_plain_file_name)]
    content: bytes
    mime: Annotated[
        str, StringConstraints(pattern=r"^(application|audio|font|image|text|video)/[a-z0-9][a-z0-9.+\-]*$")
    ]


class Message(BaseModel):
    """One complete letter to one recipient.

    `sender` is 'Name <address>' or an address; `to_address` is a telephone number (E.164) for a gateway;
    `language` is 'id' or 'en'. `written_at` becomes the Date header, so that equal letters are equal bytes.
    `perhaps_sent` says that an earlier attempt may have delivered it: a channel that can't know marks the copy.
    Contact data and contents are kept out of `repr`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    message_id: Annotated[str, StringConstraints(pattern=r"^<[A-Za-z0-9._\-]+@[A-Za-z0-9.\-]+>$", max_length=200)]
    sender: _Line
    to_name: Annotated[str, StringConstraints(max_length=300), AfterValidator(_on_one_line)] = Field(repr=False)
    to_address: _Line = Field(repr=False)
    subject: _Line
    text: str = Field(repr=False)
    html: str | None = Field(default=None, repr=False)
    attachments: tuple[Attachment, ...] = Field(default=(), repr=False)
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = "id"
    written_at: AwareDatetime | None = None
    perhaps_sent: bool = False


@dataclass(frozen=True)
class Receipt:
    """Proof that a channel took a letter; `reply` is the channel's answer without personal data."""

    channel: str
    message_id: str
    reply: str
    at: datetime | None = None


class Channel(Protocol):
    """The protocol of channels that send letters.

    One that may repeat a letter without knowing sets ``may_repeat = True``: the engine then records that an attempt
    begins, so that a second copy is marked.
    """

    @property
    def name(self) -> str:
        """A short name for the ledger."""

    def send(self, message: Message) -> Receipt:
        """Send a letter.

        Raises:
            TryLater: the letter was surely not sent.
            EndUnknown: the letter was perhaps sent; send it again under the same id.
            Bounced: the letter will never arrive at that address.
        """


@runtime_checkable
class SupportsLookUp(Protocol):
    """The protocol of channels that can be asked about a letter."""

    def look_up(self, message: Message) -> Receipt | None:
        """Return the receipt of a letter; None where the channel never took it.

        Raises:
            TryLater, EndUnknown, Bounced: see `Channel.send`.
        """


def may_repeat(channel: Channel) -> bool:
    """Return whether a channel can neither be asked about a letter nor recognise it itself."""
    return bool(getattr(channel, "may_repeat", False))


def send_once(channel: Channel, message: Message, *, earlier_attempt_unknown: bool) -> Receipt:
    """Send a letter; after an attempt with an unknown end, look it up first if the channel can.

    Raises:
        TryLater, EndUnknown, Bounced: see `Channel.send`.
    """
    found = channel.look_up(message) if earlier_attempt_unknown and isinstance(channel, SupportsLookUp) else None
    return channel.send(message) if found is None else found


def message_id_for(letter_key: str, domain: str) -> str:
    """Return the Message-ID of a letter (RFC 5322, 3.6.4), always the same for the same key.

    Raises:
        ValueError: the key holds 15 digits in a row, perhaps a personal number; a Message-ID is public.
    """
    if re.search(r"\d{15}", letter_key):
        raise ValueError("a letter's key may hold no personal number")
    readable = re.sub(r"[^a-z0-9]+", ".", letter_key.lower()).strip(".")[:80].strip(".") or "letter"
    digest = hashlib.sha256(letter_key.encode()).hexdigest()[:16]
    return f"<{readable}.h{digest}@{domain}>"
