"""A row that somebody forged makes no certificate genuine: file, row and ledger must name the same document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from engine.cases.ledger import entry_hash
from engine.people.accounts import give_token
from engine.reports.verification import check_document
from engine.runtime.office import Office
from models import LedgerEntry
from tests.attacks.by_hand import put_back, unguarded
from tests.stories.nib_legalization.conftest import NibStory
from tests.stories.nib_legalization.conftest import nib as nib
from web.app import create_app
from web.check.lookup import look_up

pytestmark = [pytest.mark.by_hand, pytest.mark.reads_papers, pytest.mark.both_databases]

FIRST, SECOND, THIRD = (f"LEG-2026-{number:06d}" for number in (1, 2, 9))
DOUBTED = "Tidak dapat dipastikan"
COLUMNS = "sha256, path, size"
POINTED = (
    f"UPDATE document SET ({COLUMNS}) = (SELECT {COLUMNS} FROM document AS other WHERE other.number = '{SECOND}') "
    f"WHERE number = '{FIRST}'"
)
RENUMBERED = f"UPDATE document SET number = '{THIRD}' WHERE number = '{FIRST}'"
SWAPPED = [
    f"UPDATE document SET number = '{number}' WHERE number = '{before}'"
    for before, number in ((FIRST, THIRD), (SECOND, FIRST), (THIRD, SECOND))
]


@pytest.fixture
def story(nib: Callable[..., NibStory]) -> NibStory:
    """Two businesses with a certificate each; the story of the first."""
    told = nib()
    other = nib(national_id="3578016904500101", name="Warung Wati", owner_name="Wati")
    told.to_statement().signs_on_paper().filed().recorded()
    given = {"nib": "9120304567899", "holder_name": "Wati"}
    other.to_statement().signs_on_paper().filed(**given).recorded()
    assert (told.outcome, other.outcome) == ("legalized", "legalized")
    for number in (FIRST, SECOND):
        assert is_valid(told.office, number)
        assert "Berlaku." in status(told.office, number)
    return told


def forge(office: Office, *statements: str) -> None:
    """Change rows by hand."""
    with office.db.writing() as session:
        for statement in statements:
            session.execute(text(statement))


def is_valid(office: Office, what: str | Path) -> bool:
    """Return what ``jalur verify`` says."""
    valid: bool = check_document(office, str(what))["valid"]
    return valid


def status(office: Office, number: str) -> str:
    """Return what /check shows."""
    known = look_up(office, number)
    return known.status if known else ""


def file_of(office: Office, number: str) -> Path:
    """Return the stored file of a document."""
    with office.db.reading() as session:
        path = session.scalar(text("SELECT path FROM document WHERE number = :number"), {"number": number})
    return Path(office.store.location(path))


def shown(office: Office, story: NibStory) -> list[tuple[str | None, str | None, str]]:
    """Return number, hash and status of the certificate as the API shows it."""
    with TestClient(create_app(office, advance=False)) as client:
        token = {"Authorization": f"Bearer {give_token(office, 'budi')}"}
        documents = client.get(f"/api/v1/cases/{story.number}", headers=token).json()["documents"]
    kind = "certificate_of_legalization"
    return [(one["number"], one["sha256"], one["status"]) for one in documents if one["kind"] == kind]


def test_a_row_that_points_to_another_certificate_is_no_proof_of_its_own(story: NibStory) -> None:
    """The number of the first leads to the file of the second: it is doubted, and the second stays genuine."""
    office = story.office
    own, other = file_of(office, FIRST), file_of(office, SECOND)
    forge(office, POINTED)
    told = check_document(office, FIRST)
    assert (told["valid"], told["number"]) == (False, FIRST)
    assert "tidak sesuai dengan buku besar" in told["checks"][-1]["detail"]
    assert DOUBTED in status(office, FIRST)
    assert shown(office, story) == [(None, None, "unknown")]
    # The file itself is the second's: it is found by the number that is signed in it.
    assert is_valid(office, SECOND) and is_valid(office, other)
    assert "Berlaku." in status(office, SECOND)
    assert not is_valid(office, own)


def test_a_certificate_that_was_renumbered_is_not_genuine(story: NibStory) -> None:
    """Neither under the number that the row bears now, nor by its file, whose signed facts bear the old one."""
    office = story.office
    own = file_of(office, FIRST)
    forge(office, RENUMBERED)
    assert not is_valid(office, THIRD) and not is_valid(office, own)
    assert DOUBTED in status(office, THIRD)
    assert shown(office, story) == [(None, None, "unknown")]
    assert look_up(office, FIRST) is None
    assert is_valid(office, SECOND)


def test_two_certificates_whose_numbers_were_swapped_are_both_doubted(story: NibStory) -> None:
    """Each file is ours and signed, and neither is what its number says."""
    forge(story.office, *SWAPPED)
    for number in (FIRST, SECOND):
        assert not is_valid(story.office, number)
        assert DOUBTED in status(story.office, number)


def test_a_status_that_was_set_back_makes_nothing_valid_again(story: NibStory) -> None:
    """A replaced certificate whose row says ready is not in force."""
    office = story.office
    story.corrected(name="Sari Sri Rejeki")
    assert not is_valid(office, FIRST)
    forge(office, f"UPDATE document SET status = 'ready' WHERE number = '{FIRST}'")
    assert not is_valid(office, FIRST)
    assert DOUBTED in status(office, FIRST)


def test_an_entry_that_was_forged_with_its_row_breaks_the_chain(story: NibStory) -> None:
    """Row and entry agree on the wrong number; the file and the chain do not."""
    office, case_id = story.office, story.case.id
    with office.db.writing() as session:
        unguarded(session)
        entry = next(one for one in story.entries if one.outcome == "issued")
        kept = session.get_one(LedgerEntry, (case_id, entry.seq))
        kept.result = {**kept.result, "number": THIRD}
        kept.hash = entry_hash(story.number, kept.previous_hash, kept.model_dump())
        session.add(kept)
        session.execute(text(RENUMBERED))
        session.flush()
        put_back(session)
    assert not is_valid(office, THIRD)
    assert DOUBTED in status(office, THIRD)


def test_a_paper_without_a_number_is_proved_by_the_ledger_too(story: NibStory) -> None:
    """A receipt bears no signature: its recorded hash is its proof, and a hash put there by hand is none."""
    office = story.office
    made_up = office.settings.home / "made-up.pdf"
    made_up.write_bytes(b"%PDF-1.7\n% tanda terima palsu\n%%EOF\n")
    hashed = office.store.put(made_up.read_bytes())[0]
    assert not is_valid(office, made_up)
    forge(office, f"UPDATE document SET sha256 = '{hashed}' WHERE kind = 'receipt' AND case_id = {story.case.id}")
    assert not is_valid(office, made_up)


def test_a_file_that_is_gone_or_damaged_is_said_to_be(story: NibStory) -> None:
    """No traceback, and no proof."""
    office = story.office
    own = file_of(office, FIRST)
    kept = own.read_bytes()
    own.write_bytes(kept + b" ")
    assert check_document(office, FIRST)["checks"] == [
        {"name": "file", "passed": False, "detail": "Berkas di penyimpanan kantor hilang atau rusak."}
    ]
    assert DOUBTED in status(office, FIRST)
    own.unlink()
    assert not is_valid(office, FIRST)
    forge(office, f"UPDATE document SET size = 1 WHERE number = '{FIRST}'")  # what the mark of these tests claims
