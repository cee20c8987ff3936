"""Every bad input of the domain's list (5.7), by its number and words, and what people are told then."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlmodel import select

from engine.cases.opening import open_cases
from engine.definition.registry import pipeline_named
from engine.errors import BadAnswer, NotAllowed, NotWaiting
from engine.people.accounts import add_user
from engine.runtime.office import Office
from models import DeclaredConflict, RecordedCertificate, User
from tests.people import EVIDENCE, register_person
from tests.stories.lsp_competency_test.conftest import UNITS, refused, results
from tests.stories.story import tells

if TYPE_CHECKING:
    from tests.stories.lsp_competency_test.conftest import Begin

pytestmark = pytest.mark.usefixtures("blank_papers")
SECOND = "3508166904950001"
AK_02 = ("asih", "assessment_record#1")


def test_5_7_01_met_wrong_or_expired(begin: Begin) -> None:
    """The shape is refused by the form, written apart is taken; an old year asks for another assessor."""
    story = begin().to_schedule()
    assert "bukan nomor MET" in refused(story, "scheduled", met_number="MET.001.4772 2024")
    assert "met_number: MET.000.004772 2022 tidak berlaku" in story.scheduled(met_number="MET.000.004772 2022").note
    assert story.scheduled(met_number="MET. 000.004772.2024").waits_for == ["assessment_review#1"]


def test_5_7_01_assessor_certificate_must_hold_on_the_test_date(
    begin: Begin, office: Office, lsp: dict[str, int]
) -> None:
    """Valid today is not enough; without the scheme's own competence nor is the certificate of an assessor."""
    story = begin().to_schedule()
    with office.db.writing() as session:
        held = select(RecordedCertificate).where(RecordedCertificate.person_id == lsp["asih"])
        rows = session.exec(held).all()
        for row in rows:
            row.until = date(2026, 1, 19)
            session.add(row)
    assert "sertifikat asih (assessor:ukm) tidak berlaku pada 2026-01-20" in story.scheduled().note
    with office.db.writing() as session:
        row = session.exec(
            select(RecordedCertificate).where(
                RecordedCertificate.person_id == lsp["bayu"], RecordedCertificate.what == "assessor:ukm"
            )
        ).one()
        session.delete(row)
    assert "sertifikat bayu (assessor:ukm) tidak berlaku" in story.scheduled(assessor="bayu").note


def test_5_7_02_assessor_of_the_same_institution_or_with_a_declared_conflict(
    begin: Begin, office: Office, lsp: dict[str, int]
) -> None:
    """Who declared a conflict is not proposed, and can't be scheduled."""
    story = begin().applies().checked()
    with office.db.writing() as session:
        user = session.exec(select(User).where(User.name == "asih")).one()
        conflict = DeclaredConflict(
            user_id=user.id or 0,
            subject_kind="person",
            subject_id=story.case.person_id,
            kind="family",
            declared_on=date(2026, 1, 1),
            declared_by_id=user.id or 0,
        )
        session.add(conflict)
    story.claims()
    assert "bayu, citra, dimas, endah" in story.note
    assert "assessor: asih tidak dapat ditugaskan" in story.scheduled().note


def test_5_7_03_assessor_is_a_pleno_member(begin: Begin, office: Office) -> None:
    """Who assessed may not decide, although the role would allow it; nor may an even number, or one person twice."""
    add_user(office, "asih", ["plenary"])
    story = begin().to_response().responds()
    assert "members: asih tidak boleh ikut memutuskan" in story.seated(members=["asih", "fajar", "gita"]).note
    assert "jumlah anggota harus ganjil" in refused(story, "seated", members=["fajar", "gita", "hana", "indra"])
    assert "satu orang hanya boleh disebut satu kali" in refused(story, "seated", members=["fajar", "fajar", "gita"])
    story.seated()
    with pytest.raises(NotAllowed):
        story.answers("asih", "plenary_vote#1", decision="competent")


def test_5_7_03_panel_member_may_not_have_assessed(begin: Begin) -> None:
    """The appeal goes to others."""
    story = begin().to_response(UNITS[:1]).responds("appeal", reason="tidak setuju")
    assert "members: asih tidak boleh" in story.seated("appeal_seats", members=["asih", "bayu", "citra"]).note


def test_5_7_04_apl_02_with_missing_evidence(begin: Begin) -> None:
    """K needs its evidence, the scheme all its units, each once."""
    story = begin().applies().checked()
    bare = [{"code": UNITS[0], "claim": "competent"}]
    assert f"unit {UNITS[0]} diakui K tanpa bukti; lampirkan" in refused(
        story, "_fills_in", "self_assessment", units=bare
    )
    assert "isi satu baris untuk tiap unit" in refused(story, "claims", ())
    assert "tertulis dua kali" in refused(story, "claims", (UNITS[0], UNITS[0]))
    assert f"units: unit {UNITS[2]} belum diisi" in story.claims(UNITS[:2]).note


def test_5_7_05_unit_code_not_in_scheme(begin: Begin) -> None:
    """In FR.APL.02, in FR.MAPA, in FR.AK.02; a code of another shape is refused by the form."""
    story = begin().applies().checked()
    assert "bukan kode unit kompetensi" in refused(story, "claims", ("702090",))
    assert "units: unit M.741000.002.01 tidak ada dalam skema" in story.claims((*UNITS, "m.741000.002.01")).note
    story.claims().scheduled().reviewed()
    bare = [{"code": code, "instruments": []} for code in UNITS]
    told = refused(story, "answers", "asih", "plan#1", context="Uji di TUK", units=bare)
    assert "pilih paling sedikit satu FR.IA" in told
    assert "tidak ada dalam skema" in story.planned((*UNITS, "M.741000.002.01")).note
    story.planned().agrees().on("2026-01-20").tested(UNITS[:2])
    assert "belum diisi" in story.recorded(UNITS[:2]).note
    assert f"unit {UNITS[2]} tidak ada dalam rekaman FR.IA" in story.recorded().note


def test_5_7_06_one_unit_bk_but_overall_k(begin: Begin) -> None:
    """Nor K without VATM, nor BK without what follows, nor BK where all is K."""
    story = begin().to_test().tested()
    rows = results(failed=UNITS[:1])
    told = refused(story, "answers", *AK_02, decision="competent", units=rows)
    assert f"unit {UNITS[0]} BK; rekomendasi K hanya bila semua unit K" in told
    assert "semua unit K; pilih competent" in refused(story, "recorded", decision="not_yet_competent")
    vague = [{**row, "current": False} for row in results()]
    told = refused(story, "answers", *AK_02, decision="competent", units=vague)
    assert "tanpa bukti yang valid, asli, terkini dan memadai" in told
    silent = [{**row, "note": ""} for row in rows]
    assert "tulis tindak lanjutnya" in refused(story, "answers", *AK_02, decision="not_yet_competent", units=silent)


def test_5_7_07_ak_01_unsigned_before_test(begin: Begin) -> None:
    """The test is not even asked for; without a code or a paper it is not signed; half an agreement is none."""
    story = begin().to_schedule().scheduled().reviewed().planned()
    with pytest.raises(NotWaiting):
        story.tested()
    with pytest.raises(NotAllowed, match="must be signed"):
        story.agrees(paper=None)
    assert "kedua pernyataan" in refused(story, "agrees", keeps_secret=False)
    with pytest.raises(NotAllowed, match="must be signed"):
        story._fills_in("agreement", agrees=True, keeps_secret=True, paper=EVIDENCE)  # the candidate's own upload
    story._fills_in("agreement", by="budi", agrees=True, keeps_secret=True, paper=EVIDENCE)
    with pytest.raises(BadAnswer, match="impartial"):
        story.answers("asih", "assessor_agreement#1", explained=True, impartial=False)


def test_5_7_08_test_date_before_agreement(begin: Begin) -> None:
    """A test is never dated before FR.AK.01, nor on another day than planned, nor ahead; a late signature moves the test."""
    story = begin().to_schedule().scheduled().reviewed().planned().on("2026-01-21").agrees()
    assert story.note.startswith("FR.AK.01 ditandatangani sesudah tanggal uji; jadwalkan ulang")
    story.scheduled(test_date="2026-01-27").reviewed().planned().agrees()
    assert "FR.AK.01 baru ditandatangani 2026-01-21" in story.tested(tested_on="2026-01-20").note
    assert "jadwal uji 2026-01-27" in story.tested(tested_on="2026-01-26").note
    assert "uji belum dilaksanakan" in story.tested(tested_on="2026-01-27").note
    assert "paling sedikit satu rekaman FR.IA" in refused(story, "tested", records=[])


def test_5_7_09_tuk_not_verified(begin: Begin) -> None:
    """Unknown, not verified, or its licence over by then; the date is neither past nor beyond the LSP's licence."""
    story = begin().to_schedule()
    for site in ("TUK Lumajang", "TUK Blitar"):
        assert f"test_site: {site} tidak terverifikasi" in story.scheduled(test_site=site).note
    assert "TUK Malang tidak" in story.scheduled(test_site="TUK Malang", test_date="2026-07-01").note
    assert "test_date: paling awal 2026-01-12" in story.scheduled(test_date="2026-01-11").note
    assert "lisensi LSP berakhir 2028-12-31" in story.scheduled(test_date="2029-01-02").note
    assert "uji ini didanai; isi 0" in refused(story, "scheduled", fee_rupiah=1)
    assert "tidak boleh kurang dari nol" in refused(story, "scheduled", fee_rupiah=-1)


def test_5_7_09_an_assessor_takes_ten_a_day(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted by assessor and day, not by site."""
    from flows.lsp_competency_test import seats

    story = begin().to_schedule()
    monkeypatch.setattr(seats, "taken", lambda what, reference, day: 10 if what == seats.ASSESSOR else 0)
    assert "test_date: asih penuh pada 2026-01-20 (10 asesi sehari)" in story.scheduled().note


def test_5_7_10_duplicate_nik_in_batch(begin: Begin, office: Office) -> None:
    """One NIK is one person, and one person has one open case: the second is refused by its number."""
    story = begin()
    again = register_person(office, "3508166904956220", name="Nama Lain")
    assert again == story.case.subject_id
    with office.run("cli", by="budi") as run:
        opened = open_cases(office, run, pipeline_named("lsp-competency-test"), [again], by="budi")
    assert opened.opened == []
    assert story.number in opened.refused[0]["reason"]


def test_5_7_12_appeal_after_window(begin: Begin) -> None:
    """On the last of 14 working days it is open; on the next the result stands, by its own clock."""
    story = begin().to_response(UNITS[:1])
    assert "tulis alasan banding" in refused(story, "responds", "appeal")
    story.on("2026-02-10")
    with pytest.raises(NotWaiting):
        story.responds("appeal", reason="terlambat")


@tells("outcome:refused")
def test_5_7_13_lsp_licence_lapsed_or_scope_lacks_the_scheme(begin: Begin) -> None:
    """Refused with where to go; nobody is asked for money."""
    story = begin().applies(scheme="export_officer")
    assert story.outcome == "refused"
    assert "tidak ada dalam lingkup lisensi" in story.letter("closed")["text"]
    story.on("2029-01-02")
    late = begin()
    assert late.applies(national_id=SECOND).outcome == "refused"
    assert "berakhir pada 31 Desember 2028" in late.letter("closed")["text"]


def test_5_7_14_photo_or_nik_mismatch(begin: Begin) -> None:
    """The NIK of the form must be the registered one; KTP and photo must be there; the officer looks at the face."""
    story = begin()
    assert "lampirkan KTP (id_card) dan pasfoto" in refused(story, "applies", proofs=[])
    story.applies(national_id=SECOND)
    assert "NIK pada formulir berbeda" in story.letter("return_notice")["text"]
    story.applies()
    assert "tulis kekurangan" in refused(story, "checked", "return")
    assert "persyaratan dasar" in refused(story, "checked", "reject")


def test_rcc_of_what_is_not_held_or_too_early(begin: Begin) -> None:
    """The number must be ours and in force, and its end near."""
    number = "62019 2513 6 0011111 2023"
    story = begin(certificate=number, until="2027-06-30")
    assert "isi nomor sertifikat lama" in refused(story, "applies", kind="recertification")
    story.applies(kind="recertification", previous_certificate="62019 2513 6 0099999 2023")
    assert "tidak tercatat berlaku" in story.letter("return_notice")["text"]
    story.applies(kind="recertification", previous_certificate=number)
    assert story.waits_for == ["application#3"]
