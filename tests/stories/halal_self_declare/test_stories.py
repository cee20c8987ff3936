"""Every end of a self-declare case, and every choice and silence on the way, told by date."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from engine.deadlines.clock import TurnedClock
from engine.errors import NotAllowed
from engine.runtime.office import Office
from models import Standing
from tests.people import EVIDENCE
from tests.stories.story import tells

if TYPE_CHECKING:
    from tests.stories.halal_self_declare.conftest import HalalStory

Begin = Callable[..., "HalalStory"]
NUMBER = "ID35110001325901022"


@tells(
    "outcome:certified",
    "application:answered",
    "facilitation:granted",
    "visit:recommend",
    "body_check:forward",
    "receipt_letter:issued",
    "fatwa:halal",
    "certificate_record:answered",
)
def test_an_owner_gets_the_certificate_recorded_and_hears_that_changes_must_be_reported(
    halal: Begin, office: Office
) -> None:
    """From receipt to certificate each step reaches the owner; what is recorded has no end and bears BPJPH's number."""
    story = halal()
    story.on("2026-01-13").submits().on("2026-01-14").gets().on("2026-01-15").visited()
    story.on("2026-01-19").forwarded().on("2026-01-20").received().on("2026-01-21").judged()
    story.on("2026-01-22").certificate()
    assert story.outcome == "certified"
    assert story.letters == ["registered", "visit_comes", "in_session", "certified"]
    kinds = [document.kind for document in story.documents]
    assert kinds == ["receipt", "eligibility_sheet", "visit_report", "handover_note"]
    assert all(document.status == "ready" for document in story.documents)
    text = story.letter("certified")["text"]
    assert NUMBER in text
    assert "setiap perubahan bahan atau proses wajib dilaporkan (UU 33/2014 Pasal 42" in text
    with office.db.reading() as session:
        standing = session.get(Standing, (story.case.id, "halal_certified"))
        assert standing is not None
        assert (standing.reference, standing.until) == (NUMBER, None)


@tells("outcome:certified", "correction:answered")
def test_a_certified_business_says_what_changed_and_is_certified_again(halal: Begin) -> None:
    """The new case begins with what changed; without it the application comes back; the letter repeats it."""
    first = halal().to_fatwa().judged().certificate()
    story = halal(on="2026-03-02", business=first.case.subject_id)
    [asked] = story.shown()["waiting_for"]
    assert asked["question"] == "application#1"
    assert NUMBER in asked["note"]
    story.submits(nib=None)
    assert "belum ditulis" in story.letter("return_notice")["text"]
    story.corrects(nib="9120304567812", changes_certificate="minyak goreng diganti merek lain")
    story.gets().visited().forwarded().received().judged().certificate(number="ID35110001325901099")
    assert "minyak goreng diganti merek lain" in story.letter("certified")["text"]


@tells("outcome:rerouted")
def test_what_is_beyond_the_criteria_goes_to_the_regular_path_with_every_reason(halal: Begin) -> None:
    """Each criterion that is not met stands in the letter, with the decree that was in force."""
    story = halal(industry_code="10120").submits(
        nib_scale="medium",
        technology="automatic",
        apart_from_non_halal=False,
        production_places=["Jl. Santoso 179", "Jl. Melati 5"],
        outlets=["Jl. Santoso 179", "Jl. Melati 5"],
        preservation=["pengeringan", "pendinginan"],
        annual_sales_rupiah=15_000_000_001,
    )
    assert story.waits_for == ["doubt#1"], "two of the limits are not law: an officer looks"
    assert story.doubted().outcome == "rerouted"
    text = story.letter("rerouted")["text"]
    for said in ("menengah", "Rp15.000.000.000", "Tempat produksi ada 2", "Gerai ada 2", "pengawetan ada 2"):
        assert said in text
    for said in ("otomatis penuh", "belum terpisah", "10120", "Kepkaban BPJPH 146/2025"):
        assert said in text
    assert story.letters[-1] == "rerouted"


@tells("visit:not_eligible", "outcome:rerouted")
def test_a_companion_finds_that_the_product_needs_the_regular_path(halal: Begin) -> None:
    """What is seen on the spot counts: the case is rerouted with the companion's reason."""
    story = halal().to_visit().visited("not_eligible", reason="memakai mesin pengolah otomatis")
    assert story.outcome == "rerouted"
    assert "memakai mesin pengolah otomatis" in story.letter("rerouted")["text"]


@tells("doubt:confirmed", "outcome:refused")
def test_a_haram_product_is_refused_with_the_labelling_duty_and_the_way_to_object(halal: Begin) -> None:
    """Pork can't be certified: UU 33/2014 Pasal 26 is named, and until when the owner may object."""
    pork = {"name": "Abon babi", "ingredients": [{"name": "Daging babi", "source": "pasar"}]}
    story = halal().submits(products=[pork], nib_scale="medium").doubted()
    assert story.outcome == "refused"
    assert next(document for document in story.documents if document.number).number == "TLK-2026-000001"
    text = story.letter("refused")["text"]
    assert "wajib diberi keterangan tidak halal. (UU 33/2014 Pasal 26)" in text
    assert "keberatan tertulis" in text
    assert all(document.status == "ready" for document in story.documents if story.letters)


@tells("outcome:refused")
def test_a_business_of_another_province_is_refused_in_words(halal: Begin) -> None:
    """Outside the office's region nothing is asked; the refusal says where to go."""
    story = halal(region_code="3201")
    assert story.outcome == "refused"
    assert "SiHalal" in story.letter("refused")["text"]


@tells("facilitation:waiting_list", "facilitation:refused", "outcome:no_slot")
def test_a_place_is_waited_for_and_then_refused(halal: Begin) -> None:
    """The waiting list keeps the case open and asks again; a refusal says why and which way is open."""
    story = halal().submits().gets("waiting_list", reason="kuota SEHATI tahun ini habis")
    assert story.waits_for == ["facilitation#2"]
    assert "kuota SEHATI tahun ini habis" in story.letter("waiting_list")["text"]
    story.gets("refused", reason="program ditutup")
    assert story.outcome == "no_slot"
    assert "program ditutup" in story.letter("no_slot")["text"]


@tells("fatwa:not_halal", "outcome:not_halal")
def test_a_product_that_the_committee_does_not_declare_halal(halal: Begin) -> None:
    """The committee's reason reaches the owner, as the committee's."""
    story = halal().to_fatwa().judged("not_halal", reason="sumber emulsifier tidak pasti")
    assert story.outcome == "not_halal"
    assert "sumber emulsifier tidak pasti" in story.letter("not_halal")["text"]


@tells(
    "visit:return",
    "body_check:return",
    "body_check:other_companion",
    "receipt_letter:returned",
    "fatwa:return",
    "correction:answered",
    "outcome:certified",
)
def test_whatever_comes_back_is_mended_and_looked_at_again(halal: Begin) -> None:
    """Each hand may return the dossier; the owner mends it, and the way goes through the companion's eyes again."""
    story = halal().to_visit().visited("return", deficiencies=["kemasan minyak tidak ada"])
    story.corrects(note="kemasan disimpan").visited().forwarded("return", deficiencies=["foto proses"])
    story.corrects(photo=EVIDENCE).visited().forwarded("other_companion", reason="registrasi pendamping tidak aktif")
    assert story.waits_for == ["visit#4"]
    with pytest.raises(NotAllowed, match="ani took part"):
        story.visited(by="ani")
    story.visited(by="wati").forwarded().received("returned", deficiencies=["daftar bahan"])
    story.corrects(process="singkong dikupas, dicuci, diiris, digoreng").visited().forwarded().received()
    story.judged("return", deficiencies=["asal minyak"]).corrects(note="surat pemasok terlampir")
    story.visited().forwarded().received().judged().certificate()
    assert story.outcome == "certified"


@tells("application:silent", "outcome:not_submitted")
def test_an_application_that_is_never_filled_in_lapses(halal: Begin) -> None:
    """Thirty working days of silence close the case, without reproach."""
    story = halal().on("2026-02-20").nothing_happens()
    assert story.outcome is None
    assert story.on("2026-03-31").nothing_happens().outcome == "not_submitted"
    assert story.letters[-1] == "lapsed"


@tells("correction:silent", "outcome:not_corrected")
def test_a_deficiency_that_is_never_mended_closes_the_case(halal: Begin) -> None:
    """At the desk as after a visit, silence past the limit ends the case."""
    story = halal().submits(nib=None).on("2026-03-31").nothing_happens()
    assert story.outcome == "not_corrected"
    other = halal(on="2026-04-01", national_id="3508166904956221").to_visit(nib="9120304567813")
    other.visited("return", deficiencies=["denah"]).on("2026-06-30").nothing_happens()
    assert other.outcome == "not_corrected"


@tells("outcome:withdrawn")
@pytest.mark.parametrize("waits", ["application#1", "correction#1", "facilitation#1", "visit#1", "fatwa#1"])
def test_an_owner_may_withdraw_at_any_wait(halal: Begin, waits: str) -> None:
    """Whatever the case waits for, the owner may take it back, and gets it confirmed."""
    story = halal()
    ways: dict[str, Callable[[], object]] = {
        "application#1": lambda: None,
        "correction#1": lambda: story.submits(nib=None),
        "facilitation#1": lambda: story.submits(),
        "visit#1": lambda: story.to_visit(),
        "fatwa#1": lambda: story.to_fatwa(),
    }
    ways[waits]()
    assert story.waits_for == [waits]
    story.withdraws(story.case_owner, "pindah ke luar kota")
    assert story.outcome == "withdrawn"
    assert story.letter("withdrawn")


def test_who_checked_as_companion_does_not_record_the_fatwa(halal: Begin) -> None:
    """Somebody who holds both roles visits as a companion, and may then record no decision about it."""
    story = halal().to_visit().visited(by="wati")
    with pytest.raises(NotAllowed, match="wati took part"):
        story.forwarded(by="wati")
    story.forwarded().received()
    with pytest.raises(NotAllowed, match="wati took part"):
        story.judged(by="wati")
    assert story.judged().waits_for == ["certificate_record#1"]


@pytest.mark.by_hand
def test_the_nib_that_the_office_recorded_is_not_asked_for_again(
    halal: Begin, office: Office, clock: TurnedClock
) -> None:
    """A business that was legalized here states no NIB; one that differs from the books comes back."""
    first = halal().submits(nib=None)
    assert first.waits_for == ["correction#1"]
    first.withdraws(first.case_owner)
    with office.db.writing() as session:
        session.add(
            Standing(
                case_id=first.case.id or 0,
                what="legalized",
                subject_kind="business",
                subject_id=first.case.subject_id,
                reference="9120304567812",
                since=clock.now().date(),
            )
        )
    story = halal(business=first.case.subject_id)
    assert story.shown()["waiting_for"][0]["note"] == "NIB 9120304567812 sudah tercatat"
    story.submits(nib="9120304567899")
    assert "berbeda dari NIB yang tercatat" in story.letter("return_notice")["text"]
    assert story.corrects(nib="9120304567812").waits_for == ["facilitation#1"]
