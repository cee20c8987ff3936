"""Every bad input of the domain's list (6.5), in its order and under its words: what becomes of it, what people are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from engine.cases.opening import open_cases
from engine.errors import NotAllowed
from engine.people.accounts import add_user
from engine.people.persons import declare_conflict
from engine.runtime.office import Office
from flows.product_curation.rubric import Aspect
from models import Standing
from rules import book
from tests.people import EVIDENCE, hire_curator
from tests.stories.product_curation.conftest import NIB, marks, refused
from tests.stories.story import tells

if TYPE_CHECKING:
    from tests.stories.product_curation.conftest import CurationStory

Begin = Callable[..., "CurationStory"]
pytestmark = pytest.mark.usefixtures("blank_papers")


@tells("curators_wanted:try_again")
def test_6_5_01_expired_curator_certificate(product: Begin, office: Office) -> None:
    """Who is not certified on the day is not asked, and who expires before answering is refused."""
    story = product(curators=("agus",))
    hire_curator(office, "bayu", until=date(2026, 1, 11))
    hire_curator(office, "citra", until=date(2026, 1, 14))
    story.to_scores()
    assert sorted(story.holders("score").values()) == ["agus", "citra"]
    key = next(key for key, holder in story.holders("score").items() if holder == "citra")
    story.on("2026-01-15")
    with pytest.raises(NotAllowed) as refusal:
        story.answers("citra", key, decision="scored", marks=marks(80))
    assert "tidak memegang sertifikat curator yang berlaku pada 2026-01-15" in refusal.value.for_people
    other = next(key for key, holder in story.holders("score").items() if holder == "agus")
    story.answers("agus", other, decision="scored", marks=marks(80)).on("2026-02-20").nothing_happens()
    assert story.note == "Perlu 1 kurator makanan bersertifikat tanpa benturan, ada 0"
    hire_curator(office, "dewi")
    story.answers("budi", story._next("curators_wanted"), decision="try_again", reason="dewi bergabung")
    assert story.holders("score") == {"score#3": "dewi"}


@tells("score:conflict")
def test_6_5_02_curator_scores_own_or_association_product(product: Begin, office: Office) -> None:
    """A declared conflict, the same institution and one's own product are never asked; who finds one later is replaced."""
    story = product(curators=("agus", "bayu", "citra", "dewi"))
    declare_conflict(office, "agus", "association", by="admin", person=story.case.person_id)
    add_user(office, f"owner-{story.case.person_id}", ["applicant"], institution="KOP-01")
    add_user(office, "bayu", ["curator"], institution="KOP-01")
    story.to_scores()
    assert sorted(story.holders("score").values()) == ["citra", "dewi"]
    hire_curator(office, "eko")
    story.scored(None, 80)
    assert story.holders("score") == {"score#3": "eko"}
    assert refused(lambda: story.answers("eko", "score#3", decision="conflict"))[0] == "reason"
    assert story.scored(82).waits_for == ["panel_decision#1"]


def test_6_5_03_only_one_score(product: Begin) -> None:
    """One score decides nothing: the panel waits for the second, and a score has every aspect once."""
    story = product().to_scores()
    holder = story.holders("score")["score#1"]
    field, why = refused(lambda: story.answers(holder, "score#1", decision="scored", marks=marks(80)[1:]))
    assert (field, "business_legality" in why) == ("marks", True)
    story.answers(holder, "score#1", decision="scored", marks=marks(80))
    assert story.waits_for == ["score#2"]
    assert "80" not in str(story.shown()["waiting_for"][0]["note"])


@pytest.mark.parametrize(
    ("code", "said"),
    [("7701.10.10", "bab 77 tidak ada di BTKI"), ("2008", "8 angka"), ("0001.10.10", "bab 00"), ("2008.99", "8 angka")],
)
def test_6_5_04_hs_of_wrong_chapter_77_or_4_digits(product: Begin, code: str, said: str) -> None:
    """The tariff code has eight digits in a chapter that there is."""
    story = product().to_panel().ruled()
    field, why = refused(lambda: story.offers(hs_code=code))
    assert (field, said in why) == ("hs_code", True)
    assert story.offers(hs_code="20089990").waits_for == ["quality_control#1"]


@tells("correction:answered")
def test_6_5_05_halal_missing_for_food(product: Begin) -> None:
    """Before the date of PP 42/2024 it may be missing; from that day it may not, unless the office certified it."""
    early = product(on="2026-10-16").applies(halal_number=None, halal_paper=None)
    assert early.waits_for == ["screening#1"]
    story = product("Keripik talas", business=1, on="2026-10-19").applies(halal_number=None, halal_paper=None)
    assert (
        "Sertifikat halal sudah wajib untuk produk ini (PP 42/2024 Pasal 160)" in story.letter("return_notice")["text"]
    )
    story.owner_says("correction", halal_number="ID35110001325901022")
    assert story.waits_for == ["correction#2"]
    assert story.owner_says("correction", halal_paper=EVIDENCE).waits_for == ["screening#1"]
    batik = product("Batik tulis", business=1, cluster="kerajinan").applies(halal_number=None, packaged=False)
    assert batik.waits_for == ["screening#1"]
    wrong = product("Keripik ubi", business=1)
    for number, said in (("KH-2026/01", "bukan nomor ketetapan"), ("ID40110001325901022", "kode provinsi 40")):
        field, why = refused(partial(wrong.applies, halal_number=number))
        assert (field, said in why) == ("halal_number", True)


@tells("correction:answered")
def test_6_5_06_p_irt_product_frozen(product: Begin) -> None:
    """P-IRT excludes what is frozen: MD is wanted, with its paper."""
    story = product().applies(frozen=True, food_paper=None, ingredients=[])
    text = story.letter("return_notice")["text"]
    assert "P-IRT tidak berlaku untuk pangan beku" in text
    assert "Berkas P-IRT atau MD belum dilampirkan" in text
    assert "Bahan produk belum ditulis" in text
    story.owner_says("correction", food_number="MD 123456789012", food_paper=EVIDENCE, ingredients=["singkong"])
    assert story.waits_for == ["screening#1"]


@pytest.mark.parametrize(
    ("number", "said"),
    [("206350801012", "15 angka"), ("2063599010123-29", "angka ke-4 sampai ke-7 (3599)"), ("2069901010123-29", "9901")],
)
def test_6_5_06_p_irt_of_no_region(product: Begin, number: str, said: str) -> None:
    """Fifteen digits, of which four name a region; other provinces' regions are not in the table."""
    story = product()
    field, why = refused(lambda: story.applies(home_industry_number=number))
    assert (field, said in why) == ("home_industry_number", True)
    assert story.applies(home_industry_number="206510101012329").waits_for == ["screening#1"]


def test_6_5_07_brand_not_registered(product: Begin) -> None:
    """Curation takes it; nothing leaves before the brand's paper is there. Food brings its two papers, too."""
    story = product().applies(brand_number=None).screened().scored(90, 90).ruled()
    story.offers(nutrition=None)
    text = story.letter("return_notice")["text"]
    assert "Merek Sari Sri belum terdaftar" in text
    assert "hasil uji laboratorium belum lengkap" in text
    assert story.offers(brand_certificate=EVIDENCE).waits_for == ["quality_control#1"]


def test_6_5_08_destination_prohibits_ingredient(product: Begin) -> None:
    """The table by destination bars it; another destination is a way out. A destination is a country abroad."""
    story = product().to_panel(ingredients=["singkong", "Pemanis siklamat"]).ruled()
    story.offers(destination="JP")
    assert "Bahan Pemanis siklamat dilarang di negara tujuan JP" in story.letter("return_notice")["text"]
    for code in ("ID", "XX", "Jepang"):
        field, why = refused(partial(story.offers, destination=code))
        assert (field, "dua huruf" in why) == ("destination", True)
    assert story.offers(destination="SG").waits_for == ["quality_control#1"]


@pytest.mark.parametrize(("field", "value"), [("capacity", 0), ("price", "0"), ("price", "1.999")])
def test_6_5_09_capacity_zero(product: Begin, field: str, value: Any) -> None:
    """Nothing to sell, or at no price: refused by field."""
    story = product()
    assert refused(lambda: story.applies(**{field: value}))[0] == field


def test_6_5_10_currency_missing(product: Begin) -> None:
    """A price without its currency is no price; the same for FOB."""
    story = product()
    field, _ = refused(lambda: story.applies(currency=None))
    assert field == "currency"
    story.to_panel().ruled()
    field, why = refused(lambda: story.offers(currency=None))
    assert (field, "wajib diisi" in why) == ("currency", True)


@tells("correction:answered")
def test_6_5_11_same_product_sent_to_two_houses(product: Begin, office: Office) -> None:
    """The owner chooses one house; here a product has one open case."""
    story = product().applies(other_houses=["Rumah Kurasi Kediri"])
    assert "sedang dilamarkan juga ke Rumah Kurasi Kediri" in story.letter("return_notice")["text"]
    assert story.owner_says("correction", only_here=True).waits_for == ["screening#1"]
    with office.run("cli", by="budi") as run:
        again = open_cases(office, run, story.pipeline, [story.case.subject_id], by="budi")
    assert story.number in again.refused[0]["reason"]


@tells("screening:return")
def test_6_5_12_photo_of_another_product(product: Begin) -> None:
    """The officer can't accept it, and returns it for a photo of this product."""
    story = product().applies()
    field, why = refused(lambda: story.screened(photo_shows_product=False))
    assert (field, "kembalikan untuk foto baru" in why) == ("photo_shows_product", True)
    assert refused(lambda: story.screened("return"))[0] == "deficiencies"
    assert refused(lambda: story.screened("reject"))[0] == "reason"
    story.screened("return", photo_shows_product=False, deficiencies=["foto produk lain"])
    assert story.owner_says("correction", photo=EVIDENCE).waits_for == ["screening#2"]


@tells("return_ruling:end")
@pytest.mark.slow
def test_6_5_13_ecs_returns_twice(product: Begin) -> None:
    """A return has its finding; after the second one an officer decides."""
    story = product().to_center()
    assert refused(lambda: story.center("return"))[0] == "finding"
    story.center("return", finding="kemasan").offers().quality().center("return", finding="kemasan lagi")
    assert (story.waits_for, story.note) == (["return_ruling#1"], "kemasan lagi")
    story.answers("budi", "return_ruling#1", decision="end", reason="tidak dilanjutkan")
    assert story.outcome == "returned"


@tells("outcome:withdrawn")
def test_6_5_14_product_withdrawn_after_brand_assignment(product: Begin) -> None:
    """The communal brand may not be used for it any more, and the owner is told; nothing more is handed over."""
    story = product().to_panel(communal_brand=True).ruled().offers()
    story.withdraws(f"owner-{story.case.person_id}", "keluar dari merek bersama")
    assert story.outcome == "withdrawn"
    assert "merek itu tidak boleh dipakai lagi untuknya" in story.letter("withdrawn")["text"]
    assert not {"handed_over", "exported"} & set(story.standings)


@pytest.mark.slow
def test_6_5_15_curator_overload(product: Begin) -> None:
    """Whoever holds the fewest open scores is asked next: of six curators nobody has three while another has one."""
    stories = [product(f"Keripik {number}", business=1 if number else None).to_scores() for number in range(6)]
    load = Counter(holder for story in stories for holder in story.holders("score").values())
    assert set(load.values()) == {2}


@pytest.mark.by_hand
def test_what_the_office_knows_is_not_asked_again(product: Begin, office: Office) -> None:
    """NIB and halal certificate that stand in the books are in the form; another NIB comes back, and so does none."""
    story = product()
    story.applies(nib_paper=None)
    assert "NIB belum ditunjukkan" in story.letter("return_notice")["text"]
    with office.db.writing() as session:
        for what, number in (("legalized", NIB), ("halal_certified", "ID35110001325901022")):
            session.add(
                Standing(
                    case_id=story.case.id or 0,
                    what=what,
                    subject_kind="business",
                    subject_id=1,
                    reference=number,
                    since=date(2026, 1, 2),
                )
            )
    nothing: dict[str, Any] = {"nib_paper": None, "halal_number": None, "halal_paper": None}
    known = product("Keripik talas", business=1, on="2026-10-19")
    assert known.applies(**nothing).waits_for == ["screening#1"]
    other = product("Keripik ubi", business=1).applies(**nothing | {"nib": "9120304567899"})
    assert f"berbeda dari NIB yang tercatat, {NIB}" in other.letter("return_notice")["text"]


def test_matches_and_decisions_are_shown(product: Begin) -> None:
    """A buyer has a name and a paper, no buyer a reason; notes and reasons are not left out."""
    story = product().to_panel()
    for decision, field in (("return", "notes"), ("reject", "reason")):
        assert refused(partial(story.ruled, decision, notes=[], reason=""))[0] == field
    story.ruled().offers()
    assert refused(lambda: story.quality(decision="not_confirmed"))[0] == "findings"
    story.quality().center()
    assert refused(lambda: story.matched(buyer=None))[0] == "buyer"
    assert refused(lambda: story.matched("no_buyer"))[0] == "reason"


def test_the_rubric_weighs_every_aspect_and_its_weights_are_a_hundred() -> None:
    """A row of the rule that forgot an aspect, or gave one too much, would grade every product wrongly."""
    rubric = book("product_curation").at("rubric", date(2026, 1, 12)).value
    assert set(rubric["weights"]) == set(Aspect)
    assert sum(rubric["weights"].values()) == 100
