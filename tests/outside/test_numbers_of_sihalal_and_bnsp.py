"""Whose numbers they are, and what kind: receipt, fatwa and certificate at SiHalal, and a pleno's at BNSP."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from pydantic import ValidationError

from outside.bnsp import BlankNumbers, BlankRequest, BlanksResult, Candidate, request_once
from outside.errors import CannotTell, OutsideError, TryLater, WrongPerson
from outside.sihalal import CertificateResult, Owner, ReceiptResult, certificate_of, receipt_of
from outside.sihalal_http import HttpSiHalal
from outside.submission import ByHand
from tests.outside.misbehaving_sihalal import KH, SH, MisbehavingSiHalal
from tests.outside.moods import Mood

SITI, RINI, TONO = "3578014107900001", "3578014107900002", "3578010107900003"
OWNER = Owner(name="Siti Aminah", national_id=SITI, nib="9120304567812")


@pytest.fixture
def server() -> Iterator[MisbehavingSiHalal]:
    with MisbehavingSiHalal() as server:
        yield server


@pytest.fixture
def sihalal(server: MisbehavingSiHalal) -> Iterator[HttpSiHalal]:
    with HttpSiHalal(server.url, server.token, 5, largest_answer=100_000, tls=ssl.create_default_context()) as adapter:
        yield adapter


def test_a_certificate_comes_with_its_number_apart_from_the_fatwas(
    server: MisbehavingSiHalal, sihalal: HttpSiHalal
) -> None:
    """Receipt and certificate are looked up with NIK and numbers in the body only."""
    server.certify(server.register(SITI, "HJ. SITI AMINAH"))
    receipt = receipt_of(sihalal, OWNER)
    assert isinstance(receipt, ReceiptResult)
    assert receipt.number == "STTD-2026-0117"
    certificate = certificate_of(sihalal, "STTD-2026-0117", OWNER)
    assert isinstance(certificate, CertificateResult)
    assert (certificate.number, certificate.kh_number, certificate.issued_on) == (SH, KH, date(2026, 3, 2))
    assert certificate.pdf_sha256
    assert server.addresses == ["/sihalal/receipts/searches", "/sihalal/certificates/searches"]
    assert (server.filings_heard, set(server.keys)) == (0, {None})


def test_what_is_not_there_yet_is_looked_for_again_later(server: MisbehavingSiHalal, sihalal: HttpSiHalal) -> None:
    """No receipt or certificate yet is no error of anybody's; in the end an officer reads what to look for."""
    with pytest.raises(TryLater) as no_receipt:
        receipt_of(sihalal, OWNER)
    server.register(SITI, "Siti Aminah")
    with pytest.raises(TryLater) as no_certificate:
        certificate_of(sihalal, "STTD-2026-0117", OWNER)
    assert "belum menerbitkan STTD" in no_receipt.value.for_people
    assert "belum menerbitkan sertifikat" in no_certificate.value.for_people


def test_two_where_one_is_looked_for_go_to_an_officer(server: MisbehavingSiHalal, sihalal: HttpSiHalal) -> None:
    """Two open applications, or two certificates of one receipt: no machine chooses."""
    number = server.register(SITI, "Siti Aminah")
    for sh in (SH, "ID00410000088320221"):
        server.certify(number, sh)
    with pytest.raises(CannotTell, match="2 SHs"):
        certificate_of(sihalal, number, OWNER)
    server.register(SITI, "Siti Aminah", "STTD-2026-0118")
    with pytest.raises(CannotTell, match="2 STTDs") as caught:
        receipt_of(sihalal, OWNER)
    assert "lebih dari satu STTD" in caught.value.for_people


@pytest.mark.parametrize(
    ("mood", "kind", "said"),
    [
        (Mood.BAD_NUMBER, CannotTell, "mungkin nomor KH"),
        (Mood.TORN_PDF, CannotTell, "rusak"),
        (Mood.GARBAGE, CannotTell, "tidak dapat dipastikan"),
        (Mood.CHATTY, CannotTell, "tidak dapat dipastikan"),
        (Mood.HUGE, CannotTell, "tidak dapat dipastikan"),
        (Mood.STRANGER, WrongPerson, "atas nama orang lain"),
        (Mood.OTHER_NAME, WrongPerson, "atas nama orang lain"),
        (Mood.CROSSED, WrongPerson, "atas nama orang lain"),
        (Mood.FAIL_BEFORE, TryLater, "mencoba lagi"),
        (Mood.LOCKED, TryLater, "SiHalal menolak kunci akses"),
    ],
)
def test_a_certificate_that_is_not_surely_this_ones_is_not_recorded(
    server: MisbehavingSiHalal, sihalal: HttpSiHalal, mood: Mood, kind: type[OutsideError], said: str
) -> None:
    """The fatwa's number where the certificate's belongs, another application's, another person's, a broken file."""
    server.certify(server.register(SITI, "Siti Aminah"))
    server.next_look_up(mood)
    with pytest.raises(kind) as caught:
        certificate_of(sihalal, "STTD-2026-0117", OWNER)
    assert type(caught.value) is kind
    assert said in caught.value.for_people


@pytest.mark.parametrize("kh_number", [SH, " ", "K" * 65])
def test_a_number_of_the_fatwa_that_can_not_be_one(
    server: MisbehavingSiHalal, sihalal: HttpSiHalal, kh_number: str
) -> None:
    """The certificate's own number, nothing, or a whole sentence in its place: an officer looks."""
    server.certify(server.register(SITI, "Siti Aminah"), kh_number=kh_number)
    with pytest.raises(CannotTell) as caught:
        certificate_of(sihalal, "STTD-2026-0117", OWNER)
    assert "Nomor KH dari SiHalal tidak dapat dibaca" in caught.value.for_people


def test_a_number_without_its_holder_is_nobodys(server: MisbehavingSiHalal, sihalal: HttpSiHalal) -> None:
    """The right NIK and no name: it is not recorded unseen."""
    server.register(SITI, "  ")
    with pytest.raises(CannotTell, match="without its holder's name"):
        receipt_of(sihalal, OWNER)


# -- BNSP ------------------------------------------------------------------------------------------------------------

REQUEST = BlankRequest(
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


def numbers(national_id: str, name: str, serial: int, year: int = 2026, registered: int | None = None) -> BlankNumbers:
    return BlankNumbers(
        holder_name=name,
        national_id=national_id,
        certificate_number=f"62019 2513 6 {serial:07d} {year}",
        registration_number=f"KUR.001.{registered or serial:05d} 2026",
    )


SITIS, RINIS = numbers(SITI, "SITI AMINAH", 1), numbers(RINI, "Rini Wulandari", 2)


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ((SITIS,), CannotTell, "jumlah asesi kompeten"),
        ((SITIS, SITIS), CannotTell, "jumlah asesi kompeten"),
        ((SITIS, RINIS, numbers(TONO, "Tono Prasetyo", 3)), WrongPerson, "atas nama orang lain"),
        ((SITIS, numbers(RINI, "Rini Wulan", 2)), WrongPerson, "atas nama orang lain"),
        ((SITIS, numbers(RINI, "Rini Wulandari", 1, registered=2)), CannotTell, "nomor yang sama"),
        ((SITIS, numbers(RINI, "Rini Wulandari", 2, registered=1)), CannotTell, "nomor yang sama"),
        ((SITIS, numbers(RINI, "Rini Wulandari", 2, year=2025)), CannotTell, "bukan tahun terbitnya"),
    ],
)
def test_each_competent_candidate_and_nobody_else_has_numbers_of_their_own(
    given: tuple[BlankNumbers, ...], kind: type[OutsideError], said: str
) -> None:
    """Whatever adapter answers: one left out, one too many, one not competent, a number twice, another year."""

    class Careless:
        name = "careless"

        def request(self, request: BlankRequest) -> BlanksResult | ByHand:
            return BlanksResult(outcome="issued", source="careless", issued_on=date(2026, 3, 2), given=given)

        def look_up(self, reference: str) -> BlanksResult | None:
            answer = self.request(REQUEST)
            assert isinstance(answer, BlanksResult)
            return answer

    for unknown in (False, True):
        with pytest.raises(kind) as caught:
            request_once(Careless(), REQUEST, unknown)
        assert type(caught.value) is kind
        assert said in caught.value.for_people


@pytest.mark.parametrize("number", ["62019 2513 6 0033443 2025", "62019 2513 18247 2022"])
def test_numbers_with_and_without_the_level_are_numbers(number: str) -> None:
    """Older certificates lack the digit of the level."""
    words = {"holder_name": "Siti", "national_id": SITI, "registration_number": "KUR.001.00001 2025"}
    assert BlankNumbers.model_validate({**words, "certificate_number": number}).certificate_number == number
    for wrong in (number.replace(" ", ""), number[:-2], f"{number} "):
        with pytest.raises(ValidationError):
            BlankNumbers.model_validate({**words, "certificate_number": wrong})


@pytest.mark.parametrize(
    "call",
    [
        lambda: BlanksResult(outcome="refused", source="bnsp"),
        lambda: BlanksResult(outcome="issued", source="bnsp", issued_on=date(2026, 3, 2)),
        lambda: ReceiptResult(outcome="returned", source="sihalal", reason="kurang"),
        lambda: ReceiptResult(outcome="received", source="sihalal", number="STTD-1"),
    ],
)
def test_half_an_answer_is_none(call: Callable[[], object]) -> None:
    """A refusal without reason, numbers without people, a receipt without a holder."""
    with pytest.raises(ValidationError):
        call()
