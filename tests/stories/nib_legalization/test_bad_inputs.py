"""Every bad input of the domain's list (2.8), each under its own words: what becomes of it, and what people are told."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from sqlmodel import select

from engine.cases.dossier import fetch_by_number
from engine.people.accounts import add_user
from engine.people.intake.importing import Imported, import_file
from engine.runtime.office import Office
from models import Business, Document, PersonKey
from outside.oss_http import HttpOss
from tests.engine.people.intake.listing import as_csv, row
from tests.outside.misbehaving_oss import MisbehavingOss, Mood
from tests.people import EVIDENCE
from tests.stories.story import tells

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")

Begin = Callable[..., "NibStory"]
NIK = "3508166904500102"


@pytest.fixture
def oss(office: Office) -> Iterator[MisbehavingOss]:
    """An OSS that misbehaves on demand; the office files there by machine."""
    with MisbehavingOss() as server:
        office.adapters.oss = HttpOss(server.url, server.token, timeout=0.3, tls=ssl.create_default_context())
        yield server
        office.adapters.oss.close()


def listed(office: Office, *changes: dict[str, Any]) -> Imported:
    """Send a list with one row for each of ``changes``, and a good one behind them."""
    rows = [row(number, **changed) for number, changed in enumerate(changes, start=1)]
    add_user(office, "budi", ["officer"], region="35")
    with office.run("cli", by="budi") as run:
        content = as_csv(*rows, row(99)).encode()
        imported = import_file(office, run, name="daftar.csv", content=content)
    with office.db.reading() as session:
        names = set(session.exec(select(Business.name)))
    assert "Sari Sri 99" in names, "a bad row never stops the file"
    return imported


def told(imported: Imported) -> list[tuple[int, str, str]]:
    """Line, column and reason of each fault."""
    return [(remark.line, remark.column, remark.reason) for remark in imported.refused]


def test_2_8_01_nik_15_or_17_digits(office: Office) -> None:
    """The row comes back with how many digits it has, and without the number itself."""
    numbers = [NIK[:15], NIK + "1"]
    faults = told(listed(office, *({"national_id": number} for number in numbers)))
    assert [(line, column) for line, column, _ in faults] == [(2, "national_id"), (3, "national_id")]
    for number, (_, _, reason) in zip(numbers, faults, strict=True):
        assert f"terdiri dari {len(number)} angka, bukan 16" in reason
        assert number not in reason


def test_2_8_02_nik_with_day_32_to_40_or_month_13(office: Office) -> None:
    """There is no such date of birth, for a man or (day + 40) for a woman; nor a 30th of February."""
    births = ["320450", "400450", "311350", "690250", "300250", "720450"]
    faults = told(listed(office, *({"national_id": f"350816{born}0102"} for born in births)))
    assert [line for line, _, _ in faults] == [2, 3, 4, 5, 6, 7]
    for _, column, reason in faults:
        assert column == "national_id"
        assert "tidak memuat tanggal lahir yang ada" in reason


def test_2_8_02_nik_of_a_woman_with_day_41_to_71_is_good(office: Office) -> None:
    """Day 41 to 71 is a woman born on day 1 to 31: to refuse it would shut out half of the owners."""
    assert listed(office, {"national_id": "3508164104500102"}, {"national_id": "3508167101500103"}).accepted == 3


@tells("oss_filing:already_registered", "nib_record:match", "outcome:already_legal")
def test_2_8_03_nik_already_holding_a_nib(nib: Begin, oss: MisbehavingOss) -> None:
    """One NIK, one NIB: nothing is filed a second time, the owner is handed on and told so."""
    held = oss.register("3508166904956220", "SRI PURNOMO")
    story = nib().to_statement().signs_on_paper().recorded()
    assert story.outcome == "already_legal"
    assert oss.nibs_of("3508166904956220") == {held}
    text = story.letter("already_legal")["text"]
    assert held in text
    assert "Satu NIK hanya memiliki satu NIB" in text


def test_2_8_03_nik_already_holding_a_nib_is_advised_to_add_the_kbli_instead(nib: Begin) -> None:
    """The activity that was applied for is named, to be added to the NIB that is there."""
    story = nib(business_id_number="9120304567812")
    story.answers("budi", "existing_nib_check#1", decision="valid", evidence=EVIDENCE)
    assert "10794" in story.letter("already_legal")["text"]


def test_2_8_04_kbli_4_digits_or_kbli_2017_code(office: Office) -> None:
    """A code of four digits, and one of a version that is no longer in force, come back with where to look."""
    imported = listed(office, {"industry_code": "1104"}, {"industry_code_version": "2017"})
    [four, old] = told(imported)
    assert four[:2] == (2, "industry_code")
    assert "tidak terdiri dari tepat lima angka" in four[2]
    assert old[:2] == (3, "industry_code_version")
    assert "KBLI 2017 tidak berlaku lagi" in old[2]


@tells("classification:proceed", "verification:approve", "outcome:legalized")
def test_2_8_05_kbli_needing_non_low_risk(nib: Begin) -> None:
    """Meat processing is medium-high: the companion sees it proposed, and nothing is certified before DPMPTSP approved."""
    story = nib(industry_code="10130").dossier()
    assert "tabel mengusulkan MT" in story.shown()["waiting_for"][0]["note"]
    story.classified("MT", industry_code="10130").signs_on_paper().filed().recorded()
    assert story.waits_for == ["verification#1"]
    assert not any(document.number for document in story.documents)
    assert story.verified().outcome == "legalized"


@tells("classification:reroute", "outcome:rerouted")
def test_2_8_05_kbli_needing_a_permit_of_another_agency(nib: Begin) -> None:
    """A slaughterhouse is rerouted to the agency in charge, in words."""
    story = nib(industry_code="10110").dossier()
    story.classified("T", "reroute", industry_code="10110", agency="Dinas Peternakan", reason="perlu NKV dahulu")
    assert story.outcome == "rerouted"
    assert "Dinas Peternakan" in story.letter("rerouted")["text"]


@tells("outcome:refused")
def test_2_8_06_sales_above_umk_limit(nib: Begin) -> None:
    """PP 7/2021 Pasal 35: 15,000,000,000 a year is still small, one rupiah more is not; the refusal names the rule."""
    assert nib(annual_sales_rupiah=15_000_000_000).waits_for == ["dossier_check#1"]
    medium = nib(national_id="3508166904956221", annual_sales_rupiah=15_000_000_001)
    assert medium.outcome == "refused"
    text = medium.letter("refused")["text"]
    assert "hanya untuk usaha mikro dan kecil" in text
    assert "Program pendampingan usaha mikro dan kecil" in text


@tells("dossier_check:return", "correction:answered", "outcome:legalized")
def test_2_8_07_name_on_ktp_differs(nib: Begin, office: Office) -> None:
    """The officer returns it, the owner gives the name as on the KTP, and that name stands on the certificate."""
    story = nib(owner_name="Sri P.").dossier("return", deficiencies=["nama pada KTP: Sri Purnomo Wati"])
    assert "nama pada KTP: Sri Purnomo Wati" in story.letter("return_notice")["text"]
    story.corrects(owner_name="Sri Purnomo Wati").dossier().classified().signs_on_paper()
    story.filed(holder_name="Sri Purnomo Wati").recorded()
    [certificate] = [document for document in story.documents if document.number]
    with office.db.reading() as session:
        key = fetch_by_number(office, session, story.number).key
    assert office.vault.decrypt(key, certificate.facts)["applicant_name"] == "Sri Purnomo Wati"


def test_2_8_08_two_applications_in_one_batch_for_one_nik(office: Office) -> None:
    """The first row counts, the second is told where the first stands."""
    imported = listed(office, {"national_id": NIK}, {"national_id": NIK})
    [(line, column, reason)] = told(imported)
    assert (line, column, imported.accepted) == (3, "national_id", 2)
    assert "sudah ada di baris 2 berkas ini" in reason


def test_2_8_08_two_applications_in_two_batches_for_one_nik(office: Office) -> None:
    """The second list's other business of the same owner is refused: add the activity to the registered one."""
    listed(office, {"national_id": NIK})
    [(_, column, reason)] = told(listed(office, {"national_id": NIK, "business_name": "Usaha Kedua"}))
    assert column == "national_id"
    assert "sudah terdaftar untuk usaha lain" in reason
    with office.db.reading() as session:
        assert len(session.exec(select(PersonKey)).all()) == 4  # two people, two files


@tells("outcome:refused")
def test_2_8_09_region_outside_35(office: Office, nib: Begin) -> None:
    """In a list the row comes back; a business that was registered all the same is refused with the reason."""
    story = nib(region_code="3201")
    assert story.outcome == "refused"
    assert "di luar wilayah kerja dinas" in story.letter("refused")["text"]
    [(_, column, reason)] = told(listed(office, {"region_code": "32.01"}))
    assert column == "region_code"
    assert "berada di luar Jawa Timur" in reason


@tells("existing_nib_check:valid", "outcome:already_legal")
def test_2_8_10_nib_already_issued_with_another_provinces_address(nib: Begin) -> None:
    """A NIB is national and there is one a person: it is recorded with its evidence, never filed for again here."""
    story = nib(business_id_number="9120304567812")
    reason = "alamat NIB di Jawa Barat; pindah alamat diurus pemilik di OSS"
    story.answers("budi", "existing_nib_check#1", decision="valid", evidence=EVIDENCE, reason=reason)
    assert story.outcome == "already_legal"
    entry = next(entry for entry in story.entries if entry.key == "existing_nib_check#1")
    assert entry.reason == reason
    assert "oss_filing#1" not in {entry.key for entry in story.entries}


@tells("oss_filing:issued")
@pytest.mark.parametrize("mood", [Mood.LATE, Mood.HANG])
def test_2_8_11_oss_timeout_or_no_answer(nib: Begin, oss: MisbehavingOss, mood: Mood) -> None:
    """The case waits and says why, it is tried again by itself, and there is one NIB in the end."""
    oss.next(mood)
    story = nib().to_statement().signs_on_paper()
    assert story.waits_for == ["oss_filing#1"]
    assert "no whole answer came back" in story.shown()["error"]
    story.clock.turn(minutes=2)
    story.advance()
    assert story.waits_for == ["nib_record#1"]
    assert len(oss.nibs_of("3508166904956220")) == 1


@tells("nib_record:mismatch")
def test_2_8_12_nib_pdf_of_another_person(nib: Begin, office: Office, oss: MisbehavingOss) -> None:
    """By machine it is never recorded; by hand the second officer sees it; either way it is not on any certificate."""
    oss.next(Mood.STRANGER)
    story = nib().to_statement().signs_on_paper()
    [asked] = story.shown()["waiting_for"]
    assert (asked["question"], asked["role"]) == ("oss_filing#1", "officer")
    assert "atas nama orang lain" in asked["note"]
    oss.next(Mood.STRANGER)
    story.filed(holder_name="Orang Lain").recorded("mismatch", reason="PDF atas nama orang lain")
    assert story.waits_for == ["oss_filing#2"]
    with office.db.reading() as session:
        assert session.exec(select(Document.number).where(Document.number != None)).all() == []  # noqa: E711
