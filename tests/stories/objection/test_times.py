"""The days of an objection and of an appeal, and what the silence of the office does under a row of either standing."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from engine.deadlines.clock import JAKARTA
from engine.errors import NotWaiting, Refused
from tests.stories.objection.conftest import Begin, again, ended, objects, rejected
from tests.stories.test_rules_change_by_date import Adds
from tests.stories.test_rules_change_by_date import adds as adds

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")

BY_LAW = """
[[rule]]
name = "objection_passed"
value = { deadline = 10, authority = "Dinas Koperasi dan UKM", effect = "objection_granted" }
unit = "effect_of_deadline"
since = 2026-01-01
citation = "Peraturan contoh 1/2026 Pasal 7"
standing = "law"
"""


def test_the_time_is_counted_in_working_days_from_the_day_it_closed(refused: NibStory) -> None:
    """21 working days after 10 March, without 18 to 24 March and Good Friday: 16 April is the last, 17 April too late."""
    before = len(refused.entries)
    with pytest.raises(Refused, match=r"ended on 2026-04-16: 21 working days after 2026-03-10 \(UU 30/2014") as late:
        objects(refused.on("2026-04-17"))
    assert "2026-04-16" in late.value.for_people
    assert len(refused.entries) == before
    objects(refused.on("2026-04-16", 23))
    assert refused.waits_for == ["objection_ruling#1"]


def test_the_time_of_a_silent_office_is_counted_and_grants_nothing(refused: NibStory) -> None:
    """What the silence of the office does is unconfirmed: the page counts the days, and an official decides."""
    objects(refused.on("2026-03-16"))
    refused.on("2026-04-08").nothing_happens()
    assert refused.waits_for == ["objection_ruling#1"]
    assert "deadline_computation" in [document.kind for document in refused.documents]
    assert ("objection_ruling#1/say_passed", "deadline_passed") in [(e.key, e.outcome) for e in refused.entries]


def test_where_the_row_is_law_the_silence_of_the_office_grants(refused: NibStory, adds: Adds) -> None:
    """The same case and days; an administrator's dated row is all that differs: granted by law, and examined anew."""
    adds("common", BY_LAW)
    objects(refused.on("2026-03-16"))
    refused.on("2026-04-07", 23).nothing_happens()
    assert refused.waits_for == ["objection_ruling#1"]
    refused.on("2026-04-08").nothing_happens()
    assert (refused.outcome, ended(refused)) == (
        "refused",
        (
            "closed#2",
            "keberatan dikabulkan karena hukum (Peraturan contoh 1/2026 Pasal 7); diperiksa ulang dalam NIB-2026-000002",
        ),
    )
    [page] = [document for document in refused.documents if document.kind == "deadline_computation"]
    assert (page.status, refused.letters[-1]) == ("ready", "examined_anew")
    anew = again(refused, "NIB-2026-000002")
    assert anew.waits_for == ["dossier_check#1"]
    assert anew.is_whole() and refused.is_whole()


def test_the_silence_on_an_appeal_is_counted_the_same_way(refused: NibStory, adds: Adds) -> None:
    """Unconfirmed, the head of the office still rules after the ten days; what is law of objections is not law of appeals."""
    adds("common", BY_LAW)
    rejected(refused)
    refused.on("2026-04-06").answers("owner-1", "administrative_appeal#1", decision="appeal", reason="surat desa baru")
    refused.on("2026-04-21").nothing_happens()
    passed = ("administrative_appeal_ruling#1/say_passed", "deadline_passed")
    assert passed in [(entry.key, entry.outcome) for entry in refused.entries]
    refused.answers("hadi", "administrative_appeal_ruling#1", decision="reject", reason="alamat tetap tidak ada")
    assert ended(refused)[1] == "banding ditolak (BDA-2026-000001)"


def test_the_last_second_counts(refused: NibStory, adds: Adds) -> None:
    """Over Lebaran: 21 working days to object, 10 to answer where silence is law's, 10 to appeal; each to its second."""
    adds("common", BY_LAW)
    objects(at(refused, "2026-04-16T23:59:59"))
    at(refused, "2026-04-30T23:59:59").answers("ratna", "objection_ruling#1", decision="reject", reason="tetap")
    [asked] = refused.shown()["waiting_for"]
    assert asked["due_on"] == "2026-05-19"  # without 1 May, 14 May (Ascension Day) and its joint leave
    wish = {"decision": "appeal", "reason": "surat desa baru"}
    at(refused, "2026-05-19T23:59:59").answers("owner-1", "administrative_appeal#1", **wish)
    assert refused.waits_for == ["administrative_appeal_ruling#1"]


def test_one_second_later_is_too_late(refused: NibStory, nib: Begin, adds: Adds) -> None:
    """The same days: for whoever objects, for the office where the row is law, and for whoever appeals."""
    with pytest.raises(Refused, match="ended on 2026-04-16"):
        objects(at(refused, "2026-04-17T00:00:00"))
    objects(at(refused, "2026-04-16T23:59:59"))
    at(refused, "2026-04-30T23:59:59").answers("ratna", "objection_ruling#1", decision="reject", reason="tetap")
    with pytest.raises(NotWaiting, match="the time has passed"):
        at(refused, "2026-05-20T00:00:00").answers("owner-1", "administrative_appeal#1", decision="accept")

    adds("common", BY_LAW)
    other = at(nib(national_id="3508166904956221", region_code="3201"), "2026-05-20T09:00:00")
    objects(other, by="owner-2")
    [asked] = other.shown()["waiting_for"]
    until = date.fromisoformat(asked["due_on"])
    with pytest.raises(NotWaiting, match="the time has passed"):
        at(other, f"{until + timedelta(days=1)}T00:00:00").answers(
            "ratna", "objection_ruling#1", decision="reject", reason="terlambat"
        )


def at(story: NibStory, moment: str) -> NibStory:
    """Turn the clock to that second in Surabaya."""
    story.clock.moment = datetime.fromisoformat(moment).replace(tzinfo=JAKARTA)
    return story
