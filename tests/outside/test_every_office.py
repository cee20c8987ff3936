"""SiHalal and BNSP misbehave as OSS does: nothing is handed in twice, nobody else's number is taken, no case is lost."""

from __future__ import annotations

import logging
import ssl
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from outside.bnsp import BlankRequest, BlanksResult, Candidate, ManualBnsp, request_once
from outside.bnsp_http import HttpBnsp
from outside.errors import CannotTell, EndUnknown, OutsideError, TryLater, WrongPerson
from outside.http_adapter import HttpAdapter
from outside.oss_http import HttpOss
from outside.sihalal import HalalApplication, Ingredient, ManualSiHalal, Owner, Product, ReceiptResult, hand_in_once
from outside.sihalal_http import HttpSiHalal
from outside.submission import ByHand, Request, Result
from tests.outside.misbehaving import PDF, MisbehavingOffice
from tests.outside.misbehaving_bnsp import MisbehavingBnsp
from tests.outside.misbehaving_sihalal import MisbehavingSiHalal
from tests.outside.moods import Mood

SITI, RINI, TONO = "3578014107900001", "3578014107900002", "3578010107900003"
OWNER = Owner(name="Siti Aminah", national_id=SITI, nib="9120304567812")
APPLICATION = HalalApplication(
    reference="HSD-2026-000123/receipt_letter#1",
    path="self_declare",
    owner=OWNER,
    business_name="Kerupuk Bu Siti",
    region_code="35.78",
    production_places=("Jl. Kenjeran 12, Surabaya",),
    products=(Product(name="Kerupuk", ingredients=(Ingredient(name="Tapioka", source="merek Contoh"),)),),
    process="diadon, dikukus, dijemur, digoreng",
    pledged_at=datetime(2026, 3, 2, 1, 0, tzinfo=UTC),
    companion_number="P3H-35-000417",
)
BLANKS = BlankRequest(
    reference="LSP-2026-000123/blanks#1",
    licence="BNSP-LSP-0001-ID",
    scheme="Kurator UMKM",
    minutes="BA/PLENO/2026/03",
    decided_on=date(2026, 2, 27),
    candidates=(
        Candidate(name="Siti Aminah", national_id=SITI, competent=True),
        Candidate(name="Rini Wulandari", national_id=RINI, competent=True),
        Candidate(name="Tono Prasetyo", national_id=TONO, competent=False),
    ),
)


@dataclass
class Errand:
    """What is asked of one office, at its misbehaving server."""

    server: MisbehavingOffice[Any]
    office: type[HttpAdapter]
    request: Request

    def adapter(self, patience: float = 5) -> HttpAdapter:
        """Our adapter to the server."""
        return self.office(self.server.url, self.server.token, patience, largest_answer=100_000, tls=AUTHORITIES)

    def run(self, unknown: bool = False, patience: float = 5) -> Result:
        """Run the errand once."""
        with self.adapter(patience) as adapter:
            result: Result | ByHand
            if isinstance(adapter, HttpSiHalal):
                result = hand_in_once(adapter, APPLICATION, unknown)
            else:
                assert isinstance(adapter, HttpBnsp)
                result = request_once(adapter, BLANKS, unknown)
        assert isinstance(result, Result)
        return result

    def fails(self, kind: type[OutsideError], unknown: bool = False, patience: float = 5) -> OutsideError:
        """Run it, and return the error that it must end in."""
        with pytest.raises(kind) as caught:
            self.run(unknown, patience)
        assert type(caught.value) is kind
        return caught.value


AUTHORITIES = ssl.create_default_context()


@pytest.fixture(params=["sihalal", "bnsp"])
def errand(request: pytest.FixtureRequest) -> Iterator[Errand]:
    """An errand at an office that remembers no references: what is handed in twice shows."""
    server: MisbehavingOffice[Any]
    if request.param == "sihalal":
        with MisbehavingSiHalal(forgetful=True) as server:
            yield Errand(server, HttpSiHalal, APPLICATION)
    else:
        with MisbehavingBnsp(forgetful=True) as server:
            yield Errand(server, HttpBnsp, BLANKS)


def test_an_honest_answer_is_recorded_with_its_evidence(errand: Errand) -> None:
    """What the office says, under our reference, with its source and its file; it survives the ledger's JSON."""
    result = errand.run()
    assert result.source == f"{errand.office.name} (127.0.0.1)"
    assert result.pdf == PDF
    assert errand.server.keys == [errand.request.reference]
    assert type(result).model_validate_json(result.model_dump_json()) == result
    if isinstance(result, ReceiptResult):
        assert (result.outcome, result.number, result.issued_on) == ("received", "STTD-2026-0000001", date(2026, 3, 2))
    else:
        assert isinstance(result, BlanksResult)
        given = [result.of(nik) for nik in (SITI, RINI, TONO)]
        assert [one and one.certificate_number for one in given] == [
            *("62019 2513 6 0000001 2026", "62019 2513 6 0000002 2026", None)
        ]
        assert given[1] and given[1].registration_number == "KUR.001.00002 2026"


LOST = [Mood.LATE, Mood.FAIL_AFTER, Mood.CUT_OFF, Mood.DRIP, Mood.HUGE, Mood.GARBAGE, Mood.CHATTY, Mood.PENDING]


@pytest.mark.parametrize("mood", LOST)
def test_a_request_whose_answer_was_lost_is_found_again(errand: Errand, mood: Mood) -> None:
    """The office took it, but its answer is lost: the look-up finds it, and nothing is handed in twice."""
    errand.server.next(mood)
    error = errand.fails(EndUnknown, patience=0.2)
    assert "memeriksa dahulu" in error.for_people
    errand.server.wait_until_taken()
    errand.run(unknown=error.look_up_first)
    assert (errand.server.filings_heard, len(errand.server.taken)) == (1, 1)


@pytest.mark.parametrize("mood", [Mood.HANG, Mood.FAIL_BEFORE, Mood.REDIRECT])
def test_a_request_that_never_arrived_is_handed_in_after_a_look(errand: Errand, mood: Mood) -> None:
    """From outside it looks as if it had been taken; the look-up finds nothing, so it is handed in now, once."""
    errand.server.next(mood)
    errand.fails(EndUnknown, patience=0.2)
    errand.run(unknown=True)
    assert (errand.server.filings_heard, errand.server.look_ups_heard, len(errand.server.taken)) == (2, 1, 1)
    assert set(errand.server.keys) == {errand.request.reference, None}
    assert not any("elsewhere" in address for address in errand.server.addresses)


@pytest.mark.parametrize(("mood", "minutes"), [(Mood.BUSY, 2), (Mood.CLOSED, 30), (Mood.LOCKED, 60), (Mood.LOST, 60)])
def test_a_closed_door_is_tried_again_later(errand: Errand, mood: Mood, minutes: int) -> None:
    """Where surely nothing was taken, we wait as long as we are told, and need no look-up."""
    errand.server.next(mood)
    error = errand.fails(TryLater)
    assert isinstance(error, TryLater)
    assert (error.after, error.look_up_first) == (timedelta(minutes=minutes), False)
    assert mood is not Mood.LOCKED or error.for_people.startswith(errand.office.label)
    errand.run()
    assert (len(errand.server.taken), errand.server.look_ups_heard) == (1, 0)


@pytest.mark.parametrize("mood", [Mood.HANG, Mood.FAIL_BEFORE, Mood.BUSY, Mood.CUT_OFF, Mood.LOCKED])
def test_a_failed_look_up_keeps_the_end_unknown(errand: Errand, mood: Mood) -> None:
    """While nobody can look, nobody hands in: a look-up that failed is not one that found nothing."""
    errand.server.next(Mood.FAIL_AFTER)
    errand.fails(EndUnknown)
    errand.server.next_look_up(mood)
    errand.fails(EndUnknown, unknown=True, patience=0.2)
    assert errand.server.filings_heard == 1


@pytest.mark.parametrize("mood", [Mood.GARBAGE, Mood.CHATTY, Mood.BAD_NUMBER, Mood.TORN_PDF, Mood.HUGE])
def test_a_look_up_that_decides_nothing_goes_to_an_officer(errand: Errand, mood: Mood) -> None:
    """A page of HTML, a number that can't be one, a broken PDF: no machine chooses, and nothing is handed in again."""
    errand.server.next(Mood.FAIL_AFTER)
    errand.fails(EndUnknown)
    errand.server.next_look_up(mood)
    assert "Petugas perlu" in errand.fails(CannotTell, unknown=True).for_people
    assert errand.server.filings_heard == 1


@pytest.mark.parametrize("mood", [Mood.BAD_NUMBER, Mood.TORN_PDF])
def test_a_number_that_can_not_be_one_is_not_recorded(errand: Errand, mood: Mood) -> None:
    """The office did take it: so an officer looks, and it is not handed in again unseen."""
    errand.server.next(mood)
    assert errand.fails(CannotTell).look_up_first


@pytest.mark.parametrize("mood", [Mood.STRANGER, Mood.NAMESAKE, Mood.OTHER_NAME, Mood.CROSSED])
def test_another_persons_number_is_never_recorded(errand: Errand, mood: Mood) -> None:
    """Whether we hand in or look up: an officer must look, and no stranger is named."""
    errand.server.next(mood)
    first = errand.fails(WrongPerson)
    errand.server.next_look_up(mood)
    for error in (first, errand.fails(WrongPerson, unknown=True)):
        assert "atas nama orang lain" in error.for_people
        assert "Orang Lain" not in f"{error} {error.for_people}"
    assert errand.server.filings_heard == 1


def test_what_is_refused_says_why_and_names_no_nik(errand: Errand) -> None:
    """The office quotes the NIK in its reason: the reason is kept, the number masked."""
    errand.server.next(Mood.REFUSE)
    result = errand.run()
    assert result.reason == "national_id: NIK 357801********01 tidak sesuai dengan data Dukcapil"
    assert result.faults[0].in_words() == result.reason
    assert (result.pdf, errand.server.taken) == (None, [])


def test_a_request_delivered_twice_is_one(errand: Errand) -> None:
    """A gateway delivers our request twice, and we ask a third time: the key makes them one."""
    errand.server.forgetful = False
    errand.server.next(Mood.TWICE)
    first = errand.run()
    errand.server.wait_for_redelivery()
    assert errand.run() == first
    assert len(errand.server.taken) == 1


def test_nothing_that_is_logged_or_raised_names_the_person(errand: Errand, caplog: pytest.LogCaptureFixture) -> None:
    """NIK, name and token are in no address, no log line, no repr, no traceback and no chained exception."""
    caplog.set_level(logging.DEBUG)
    chained: list[BaseException | None] = []
    written = [repr(errand.adapter()), repr(errand.request)]
    for mood in (mood for mood in Mood if mood not in (Mood.LATE, Mood.HANG, Mood.DRIP)):
        errand.server.next(mood)
        errand.server.next_look_up(mood)
        for unknown in (False, True):
            try:
                written.append(repr(errand.run(unknown)))
            except OutsideError as error:
                chained += [error.__cause__, error.__context__ if not error.__suppress_context__ else None]
                written += [str(error), repr(error), error.for_people, error.note or ""]
                written += traceback.format_exception(error)
    assert set(chained) == {None}, "a library's exception holds the request"
    text = " ".join([*written, *errand.server.addresses, caplog.text])
    for secret in (SITI, RINI, TONO, "Siti Aminah", "SITI AMINAH", "Rini", errand.server.token, "3573014107900002"):
        assert secret not in text


@pytest.mark.parametrize("office", [HttpOss, HttpSiHalal, HttpBnsp])
def test_an_unsafe_setting_is_refused_at_the_start(office: type[HttpAdapter]) -> None:
    """Plain http to elsewhere, a password in the address, a token that breaks a header, TLS unverified: none starts."""
    careless = ssl.create_default_context()
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    settings: list[tuple[str, str, ssl.SSLContext | None]] = [
        ("http://office.example.id", "token", None),
        ("https://user:word@office.example.id", "token", None),
        ("https://office.example.id", "to\nken", None),
        ("https://office.example.id", "token", careless),
    ]
    for url, token, tls in settings:
        with pytest.raises(ValueError, match=office.label):
            office(url, token, tls=tls)


def test_by_hand_is_an_answer_and_not_an_error() -> None:
    """Without a machine's way in a person does it; after an unknown end, a person looks."""
    by_hand: list[object] = [
        hand_in_once(ManualSiHalal(), APPLICATION, False),
        request_once(ManualBnsp(), BLANKS, False),
    ]
    by_hand += [ManualSiHalal().receipt(OWNER), ManualSiHalal().certificate("STTD-1", OWNER)]
    for answer, said in zip(by_hand, ("SiHalal", "K dan BK, dengan NIK", "STTD", "bukan nomor KH"), strict=True):
        assert isinstance(answer, ByHand)
        assert said in answer.reason
    for look in (
        lambda: hand_in_once(ManualSiHalal(), APPLICATION, True),
        lambda: request_once(ManualBnsp(), BLANKS, True),
    ):
        with pytest.raises(CannotTell, match="no machine's way in") as caught:
            look()
        assert "sebelum mengajukan lagi" in caught.value.for_people


@pytest.mark.parametrize(
    ("request_", "change"),
    [
        (APPLICATION, {"reference": f"HSD-{SITI}#1"}),
        (APPLICATION, {"products": []}),
        (APPLICATION, {"pledged_at": None}),
        (APPLICATION, {"path": "regular"}),
        (APPLICATION, {"owner": {"name": "Siti", "national_id": SITI[:15], "nib": "9120304567812"}}),
        (BLANKS, {"candidates": []}),
        (BLANKS, {"candidates": [{"name": "Siti", "national_id": SITI, "competent": False}]}),
        (BLANKS, {"candidates": [{"name": "Siti", "national_id": SITI, "competent": True}] * 2}),
    ],
)
def test_a_misshapen_request_is_refused_without_quoting_it(request_: Request, change: dict[str, object]) -> None:
    """What can't be a request is never sent, and the refusal does not print the value."""
    with pytest.raises(ValidationError) as caught:
        type(request_).model_validate({**request_.model_dump(), **change})
    assert "35780141" not in str(caught.value)
