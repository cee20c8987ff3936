"""The office refuses to pay, and the owner objects (UU 30/2014): a decision inside an open case, before it costs money."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.actions.lodge_appeal import lodge_appeal
from engine.errors import BadAnswer, NotAllowed, NotWaiting, Refused
from engine.people.accounts import add_user
from engine.runtime.office import Office
from tests.stories.story import tells

if TYPE_CHECKING:
    from tests.stories.halal_regular.conftest import Begin, RegularStory

pytestmark = pytest.mark.usefixtures("blank_papers")
WHY = "usaha saya belum pernah difasilitasi; yang tercatat usaha kakak saya"


@pytest.fixture
def unpaid(halal: Begin, office: Office) -> RegularStory:
    """A request that tuti refused on 10 March 2026: eight days before Nyepi, Idul Fitri and their joint leave."""
    story = halal().on("2026-03-10").applies(office_pays=True)
    story.facilitated("reject", reason="usaha sudah difasilitasi tahun lalu")
    add_user(office, "ratna", ["division_head"])
    add_user(office, "hadi", ["office_head"])
    return story


@tells("facilitation:reject", "own_cost:object", "facilitation:grant")
def test_a_granted_objection_is_decided_anew_by_others(unpaid: RegularStory, office: Office) -> None:
    """The first decision stays in the ledger; who took it neither rules nor decides again; the slot is reserved in the end."""
    assert unpaid.shown()["waiting_for"][0]["due_on"] == "2026-04-16", "21 working days, over Nyepi and Lebaran"
    assert "paling lambat 16 April 2026" in unpaid.letter("facilitation_decision")["text"]
    unpaid.on("2026-03-16").chooses("object", reason=WHY)
    asked = unpaid.shown()["waiting_for"][0]
    assert (asked["question"], asked["role"], asked["due_on"]) == ("objection_ruling#1", "division_head", "2026-04-07")
    assert WHY in unpaid.note and "sudah difasilitasi tahun lalu" in unpaid.note
    assert not unpaid.shown()["clock"]["running"], "the legal time of the certificate has not begun"
    add_user(office, "tuti", ["division_head"])
    with pytest.raises(NotAllowed, match="tuti took part"):
        unpaid.answers("tuti", "objection_ruling#1", decision="grant", reason="sendiri")
    unpaid.answers("ratna", "objection_ruling#1", decision="grant", reason="NIK yang difasilitasi berbeda")
    assert unpaid.waits_for == ["facilitation#2"]
    assert "keberatan dikabulkan (KBR-2026-000001)" in unpaid.note
    with pytest.raises(NotAllowed, match="tuti took part"):
        unpaid.facilitated(by="tuti")
    unpaid.facilitated(by="budi")
    assert unpaid.waits_for == ["document_check#1"]
    assert unpaid.letters[-3:] == ["objection_received", "facilitation_decided_anew", "facilitation_decision"]
    assert [one.number for one in unpaid.documents if one.number] == [
        *("FHR-2026-000001", "KBR-2026-000001", "FHR-2026-000002")
    ]
    assert unpaid.checked().quoted().waits_for == ["office_payment#1"]
    assert unpaid.is_whole()


@tells("own_cost:object")
def test_a_rejected_objection_may_be_appealed_and_the_case_goes_on(unpaid: RegularStory) -> None:
    """Both reject: the owner reads why each time, and that the application goes on at their own cost."""
    unpaid.on("2026-03-16").chooses("object", reason=WHY)
    unpaid.on("2026-04-01").answers("ratna", "objection_ruling#1", decision="reject", reason="alamatnya sama")
    unpaid.answers(unpaid.owner, "administrative_appeal#1", decision="appeal", reason="alamat sama, usaha berbeda")
    assert unpaid.shown()["waiting_for"][0]["role"] == "office_head"
    unpaid.answers("hadi", "administrative_appeal_ruling#1", decision="reject", reason="satu rumah satu slot")
    assert unpaid.waits_for == ["document_check#1"]
    unpaid.checked().quoted()
    assert unpaid.waits_for == ["payment#1"]
    assert unpaid.letters[-2:] == ["appeal_rejected", "invoice"]
    text = unpaid.letter("appeal_rejected")["text"]
    assert "satu rumah satu slot" in text and "tetap berjalan dengan biaya sendiri" in text
    assert unpaid.is_whole()


def test_a_second_refusal_can_be_contested_like_the_first(unpaid: RegularStory, office: Office) -> None:
    """An objection that was granted is no promise; when nobody is left to decide, the office is told."""
    unpaid.on("2026-03-16").chooses("object", reason=WHY)
    unpaid.answers("ratna", "objection_ruling#1", decision="grant", reason="periksa lagi")
    unpaid.facilitated("reject", by="budi", reason="kuota tahun ini habis")
    assert unpaid.waits_for == ["own_cost#2"]
    unpaid.chooses("object", reason="kuota masih ada")
    unpaid.answers("rini", "objection_ruling#2", decision="grant", reason="kuota masih 136")
    assert unpaid.waits_for == ["facilitation#3"]
    assert "Belum ada petugas yang boleh memutuskan" in unpaid.note
    add_user(office, "wati", ["officer"])
    assert unpaid.facilitated(by="wati").waits_for == ["document_check#1"]
    assert unpaid.is_whole()


@tells("own_cost:silent")
def test_who_says_nothing_goes_on_at_their_own_cost_and_objects_no_more(unpaid: RegularStory) -> None:
    """On the 21st working day an objection is in time; a day later it is refused by name, and the case has gone on."""
    unpaid.on("2026-04-16", hour=23)
    with pytest.raises(BadAnswer, match="reason: tulis alasan keberatan Anda"):
        unpaid.chooses("object")
    unpaid.on("2026-04-17").nothing_happens()
    assert unpaid.waits_for == ["document_check#1"]
    with pytest.raises(NotWaiting):
        unpaid.chooses("object", reason=WHY)
    assert unpaid.checked().quoted().waits_for == ["payment#1"]


def test_the_command_that_contests_endings_says_where_this_is_contested(unpaid: RegularStory, office: Office) -> None:
    """`jalur case appeal` finds no ending, and names the question by which the owner objects."""
    with (
        office.run("cli", by=unpaid.owner) as run,
        pytest.raises(Refused, match=r"not closed; it is waiting for: own_cost#1\. Answer own_cost#1 to object"),
    ):
        lodge_appeal(office, run, unpaid.number, by=unpaid.owner, reason=WHY)
