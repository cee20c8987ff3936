"""What one pipeline opens another uses, and both ledgers say so; nothing is typed twice."""

from __future__ import annotations

import pytest

from engine.deadlines.clock import TurnedClock
from engine.definition.registry import pipeline_named
from engine.people.accounts import add_user
from engine.runtime.office import Office
from tests.conftest import START
from tests.people import EVIDENCE, hire_staff, register_business, register_person, register_product
from tests.stories.halal_regular.conftest import RegularStory
from tests.stories.halal_self_declare.conftest import HalalStory
from tests.stories.lsp_competency_test.conftest import CompetencyStory, hire_lsp
from tests.stories.nib_legalization.conftest import NibStory
from tests.stories.product_curation.conftest import CurationStory
from tests.stories.story import Story

CURATOR_UNITS = [
    unit["code"]
    for unit in pipeline_named("lsp-competency-test").rules.at("schemes", START.date()).value["curator"]["units"]
]
SUPERVISOR = {"name": "Siti Aminah", "national_id": "3508164904500102", "muslim": True, "appointed_by": "SK/01/2026"}


def taken_up(story: Story, kind: type[RegularStory], number: str) -> RegularStory:
    """Return the story of a case that another one opened, advanced as far as it goes."""
    other = kind.__new__(kind)
    other.office, other.clock, other.number = story.office, story.clock, number
    other.pipeline = pipeline_named("halal-regular")
    other.advance()
    return other


def test_a_refused_self_declare_goes_on_as_regular_with_nothing_typed_twice(office: Office, clock: TurnedClock) -> None:
    """Products, ingredients and NIB stand in the form; the owner adds what the regular path wants besides."""
    hire_staff(office)
    declared = HalalStory(office, clock, "halal-self-declare", register_business(office))
    declared.submits(nib_scale="medium")
    assert declared.outcome == "rerouted"
    assert "nomor HRG-2026-000001" in declared.letter("rerouted")["text"]
    handed_on = next(entry for entry in declared.entries if entry.key == "hand_on#1")
    assert handed_on.reason == "dilanjutkan sebagai HRG-2026-000001"

    regular = taken_up(declared, RegularStory, "HRG-2026-000001")
    assert regular.entries[0].reason == f"dilanjutkan dari {declared.number}"
    [asked] = regular.shown()["waiting_for"]
    assert asked["form"]["properties"]["products"]["default"] == ["Keripik singkong"]
    assert asked["form"]["required"] == ["kind", "supervisor", "manual"]
    wanted = {"kind": "processed_food", "supervisor": SUPERVISOR, "manual": EVIDENCE, "paper": EVIDENCE}
    regular.answers("budi", "application#1", **wanted)
    assert regular.waits_for == ["document_check#1"]
    regular.checked("return", deficiencies=["manual SJPH belum lengkap"])
    regular.answers("budi", "application#2", manual=EVIDENCE, paper=EVIDENCE)
    assert regular.waits_for == ["document_check#2"], "what was handed in before stands in the form, too"


def test_who_swaps_to_self_declare_finds_a_case_open_there(office: Office, clock: TurnedClock) -> None:
    """The other way round: the number stands in the closing letter."""
    hire_staff(office)
    regular = RegularStory(office, clock, "halal-regular", register_business(office))
    regular.applies(decision="self_declare")
    assert regular.outcome == "rerouted"
    assert "HSD-2026-000001" in regular.letter("closed")["text"]


def test_a_nib_opens_the_way_to_halal_and_both_ledgers_say_so(office: Office, clock: TurnedClock) -> None:
    """The NIB stands in the form of the next pipeline, which names the case that recorded it."""
    hire_staff(office)
    business = register_business(office)
    nib = NibStory(office, clock, "nib-legalization", business)
    nib.to_statement().signs_on_paper().filed().recorded()
    assert nib.outcome == "legalized"
    assert ("opens the way", "legalized") in [(entry.outcome, entry.reason) for entry in nib.entries]
    halal = HalalStory(office, clock, "halal-self-declare", business)
    assert ("relies on", nib.number) in [(entry.outcome, entry.reason) for entry in halal.entries]
    [asked] = halal.shown()["waiting_for"]
    assert asked["form"]["properties"]["nib"]["default"] == nib.case.reason.split()[1]  # type: ignore[union-attr]


@pytest.mark.slow
def test_a_curator_is_assignable_on_the_day_of_the_certificate_until_its_last_day(
    office: Office, clock: TurnedClock, blank_papers: None
) -> None:
    """Certified by the LSP pipeline, asked by curation the same day; the day after the end nobody is asked any more."""
    hire_lsp(office)
    candidates = []
    for number in ("3508166904950001", "3508166904950002"):
        story = CompetencyStory(office, clock, "lsp-competency-test", register_person(office, number))
        candidates.append(story)
        story.on("2026-01-12").applies(scheme="curator", clusters=["makanan"], national_id=number).checked()
        story.claims(CURATOR_UNITS).scheduled().reviewed().planned(CURATOR_UNITS).agrees().on("2026-01-20")
        story.tested(CURATOR_UNITS).recorded(CURATOR_UNITS).says().reported().responds().seated().voted(
            *["competent"] * 3
        )
        add_user(office, story.candidate, ["curator"])
    business = register_business(office)
    product = register_product(office, business)
    curation = CurationStory(office, clock, "product-curation", product).to_scores()
    assert curation.waits_for == ["curators_wanted#1"], "the numbers of BNSP are not there yet"
    for place, story in enumerate(candidates):
        story.on("2026-02-10").numbered(f"62019 2513 6 000000{place} 2026")
        assert story.outcome == "certified"
    curation.answers("budi", "curators_wanted#1", decision="try_again", reason="dua kurator baru")
    assert sorted(curation.holders("score").values()) == sorted(story.candidate for story in candidates)
    reliance = next(entry for entry in curation.entries if entry.key == "choose_curators#2")
    assert (reliance.outcome, reliance.reason) == ("relies on", ", ".join(story.number for story in candidates))

    curation.on("2029-02-09")
    last = CurationStory(office, clock, "product-curation", register_product(office, business, "Keripik talas"))
    assert sorted(last.to_scores().holders("score")) == ["score#1", "score#2"], "their last day counts"
    curation.on("2029-02-10")
    ended = CurationStory(office, clock, "product-curation", register_product(office, business, "Keripik ubi"))
    assert ended.to_scores().waits_for == ["curators_wanted#1"]
