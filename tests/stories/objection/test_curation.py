"""An objection to an officer's giving up the search for curators, told by date."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from engine.errors import NotAllowed
from tests.people import EVIDENCE
from tests.stories.objection.conftest import again, ended, objects
from tests.stories.product_curation.conftest import APPLICATION
from tests.stories.product_curation.conftest import product as product

if TYPE_CHECKING:
    from tests.stories.product_curation.conftest import CurationStory


@pytest.mark.usefixtures("blank_papers")
def test_a_search_for_curators_that_was_given_up_is_taken_up_again(product: Callable[..., CurationStory]) -> None:
    """The notice says so and until when; a head of division grants it, and another officer searches in the fresh case."""
    story = product(curators=("agus",)).to_scores().on("2026-03-10")
    story.answers("budi", "curators_wanted#1", decision="reject", reason="tidak ada kurator kedua")
    told = story.letter("closed")["text"]
    assert "keberatan tertulis kepada Kepala Bidang" in told and "paling lambat 16 April 2026" in told
    objects(story.on("2026-03-16"), by=f"owner-{story.case.person_id}", reason="kurator dari Kediri bersedia")
    [asked] = story.shown()["waiting_for"]
    assert (asked["question"], asked["role"], asked["due_on"]) == ("objection_ruling#1", "division_head", "2026-04-07")
    assert "kurator yang boleh menilai tidak cukup" in asked["note"]
    story.answers("rini", "objection_ruling#1", decision="grant", reason="pencarian dilanjutkan")
    assert (story.outcome, ended(story)[1][-15:]) == ("no_curators", "KUR-2026-000002")
    assert story.is_whole()

    anew = again(story, "KUR-2026-000002")
    assert anew.waits_for == ["application#1"]
    anew.answers("tuti", "application#1", **APPLICATION | {"paper": EVIDENCE})
    anew.answers("tuti", "screening#1", decision="accept")
    with pytest.raises(NotAllowed, match="decided curators_wanted in the case that KUR-2026-000002 examines anew"):
        anew.answers("budi", "curators_wanted#1", decision="reject", reason="tetap")


@pytest.mark.usefixtures("blank_papers")
def test_what_lapsed_names_no_objection(product: Callable[..., CurationStory]) -> None:
    """The same notice for an owner who was silent: nothing was refused."""
    story = product().nothing_happens()
    story.on("2026-12-01").nothing_happens()
    assert story.outcome == "not_submitted"
    assert "keberatan" not in story.letter("closed")["text"]
