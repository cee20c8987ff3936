"""Every bad input of the domain's list (3.8), each under its own words: what becomes of it, and what people are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from engine.cases.opening import open_cases
from engine.people.accounts import add_user
from engine.people.intake.importing import import_file
from engine.runtime.office import Office
from tests.engine.people.intake.listing import as_csv, row
from tests.stories.halal_self_declare.conftest import APPLICATION
from tests.stories.halal_self_declare.filling import made_of, refused
from tests.stories.story import tells

if TYPE_CHECKING:
    from tests.stories.halal_self_declare.conftest import HalalStory

pytestmark = pytest.mark.usefixtures("blank_papers")

Begin = Callable[..., "HalalStory"]
OTHER_NIK = "3508166904956221"


@tells("correction:answered")
@pytest.mark.parametrize("name", ["Keripik Setan", "KERIPIK IBLIS", "Es Bir Pletok", "Kue Rum"])
def test_3_8_01_product_name_offensive_or_an_alcohol_look_alike(halal: Begin, name: str) -> None:
    """The name comes back, with what to do; renamed, the product goes on."""
    story = halal().submits(products=made_of("Singkong", name, exempt=True))
    assert story.waits_for == ["correction#1"]
    text = story.letter("return_notice")["text"]
    assert f'Nama produk "{name}" tidak dapat disertifikasi' in text
    assert "Ganti dengan nama yang sopan" in text
    assert story.corrects(products=made_of("Singkong", "Keripik Pedas", exempt=True)).waits_for == ["facilitation#1"]


@tells("correction:answered")
def test_3_8_02_ingredient_without_certificate(halal: Begin) -> None:
    """An ingredient with neither certificate nor exemption comes back under the subject that names the matter."""
    story = halal().submits(products=made_of("Minyak goreng"))
    letter = story.letter("ingredients_unproved")
    assert letter["subject"] == "Ada bahan yang perlu dilengkapi bukti halalnya"
    assert 'Bahan "Minyak goreng" belum ada bukti halalnya' in letter["text"]
    story.corrects(products=made_of("Minyak goreng", certificate="ID00410000088320221"))
    assert story.waits_for == ["facilitation#1"]


def test_3_8_03_wild_card_bumbu_rahasia(halal: Begin) -> None:
    """An ingredient that hides others comes back, certificate or not."""
    story = halal().submits(products=made_of("Bumbu rahasia", certificate="ID00410000088320221"))
    text = story.letter("ingredients_unproved")["text"]
    assert 'Bahan "Bumbu rahasia" belum disebut isinya' in text
    assert "Tulis setiap bahan di dalamnya" in text


@tells("doubt:mistaken")
def test_a_list_of_words_ends_no_case(halal: Begin) -> None:
    """A haram word in another sense is looked at by an officer; the case goes on, and is not asked about again."""
    story = halal().submits(products=made_of("Jamur daging babi hutan"))
    assert story.waits_for == ["doubt#1"]
    assert story.doubted("mistaken").waits_for == ["correction#1"]
    story.corrects(products=made_of("Jamur daging babi hutan", exempt=True))
    assert story.waits_for == ["facilitation#1"]


@tells("doubt:confirmed", "outcome:rerouted")
@pytest.mark.parametrize("name", ["Daging ayam", "gelatin"])
def test_3_8_04_chicken_from_uncertified_market(halal: Begin, name: str) -> None:
    """Meat and critical ingredients without a certified source need the regular path, even where marked as exempt."""
    story = halal().submits(products=made_of(name, exempt=True)).doubted()
    assert story.outcome == "rerouted"
    assert f"Bahan {name} berasal dari sembelihan atau bahan kritis" in story.letter("rerouted")["text"]


def test_3_8_04_chicken_from_a_certified_source_and_eggs_are_admitted(halal: Begin) -> None:
    """What bears its certificate, and what was never slaughtered, stays on this path."""
    chicken = made_of("Daging ayam", certificate="ID35110001325901022")
    eggs = made_of("Telur ayam", "Kue", exempt=True)
    assert halal().submits(products=chicken + eggs).waits_for == ["facilitation#1"]


@tells("outcome:rerouted")
def test_3_8_05_nib_scale_menengah(halal: Begin) -> None:
    """The scale on the NIB decides, whatever the sales are."""
    story = halal().submits(nib_scale="medium")
    assert story.outcome == "rerouted"
    assert "Skala usaha pada NIB adalah menengah" in story.letter("rerouted")["text"]


@tells("outcome:rerouted")
def test_3_8_06_sales_600m_under_old_rule_and_under_146_of_2025(halal: Begin) -> None:
    """The decree in force on the day of the case decides: one day apart, the same sales end differently."""
    old = halal(on="2025-07-07").submits(annual_sales_rupiah=600_000_000)
    assert old.outcome == "rerouted"
    text = old.letter("rerouted")["text"]
    assert "Rp600.000.000 melampaui batas Rp500.000.000. (Kepkaban BPJPH 150/2022 jo. 22/2023)" in text
    new = halal(on="2025-07-08", business=old.case.subject_id).submits(annual_sales_rupiah=600_000_000)
    assert new.waits_for == ["facilitation#1"]


def test_3_8_07_companion_not_registered_or_inactive(halal: Begin) -> None:
    """Without a number, or with a registration that had run out on the day, a visit is not taken."""
    story = halal().to_visit()
    [(field, reason)] = refused(lambda: story.visited(companion_number=""))
    assert (field, reason) == ("companion_number", "paling sedikit 5 huruf")
    [(field, reason)] = refused(lambda: story.visited(companion_valid_until="2026-01-14"))
    assert field == "companion_valid_until"
    assert "registrasi tidak aktif pada hari kunjungan; minta LP3H menggantikan" in reason
    assert story.visited(companion_valid_until="2026-01-15").waits_for == ["body_check#1"]


@tells("visit:recommend")
def test_3_8_07_companion_who_is_not_in_the_register_or_inactive_there(halal: Begin) -> None:
    """What a companion states is compared with the register: the visit is asked for again, whatever it found."""
    story = halal().to_visit().visited(companion_number="P3H-35-999999", decision="not_eligible", reason="otomatis")
    assert story.outcome is None
    [asked] = story.shown()["waiting_for"]
    assert asked["question"] == "visit#2"
    assert "companion_number: P3H-35-999999 tidak ada di daftar pendamping PPH; periksa nomornya" in asked["note"]
    [asked] = story.visited(companion_number="P3H-35-000418").shown()["waiting_for"]
    assert "registrasi P3H-35-000418 berakhir 2025-12-31; minta LP3H menugaskan" in asked["note"]
    assert story.visited().waits_for == ["body_check#1"]


@tells("body_check:other_companion")
def test_3_8_07_companion_from_another_lp3h(halal: Begin) -> None:
    """LP3H sees that the companion is not its own: another one visits, and is told why."""
    story = halal().to_visit().visited(companion_number="P3H-35-000902")
    [asked] = story.shown()["waiting_for"]
    assert "P3H-35-000902 terdaftar di LP3H Contoh Jaya, bukan di LP3H Contoh; tanyakan kepada LP3H" in asked["note"]
    [(field, _)] = refused(lambda: story.forwarded("other_companion"))
    assert field == "reason"
    story.forwarded("other_companion", reason="pendamping terdaftar di LP3H lain")
    [asked] = story.shown()["waiting_for"]
    assert (asked["question"], asked["note"]) == (
        "visit#2",
        "LP3H meminta pendamping lain: pendamping terdaftar di LP3H lain",
    )


@tells("facilitation:refused", "outcome:no_slot")
def test_3_8_08_same_product_of_one_kitchen_submitted_by_two_owners(halal: Begin) -> None:
    """Name and place are compared, however they are spelt: the officer is told the other case, and decides."""
    first = halal().submits()
    same = [{**APPLICATION["products"][0], "name": "KERIPIK-Singkong"}]
    place = ["jl. Santoso no 179 Lumajang"]
    second = halal(national_id=OTHER_NIK).submits(products=same, production_places=place, nib="9120304567813")
    [asked] = second.shown()["waiting_for"]
    assert f"KERIPIK-Singkong (perkara {first.number}). Pastikan bukan produk yang sama" in asked["note"]
    second.gets("refused", reason=f"produk yang sama sudah diajukan di perkara {first.number}")
    assert second.outcome == "no_slot"
    assert first.shown()["waiting_for"][0]["note"] is None


def test_3_8_08_the_same_name_from_another_kitchen_is_another_product(halal: Begin) -> None:
    """There are a thousand makers of cassava crisps; nor does a case that was taken back stand in anybody's way."""
    halal().submits()
    third = halal(national_id=OTHER_NIK).submits(production_places=["Jl. Melati 5, Malang"], nib="9120304567813")
    assert third.shown()["waiting_for"][0]["note"] is None
    third.withdraws(third.case_owner)
    fourth = halal(national_id="3508166904956222").submits(production_places=["Jl. Melati 5, Malang"])
    assert fourth.shown()["waiting_for"][0]["note"] is None


@tells("receipt_letter:returned")
def test_3_8_08_same_product_submitted_by_two_owners(halal: Begin) -> None:
    """SiHalal knows the products of all owners: what BPJPH returns for it reaches the owner in its words."""
    wish = "Produk Keripik singkong merek Sari sudah diajukan pemilik lain"
    story = halal().to_visit().visited().forwarded().received("returned", deficiencies=[wish])
    assert wish in story.letter("return_notice")["text"]
    assert story.waits_for == ["correction#1"]


def test_3_8_09_duplicate_nik(halal: Begin, office: Office) -> None:
    """A second case of the same business is refused while the first is open, and a second row is no second owner."""
    story = halal()
    add_user(office, "budi", ["officer"], region="35")
    with office.run("cli", by="budi") as run:
        again = open_cases(office, run, story.pipeline, [story.case.subject_id], by="budi")
        content = as_csv(row(1), row(1)).encode()
        imported = import_file(office, run, name="daftar.csv", content=content)
    assert again.opened == []
    assert story.number in again.refused[0]["reason"]
    assert imported.accepted == 1


def test_3_8_09_duplicate_nib(halal: Begin) -> None:
    """A NIB that stands in the books for another owner comes back."""
    halal(business_id_number="9120304567812")
    story = halal(national_id=OTHER_NIK).submits()
    text = story.letter("return_notice")["text"]
    assert "NIB yang diisi tercatat atas nama pemilik lain" in text
    assert "Isi NIB milik Anda sendiri" in text
    assert story.corrects(nib="9120304567813").waits_for == ["facilitation#1"]


@tells("visit:return")
def test_3_8_10_factory_address_is_not_the_nib_address(halal: Begin) -> None:
    """The companion can't recommend it, and is told to return it until the NIB is put right at OSS."""
    story = halal().to_visit()
    [(field, reason)] = refused(lambda: story.visited(at_nib_address=False))
    assert field == "at_nib_address"
    assert "menyamakan alamat NIB di OSS" in reason
    story.visited("return", at_nib_address=False, deficiencies=["samakan alamat NIB di OSS"])
    assert "samakan alamat NIB di OSS" in story.letter("return_notice")["text"]


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"photo": None}, "photo", "lampirkan foto produk dan tempat produksi"),
        ({"photo": f"sha256:{'0' * 64}"}, "photo", "berkas ini belum tersimpan; lampirkan"),
        ({"pledge": False}, "pledge", "tanpa ikrar, pilih jalur reguler"),
        ({"products": []}, "products", "tulis paling sedikit satu produk"),
        ({"products": [{"name": "Keripik", "ingredients": []}]}, "products.0", "tulis semua bahan produk ini"),
        ({"production_places": []}, "production_places", "tulis alamat tempat produksi"),
        ({"annual_sales_rupiah": -1}, "annual_sales_rupiah", "tulis perkiraan setahun"),
        ({"nib": "123"}, "nib", "bentuknya tidak sesuai"),
        ({"kind": "toko"}, "kind", "pilih salah satu dari 'packaged' atau 'eatery'"),
    ],
)
def test_3_8_11_photo_missing_and_other_gaps(halal: Begin, changes: dict[str, Any], field: str, reason: str) -> None:
    """What is missing is named by its field, with the next move; the question stays open."""
    story = halal()
    [(where, why)] = refused(lambda: story.submits(**changes))
    assert where == field
    assert reason in why
    assert story.waits_for == ["application#1"]


@tells("correction:answered")
def test_3_8_12_31_menus(halal: Begin) -> None:
    """An eatery has at most 30 product names in one application: one more comes back, 30 go on."""
    menus = [made_of("Nasi", f"Menu {number}", exempt=True)[0] for number in range(31)]
    story = halal().submits(kind="eatery", products=menus)
    assert "Nama produk lebih dari 30: Kurangi daftar produk" in story.letter("return_notice")["text"]
    assert story.corrects(products=menus[:30]).waits_for == ["facilitation#1"]


@tells("facilitation:waiting_list", "facilitation:granted")
def test_3_8_13_quota_exhausted(halal: Begin) -> None:
    """The owner waits on the list, is told so, and gets the place when there is one."""
    story = halal().submits()
    assert refused(lambda: story.gets("waiting_list"))[0][0] == "reason"
    [(field, reason)] = refused(lambda: story.gets(programme=""))
    assert (field, "LP3H" in reason) == ("programme", True)
    story.gets("waiting_list", reason="kuota SEHATI habis")
    assert "daftar tunggu" in story.letter("waiting_list")["subject"]
    assert story.gets().waits_for == ["visit#1"]


@tells("application:silent", "outcome:not_submitted")
def test_3_8_14_applicant_silent(halal: Begin) -> None:
    """Silence ends the case after its limit; the letter says what was missing, and that it is no refusal."""
    story = halal().on("2026-03-31").nothing_happens()
    assert story.outcome == "not_submitted"
    text = story.letter("lapsed")["text"]
    assert "Pengajuan dan ikrar halal Anda" in text
    assert "Ini bukan penolakan" in text


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        ("KH-2026/01/004211", "bukan nomor ketetapan (KH); salin dari sertifikat"),
        ("ID3511000132590102", "nomor SH adalah ID dan 17 angka"),
        ("ID40110001325901022", "kode provinsi 40 tidak dikenal; salin lagi dari sertifikat BPJPH"),
    ],
)
def test_3_8_15_kh_number_keyed_as_sh_number(halal: Begin, number: str, hint: str) -> None:
    """The number of the fatwa, one of the wrong length, or of no province, is not recorded; the hint says which to copy."""
    story = halal().to_fatwa().judged()
    [(field, reason)] = refused(lambda: story.certificate(number=number))
    assert field == "number"
    assert hint in reason
    assert story.certificate(number="ID00410000088320221").outcome == "certified"
