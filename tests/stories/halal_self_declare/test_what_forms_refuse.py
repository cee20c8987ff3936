"""What the forms of this pipeline take and refuse beyond the domain's list of bad inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.people import EVIDENCE
from tests.stories.halal_self_declare.filling import made_of, refused

if TYPE_CHECKING:
    from tests.stories.halal_self_declare.conftest import HalalStory

pytestmark = pytest.mark.usefixtures("blank_papers")

Begin = Callable[..., "HalalStory"]


def test_a_word_inside_another_is_no_offence(halal: Begin) -> None:
    """Rambutan is no rum, and a hamper is no ham."""
    story = halal().submits(products=made_of("Rambutan", "Manisan rambutan hampers", exempt=True))
    assert story.waits_for == ["facilitation#1"]


@pytest.mark.parametrize(("sales", "outcome"), [(500_000_000, None), (500_000_001, "rerouted")])
def test_the_limit_itself_is_admitted(halal: Begin, sales: int, outcome: str | None) -> None:
    """At most 500,000,000 a year under 150/2022: the boundary is inside. That decree limits no places."""
    story = halal(on="2025-06-02").submits(annual_sales_rupiah=sales, production_places=["Jl. A 1", "Jl. B 2"])
    assert story.outcome == outcome


def test_11_packaged_products_are_shown_to_the_companion(halal: Begin) -> None:
    """The cap for packaged goods is unconfirmed: it is shown as such, and decides nothing."""
    goods = [made_of("Singkong", f"Keripik {number}", exempt=True)[0] for number in range(11)]
    [asked] = halal().to_visit(products=goods).shown()["waiting_for"]
    assert "11 produk kemasan; batas 10 nama produk kemasan belum dipastikan" in asked["note"]


def test_sh_number_keyed_as_kh_number(halal: Begin) -> None:
    """The other way round is refused, too."""
    story = halal().to_fatwa()
    [(field, reason)] = refused(lambda: story.judged(fatwa_number="ID35110001325901022"))
    assert (field, reason) == ("fatwa_number", "ini nomor sertifikat halal (SH); isi nomor ketetapan (KH)")


def test_companion_who_is_owner_or_relative(halal: Begin) -> None:
    """A companion declares that nothing ties them to the business, or does not visit."""
    story = halal().to_visit()
    [(field, reason)] = refused(lambda: story.visited(independent=False))
    assert field == "independent"
    assert "minta pendamping lain" in reason


def test_a_visit_that_leaves_an_ingredient_out_is_asked_for_again(halal: Begin) -> None:
    """Ingredients are checked one by one: the companion is told which were not."""
    story = halal().to_visit().visited(ingredients=[{"what": "Singkong", "halal": True, "remark": "dari petani"}])
    [asked] = story.shown()["waiting_for"]
    assert (asked["question"], asked["note"]) == ("visit#2", "Belum diperiksa: Minyak goreng")
    assert story.visited().waits_for == ["body_check#1"]


@pytest.mark.parametrize(
    ("act", "field"),
    [
        (lambda story: story.visited("return"), "deficiencies"),
        (lambda story: story.visited("not_eligible"), "reason"),
        (lambda story: story.visited(process=[]), "ingredients"),
        (lambda story: story.visited(process=[{"what": "goreng", "halal": False, "remark": "wajan"}]), "decision"),
        (lambda story: story.visited().forwarded("return"), "deficiencies"),
        (lambda story: story.visited().forwarded().received("returned"), "deficiencies"),
        (lambda story: story.visited().forwarded().received(number=""), "number"),
        (lambda story: story.visited().forwarded().received().judged("return"), "deficiencies"),
        (lambda story: story.visited().forwarded().received().judged("not_halal"), "reason"),
        (lambda story: story.visited().forwarded().received().judged(fatwa_number=""), "fatwa_number"),
        (lambda story: story.visited().forwarded().received().judged(evidence=None), "evidence"),
    ],
)
def test_a_decision_that_does_not_say_what_it_must(
    halal: Begin, act: Callable[[HalalStory], object], field: str
) -> None:
    """A return without a wish, a refusal without a reason, a number that is not there: each is named by its field."""
    story = halal().to_visit()
    [(where, why)] = refused(lambda: act(story))
    assert where == field
    assert why


def test_the_words_are_there_in_english(halal: Begin) -> None:
    """An owner who reads English gets the same sentences."""
    story = halal(language="en").submits(products=made_of("Bumbu rahasia", exempt=True), photo=EVIDENCE)
    assert 'What is in the ingredient "Bumbu rahasia" is not said' in story.letter("ingredients_unproved")["text"]
