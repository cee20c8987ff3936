"""What may not be seen of a person or a secret, whatever goes wrong; and settings that are refused."""

from __future__ import annotations

import logging
import pickle
import ssl
import traceback
from datetime import datetime, timedelta

import httpx
import pytest
from pydantic import ValidationError

from outside.errors import CannotTell, EndUnknown, OutsideError, RefusedOutside, TryLater
from outside.http_adapter import _retry_after
from outside.oss import Filing, file_once
from outside.oss_http import HttpOss
from tests.outside.misbehaving_oss import MisbehavingOss, Mood

SITI = "3578014107900001"


def test_nothing_that_is_logged_or_raised_names_the_person(
    server: MisbehavingOss, authorities: ssl.SSLContext, filing: Filing, caplog: pytest.LogCaptureFixture
) -> None:
    """NIK, phone, name and token are in no address, no log line, no repr, no traceback and no chained exception."""
    caplog.set_level(logging.DEBUG)
    chained: list[BaseException | None] = []
    oss = HttpOss(server.url, server.token, timeout=0.05, largest_answer=100_000, tls=authorities)
    written = [repr(oss), repr(filing), str(oss.__dict__)]
    for mood in Mood:
        server.next(mood)
        server.next_look_up(mood)
        for unknown in (False, True):
            try:
                written.append(repr(file_once(oss, filing, earlier_attempt_unknown=unknown)))
            except OutsideError as error:
                chained += [error.__cause__, error.__context__ if not error.__suppress_context__ else None]
                written += [str(error), repr(error), error.for_people, error.note or ""]
                written += traceback.format_exception(error)
    assert set(chained) == {None}, "a library's exception holds the request"
    text = " ".join([*written, *server.addresses, caplog.text])
    for secret in (SITI, "81234567890", "Siti Aminah", server.token):
        assert secret not in text
    assert "3573014107900002" not in text, "a stranger's NIK"


@pytest.mark.parametrize(
    "change",
    [
        {"national_id": "357801410790000"},
        {"national_id": "35780141079000012"},
        {"industry_code": "1079"},
        {"capital_rupiah": -1},
        {"signed_statement_at": datetime(2026, 3, 2)},
        {"reference": f"NIB-{SITI}#1"},
        {"reference": "../admin"},
        {"reference": "NIB-1\n"},
    ],
)
def test_a_misshapen_filing_is_refused_without_quoting_it(filing: Filing, change: dict[str, object]) -> None:
    """What can't be a filing is never sent, and the refusal does not print the value."""
    with pytest.raises(ValidationError) as caught:
        Filing.model_validate({**filing.model_dump(), **change})
    assert "3578" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("http://oss.example.id", "token"),
        ("https://user:word@oss.example.id", "token"),
        ("https://oss.example.id?x=1", "token"),
        ("https://oss.example.id", ""),
        ("https://oss.example.id", "to\nken"),
    ],
)
def test_an_unsafe_setting_is_refused_at_the_start(url: str, token: str) -> None:
    """Plain http to elsewhere, a password in the address, or a token that breaks a header: none starts."""
    with pytest.raises(ValueError, match="OSS"):
        HttpOss(url, token)


def test_tls_can_not_be_switched_off() -> None:
    """Another authority may be trusted; no authority at all may not."""
    careless = ssl.create_default_context()
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    with pytest.raises(ValueError, match="always verified"):
        HttpOss("https://oss.example.id", "token", tls=careless)


def test_an_error_survives_a_process_border_and_masks_what_it_is_told() -> None:
    """Errors travel between workers whole; whatever text they are made of, NIK, NPWP, phone and address are masked."""
    told = "NIK 3578014107900001, 3578 0141 0790 0001, NPWP 01.234.567.8-901.000, 081234567890, siti@example.com"
    for error in (TryLater(told, timedelta(1)), EndUnknown(told), CannotTell(told), RefusedOutside(told, "x")):
        copy = pickle.loads(pickle.dumps(error))
        assert (str(copy), copy.for_people, vars(copy)) == (str(error), error.for_people, vars(error))
        for text in (str(error), error.for_people):
            for secret in ("3578014107900001", "0790 0001", "567.8-901", "081234567890", "siti@"):
                assert secret not in text
    assert "357801********01" in str(CannotTell(told))
    assert "0203260000001" in str(CannotTell("NIB 0203260000001")), "a NIB is public"


def test_retry_after_is_read_with_sense() -> None:
    """A pause is at most a day and never negative; nonsense is no pause."""

    def read(value: str) -> timedelta | None:
        return _retry_after(httpx.Headers({"Retry-After": value, "Date": "Mon, 02 Mar 2026 01:00:00 GMT"}))

    assert read("7") == timedelta(seconds=7)
    assert read("9" * 400) == timedelta(days=1)
    assert read("Mon, 02 Mar 2026 00:00:00 GMT") == timedelta()
    assert [read(value) for value in ("", "-5", "soon", "Mon, 99 Mar 2026 00:00:00 GMT")] == [None] * 4
