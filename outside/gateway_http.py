"""Text messages through an HTTP gateway, by SMS or WhatsApp: `http_office` says how an end is judged.

A gateway can be asked, so a message whose end is unknown is looked up before it is sent again. All JSON (this office's
own proposal for a gateway); anything that is not understood leaves the end unknown:

====================  =======  ======================================================================
call                  status   body
====================  =======  ======================================================================
`POST /messages`      200-202  `Taken`; asked with `id`, `to` (E.164) and `text`
                      422      `Refusal`: this number will never get it
`GET /messages/{id}`  200      `Taken`; with status refused where it turned out so afterwards
                      404      `NoSuchMessage`, the gateway's own word; any other 404 proves nothing
====================  =======  ======================================================================
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Literal, TypeVar
from urllib.parse import quote

from outside.channels import Bounced, Message, Receipt
from outside.errors import CannotTell, EndUnknown, OutsideError, RefusedOutside, TryLater
from outside.http_answers import Body, Refusal, reasons_of, understood
from outside.http_office import ADMINISTRATOR, HttpOffice
from outside.once import Fault, checked_reference

T = TypeVar("T")

_NUMBER = re.compile(r"\+[1-9][0-9]{7,14}")


class Taken(Body):
    """What became of a message. Only `refused` has faults."""

    id: str
    status: Literal["accepted", "delivered", "refused"]
    faults: list[Fault] = []


class NoSuchMessage(Body):
    """The gateway's own word that it never took this message."""

    code: Literal["no_such_message"]
    id: str


class HttpGateway(HttpOffice):
    """A channel that takes the text of a letter alone: no HTML, no attachments. `close` it as any other office."""

    def send(self, message: Message) -> Receipt:
        """Hand the text over. Raise TryLater, EndUnknown or Bounced."""
        return self._as_a_channel(self._sent, message)

    def look_up(self, message: Message) -> Receipt | None:
        """Say whether it has the text already; None where it never took it. Raise TryLater, EndUnknown or Bounced."""
        return self._as_a_channel(self._found, message)

    def _as_a_channel(self, do: Callable[[Message], T], message: Message) -> T:
        trouble: OutsideError
        try:
            return do(message)
        except CannotTell as error:
            trouble = EndUnknown(error.reason)
        except RefusedOutside as error:
            # The form is ours, not the recipient's: else a mistake of ours would make every message count as bounced.
            trouble = error if isinstance(error, Bounced) else TryLater(error.reason, ADMINISTRATOR, note=error.note)
        raise trouble

    def _sent(self, message: Message) -> Receipt:
        reference = self.reference_of(message)
        if not _NUMBER.fullmatch(message.to_address):
            raise Bounced("what is recorded as the recipient's number is no telephone number", "to")
        asked = json.dumps({"id": reference, "to": message.to_address, "text": message.text}, ensure_ascii=False)
        heard = self._send("POST", "/messages", asked, key=reference)
        if heard.status in (200, 201, 202):
            taken = understood(Taken, heard.body)
            if taken is not None and taken.id == reference:
                return self._receipt(taken, message)
        elif heard.status == 422:
            refusal = understood(Refusal, heard.body)
            if refusal is not None:
                raise self._bounced(refusal.faults)
        else:
            raise self._judged(heard, handed_in=True)
        raise EndUnknown(f"{self.source} answered {heard.status} to {reference}, but its end is not to be read")

    def _found(self, message: Message) -> Receipt | None:
        reference = self.reference_of(message)
        heard = self._send("GET", f"/messages/{quote(reference, safe='')}")
        if heard.status == 200:
            taken = understood(Taken, heard.body)
            if taken is None or taken.id != reference:
                raise CannotTell(f"{self.source} answered the look-up of {reference} in a form that is not understood")
            return self._receipt(taken, message)
        if heard.status == 404:
            unknown = understood(NoSuchMessage, heard.body)
            if unknown is not None and unknown.id == reference:
                return None
        raise self._judged(heard, handed_in=False)

    def reference_of(self, message: Message) -> str:
        """Return the id of a message at this gateway, always the same for the same letter."""
        local = message.message_id.strip("<>").partition("@")[0]
        # A hash may hold 15 digits in a row, which would look like somebody's number.
        readable = re.sub(r"([0-9]{14})(?=[0-9])", r"\1-", local)
        return checked_reference(f"{self.name}.{readable}")

    def _receipt(self, taken: Taken, message: Message) -> Receipt:
        if taken.status == "refused":
            raise self._bounced(taken.faults)
        return Receipt(self.name, message.message_id, f"{taken.status} as {taken.id}")

    def _bounced(self, faults: list[Fault]) -> Bounced:
        reasons = reasons_of(faults)
        return Bounced(f"{self.source} refused the number: {reasons[0] if reasons else 'it gives no reason'}", "to")


class HttpSms(HttpGateway):
    """SMS."""

    name = "sms"
    label = "Gerbang SMS"


class HttpWhatsApp(HttpGateway):
    """WhatsApp."""

    name = "whatsapp"
    label = "Gerbang WhatsApp"
