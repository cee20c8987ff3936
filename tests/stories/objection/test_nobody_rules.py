"""An objection on which nobody rules: what the law would say of the silence, and that the office lacks somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.actions.answer import answer
from engine.errors import Refused
from tests.stories.objection.conftest import Begin, ended, objects, rejected
from tests.stories.objection.test_times import BY_LAW
from tests.stories.test_rules_change_by_date import Adds
from tests.stories.test_rules_change_by_date import adds as adds

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")


def test_under_a_rule_of_law_a_silent_head_grants_the_appeal(adds: Adds, refused: NibStory) -> None:
    """The appeal of 1 April 2026 is not ruled on for ten working days: what the law says of it is recorded."""
    adds("common", BY_LAW.replace("objection_passed", "administrative_appeal_passed"))
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


def test_no_recall_gives_the_office_its_days_anew(adds: Adds, refused: NibStory) -> None:
    """By law the head has ten working days: what was ruled on the first is taken back that day, and on the last no more."""
    adds("common", BY_LAW)
    ruling = {"decision": "reject", "reason": "dua kali tidak ditemukan"}
    objects(refused.on("2026-03-16"))
    for day, key in (("2026-03-16", "objection_ruling#1"), ("2026-04-07", "objection_ruling#2")):
        with refused.on(day).office.run("cli", by="ratna") as run:
            answer(refused.office, run, refused.number, key, by="ratna", data=ruling)
        if day == "2026-03-16":
            refused.recalls("ratna")
    with pytest.raises(
        Refused, match=r"the days for objection_ruling#2 count since 2026-03-16 by law \(Peraturan contoh"
    ):
        refused.recalls("rini")
    refused.advance()
    refused.answers("owner-1", "administrative_appeal#1", decision="appeal", reason="surat desa baru")
    adds("common", BY_LAW.replace("objection_passed", "administrative_appeal_passed"))
    with pytest.raises(Refused, match="administrative_appeal_ruling#1 count since 2026-04-07"):
        refused.on("2026-04-08").recalls("rini")
