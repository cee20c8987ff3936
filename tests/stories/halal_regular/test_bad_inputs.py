"""Every bad input of the domain's list (4.5), each under its own words, and what people are told then."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from sqlmodel import select

from engine.actions.answer import answer
from engine.errors import BadAnswer
from engine.execution import drain as advancing
from engine.runtime.office import Office
from flows.halal_regular import slots
from models import Series, Standing
from tests.engine.together import at_once
from tests.stories.halal_regular.conftest import CASSAVA, CERTIFICATE, CHICKEN, KH, NKV, SUPERVISOR
from tests.stories.story import tells

if TYPE_CHECKING:
    from tests.stories.halal_regular.conftest import Begin, RegularStory

pytestmark = pytest.mark.usefixtures("blank_papers")
IDS = ("3508166904956221", "3508166904956222", "3508166904956223")


def refused(story: RegularStory, act: str, **data: Any) -> str:
    """Do what can't be taken; return what people are told, the case still waiting for the same."""
    before = story.waits_for
    with pytest.raises(BadAnswer) as told:
        getattr(story, act)(**data)
    assert story.waits_for == before
    return told.value.for_people


@tells("application:submit")
def test_4_5_01_expired_nkv_or_rph_certificate(halal: Begin) -> None:
    """It is returned with the day on which it ended; on its last day it is still good; meat without any is refused."""
    story = halal()
    assert "NKV atau sertifikat RPH dengan nomor" in refused(story, "applies", ingredients=[CHICKEN])
    story.applies(ingredients=[CHICKEN], **{**NKV, "slaughter_until": "2026-01-11"})
    assert story.waits_for == ["application#2"]
    text = story.letter("return_notice")["text"]
    assert "berakhir pada 11 Januari 2026: Perpanjang" in text
    story.applies(ingredients=[CHICKEN], **{**NKV, "slaughter_until": "2026-01-12"})
    assert story.waits_for == ["document_check#1"]


def test_4_5_02_penyelia_non_muslim_or_without_a_letter(halal: Begin) -> None:
    """The field is named, and the next move: another supervisor, or the letter."""
    story = halal()
    told = refused(story, "applies", supervisor={**SUPERVISOR, "muslim": False})
    assert "muslim: penyelia halal harus beragama Islam; tunjuk orang lain" in told
    told = refused(story, "applies", supervisor={**SUPERVISOR, "appointed_by": ""})
    assert "appointed_by: isi nomor SK pimpinan" in told


def test_4_5_03_penyelia_same_person_for_two_firms(halal: Begin, office: Office) -> None:
    """The second firm is told so, and goes on with another one; a case that is withdrawn sets its supervisor free."""
    first = halal().applies(supervisor=SUPERVISOR)
    second = halal(national_id=IDS[0]).applies(supervisor=SUPERVISOR)
    assert second.waits_for == ["application#2"]
    assert "Penyelia halal Siti Aminah sudah bertugas di usaha lain" in second.letter("return_notice")["text"]
    first.withdraws(first.owner)
    assert second.applies(supervisor=SUPERVISOR).waits_for == ["document_check#1"]
    with office.db.reading() as session:
        references = session.exec(select(Standing.reference)).all()
    assert SUPERVISOR["national_id"] not in references


def test_an_empty_application(halal: Begin) -> None:
    """Neither products nor ingredients may be missing."""
    assert "paling sedikit satu nama produk" in refused(halal(), "applies", products=[])
    assert "tulis semua bahan" in refused(halal(national_id=IDS[0]), "applies", ingredients=[])


@tells("audit:pass")
def test_4_5_04_audit_date_with_no_production(halal: Begin) -> None:
    """No audit without a day, none without production, none without the laboratory where there is doubt."""
    story = halal().to_audit()
    told = refused(story, "audited", production_running=False)
    assert "production_running: audit dilakukan saat produksi berjalan; mintalah LPH menetapkan tanggal lain" in told
    assert "auditors: isi nama auditor halal" in refused(story, "audited", auditors=[])
    assert "audited_on: isi tanggal audit" in refused(story, "audited", audited_on=None)
    assert "lab: ada bahan yang diragukan" in refused(story, "audited", doubtful=True)
    assert "findings: salin temuan" in refused(story, "audited", decision="findings")
    assert "reason: salin alasan" in refused(story, "audited", decision="stop")
    assert story.audited(doubtful=True, lab="negative").waits_for == ["fatwa#1"]


@tells("audit:pass", "audit:stop", "outcome:stopped")
def test_auditor_who_wrote_the_manual(halal: Begin) -> None:
    """Domain facts 1.6: whatever such an audit ended with, it is asked for again, and the reason is said."""
    story = halal().to_audit(manual_author="Dr. Budi Santoso, S.T.")
    story.audited(auditors=["Rahmat Hidayat", "budi  santoso"])
    assert story.waits_for == ["audit#2"]
    assert "auditors: budi  santoso menulis manual SJPH usaha ini" in story.note
    assert "mintalah LPH menugaskan auditor lain" in story.note
    story.audited("stop", auditors=["Budi Santoso, S.T."], reason="tempat usaha tutup")
    assert story.waits_for == ["audit#3"]
    assert story.audited().waits_for == ["fatwa#1"]
    other = halal(national_id=IDS[0]).to_audit()
    assert other.audited("stop", auditors=["Budi Santoso"], reason="tempat usaha tutup").outcome == "stopped"


@tells("audit:not_halal", "outcome:not_halal")
def test_4_5_05_lab_positive_for_porcine_dna(halal: Begin) -> None:
    """It can't be passed on; it ends as not halal, with the reason."""
    story = halal().to_audit()
    assert "DNA babi; catat sebagai not_halal" in refused(story, "audited", doubtful=True, lab="positive")
    story.audited("not_halal", doubtful=True, lab="positive", reason="DNA babi pada bumbu tabur")
    assert story.outcome == "not_halal"
    assert "DNA babi pada bumbu tabur" in story.letter("fatwa_result")["text"]


@tells("payment:answered")
def test_4_5_06_payment_amount_mismatch(halal: Begin) -> None:
    """One rupiah too few is refused with both amounts; no fractions, nothing below one."""
    story = halal().to_quote().quoted()
    assert "bilangan bulat" in refused(story, "pays", amount=650_000.5)
    assert "lebih dari nol" in refused(story, "pays", amount=0)
    assert story.pays(649_999).waits_for == ["payment#2"]
    assert "dibayar 649999, tagihan 650000" in story.note
    assert "Rp649.999, tagihan Rp650.000" in story.letter("return_notice")["text"]
    assert story.pays().waits_for == ["document_receipt#1"]


def a_quota_of(monkeypatch: pytest.MonkeyPatch, count: int, rupiah: int) -> None:
    monkeypatch.setattr(slots, "allotted", lambda day: slots.Quota(day.year, count, rupiah))


def slots_held(office: Office) -> list[str]:
    with office.db.reading() as session:
        return sorted(str(one) for one in session.exec(select(Standing.reference).where(Standing.what == slots.SLOT)))


@tells("facilitation:grant", "outcome:withdrawn")
def test_4_5_07_quota_exhausted_mid_process(halal: Begin, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reserved counts like used; the officer is told and asked again; who leaves makes room; money counts, too."""
    a_quota_of(monkeypatch, 1, 650_000)
    first, second = (halal(national_id=one).applies(office_pays=True) for one in IDS[:2])
    assert "alasan fasilitasi" in refused(first, "facilitated", decision="reject")
    first.facilitated()
    assert second.facilitated().waits_for == ["facilitation#2"]
    assert "slot tidak diberikan. Kuota 2026: 1 slot, 1 dicadangkan, 0 terpakai; sisa anggaran Rp0" in second.note
    first.withdraws(first.owner)
    assert second.facilitated().waits_for == ["document_check#1"]
    assert slots_held(office) == ["0 released", "650000 reserved"]
    a_quota_of(monkeypatch, 5, 650_000)
    third = halal(national_id=IDS[2]).applies(office_pays=True).facilitated()
    assert third.waits_for == ["facilitation#2"], "slots are left, money is not"


def test_4_5_07_a_year_without_a_budget_has_no_slots(halal: Begin) -> None:
    """The budget year is that of the decision: in January nothing is decreed yet."""
    story = halal().applies(office_pays=True).on("2027-01-05").facilitated()
    assert story.waits_for == ["facilitation#2"]
    assert "Kuota 2027: 0 slot" in story.note
    assert slots.allotted(date(2022, 6, 1)).slots == 263


def test_4_5_07_the_last_slot_is_given_once_in_one_chunk(
    halal: Begin, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three cases that advance in one transaction see each other's reservations."""
    a_quota_of(monkeypatch, 1, 650_000)
    stories = [halal(national_id=one).applies(office_pays=True) for one in IDS]
    for story in stories:
        with office.run("cli", by="budi") as run:
            answer(office, run, story.number, "facilitation#1", by="budi", data={"decision": "grant"})
    with mock.patch.object(advancing, "FINE_UP_TO", 0):
        stories[0].advance()
    assert slots_held(office) == ["650000 reserved"]


@pytest.mark.both_databases
def test_4_5_07_the_last_slot_is_given_once_by_workers_at_the_same_moment(
    halal: Begin, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who counts takes the lock first: another transaction that holds it, and reserves, is waited for and counted."""
    a_quota_of(monkeypatch, 1, 650_000)
    stories = [halal(national_id=one).applies(office_pays=True) for one in IDS]
    ends = at_once(*(partial(story.facilitated, by="tuti") for story in stories))
    assert not [end for end in ends if isinstance(end, Exception)]
    assert slots_held(office) == ["650000 reserved"]
    with office.db.reading() as session:
        assert session.get_one(Series, slots.LOCK).last >= len(stories), "who counts takes the lock"


@tells("quote:answered")
def test_4_5_08_lph_not_accredited_for_that_scope_or_region(halal: Begin) -> None:
    """Unknown, another scope, another region, above the ceiling: each is said, and the officer chooses again."""
    story = halal().to_quote(kind="restaurant_catering")
    for body, amount, told in (
        ("LPH Entah", 350_000, "LPH Entah tidak ada di daftar LPH terakreditasi"),
        ("LPH Contoh Pangan", 350_000, "tidak terakreditasi untuk lingkup restaurant_catering"),
        ("LPH Contoh Surabaya", 350_000, "tidak terakreditasi untuk wilayah Kabupaten Lumajang"),
        ("LPPOM", 350_001, "Rp350.001 melebihi batas Rp350.000 (Keputusan Kepala BPJPH 141/2021)"),
    ):
        assert told in story.quoted(body, amount).note
        assert body == "LPPOM" or "pilih LPH lain: LPPOM" in story.note
    assert story.quoted().waits_for == ["payment#1"]


@tells("quote:answered")
def test_a_medium_business_pays_by_its_scale(halal: Begin) -> None:
    """Rp5,000,000 for registration, and up to Rp6,468,750 for processed food."""
    story = halal(annual_sales_rupiah=15_000_000_001).to_quote().quoted(amount=6_468_750)
    assert story.pays(11_468_750).waits_for == ["document_receipt#1"]


@tells("audit:pass")
def test_4_5_09_15_hk_overrun(halal: Begin) -> None:
    """The fifteenth working day is shown; the audit that comes later is taken all the same, and nothing lapses."""
    story = halal().on("2026-01-19").to_audit()
    assert story.shown()["waiting_for"][0]["due_on"] == "2026-02-09"
    assert story.on("2026-02-27").nothing_happens().waits_for == ["audit#1"]
    assert story.audited(audited_on="2026-02-26").waits_for == ["fatwa#1"]


@tells("fatwa:time_exceeded")
def test_4_5_10_mui_overrun_falls_back_to_the_committee(halal: Begin) -> None:
    """After three working days, and the owner is told who decides now."""
    story = halal().on("2026-01-21").to_fatwa().on("2026-01-27").ruled("time_exceeded")
    assert story.waits_for == ["committee_ruling#1"]
    assert "Komite Fatwa Produk Halal memerlukan waktu tambahan" in story.letter("more_time")["text"]


@tells("fatwa:needs_data")
def test_4_5_11_product_list_changed_after_audit(halal: Begin) -> None:
    """Another product, or another ingredient, is audited before MUI rules on it."""
    story = halal().to_fatwa()
    assert "data: salin data" in refused(story, "ruled", decision="needs_data")
    story.ruled("needs_data", data=["daftar produk"]).applies(products=["Keripik singkong", "Keripik talas"])
    assert story.waits_for == ["audit#2"]
    story.audited()
    story.ruled("needs_data", data=["bahan"]).applies(ingredients=[CASSAVA, {"name": "Garam", "source": "Toko Rukun"}])
    assert story.waits_for == ["audit#3"]


@tells("application:self_declare")
def test_4_5_12_applicant_swaps_to_self_declare_without_eligibility(halal: Begin) -> None:
    """Each bar is named; the owner stays on the regular path and submits again."""
    large = halal(annual_sales_rupiah=15_000_000_001).applies(decision="self_declare", ingredients=[CHICKEN], **NKV)
    text = large.letter("return_notice")["text"]
    assert "melebihi Rp15.000.000.000 (Keputusan Kepala BPJPH 146/2025)" in text
    assert "bahan hewani tanpa nomor sertifikat halal" in text
    assert large.applies().waits_for == ["document_check#1"]
    certified = {**CHICKEN, "certificate": CERTIFICATE}
    abattoir = halal(national_id=IDS[0])
    abattoir.applies(decision="self_declare", kind="slaughter", ingredients=[certified], **NKV)
    assert "tidak terbuka bagi rumah potong hewan" in abattoir.letter("return_notice")["text"]


@tells("halal_certificate:answered", "outcome:certified")
def test_kh_number_keyed_as_sh_number(halal: Begin) -> None:
    """A fatwa number is no certificate number, nor the other way round; the province must exist, or be 00."""
    story = halal().to_quote()
    assert story.waits_for == ["quote#1"]
    story.quoted().pays().receipted().audited()
    assert "kh_number: ini nomor sertifikat halal (SH)" in refused(story, "ruled", kh_number=CERTIFICATE)
    assert "kh_number: isi nomor Ketetapan Halal" in refused(story, "ruled", kh_number="")
    assert "reason: salin alasan" in refused(story, "ruled", decision="not_halal")
    story.ruled()
    assert "nomor Ketetapan Halal (KH) bukan nomor sertifikat" in refused(story, "certified", number=KH)
    assert "(99) bukan 00 dan bukan kode provinsi" in refused(story, "certified", number="ID99110001325901022")
    assert story.certified("ID00410000088320221").outcome == "certified"


def test_a_return_of_bpjph_says_what_is_missing(halal: Begin) -> None:
    """Otherwise the owner would not know what to put right."""
    assert "deficiencies: salin" in refused(halal().applies(), "checked", decision="return")
