"""Who is told on a rung: whoever is above the one that is asked, by who reports to whom and by region, past vacant posts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from sqlmodel import select

from engine.actions.reassign import reassign
from engine.people.accounts import add_user
from engine.runtime.office import Office
from models import Notice, User

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]


def escalated(story: NibStory, question: str) -> list[str]:
    """Return whom each rung above the holder told, after months in which nobody did anything."""
    story.on("2026-09-30").nothing_happens()
    entries = [one for one in story.entries if one.key.startswith(f"{question}/") and one.outcome == "escalated"]
    return [f"{one.key.split('/')[1]}: {(one.reason or '').split('; ')[1]}" for one in entries]


def test_what_a_head_lets_lie_is_told_to_nobody_who_works_for_them(nib: Nib, office: Office) -> None:
    """A question to the head of division climbs past the supervisor and past herself, to the head of the office."""
    story = nib()
    add_user(office, "sari", ["supervisor"], reports_to="rini")
    add_user(office, "kadis", ["office_head"])
    story.to_verification().on("2026-02-03").verified("deadline_passed")
    assert story.waits_for == ["deadline_ruling#1"]
    rungs = ("supervisor", "division_head", "office_head", "supervisor", "office_head")
    assert escalated(story, "deadline_ruling#1") == [f"{rung}: kadis" for rung in rungs]


def test_past_a_vacant_post_and_at_the_top_the_administrator_hears(nib: Nib, office: Office) -> None:
    """No supervisor: the head of division; no head of the office: the administrator."""
    story = nib()
    once = ["supervisor: rini", "division_head: rini", "office_head: admin"]
    assert escalated(story, "dossier_check#1") == [*once, "supervisor: rini", "office_head: admin"]


def test_the_nearest_region_is_told_first_and_a_line_before_a_region(nib: Nib, office: Office) -> None:
    """Of three supervisors the one of the regency; of a holder by name the one whom they report to."""
    story = nib()
    for name, region in (("provinsi", None), ("lumajang", "35.08"), ("surabaya", "35.78")):
        add_user(office, name, ["supervisor"], region=region)
    other = nib(national_id="3508166904956221")
    add_user(office, "tuti", ["officer"], reports_to="provinsi")
    with office.run("cli", by="admin") as run:
        reassign(office, run, other.number, "dossier_check#1", to="tuti", by="admin", reason="berkasnya")
    assert escalated(story, "dossier_check#1")[0] == "supervisor: lumajang"
    assert escalated(other, "dossier_check#1")[0] == "supervisor: provinsi"


def test_who_gets_a_question_and_who_loses_it_read_so(nib: Nib, office: Office) -> None:
    """Ten days after the date it passes from budi to tuti: the ledger and both digests name both, in that order."""
    story = nib()
    with office.run("cli", by="admin") as run:
        reassign(office, run, story.number, "dossier_check#1", to="budi", by="admin", reason="berkasnya")
    story.on("2026-01-30").nothing_happens()
    [entry] = [one for one in story.entries if one.key == "dossier_check#1/reassign"]
    assert (entry.outcome, entry.reason) == ("reassigned", "tenggat 2026-01-15; tuti, budi; dari budi kepada tuti")
    words = "Periksa kelengkapan berkas: dari budi kepada tuti; lewat 10 hari kerja, tenggat 15 Januari 2026"
    assert [("budi", words), ("tuti", words)] == [one for one in news(office, "reassigned") if "lewat" in one[1]]


def test_of_another_body_s_passed_time_the_official_reads_that_it_is_theirs_to_decide(nib: Nib, office: Office) -> None:
    """The head of division has the page, and words that claim no effect."""
    story = nib()
    story.to_verification().on("2026-02-06").nothing_happens()
    [(name, words)] = [one for one in news(office, "escalation") if "akibat hukumnya" in one[1]]
    assert name == "rini"
    assert words.startswith("Catat keputusan verifikasi DPMPTSP: waktu DPMPTSP lewat, akibat hukumnya belum dipastikan")


def news(office: Office, kind: str) -> list[tuple[str, str]]:
    """Return who is to read what, of one kind."""
    with office.db.reading() as session:
        wanted = select(User.name, Notice.words).join(User).where(Notice.kind == kind)
        return sorted(session.exec(wanted))
