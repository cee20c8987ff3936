"""Every end of a case on the regular path, and every choice and silence on the way, told by date."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from engine.errors import NotAllowed
from engine.runtime.office import Office
from models import Standing
from tests.people import EVIDENCE
from tests.stories.halal_regular.conftest import CASSAVA, CERTIFICATE
from tests.stories.story import tells

if TYPE_CHECKING:
    from tests.stories.halal_regular.conftest import Begin, RegularStory


def standing(office: Office, story: RegularStory, what: str) -> Standing | None:
    with office.db.reading() as session:
        return session.get(Standing, (story.case.id, what))


@tells(
    "outcome:certified",
    "application:submit",
    "facilitation:grant",
    "document_check:approve",
    "quote:answered",
    "office_payment:answered",
    "document_receipt:answered",
    "audit:pass",
    "fatwa:halal",
    "halal_certificate:answered",
)
def test_the_office_pays_and_the_certificate_is_recorded(halal: Begin, office: Office) -> None:
    """From application to certificate at the office's cost; a wrong amount is not booked; the slot is used."""
    story = halal()
    story.on("2026-01-13").applies(office_pays=True)
    assert "136 slot, 0 dicadangkan, 0 terpakai" in story.note
    story.on("2026-01-14").facilitated().on("2026-01-15").checked().quoted()
    assert story.pays(650_001, by_office=True).waits_for == ["office_payment#2"]
    assert "dibayar 650001, tagihan 650000" in story.note
    story.pays(by_office=True).on("2026-01-20").receipted()
    slot = standing(office, story, "halal_regular_slot")
    assert slot is not None
    assert (slot.subject_id, slot.reference, slot.until) == (2026, "650000 paid", None)
    story.on("2026-01-22").audited().on("2026-01-26").ruled().on("2026-01-27").certified("id 35110001325901022")
    assert story.outcome == "certified"
    assert story.letters == [
        *("receipt", "facilitation_decision", "invoice", "audit_schedule", "fatwa_result", "certified")
    ]
    assert all(document.status == "ready" for document in story.documents)
    assert [document.number for document in story.documents if document.number] == ["FHR-2026-000001"]
    certificate, slot = standing(office, story, "halal_certified"), standing(office, story, "halal_regular_slot")
    assert certificate is not None and slot is not None
    assert (certificate.reference, certificate.until) == (CERTIFICATE, None)
    assert (slot.reference, slot.until) == ("650000 used", None)
    assert CERTIFICATE in story.letter("certified")["text"]


@tells(
    "facilitation:waitlist",
    "facilitation:reject",
    "own_cost:proceed",
    "document_check:return",
    "payment:answered",
    "audit:findings",
    "corrective_action:answered",
    "audit:extension",
    "fatwa:needs_data",
    "outcome:certified",
)
def test_the_long_way_is_told_to_the_owner_in_english(halal: Begin, office: Office) -> None:
    """Waitlist, refusal, fixing, findings, more time, data for MUI: the owner pays, and each is told in a letter."""
    story = halal(language="en", cluster="fesyen").applies(office_pays=True).facilitated("waitlist")
    assert story.facilitated("reject", reason="usaha sudah difasilitasi tahun lalu").waits_for == ["own_cost#1"]
    assert story.chooses("proceed").waits_for == ["document_check#1"]
    story.checked("return", deficiencies=["matriks bahan"]).applies().checked().quoted().pays().receipted()
    story.audited("findings", findings=["alat dipakai bersama"]).acts()
    assert "alat baru sudah dibeli" in story.note
    story.on("2026-01-29").audited("extension", reason="laboratorium penuh")
    assert "sampai 2026-02-12" in story.note
    story.audited().ruled("needs_data", data=["diagram alir"]).applies()
    assert story.waits_for == ["fatwa#2"], "nothing changed, so nothing is audited again"
    assert story.ruled().certified().outcome == "certified"
    assert story.letters == [
        *("receipt", "quota_full", "facilitation_decision", "return_notice", "invoice", "audit_schedule"),
        *("findings", "more_time", "return_notice", "fatwa_result", "certified"),
    ]
    assert all(document.status == "ready" for document in story.documents)
    assert "alat dipakai bersama" in story.letter("findings")["text"]
    assert standing(office, story, "halal_regular_slot") is None


@tells("fatwa:time_exceeded", "committee_ruling:halal", "outcome:certified")
def test_the_committee_rules_where_muis_time_is_over(halal: Begin, blank_papers: None) -> None:
    """Not on the third working day, but on the fourth: then the fatwa committee decides, within two."""
    story = halal().on("2026-01-21").to_fatwa()
    story.on("2026-01-26").ruled("time_exceeded")
    assert story.waits_for == ["fatwa#2"]
    assert "sesudah 2026-01-26" in story.note
    story.on("2026-01-27").ruled("time_exceeded")
    assert story.shown()["waiting_for"][0]["due_on"] == "2026-01-29"
    assert story.ruled(question="committee_ruling").certified().outcome == "certified"


@tells("committee_ruling:not_halal", "outcome:not_halal")
def test_what_the_committee_finds_not_halal_is_returned(halal: Begin, blank_papers: None) -> None:
    """The reason of the committee reaches the owner."""
    story = halal().on("2026-01-21").to_fatwa().on("2026-01-28").ruled("time_exceeded")
    story.ruled("not_halal", question="committee_ruling", reason="perasa tidak jelas asalnya")
    assert story.outcome == "not_halal"
    assert "perasa tidak jelas asalnya" in story.letter("fatwa_result")["text"]


@tells("fatwa:not_halal", "outcome:not_halal")
def test_a_product_that_is_not_halal_is_returned_with_reasons_and_the_slot_is_free(
    halal: Begin, office: Office
) -> None:
    """UU 33/2014 Pasal 34 (2); what the office paid stays booked, the slot and the supervisor are free again."""
    story = halal().applies(office_pays=True).facilitated().checked().quoted().pays(by_office=True).receipted()
    story.audited().ruled("not_halal", reason="arak dipakai sebagai bumbu")
    assert story.outcome == "not_halal"
    [notice] = [document for document in story.documents if document.kind == "not_halal_notice"]
    assert notice.status == "ready"
    slot, supervisor = standing(office, story, "halal_regular_slot"), standing(office, story, "halal_supervisor")
    assert slot is not None and supervisor is not None
    assert slot.reference == "650000 released"
    assert slot.until == supervisor.until == story.case.opened_at.date()


@tells("audit:stop", "outcome:stopped")
def test_an_audit_that_is_stopped_ends_the_case(halal: Begin) -> None:
    """The inspection body's reason is handed on; it is no refusal of this office's."""
    story = halal().to_audit().audited("stop", reason="tempat usaha tutup")
    assert story.outcome == "stopped"
    assert "tempat usaha tutup" in story.letter("closed")["text"]
    assert story.letters[-1] == "closed"


@tells("application:silent", "outcome:not_submitted", "outcome:not_corrected")
def test_an_owner_who_hands_nothing_in_loses_the_case(halal: Begin, blank_papers: None) -> None:
    """At first, after a fault of our finding, after BPJPH's wish, and after MUI's."""
    first = halal().on("2026-04-30").nothing_happens()
    assert first.outcome == "not_submitted"
    ids = iter(("3508166904956221", "3508166904956222", "3508166904956223"))

    def next_one() -> RegularStory:
        return halal(national_id=next(ids)).on("2026-05-04")

    faulty = next_one().applies(ingredients=[CASSAVA], slaughter_until="2026-04-30")
    returned = next_one().applies().checked("return", deficiencies=["matriks bahan"])
    assert "halaman perkara" in returned.letter("return_notice")["text"]
    returned.on("2026-09-30").nothing_happens()
    asked = next_one().to_fatwa().ruled("needs_data", data=["diagram alir"]).on("2026-12-30").nothing_happens()
    assert [story.outcome for story in (faulty, returned, asked)] == ["not_corrected"] * 3


@tells("payment:silent", "outcome:not_paid")
def test_an_invoice_that_nobody_pays_ends_the_case(halal: Begin, blank_papers: None) -> None:
    """After the limit, and not before."""
    story = halal().to_quote().quoted().on("2026-02-20").nothing_happens()
    assert story.waits_for == ["payment#1"]
    assert story.on("2026-03-31").nothing_happens().outcome == "not_paid"


@tells("corrective_action:silent", "outcome:not_corrected")
def test_findings_that_nobody_mends_end_the_case(halal: Begin, blank_papers: None) -> None:
    """The owner is told until when, and the case ends after the limit."""
    story = halal().to_audit().audited("findings", findings=["alat dipakai bersama"])
    assert story.on("2026-03-31").nothing_happens().outcome == "not_corrected"


@tells("application:self_declare", "outcome:rerouted")
def test_an_eligible_owner_goes_over_to_self_declare(halal: Begin, office: Office, blank_papers: None) -> None:
    """Also after a slot was granted: it is given back, unspent."""
    story = halal().applies(office_pays=True).facilitated().checked("return", deficiencies=["manual SJPH"])
    story.applies(decision="self_declare")
    assert story.outcome == "rerouted"
    slot = standing(office, story, "halal_regular_slot")
    assert slot is not None
    assert (slot.reference, slot.until is None) == ("0 released", False)


def test_who_asked_for_the_slot_may_not_grant_it(halal: Begin, blank_papers: None) -> None:
    """An officer who recorded the owner's paper asked in the owner's name."""
    story = halal().applies(by="tuti", office_pays=True, paper=EVIDENCE)
    with pytest.raises(NotAllowed, match="tuti took part"):
        story.facilitated(by="tuti")
    assert story.facilitated(by="budi").waits_for == ["document_check#1"]


def test_who_recorded_the_audit_may_not_record_the_fatwa(halal: Begin, blank_papers: None) -> None:
    """Neither MUI's nor the committee's."""
    story = halal().on("2026-01-21").to_fatwa()
    with pytest.raises(NotAllowed, match="budi took part"):
        story.ruled(by="budi")
    story.on("2026-01-28").ruled("time_exceeded")
    with pytest.raises(NotAllowed, match="budi took part"):
        story.ruled(by="budi", question="committee_ruling")


WAITS: dict[str, Callable[[RegularStory], object]] = {
    "application#1": lambda story: None,
    "facilitation#1": lambda story: story.applies(office_pays=True),
    "own_cost#1": lambda story: story.applies(office_pays=True).facilitated("reject", reason="kuota habis"),
    "quote#1": lambda story: story.to_quote(),
    "audit#1": lambda story: story.to_audit(),
    "halal_certificate#1": lambda story: story.to_fatwa().ruled(),
}


@tells("outcome:withdrawn")
@pytest.mark.parametrize("key", WAITS)
def test_an_owner_may_withdraw_at_any_wait(halal: Begin, key: str, blank_papers: None) -> None:
    """Whatever the case waits for, the owner may take it back, and gets it confirmed."""
    story = halal()
    WAITS[key](story)
    assert story.waits_for == [key]
    assert story.withdraws(story.owner).outcome == "withdrawn"
    assert story.letters[-1] == "withdrawn"


def test_a_step_that_changes_a_slot_says_so_in_the_ledger(halal: Begin, blank_papers: None) -> None:
    """Reserved, paid from, used: each is noted with its entry, so that no recall undoes what the quota was told."""
    story = halal().applies(office_pays=True).facilitated().checked().quoted().pays(by_office=True).receipted()
    story.audited().ruled().certified()
    noted = {one.key for one in story.entries if one.outcome in ("changes a register", "opens the way")}
    assert {"reserve_slot#1", "spend#1", "hand_over#1"} <= noted
