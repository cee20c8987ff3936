"""A gateway for text messages that misbehaves: nobody gets a message twice, and none is lost unseen."""

from __future__ import annotations

import logging
import ssl
import traceback
from collections.abc import Iterator
from datetime import timedelta

import pytest

from outside.channels import Bounced, Message, Receipt, message_id_for, send_once
from outside.errors import EndUnknown, OutsideError, TryLater
from outside.gateway_http import HttpGateway, HttpSms, HttpWhatsApp
from tests.outside.misbehaving_gateway import MisbehavingGateway
from tests.outside.moods import Mood

PHONE = "+6281162319252"
KEY = "NIB-2026-000123/confirm_receipt#1/receipt"


@pytest.fixture
def gateway() -> Iterator[MisbehavingGateway]:
    """A gateway that remembers no ids: what is sent twice arrives twice."""
    with MisbehavingGateway(forgetful=True) as gateway:
        yield gateway


@pytest.fixture
def sms(gateway: MisbehavingGateway, authorities: ssl.SSLContext) -> Iterator[HttpSms]:
    """Our adapter to it, with the patience that a busy machine needs."""
    with HttpSms(gateway.url, gateway.token, 5, largest_answer=100_000, tls=authorities) as sms:
        yield sms


@pytest.fixture
def hasty(gateway: MisbehavingGateway, authorities: ssl.SSLContext) -> Iterator[HttpSms]:
    """Our adapter to it, out of patience after 0.2 s."""
    with HttpSms(gateway.url, gateway.token, 0.2, largest_answer=100_000, tls=authorities) as sms:
        yield sms


def message(to: str = PHONE) -> Message:
    """The receipt of Sri's application, as a text message."""
    return Message(
        message_id=message_id_for(KEY, "dinkop.example"),
        sender="layanan@dinkop.example",
        to_name="Sri Purnomo",
        to_address=to,
        subject="Permohonan NIB Anda telah kami terima",
        text="Permohonan Anda kami terima. NIB-2026-000123: https://jalur.example/check/NIB-2026-000123",
    )


def again(channel: HttpGateway) -> Receipt:
    """Send it after an attempt whose end is unknown."""
    return send_once(channel, message(), earlier_attempt_unknown=True)


def fails(channel: HttpGateway, kind: type[OutsideError], unknown: bool = False, to: str = PHONE) -> OutsideError:
    """Send, and return the error that it must end in."""
    with pytest.raises(kind) as caught:
        send_once(channel, message(to), earlier_attempt_unknown=unknown)
    assert type(caught.value) is kind
    return caught.value


def test_a_message_arrives_once_under_an_id_of_its_own(sms: HttpSms, gateway: MisbehavingGateway) -> None:
    """Id, number and text; the id is the idempotency key, and the receipt names no number."""
    receipt = sms.send(message())
    [texted] = gateway.taken
    assert (texted.to, texted.text) == (PHONE, message().text)
    assert texted.reference.startswith("sms.nib.2026.000123.confirm.receipt.1.receipt.h")
    assert gateway.keys == [texted.reference]
    assert receipt == Receipt("sms", message().message_id, f"accepted as {texted.reference}")
    assert gateway.look_ups_heard == 0, "a first attempt needs no look-up"


LOST = [Mood.LATE, Mood.FAIL_AFTER, Mood.CUT_OFF, Mood.DRIP, Mood.HUGE, Mood.GARBAGE, Mood.CHATTY, Mood.PENDING]


@pytest.mark.parametrize("mood", [*LOST, Mood.CROSSED])
def test_a_message_whose_answer_was_lost_is_not_sent_twice(
    sms: HttpSms, hasty: HttpSms, gateway: MisbehavingGateway, mood: Mood
) -> None:
    """It was taken, but the answer is late, cut off, HTML, or another message's: the look-up finds it."""
    gateway.next(mood)
    fails(hasty, EndUnknown)
    gateway.wait_until_taken()
    assert again(sms).channel == "sms"
    assert (gateway.filings_heard, len(gateway.taken)) == (1, 1)


@pytest.mark.parametrize("mood", [Mood.HANG, Mood.FAIL_BEFORE, Mood.REDIRECT])
def test_a_message_that_never_arrived_is_sent_after_a_look(
    sms: HttpSms, hasty: HttpSms, gateway: MisbehavingGateway, mood: Mood
) -> None:
    """From outside it looks as if it had been taken; the look-up finds nothing, so it is sent now, once."""
    gateway.next(mood)
    fails(hasty, EndUnknown)
    again(sms)
    assert (gateway.filings_heard, gateway.look_ups_heard, len(gateway.taken)) == (2, 1, 1)


@pytest.mark.parametrize("mood", [Mood.HANG, Mood.FAIL_BEFORE, Mood.CUT_OFF, Mood.GARBAGE, Mood.HUGE, Mood.CROSSED])
def test_while_nobody_can_look_nothing_is_sent_again(hasty: HttpSms, gateway: MisbehavingGateway, mood: Mood) -> None:
    """A look-up that failed, or says nothing, is not one that found nothing."""
    gateway.next(Mood.FAIL_AFTER)
    fails(hasty, EndUnknown)
    gateway.next_look_up(mood)
    with pytest.raises((EndUnknown, TryLater)):
        again(hasty)
    assert len(gateway.taken) == 1


@pytest.mark.parametrize(("mood", "minutes"), [(Mood.BUSY, 2), (Mood.CLOSED, 30), (Mood.LOCKED, 60), (Mood.LOST, 60)])
def test_a_closed_door_is_tried_again_later(
    sms: HttpSms, gateway: MisbehavingGateway, mood: Mood, minutes: int
) -> None:
    """429 and 503 say when; a token or an address that is wrong is for the administrator, and no bounce of anybody's."""
    gateway.next(mood)
    error = fails(sms, TryLater)
    assert isinstance(error, TryLater)
    assert error.after == timedelta(minutes=minutes)
    sms.send(message())
    assert len(gateway.taken) == 1


def test_a_refused_number_bounces_and_is_not_named(sms: HttpSms, gateway: MisbehavingGateway) -> None:
    """At once, after a while, or because it is no telephone number at all; the gateway's own words are masked."""
    gateway.nobody.add(PHONE)
    gateway.gone.add("+6281162319253")
    told = [fails(sms, Bounced), fails(sms, Bounced, to="+6281162319253")]
    told.append(fails(sms, Bounced, unknown=True, to="+6281162319253"))
    gateway.next(Mood.REFUSE)
    told.append(fails(sms, Bounced))
    for nothing in ("081162319252", "+62", "sri@contoh.example", "+62811\u0660623192"):
        told.append(fails(sms, Bounced, to=nothing))
    assert "tidak terdaftar" in str(told[0])
    assert "357801********01" in str(told[3])
    assert not [error for error in told for number in ("1162319252", "1162319253") if number in f"{error}{error.note}"]


def test_an_id_with_many_digits_looks_like_nobodys_number(sms: HttpSms, gateway: MisbehavingGateway) -> None:
    """One hash in six hundred holds 15 digits in a row: its message leaves like the others, under an id of its own."""
    digits = message().model_copy(update={"message_id": "<nib.2026.h123456789012345@dinkop.example>"})
    sms.send(digits)
    sms.send(digits.model_copy(update={"message_id": "<nib.2026.h123456789012346@dinkop.example>"}))
    assert [one.reference for one in gateway.taken] == [
        "sms.nib.2026.h12345678901234-5",
        "sms.nib.2026.h12345678901234-6",
    ]


def test_a_gateway_delivers_twice_and_the_key_makes_it_one(sms: HttpSms, gateway: MisbehavingGateway) -> None:
    """Where the gateway remembers ids, even a delivery by a proxy in between is one message."""
    gateway.forgetful = False
    gateway.next(Mood.TWICE)
    sms.send(message())
    gateway.wait_for_redelivery()
    assert len(gateway.taken) == 1


def test_the_same_letter_has_another_id_on_another_channel(
    gateway: MisbehavingGateway, authorities: ssl.SSLContext
) -> None:
    """One gateway may serve both: what bounced as WhatsApp is not taken for the SMS that follows."""
    gateway.forgetful = False
    for kind in (HttpWhatsApp, HttpSms):
        with kind(gateway.url, gateway.token, tls=authorities) as channel:
            channel.send(message())
    assert [one.reference.split(".")[0] for one in gateway.taken] == ["whatsapp", "sms"]


def test_nothing_that_is_logged_or_raised_names_person_or_token(
    gateway: MisbehavingGateway, authorities: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    """Number, name, words and token are in no address, no log line, no repr, no traceback and no chained exception."""
    caplog.set_level(logging.DEBUG)
    sms = HttpSms(gateway.url, gateway.token, 0.2, largest_answer=100_000, tls=authorities)
    written, chained = [repr(sms), repr(message())], set[BaseException | None]()
    for mood in (mood for mood in Mood if mood not in (Mood.LATE, Mood.HANG, Mood.DRIP)):
        gateway.next(mood)
        gateway.next_look_up(mood)
        for unknown in (False, True):
            try:
                written.append(repr(send_once(sms, message(), earlier_attempt_unknown=unknown)))
            except OutsideError as error:
                chained |= {error.__cause__, error.__context__ if not error.__suppress_context__ else None}
                written += [str(error), repr(error), error.for_people, error.note or ""]
                written += traceback.format_exception(error)
    sms.close()
    assert chained == {None}
    text = " ".join([*written, *gateway.addresses, caplog.text])
    assert not [secret for secret in ("81162319252", "Sri Purnomo", "Permohonan Anda", gateway.token) if secret in text]


def test_an_unsafe_setting_is_refused_at_the_start() -> None:
    """As with every other office: https only, no password in the address, a token that a header can hold."""
    for url, token in (
        ("http://sms.example.id", "t"),
        ("https://u:p@sms.example.id", "t"),
        ("https://sms.example.id", ""),
    ):
        with pytest.raises(ValueError, match="Gerbang SMS"):
            HttpSms(url, token)
