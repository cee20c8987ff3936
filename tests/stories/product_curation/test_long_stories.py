"""Ends of a curation case that take several rounds, told by date; too long for every day."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from engine.errors import NotAllowed
from engine.runtime.office import Office
from tests.stories.product_curation.conftest import refused
from tests.stories.story import tells

if TYPE_CHECKING:
    from tests.stories.product_curation.conftest import CurationStory

pytestmark = pytest.mark.slow
Begin = Callable[..., "CurationStory"]


@tells("outcome:passed_local", "export_data:decline", "export_data:silent", "panel_decision:pass")
def test_grades_for_the_home_market_and_owners_who_stay_there(product: Begin, blank_papers: None) -> None:
    """C, B without a plan, an owner who declines, and one who is silent: curated, not handed over."""
    local = product().to_panel(60, 60).ruled(grade="C")
    assert (local.outcome, local.waits_for) == ("passed_local", [])
    near = product("Keripik talas", business=1).to_panel(72, 72).ruled(grade="B")
    assert near.outcome == "passed_local"
    declines = product("Keripik ubi", business=1).to_panel().ruled().owner_says("export_data", decision="decline")
    assert declines.outcome == "passed_local"
    silent = product("Keripik pisang", business=1).to_panel().ruled().on("2026-06-30").nothing_happens()
    assert (silent.outcome, "exported" in silent.standings) == ("passed_local", False)


@tells("panel_decision:reject", "appeal:appeal", "appeal_ruling:upheld", "outcome:not_passed", "appeal_ruling:rejected")
def test_an_appeal_is_heard_by_others_and_the_product_scored_by_others(product: Begin, blank_papers: None) -> None:
    """Upheld: neither those who scored nor the chair nor the appeal panel take part again. There is one appeal."""
    story = product(curators=("agus", "bayu", "citra", "dewi", "eko", "fitri", "gita")).to_panel(40, 40)
    first = {entry.actor for entry in story.entries if entry.key.startswith("score")}
    story.ruled("reject")
    assert "ajukan banding paling lambat 2 Februari 2026" in story.letter("not_passed")["text"]
    assert refused(lambda: story.owner_says("appeal", decision="appeal"))[0] == "reason"
    story.owner_says("appeal", decision="appeal", reason="contoh tidak dicoba")
    judges = set(story.holders("appeal_ruling").values())
    assert len(judges) == 3 and not judges & first
    story.heard("upheld")
    again = set(story.holders("score").values())
    assert not again & (first | judges)
    assert "Banding Anda diterima" in story.letter("appeal_decided")["text"]
    story.scored(45, 45)
    with pytest.raises(NotAllowed, match="lina"):
        story.ruled("reject")
    assert story.ruled("reject", by="made").outcome == "not_passed"

    other = product("Keripik talas", business=1).to_panel(40, 40).ruled("reject")
    other.owner_says("appeal", decision="appeal", reason="contoh tertukar").heard("rejected")
    assert other.outcome == "not_passed"
    assert "hasil kurasi tetap" in other.letter("appeal_decided")["text"]


@tells("center_answer:return", "return_ruling:end", "outcome:returned", "screening:return", "correction:answered")
def test_the_export_center_finds_otherwise_and_that_counts_against_the_standard(
    product: Begin, office: Office, blank_papers: None
) -> None:
    """Each different grade is recorded against the version of the rubric; a finding alone is handed on."""
    story = product().applies().screened("return", deficiencies=["foto buram"])
    story.owner_says("correction", note="foto baru").screened().scored(90, 90).ruled().offers().quality()
    story.center("return", finding="kemasan luar tidak tahan laut", grade_found="C")
    assert story.standings["differs:RK-2021-1:KRS-2026-000001:1"] == "RK-2021-1 A>C"
    assert "finding_report" in [document.kind for document in story.documents]
    story.offers().quality().center("return", finding="harga di atas pasar", grade_found="A")
    assert story.waits_for == ["return_ruling#1"]
    story.answers("budi", "return_ruling#1", decision="end", reason="pemilik menunda ekspor")
    assert story.outcome == "returned"
    assert [document.kind for document in story.documents].count("finding_report") == 1


@tells("return_ruling:recurate", "outcome:passed_local", "center_answer:return")
def test_a_product_returned_twice_is_curated_again(product: Begin, blank_papers: None) -> None:
    """The new grade has a certificate of its own."""
    story = product().to_center().center("return", finding="rasa berubah").offers().quality()
    story.center("return", finding="rasa masih berubah")
    story.answers("budi", "return_ruling#1", decision="recurate", reason="resep diganti")
    story.scored(60, 62).ruled(grade="C")
    assert story.outcome == "passed_local"
    assert story.standings["curated:KRS-2026-000002"] == "C KRS-2026-000002"
