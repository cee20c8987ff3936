"""An objection to a refusal, told by date: granted, rejected, appealed, taken back; and who may not rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

import pytest

from engine.actions.delegate import delegate
from engine.actions.reassign import reassign
from engine.errors import BadAnswer, NotAllowed, Refused
from engine.execution.versions.shadow_run import run_shadow
from engine.people.accounts import add_user
from engine.people.mandates import add_mandate
from engine.people.persons import declare_conflict
from engine.runtime.office import Office
from tests.people import EVIDENCE
from tests.stories.halal_self_declare.conftest import halal as halal
from tests.stories.objection.conftest import OBJECTS, Begin, again, ended, objects, rejected
from tests.stories.story import tells

if TYPE_CHECKING:
    from tests.stories.halal_self_declare.conftest import HalalStory
    from tests.stories.nib_legalization.conftest import NibStory

blank = pytest.mark.usefixtures("blank_papers")


@tells("objection_ruling:grant", "outcome:refused")
def test_a_granted_objection_is_examined_anew_by_others(refused: NibStory, office: Office) -> None:
    """The same ledger goes on; a fresh case names it and is named by it; who refused does not decide again."""
    objects(refused.on("2026-03-16"), evidence=EVIDENCE)
    shown = refused.shown()
    assert (shown["status"], shown["outcome"], shown["clock"]["holder"]) == ("waiting", None, "office")
    [asked] = shown["waiting_for"]
    # 10 working days after 16 March: 18 to 24 March are Nyepi, Idul Fitri and joint leave, 3 April is Good Friday
    assert (asked["question"], asked["role"], asked["due_on"]) == ("objection_ruling#1", "division_head", "2026-04-07")
    assert OBJECTS in asked["note"] and f"Bukti pemohon: {EVIDENCE}" in asked["note"]

    refused.on("2026-03-25").answers("ratna", "objection_ruling#1", decision="grant", reason="RT 3 memang ada")
    assert refused.outcome == "refused"
    assert ended(refused) == (
        "closed#2",
        "keberatan dikabulkan (KBR-2026-000001); diperiksa ulang dalam NIB-2026-000002",
    )
    assert [(entry.key, entry.outcome) for entry in refused.entries if entry.kind == "closed"] == [
        ("closed#1", "refused"),
        ("closed#2", "refused"),
    ]
    lodged = next(entry for entry in refused.entries if entry.key == "appeal_lodged#1")
    assert (lodged.actor, lodged.role, lodged.rule_versions) == (
        "owner-1",
        "applicant",
        {"objection_time": "2014-10-17"},
    )
    assert lodged.result["evidence"] == EVIDENCE
    assert refused.letters == ["receipt", "refused", "objection_received", "examined_anew"]
    assert "NIB-2026-000002" in refused.letter("examined_anew")["text"]
    assert [document.number for document in refused.documents if document.number] == [
        "TLK-2026-000001",
        "KBR-2026-000001",
    ]
    assert all(document.status == "ready" for document in refused.documents)

    anew = again(refused, "NIB-2026-000002")
    assert anew.entries[0].reason == f"dilanjutkan dari {refused.number}"
    assert anew.waits_for == ["dossier_check#1"]
    with pytest.raises(NotAllowed, match="decided dossier_check in the case that NIB-2026-000002 examines anew"):
        anew.answers("budi", "dossier_check#1", decision="reject", reason="tetap")
    anew.answers("tuti", "dossier_check#1", decision="complete")
    assert anew.waits_for == ["classification#1"]
    assert anew.is_whole()
    seen = run_shadow(office, "nib-legalization")  # the appeal is no part of what another version would have made of it
    assert (seen["cases"], seen["same"]) == (1, 1)


@blank
def test_what_was_stated_stands_in_the_form_of_the_new_case(halal: Callable[..., HalalStory], office: Office) -> None:
    """A programme's place refused, and granted on objection: nothing is typed twice, the pledge is signed anew."""
    story = halal().submits().gets("refused", reason="program ditutup")
    assert "Pasal 77" in story.letter("no_slot")["text"]
    objects(story)
    story.answers("rini", "objection_ruling#1", decision="grant", reason="program masih dibuka")
    assert (story.outcome, ended(story)[1][-15:]) == ("no_slot", "HSD-2026-000002")
    anew = again(story, "HSD-2026-000002")
    [asked] = anew.shown()["waiting_for"]
    assert asked["question"] == "application#1"
    assert asked["form"]["properties"]["process"]["default"]
    with pytest.raises(NotAllowed, match="This must be signed"):
        anew.answers("owner-1", "application#1")
    anew.answers("budi", "application#1", paper=EVIDENCE)
    slot = {"decision": "refused", "reason": "program ditutup"}
    with pytest.raises(NotAllowed, match="decided facilitation in the case"):
        anew.answers("budi", anew.waits_for[0], **slot)


@blank
@tells("objection_ruling:reject", "administrative_appeal:silent", "outcome:refused")
def test_a_rejected_objection_that_is_not_appealed_stands(refused: NibStory) -> None:
    """Ten working days after the ruling, without Good Friday: silence ends it on the next."""
    rejected(refused)
    [asked] = refused.shown()["waiting_for"]
    assert (asked["question"], asked["role"], asked["due_on"]) == ("administrative_appeal#1", "applicant", "2026-04-16")
    assert refused.shown()["clock"]["holder"] == "applicant"
    assert "dua kali tidak ditemukan" in refused.letter("objection_rejected")["text"]
    refused.on("2026-04-16", 23).nothing_happens()
    assert refused.waits_for == ["administrative_appeal#1"]
    refused.on("2026-04-17").nothing_happens()
    assert refused.outcome == "refused"
    assert ended(refused)[1] == "keberatan ditolak (KBR-2026-000001), tanpa banding sampai batas waktu"
    assert refused.letters[-1] == "refusal_stands"
    assert refused.shown()["clock"]["holder"] is None


@blank
@tells("administrative_appeal:accept")
def test_a_rejected_objection_may_be_accepted(refused: NibStory) -> None:
    """The applicant need not wait for the time to pass."""
    rejected(refused).answers("owner-1", "administrative_appeal#1", decision="accept")
    assert ended(refused)[1] == "keberatan ditolak (KBR-2026-000001) dan diterima pemohon"


@tells("administrative_appeal:appeal", "administrative_appeal_ruling:grant")
def test_the_head_of_the_office_grants_an_appeal(refused: NibStory, office: Office) -> None:
    """An appeal needs its reason, and is ruled on by nobody who ruled before, whatever other roles they hold."""
    rejected(refused)
    with pytest.raises(BadAnswer, match="tulis alasan banding"):
        refused.answers("owner-1", "administrative_appeal#1", decision="appeal")
    refused.on("2026-04-06").answers("owner-1", "administrative_appeal#1", decision="appeal", reason="surat desa baru")
    [asked] = refused.shown()["waiting_for"]
    assert (asked["question"], asked["role"], asked["due_on"]) == (
        "administrative_appeal_ruling#1",
        "office_head",
        "2026-04-20",
    )
    add_user(office, "ratna", ["office_head"])
    ruling = {"decision": "grant", "reason": "surat desa benar"}
    with pytest.raises(NotAllowed, match="ratna took part"):
        refused.answers("ratna", "administrative_appeal_ruling#1", **ruling)
    refused.answers("hadi", "administrative_appeal_ruling#1", **ruling)
    assert ended(refused)[1] == "banding dikabulkan (BDA-2026-000001); diperiksa ulang dalam NIB-2026-000002"
    assert refused.letters[-2:] == ["appeal_received", "examined_anew"]


@blank
@tells("administrative_appeal_ruling:reject")
def test_a_rejected_appeal_ends_it_and_it_is_not_contested_twice(refused: NibStory) -> None:
    """The second ruling has its reasons, too; a third is not to be had."""
    rejected(refused)
    refused.answers("owner-1", "administrative_appeal#1", decision="appeal", reason="surat desa baru")
    refused.answers("hadi", "administrative_appeal_ruling#1", decision="reject", reason="alamat tetap tidak ada")
    assert (refused.outcome, ended(refused)[1]) == ("refused", "banding ditolak (BDA-2026-000001)")
    assert "alamat tetap tidak ada" in refused.letter("appeal_rejected")["text"]
    with pytest.raises(Refused, match="was contested on 2026-03-16 already") as twice:
        objects(refused)
    assert "satu kali" in twice.value.for_people


@blank
def test_an_objection_may_be_taken_back(refused: NibStory) -> None:
    """The refusal stands, and the letter says so."""
    objects(refused.on("2026-03-16"))
    refused.withdraws("owner-1", "sudah pindah")
    assert (refused.outcome, ended(refused)[1]) == ("refused", "keberatan ditarik: sudah pindah")
    assert refused.letters[-1] == "refusal_stands"


@blank
def test_who_decided_or_declared_a_conflict_can_not_rule(refused: NibStory, office: Office) -> None:
    """An officer who became head of division, and a head of division of the owner's family."""
    objects(refused.on("2026-03-16"))
    add_user(office, "budi", ["division_head"])
    declare_conflict(office, "rini", "family", by="admin", business=refused.case.subject_id)
    ruling = {"decision": "reject", "reason": "tetap"}
    with pytest.raises(NotAllowed, match="budi took part"):
        refused.answers("budi", "objection_ruling#1", **ruling)
    with pytest.raises(NotAllowed, match=r"declared a conflict of interest \(family\)"):
        refused.answers("rini", "objection_ruling#1", **ruling)
    with pytest.raises(NotAllowed, match="for the role division_head"):
        refused.answers("tuti", "objection_ruling#1", **ruling)


@blank
def test_in_whose_name_it_was_refused_does_not_rule(nib: Begin, office: Office) -> None:
    """ani rejected the dossier for rini, an officer and head of division who was away: neither of them rules on it."""
    story = nib().on("2026-03-10")
    add_user(office, "rini", ["officer"])
    stands_in(office, "rini", "ani")
    story.answers("ani", "dossier_check#1", decision="reject", reason="usaha tidak berada di alamat ini")
    objects(story.on("2026-03-16"))
    for by in ("rini", "ani"):
        with pytest.raises(NotAllowed, match=f"{by} took part"):
            story.answers(by, "objection_ruling#1", decision="reject", reason="tetap tidak ditemukan")


@blank
def test_no_delegation_or_reassignment_brings_in_who_decided(refused: NibStory, office: Office) -> None:
    """Who refused stands in for nobody on the objection, and who ruled on it for nobody on the appeal."""
    objects(refused.on("2026-03-16"))
    add_user(office, "budi", ["division_head"])
    ruling = {"decision": "reject", "reason": "tetap"}
    with office.run("cli", by="rini") as run, pytest.raises(NotAllowed, match="budi took part"):
        reassign(office, run, refused.number, "objection_ruling#1", to="budi", by="rini", reason="cuti")
    stands_in(office, "rini", "budi")
    with pytest.raises(NotAllowed, match="budi took part"):
        refused.answers("budi", "objection_ruling#1", **ruling)
    refused.answers("ratna", "objection_ruling#1", **ruling)
    refused.answers("owner-1", "administrative_appeal#1", decision="appeal", reason="surat desa baru")
    stands_in(office, "hadi", "ratna")
    with pytest.raises(NotAllowed, match="ratna took part"):
        refused.answers("ratna", "administrative_appeal_ruling#1", **ruling)
    refused.answers("hadi", "administrative_appeal_ruling#1", **ruling)
    assert refused.is_whole()


def stands_in(office: Office, away: str, to: str) -> None:
    """Let ``to`` answer for ``away`` from today until the end of March."""
    with office.run("cli", by=away) as run:
        delegate(office, run, away, to, until=date(2026, 3, 31), reason="cuti tahunan", by=away)


@blank
def test_only_the_applicant_or_somebody_for_them_objects(refused: NibStory, office: Office) -> None:
    """A stranger is refused; a companion with a mandate and an officer act for the owner, and both names stand there."""
    refused.on("2026-03-16")
    with pytest.raises(NotAllowed, match="nor holds a mandate"):
        objects(refused, by="ani")
    add_mandate(office, "owner-1", "ani", paper=EVIDENCE, by="budi", since=office.clock.today(), until=None)
    objects(refused, by="ani")
    lodged = next(entry for entry in refused.entries if entry.key == "appeal_lodged#1")
    assert (lodged.actor, lodged.role, lodged.on_behalf_of) == ("ani", "companion", "owner-1")


@blank
def test_what_can_not_be_contested_says_why_and_where_to_go(nib: Begin, office: Office) -> None:
    """DPMPTSP's refusal goes to DPMPTSP; what the owner ended or what is open has nothing to contest; no half words."""
    story = nib().to_verification().verified("reject", reason="tata ruang")
    with pytest.raises(Refused, match="can't be contested here: DPMPTSP decided it") as elsewhere:
        objects(story)
    assert "Ajukan keberatan kepada DPMPTSP" in elsewhere.value.for_people
    other = nib(national_id="3508166904956221")
    with pytest.raises(Refused, match="is not closed; it is waiting for: dossier_check#1"):
        objects(other, by="owner-2")
    other.withdraws("owner-2")
    with pytest.raises(Refused, match="the applicant ended it"):
        objects(other, by="owner-2")
    third = nib(national_id="3508166904956222", region_code="3201")
    with pytest.raises(BadAnswer, match="reason: paling sedikit 3 huruf"):
        objects(third, by="owner-3", reason="?")
    objects(third, by="owner-3")
    with pytest.raises(Refused, match="can be only once"):
        objects(third, by="owner-3")


@blank
def test_a_withdrawal_that_came_too_late_takes_no_objection_back(
    nib: Begin, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was noted while the refusal was being issued, and the case closed as it would have."""
    with monkeypatch.context() as broken:
        broken.setattr("engine.execution.issuing.make_and_store", lambda *_: 1 / 0)
        story = nib().dossier("reject", reason="alamat")
        story.withdraws("owner-1")
    story.clock.turn(minutes=3)
    story.advance()
    assert story.outcome == "refused"
    objects(story)
    assert story.waits_for == ["objection_ruling#1"]


@blank
def test_the_reasons_of_an_objection_are_sealed_and_numbers_in_them_masked(refused: NibStory) -> None:
    """The ledger is for good, so a NIK that somebody types is masked there and on the ruling."""
    objects(refused.on("2026-03-16"), reason="NIK saya 3508166904956220 benar")
    said = [str((entry.reason, entry.result)) for entry in refused.entries]
    assert not any("3508166904956220" in one for one in said)
    assert "350816********20" in (next(e.reason for e in refused.entries if e.key == "appeal_lodged#1") or "")
    assert "3508166904956220" not in str(refused.shown())
