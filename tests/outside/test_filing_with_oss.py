"""Stories of a filing with an OSS that misbehaves: no double filing, no lost case, clear words."""

from __future__ import annotations

import hashlib
import socket
from datetime import date, timedelta

import pytest

from outside.errors import CannotTell, EndUnknown, TryLater, WrongPerson
from outside.oss import Filing, FilingResult, ManualOss, file_once
from outside.oss_http import HttpOss
from outside.submission import ByHand, same_name
from tests.outside.misbehaving_oss import PDF, MisbehavingOss, Mood

SITI = "3578014107900001"


def carry_on(oss: HttpOss, filing: Filing, attempts: int = 5) -> FilingResult:
    """File as the engine does: after each bad end again, looking up first where the error says so."""
    unknown = False
    for _ in range(attempts):
        try:
            result = file_once(oss, filing, earlier_attempt_unknown=unknown)
        except (TryLater, EndUnknown) as error:
            unknown = error.look_up_first
            continue
        assert isinstance(result, FilingResult)
        return result
    raise AssertionError("the case was lost")


def test_an_honest_answer_is_recorded_with_its_evidence(oss: HttpOss, server: MisbehavingOss, filing: Filing) -> None:
    """A filing under our reference becomes a NIB, with its date, source, and the PDF's hash."""
    result = file_once(oss, filing, earlier_attempt_unknown=False)

    assert isinstance(result, FilingResult)
    assert (result.outcome, result.issued_on, result.region_code) == ("issued", date(2026, 3, 2), "35.78")
    assert {result.nib} == server.nibs_of(SITI) == server.nibs_for(filing.reference)
    assert (result.pdf, result.pdf_sha256) == (PDF, hashlib.sha256(PDF).hexdigest())
    assert result.source == "oss (127.0.0.1)"
    assert server.keys == [filing.reference]
    assert FilingResult.model_validate_json(result.model_dump_json()) == result


@pytest.mark.parametrize(
    "mood",
    [Mood.LATE, Mood.FAIL_AFTER, Mood.CUT_OFF, Mood.DRIP, Mood.HUGE, Mood.GARBAGE, Mood.CHATTY, Mood.PENDING],
)
def test_a_filing_whose_answer_was_lost_is_found_again(
    oss: HttpOss, hasty_oss: HttpOss, server: MisbehavingOss, filing: Filing, mood: Mood
) -> None:
    """OSS files, but its answer is lost: the end is unknown, the look-up finds it, nothing is filed twice."""
    server.next(mood)
    with pytest.raises(EndUnknown) as caught:
        file_once(hasty_oss, filing, earlier_attempt_unknown=False)
    assert "memeriksa dahulu" in caught.value.for_people

    server.wait_until_taken()
    result = file_once(oss, filing, earlier_attempt_unknown=caught.value.look_up_first)

    assert isinstance(result, FilingResult)
    assert {result.nib} == server.nibs_of(SITI)
    assert server.filings_heard == 1


@pytest.mark.parametrize("mood", [Mood.HANG, Mood.FAIL_BEFORE, Mood.REDIRECT])
def test_a_filing_that_never_arrived_is_filed_after_a_look(
    oss: HttpOss, hasty_oss: HttpOss, server: MisbehavingOss, filing: Filing, mood: Mood
) -> None:
    """From outside it looks as if it had been filed; the look-up finds nothing, so it is filed now, once."""
    server.next(mood)
    with pytest.raises(EndUnknown):
        file_once(hasty_oss, filing, earlier_attempt_unknown=False)

    result = file_once(oss, filing, earlier_attempt_unknown=True)

    assert isinstance(result, FilingResult)
    assert {result.nib} == server.nibs_of(SITI)
    assert (server.filings_heard, server.look_ups_heard) == (2, 2)
    assert set(server.keys) == {filing.reference, None}, "filed twice under the same key, looked up without one"


@pytest.mark.parametrize(
    ("mood", "after"),
    [
        (Mood.BUSY, timedelta(minutes=2)),
        (Mood.CLOSED, timedelta(minutes=30)),
        (Mood.LOCKED, timedelta(hours=1)),
        (Mood.LOST, timedelta(hours=1)),
    ],
)
def test_a_closed_door_is_tried_again_later(
    oss: HttpOss, server: MisbehavingOss, filing: Filing, mood: Mood, after: timedelta
) -> None:
    """Where surely nothing was filed, we wait as long as we are told, and file without a look-up."""
    server.next(mood)
    with pytest.raises(TryLater) as caught:
        file_once(oss, filing, earlier_attempt_unknown=False)
    assert (caught.value.after, caught.value.look_up_first) == (after, False)

    assert carry_on(oss, filing).outcome == "issued"
    assert (len(server.nibs_of(SITI)), server.look_ups_heard) == (1, 0)


def test_a_refused_token_is_the_administrators_business(oss: HttpOss, server: MisbehavingOss, filing: Filing) -> None:
    """The applicant is told that the case is safe, the administrator what to do."""
    server.next(Mood.LOCKED)
    with pytest.raises(TryLater, match="token") as caught:
        oss.file(filing)
    assert "administrator" in (caught.value.note or "")
    assert "permohonan aman" in caught.value.for_people


def test_an_oss_that_is_down_is_tried_again(filing: Filing) -> None:
    """Nobody listens at the address: nothing was sent, so nothing needs a look-up."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with (
        HttpOss(f"http://127.0.0.1:{port}", "token", timeout=0.2) as oss,
        pytest.raises(TryLater, match="ConnectError"),
    ):
        oss.file(filing)


def test_a_whole_bad_week_ends_in_one_nib(hasty_oss: HttpOss, server: MisbehavingOss, filing: Filing) -> None:
    """Filings and look-ups fail in turn; in the end there is one NIB, and the case has it."""
    server.next(Mood.BUSY, Mood.HANG, Mood.LATE)
    server.next_look_up(Mood.HANG, Mood.FAIL_BEFORE, Mood.BUSY)

    result = carry_on(hasty_oss, filing, attempts=20)

    assert {result.nib} == server.nibs_of(SITI)


@pytest.mark.parametrize("mood", [Mood.HANG, Mood.FAIL_BEFORE, Mood.BUSY, Mood.CUT_OFF, Mood.LOCKED])
def test_a_failed_look_up_keeps_the_end_unknown(
    oss: HttpOss, hasty_oss: HttpOss, server: MisbehavingOss, filing: Filing, mood: Mood
) -> None:
    """While nobody can look, nobody files: a look-up that failed is not one that found nothing."""
    server.next(Mood.FAIL_AFTER)
    with pytest.raises(EndUnknown):
        oss.file(filing)
    server.next_look_up(mood)

    with pytest.raises(EndUnknown) as caught:
        file_once(hasty_oss, filing, earlier_attempt_unknown=True)

    assert (caught.value.look_up_first, server.filings_heard) == (True, 1)


@pytest.mark.parametrize("mood", [Mood.GARBAGE, Mood.CHATTY, Mood.BAD_NUMBER, Mood.TORN_PDF, Mood.LOST, Mood.HUGE])
def test_a_look_up_that_decides_nothing_goes_to_an_officer(
    oss: HttpOss, server: MisbehavingOss, filing: Filing, mood: Mood
) -> None:
    """A page of HTML, a proxy's 404 or a broken NIB is no proof that nothing was filed."""
    server.next(Mood.FAIL_AFTER)
    with pytest.raises(EndUnknown):
        oss.file(filing)
    server.next_look_up(mood)

    # A 404 of a proxy may be a wrong address: the administrator comes before the officer.
    with pytest.raises(EndUnknown if mood is Mood.LOST else CannotTell) as caught:
        file_once(oss, filing, earlier_attempt_unknown=True)

    assert server.filings_heard == 1
    assert mood is Mood.LOST or "Petugas perlu" in caught.value.for_people


def test_a_search_that_finds_two_nibs_goes_to_an_officer(oss: HttpOss, server: MisbehavingOss, filing: Filing) -> None:
    """By law a person holds one NIB; where OSS knows two, no machine chooses."""
    server.register(SITI, "Siti Aminah", "0101250000001")
    server.register(SITI, "Siti Aminah", "0101250000002")
    with pytest.raises(CannotTell, match="2 NIBs"):
        oss.look_up(filing.reference, SITI)


@pytest.mark.parametrize("mood", [Mood.STRANGER, Mood.NAMESAKE, Mood.OTHER_NAME, Mood.CROSSED])
def test_another_persons_nib_is_never_recorded(
    oss: HttpOss, server: MisbehavingOss, filing: Filing, mood: Mood
) -> None:
    """OSS answers a filing or a look-up with a stranger's NIB: an officer must look, and no stranger is named."""
    server.next(mood)
    with pytest.raises(WrongPerson) as first:
        file_once(oss, filing, earlier_attempt_unknown=False)
    server.next_look_up(mood)
    with pytest.raises(WrongPerson) as second:
        file_once(oss, filing, earlier_attempt_unknown=True)

    for error in (first.value, second.value):
        assert error.look_up_first
        assert "atas nama orang lain" in error.for_people
        assert "Orang Lain" not in f"{error} {error.for_people}"
    assert server.filings_heard == 1


def test_a_nib_that_is_not_13_digits_is_not_recorded(oss: HttpOss, server: MisbehavingOss, filing: Filing) -> None:
    """What is printed on a wall must be a NIB; and since OSS did file, it is not filed again unseen."""
    server.next(Mood.BAD_NUMBER)
    with pytest.raises(CannotTell, match="12 characters") as caught:
        oss.file(filing)
    assert "13 angka" in caught.value.for_people
    assert caught.value.look_up_first


def test_a_refusal_says_why_and_names_no_nik(oss: HttpOss, server: MisbehavingOss, filing: Filing) -> None:
    """OSS refuses and quotes the NIK: the reason is kept for the applicant, the number is masked."""
    server.next(Mood.REFUSE)
    result = oss.file(filing)
    assert (result.outcome, result.nib, result.faults[0].field) == ("refused", None, "national_id")
    assert result.reason == "national_id: NIK 357801********01 tidak sesuai dengan data Dukcapil"
    assert server.nibs_of(SITI) == set()


def test_whoever_holds_a_nib_already_keeps_it(
    careful_oss: HttpOss, careful_server: MisbehavingOss, filing: Filing
) -> None:
    """One NIK, one NIB: the old one comes back, whether we file or look up."""
    nib = careful_server.register(SITI, "SITI AMINAH")
    results = [file_once(careful_oss, filing, earlier_attempt_unknown=unknown) for unknown in (False, True)]
    assert [(r.outcome, r.nib) for r in results if isinstance(r, FilingResult)] == [("already_registered", nib)] * 2
    assert careful_server.nibs_of(SITI) == {nib}


def test_a_filing_delivered_twice_is_one_nib(
    careful_oss: HttpOss, careful_server: MisbehavingOss, filing: Filing
) -> None:
    """A gateway delivers our request twice, and we ask a third time: the key makes them one."""
    careful_server.next(Mood.TWICE)
    first = careful_oss.file(filing)
    careful_server.wait_for_redelivery()
    again = careful_oss.file(filing)
    assert first == again
    assert careful_server.nibs_of(SITI) == {first.nib}


def test_redirects_are_not_followed(oss: HttpOss, server: MisbehavingOss, filing: Filing) -> None:
    """A filing goes to the address that the office chose, and nowhere else."""
    server.next(Mood.REDIRECT)
    with pytest.raises(EndUnknown, match="307"):
        oss.file(filing)
    assert server.addresses == ["/oss/filings"]


def test_a_name_is_the_same_in_capitals_and_with_titles() -> None:
    """OSS prints names in capitals and with titles; another name stays another name."""
    assert same_name("Siti Aminah", "HJ. SITI  AMINAH, S.E.")
    assert same_name("Mu'minatul Khasanah", "MUMINATUL KHASANAH")
    assert not same_name("Siti Aminah", "Siti Aminatun")
    assert not same_name("Moh. Rizal", "Mohammad Rizal"), "an officer decides"


def test_no_adapter_is_trusted_with_the_name(filing: Filing) -> None:
    """Whatever adapter answers, filing or looking up, a NIB in another name does not get past `file_once`."""

    class Careless:
        name = "careless"

        def file(self, filing: Filing) -> FilingResult:
            return FilingResult(outcome="issued", source="careless", nib="0203260000001", holder_name="Orang Lain")

        def look_up(self, reference: str, national_id: str) -> FilingResult | None:
            return self.file(filing)

    for unknown in (False, True):
        with pytest.raises(WrongPerson):
            file_once(Careless(), filing, earlier_attempt_unknown=unknown)


def test_by_hand_is_an_answer_and_not_an_error(filing: Filing) -> None:
    """Without a machine's way in, a person files; after an unknown end, a person looks."""
    answer = file_once(ManualOss(), filing, earlier_attempt_unknown=False)
    assert isinstance(answer, ByHand)
    assert "satu NIB" in answer.reason
    with pytest.raises(CannotTell) as caught:
        file_once(ManualOss(), filing, earlier_attempt_unknown=True)
    assert "Periksa di laman OSS" in caught.value.for_people
