"""An objection on which nobody rules: what the law would say of the silence, and that the office lacks somebody."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.engine.conftest import blank_papers as blank_papers
from tests.flows.nib_legalization.conftest import nib as nib
from tests.flows.objection.test_stories import again, ended, objects, rejected
from tests.flows.objection.test_stories import refused as refused
from tests.flows.test_rules_change_by_date import Adds
from tests.flows.test_rules_change_by_date import adds as adds

if TYPE_CHECKING:
    from tests.flows.nib_legalization.conftest import NibStory

Begin = Callable[..., "NibStory"]
pytestmark = pytest.mark.usefixtures("blank_papers")

BY_LAW = """
[[rule]]
name = "{}"
value = {{ deadline = 10, authority = "Dinas Koperasi dan UKM", effect = "objection_granted" }}
unit = "effect_of_deadline"
since = 2026-01-01
citation = "Peraturan contoh 1/2026 Pasal 7"
standing = "law"
"""


def test_under_a_rule_of_law_a_silent_office_grants_the_objection(adds: Adds, refused: NibStory) -> None:
    """Ten working days after 16 March 2026 have passed: the application is examined anew, by whoever did not refuse it."""
    adds("common", BY_LAW.format("objection_passed"))
    objects(refused.on("2026-03-16"))
    refused.on("2026-04-13").nothing_happens()
    reason = (
        "keberatan dikabulkan karena hukum (Peraturan contoh 1/2026 Pasal 7); diperiksa ulang dalam NIB-2026-000002"
    )
    assert (refused.outcome, ended(refused)[1]) == ("refused", reason)
    assert refused.letters[-1] == "examined_anew"
    assert again(refused, "NIB-2026-000002").waits_for == ["dossier_check#1"]


def test_under_a_rule_of_law_a_silent_head_grants_the_appeal(adds: Adds, refused: NibStory) -> None:
    """The appeal of 1 April 2026 is not ruled on for ten working days: what the law says of it is recorded."""
    adds("common", BY_LAW.format("administrative_appeal_passed"))
    rejected(refused).answers("owner-1", "administrative_appeal#1", decision="appeal", reason="surat desa baru")
    refused.on("2026-04-21").nothing_happens()
    reason = "banding dikabulkan karena hukum (Peraturan contoh 1/2026 Pasal 7); diperiksa ulang dalam NIB-2026-000002"
    assert (refused.outcome, ended(refused)[1]) == ("refused", reason)
    assert refused.letters[-2:] == ["appeal_received", "examined_anew"]


def test_an_objection_that_nobody_may_rule_on_says_whom_the_office_lacks(nib: Begin) -> None:
    """There is no head of the office yet on 1 April 2026: the question is asked all the same, and says so."""
    story = nib().on("2026-03-10").dossier("reject", reason="usaha tidak berada di alamat ini")
    objects(story.on("2026-03-16"))
    story.on("2026-04-01").answers("rini", "objection_ruling#1", decision="reject", reason="dua kali tidak ditemukan")
    story.answers("owner-1", "administrative_appeal#1", decision="appeal", reason="surat desa baru")
    [asked] = story.shown()["waiting_for"]
    assert asked["question"] == "administrative_appeal_ruling#1"
    assert asked["note"].endswith(
        "Belum ada pejabat yang boleh memutuskan: semua terlibat atau belum terdaftar; tambahkan akun"
    )
