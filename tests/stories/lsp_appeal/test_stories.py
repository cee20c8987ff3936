"""An appeal against a refusal of the LSP, told by date: granted, rejected, left lying, taken back; and who may not rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.errors import NotAllowed, Refused
from engine.people.accounts import add_user
from engine.runtime.office import Office
from tests.stories.lsp_competency_test.conftest import UNITS
from tests.stories.lsp_competency_test.conftest import begin as begin
from tests.stories.lsp_competency_test.conftest import lsp as lsp
from tests.stories.objection.conftest import again, ended, objects
from tests.stories.story import tells

if TYPE_CHECKING:
    from tests.stories.lsp_competency_test.conftest import Begin, CompetencyStory

WHY = "surat kerja saya sebagai pendamping terlampir"
blank = pytest.mark.usefixtures("blank_papers")


@pytest.fixture
def turned_down(begin: Begin, office: Office) -> CompetencyStory:
    """FR.APL.01 that lia refused on 10 March 2026: eight days before Nyepi, Idul Fitri and their joint leave."""
    add_user(office, "bambang", ["lsp_head"])
    story = begin().on("2026-03-10").applies()
    return story.checked("reject", reason="belum pernah mendampingi UMKM")


def appeals(story: CompetencyStory) -> CompetencyStory:
    """Appeal on 16 March."""
    objects(story.on("2026-03-16"), by=story.candidate, reason=WHY)
    return story


@tells("lsp_appeal_ruling:grant", "outcome:refused")
def test_a_granted_appeal_is_examined_anew_by_others(turned_down: CompetencyStory, office: Office) -> None:
    """The head of the LSP signs, UU 30/2014 is not named, FR.APL.01 stands filled in the new case, and lia is out of it."""
    told = turned_down.letter("closed")["text"]
    assert "banding tertulis kepada Ketua LSP paling lambat 7 April 2026" in told  # 14 working days
    [asked] = appeals(turned_down).shown()["waiting_for"]
    # 15 working days after 16 March, without 18 to 24 March and Good Friday, 3 April
    assert (asked["question"], asked["role"], asked["due_on"]) == ("lsp_appeal_ruling#1", "lsp_head", "2026-04-14")
    assert WHY in asked["note"] and "belum pernah mendampingi UMKM" in asked["note"]
    lodged = next(entry for entry in turned_down.entries if entry.key == "appeal_lodged#1")
    assert list(lodged.rule_versions) == ["appeal_window"]
    assert "14 April 2026" in turned_down.letter("received")["text"]

    turned_down.on("2026-03-25").answers("bambang", "lsp_appeal_ruling#1", decision="grant", reason="suratnya cukup")
    granted = "banding dikabulkan (PBL-2026-000001); diperiksa ulang dalam LSP-2026-000002"
    assert (turned_down.outcome, ended(turned_down)) == ("refused", ("closed#2", granted))
    assert turned_down.letters[-3:] == ["closed", "received", "examined_anew"]
    assert "LSP Koperasi dan UKM" in turned_down.letter("examined_anew")["text"]
    assert [one.status for one in turned_down.documents if one.number == "PBL-2026-000001"] == ["ready"]
    assert turned_down.is_whole()

    anew = again(turned_down, "LSP-2026-000002")
    [asked] = anew.shown()["waiting_for"]
    assert asked["question"] == "application#1"
    assert asked["form"]["properties"]["occupation"]["default"] == "Pendamping UMKM"
    anew.applies()
    with pytest.raises(NotAllowed, match="decided admin_check in the case that LSP-2026-000002 examines anew"):
        anew.checked()
    add_user(office, "lita", ["lsp_officer"])
    assert anew.checked(by="lita").waits_for == ["self_assessment#1"]


@blank
@tells("lsp_appeal_ruling:reject")
def test_a_rejected_appeal_has_its_reasons_and_is_the_last(turned_down: CompetencyStory) -> None:
    """The LSP's own appeal has one instance, and its days are the LSP's own."""
    appeals(turned_down)
    turned_down.answers("bambang", "lsp_appeal_ruling#1", decision="reject", reason="surat bukan dari UMKM")
    assert (turned_down.outcome, ended(turned_down)) == ("refused", ("closed#2", "banding ditolak (PBL-2026-000001)"))
    assert "surat bukan dari UMKM" in turned_down.letter("rejected")["text"]
    with pytest.raises(Refused, match="can be only once"):
        appeals(turned_down)


@blank
def test_the_window_is_the_lsps_own(turned_down: CompetencyStory) -> None:
    """14 working days after 10 March: 7 April is the last, where an objection would have had until 16 April."""
    with pytest.raises(Refused, match=r"ended on 2026-04-07: 14 working days after 2026-03-10 \(Kebijakan LSP"):
        objects(turned_down.on("2026-04-08"), by=turned_down.candidate, reason=WHY)
    objects(turned_down.on("2026-04-07", 23), by=turned_down.candidate, reason=WHY)
    assert turned_down.waits_for == ["lsp_appeal_ruling#1"]


@blank
def test_the_lsps_silence_grants_nothing_and_goes_upwards(turned_down: CompetencyStory) -> None:
    """The days pass on 14 April: the appeal is told upwards, no page counts a deadline of the law, and the head still rules."""
    appeals(turned_down).on("2026-04-15").nothing_happens()
    assert turned_down.waits_for == ["lsp_appeal_ruling#1"]
    rungs = [entry.key for entry in turned_down.entries if entry.key.startswith("lsp_appeal_ruling#1/")]
    assert rungs and "lsp_appeal_ruling#1/say_passed" not in rungs
    assert "deadline_computation" not in [document.kind for document in turned_down.documents]
    turned_down.answers("bambang", "lsp_appeal_ruling#1", decision="reject", reason="tetap")
    assert ended(turned_down)[1] == "banding ditolak (PBL-2026-000001)"


@blank
def test_who_decided_does_not_rule_and_who_is_missing_is_named(begin: Begin, office: Office) -> None:
    """Lia refused and is head of the LSP by then: the question says that somebody is missing, and she is turned away."""
    story = begin().on("2026-03-10").applies().checked("reject", reason="belum pernah mendampingi UMKM")
    add_user(office, "lia", ["lsp_head"])
    [asked] = appeals(story).shown()["waiting_for"]
    assert asked["note"].endswith("semua terlibat atau belum terdaftar; tambahkan akun")
    ruling = {"decision": "reject", "reason": "tetap"}
    with pytest.raises(NotAllowed, match="lia took part"):
        story.answers("lia", "lsp_appeal_ruling#1", **ruling)
    with pytest.raises(NotAllowed, match="for the role lsp_head"):
        story.answers("rini", "lsp_appeal_ruling#1", **ruling)
    add_user(office, "bambang", ["lsp_head"])
    story.answers("bambang", "lsp_appeal_ruling#1", **ruling)
    assert story.outcome == "refused"


@blank
def test_an_appeal_may_be_taken_back(turned_down: CompetencyStory) -> None:
    """The refusal stands, and the letter says so."""
    appeals(turned_down).withdraws(turned_down.candidate, "sudah daftar di LSP lain")
    assert ended(turned_down) == ("closed#2", "banding ditarik: sudah daftar di LSP lain")
    assert turned_down.letters[-1] == "taken_back"


@blank
def test_a_refusal_by_the_rules_alone_is_appealed_too(begin: Begin, office: Office) -> None:
    """A scheme outside the licence: nobody decided it, and the head of the LSP still rules."""
    add_user(office, "bambang", ["lsp_head"])
    story = begin().on("2026-03-10").applies(scheme="export_officer")
    assert story.outcome == "refused"
    appeals(story).answers("bambang", "lsp_appeal_ruling#1", decision="reject", reason="lisensi belum diperluas")
    assert ended(story)[1] == "banding ditolak (PBL-2026-000001)"


@blank
@tells("assessment_record:competent", "plenary_vote:not_yet_competent", "outcome:not_yet_competent")
@pytest.mark.slow
def test_what_the_plenary_decided_is_appealed_after_it(begin: Begin, office: Office) -> None:
    """FR.AK.04 was against the assessor's result, which was competent: the decision came later, and its letter says the way."""
    add_user(office, "bambang", ["lsp_head"])
    story = begin().to_vote().voted(*["not_yet_competent"] * 3, units=UNITS[:1])
    story._fills_in("retest", decision="stop")
    assert "banding tertulis kepada Ketua LSP paling lambat" in story.letter("closed")["text"]
    objects(story, by=story.candidate, reason="asesor menyatakan saya kompeten")
    assert "Keputusan: Belum kompeten" in story.shown()["waiting_for"][0]["note"]
    story.answers("bambang", "lsp_appeal_ruling#1", decision="grant", reason="pleno tidak menilai rekaman")
    assert ended(story)[1] == "banding dikabulkan (PBL-2026-000001); diperiksa ulang dalam LSP-2026-000002"
    assert again(story, "LSP-2026-000002").waits_for == ["application#1"]


@blank
@tells("assessment_review:not_continue", "outcome:not_ready")
def test_who_is_not_let_into_the_test_may_appeal(begin: Begin, office: Office) -> None:
    """An assessor ended it against the candidate's will; who did rules on nothing."""
    add_user(office, "bambang", ["lsp_head"])
    story = begin().to_schedule().scheduled().reviewed("not_continue", reason="bukti belum cukup")
    assert "banding tertulis kepada Ketua LSP paling lambat" in story.letter("closed")["text"]
    objects(story, by=story.candidate, reason="bukti saya lengkap")
    story.answers("bambang", "lsp_appeal_ruling#1", decision="reject", reason="dua unit tanpa bukti")
    assert (story.outcome, ended(story)[1]) == ("not_ready", "banding ditolak (PBL-2026-000001)")
