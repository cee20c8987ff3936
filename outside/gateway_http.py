"""Text messages by SMS or WhatsApp, through an HTTP gateway."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Literal, TypeVar
from urllib.parse import quote

from outside.channels import Bounced, Message, Receipt
from outside.errors import CannotTell, EndUnknown, OutsideError, RefusedOutside, TryLater
from outside.http_adapter import ADMINISTRATOR_PAUSE, HttpAdapter
from outside.http_answers import Body, Refusal, parse_body, reasons_of
from outside.submission import Fault, checked_reference

T = TypeVar("T")

_NUMBER = re.compile(r"\+[1-9][0-9]{7,14}")


class MessageStatus(Body):
    """The status of a message; only `refused` has faults."""

    id: str
    status: Literal["accepted", "delivered", "refused"]
    faults: list[Fault] = []


class NoSuchMessage(Body):
    """The gateway's statement that it never took this message."""

    code: Literal["no_such_message"]
    id: str


class HttpGateway(HttpAdapter):
    """A channel that sends the text of a letter, without HTML and attachments; `close` it.

    A gateway can be asked, so a message with an unknown end is looked up before it is sent again. All bodies are JSON (this
    office's own proposal for a gateway); a body that is not understood leaves the end unknown:

    ====================  =======  ======================================================================
    call                  status   body
    ====================  =======  ======================================================================
    `POST /messages`      200-202  `MessageStatus`; asked with `id`, `to` (E.164) and `text`
                          422      `Refusal`: this number will never get it
    `GET /messages/{id}`  200      `MessageStatus`; with status refused where it turned out so afterwards
                          404      `NoSuchMessage`, the gateway's own statement; another 404 proves nothing
    ====================  =======  ======================================================================
    """

    def send(self, message: Message) -> Receipt:
        """Send the text of a letter.

        Raises:
            TryLater, EndUnknown, Bounced: see `Channel.send`.
        """
        return self._with_channel_errors(self._send_text, message)

    def look_up(self, message: Message) -> Receipt | None:
        """Return the receipt of a text; None where the gateway never took it.

        Raises:
            TryLater, EndUnknown, Bounced: see `Channel.send`.
        """
        return self._with_channel_errors(self._look_up_text, message)

    def _with_channel_errors(self, do: Callable[[Message], T], message: Message) -> T:
        trouble: OutsideError
        try:
            return do(message)
        except CannotTell as error:
            trouble = EndUnknown(error.reason)
        except RefusedOutside as error:
            # A refused form is our mistake, not the number's: else every message would count as bounced.
            trouble = (
                error if isinstance(error, Bounced) else TryLater(error.reason, ADMINISTRATOR_PAUSE, note=error.note)
            )
        raise trouble

    def _send_text(self, message: Message) -> Receipt:
        reference = self.reference_of(message)
        if not _NUMBER.fullmatch(message.to_address):
            raise Bounced("what is recorded as the recipient's number is no telephone number", "to")
        asked = json.dumps({"id": reference, "to": message.to_address, "text": message.text}, ensure_ascii=False)
        response = self._send("POST", "/messages", asked, key=reference)
        if response.status in (200, 201, 202):
            taken = parse_body(MessageStatus, response.body)
            if taken is not None and taken.id == reference:
                return self._receipt(taken, message)
        elif response.status == 422:
            refusal = parse_body(Refusal, response.body)
            if refusal is not None:
                raise self._bounced(refusal.faults)
        else:
            raise self._error_of(response, handed_in=True)
        raise EndUnknown(f"{self.source} answered {response.status} to {reference}, but its end is not to be read")

    def _look_up_text(self, message: Message) -> Receipt | None:
        reference = self.reference_of(message)
        response = self._send("GET", f"/messages/{quote(reference, safe='')}")
        if response.status == 200:
            taken = parse_body(MessageStatus, response.body)
            if taken is None or taken.id != reference:
                raise CannotTell(f"{self.source} answered the look-up of {reference} in a form that is not understood")
            return self._receipt(taken, message)
        if response.status == 404:
            unknown = parse_body(NoSuchMessage, response.body)
            if unknown is not None and unknown.id == reference:
                return None
        raise self._error_of(response, handed_in=False)

    def reference_of(self, message: Message) -> str:
        """Return the id of a message at this gateway, the same for the same letter."""
        local = message.message_id.strip("<>").partition("@")[0]
        # A hash may hold 15 digits in a row, which would look like a personal number.
        readable = re.sub(r"([0-9]{14})(?=[0-9])", r"\1-", local)
        return checked_reference(f"{self.name}.{readable}")

    def _receipt(self, taken: MessageStatus, message: Message) -> Receipt:
        if taken.status == "refused":
            raise self._bounced(taken.faults)
        return Receipt(self.name, message.message_id, f"{taken.status} as {taken.id}")

    def _bounced(self, faults: list[Fault]) -> Bounced:
        reasons = reasons_of(faults)
        return Bounced(f"{self.source} refused the number: {reasons[0] if reasons else 'it gives no reason'}", "to")


class HttpSms(HttpGateway):
    """A gateway for SMS."""

    name = "sms"
    label = "Gerbang SMS"


class HttpWhatsApp(HttpGateway):
    """A gateway for WhatsApp."""

    name = "whatsapp"
    label = "Gerbang WhatsApp"
