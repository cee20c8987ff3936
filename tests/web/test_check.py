"""The page that every QR code leads to."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi.testclient import TestClient
from sqlmodel import select

from engine.actions.correction.correct import correct
from engine.runtime.links import check_url, desk_url
from models import Document, DocumentStatus
from tests.scheduling.small_office import NATIONAL_ID, OWNER, PHONE, TO_THE_END, SmallOffice
from tests.web.conftest import advance


def legalized(small: SmallOffice, case: str) -> str:
    """Carry a case to its certificate; return the certificate's number."""
    for key, by, data in TO_THE_END:
        small.answer(case, key, by, data)
        advance(small)
    with small.office.db.reading() as session:
        number = session.exec(select(Document.number).where(Document.number.is_not(None))).one()  # type: ignore[union-attr]
    assert number
    return number


def test_a_case_shows_its_pipeline_and_status_and_nobody(client: TestClient, case: str) -> None:
    """Whoever has the number learns that it is being worked on, not whose it is."""
    answer = client.get(f"/check/{case}")
    assert answer.status_code == 200
    assert "Permohonan Legalisasi NIB" in answer.text
    assert "Sedang diproses" in answer.text
    assert OWNER not in answer.text
    assert "Sari Sri" not in answer.text


def test_a_certificate_shows_what_is_printed_on_it(small: SmallOffice, client: TestClient, case: str) -> None:
    """Kind, number, business and date, to be compared with the paper; no owner. Replaced, it names the one in its place."""
    number = legalized(small, case)
    answer = client.get(f"/check/{number}")
    assert answer.status_code == 200
    for shown in (number, "Sari Sri 1", "Berlaku"):
        assert shown in answer.text
    for hidden in (OWNER, NATIONAL_ID, PHONE):
        assert hidden not in answer.text
    with small.office.run("cli", by="tuti") as run:
        correct(small.office, run, case, by="tuti", reason="salah ketik", data={"name": "Sari Sri Rejeki"})
    old, new = (client.get(f"/check/{one}") for one in (number, "LEG-2026-000002"))
    assert (old.status_code, new.status_code) == (200, 200)
    assert "Tidak berlaku lagi" in old.text and "Nomor penggantinya: LEG-2026-000002." in old.text
    assert "Berlaku. Dokumen ini tercatat" in new.text and "Sari Sri Rejeki" in new.text


def test_the_links_of_papers_and_letters_lead_here(small: SmallOffice, client: TestClient, case: str) -> None:
    """The address in a QR code is this page's, and that in a digest is the desk's."""
    links = (check_url(small.office, case), desk_url(small.office))
    checked, desk = (client.get(urlsplit(link).path) for link in links)
    assert checked.status_code == 200 and case in checked.text
    assert (desk.status_code, desk.headers["location"]) == (303, "/login")


def test_a_number_typed_in_small_letters_is_found(client: TestClient, case: str) -> None:
    """People type as they like."""
    assert client.get(f"/check/%20{case.lower()}").status_code == 200


def test_a_voided_certificate_says_so(small: SmallOffice, client: TestClient, case: str) -> None:
    """A cancelled document is known, and not valid."""
    number = legalized(small, case)
    with small.office.db.writing() as session:
        document = session.exec(select(Document).where(Document.number == number)).one()
        document.status = DocumentStatus.VOIDED
        session.add(document)
    assert "dibatalkan" in client.get(f"/check/{number}").text


def test_a_number_that_is_only_reserved_is_unknown(small: SmallOffice, client: TestClient, case: str) -> None:
    """Until the file is made and signed there is nothing to confirm."""
    number = legalized(small, case)
    with small.office.db.writing() as session:
        document = session.exec(select(Document).where(Document.number == number)).one()
        document.status = DocumentStatus.RESERVED
        session.add(document)
    assert client.get(f"/check/{number}").status_code == 404


def test_an_erased_owner_leaves_the_certificate_known_without_a_name(
    small: SmallOffice, client: TestClient, case: str
) -> None:
    """The key is gone, the number and its status stay."""
    from models import Person, PersonKey

    number = legalized(small, case)
    with small.office.db.writing() as session:
        person = session.get_one(Person, 1)
        session.delete(session.get_one(PersonKey, person.key_id))
    answer = client.get(f"/check/{number}")
    assert answer.status_code == 200
    assert "Sari Sri" not in answer.text


def test_an_unknown_number_is_told_in_plain_words(client: TestClient) -> None:
    """404, with what to look at next."""
    answer = client.get("/check/LEG-2026-999999")
    assert answer.status_code == 404
    assert "Periksa kembali nomornya" in answer.text
    assert "LEG-2026-999999" in answer.text


def test_what_is_not_a_number_of_ours_is_not_repeated(client: TestClient) -> None:
    """Somebody types their NIK, or a script: neither is looked up, shown or run."""
    for typed in (NATIONAL_ID, "<script>alert(1)</script>", "%00", "a" * 5000):
        answer = client.get(f"/check/{typed}")
        assert answer.status_code == 404
        assert NATIONAL_ID not in answer.text
        assert "<script" not in answer.text
