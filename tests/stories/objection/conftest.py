"""An objection to a refusal: a dossier that was rejected, who rules, and what an applicant does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from engine.actions.lodge_appeal import lodge_appeal
from engine.people.accounts import add_user
from engine.runtime.office import Office
from tests.stories.nib_legalization.conftest import nib as nib
from tests.stories.story import Story

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

Begin = Callable[..., "NibStory"]
AnyStory = TypeVar("AnyStory", bound=Story)
OBJECTS = "tempat usaha saya di RT 3, bukan RT 5"


@pytest.fixture
def refused(nib: Begin, office: Office) -> NibStory:
    """A dossier that budi rejected on 10 March 2026: eight days before Nyepi, Idul Fitri and their joint leave."""
    story = nib().on("2026-03-10").dossier("reject", reason="usaha tidak berada di alamat ini")
    add_user(office, "ratna", ["division_head"])
    add_user(office, "hadi", ["office_head"])
    return story


def objects(story: Story, by: str = "owner-1", **words: Any) -> None:
    """Contest the ending, and let the case go on."""
    with story.office.run("cli", by=by) as run:
        lodge_appeal(story.office, run, story.number, by=by, **{"reason": OBJECTS, **words})
    story.advance()


def rejected(story: NibStory) -> NibStory:
    """Object, and let the objection be rejected on 1 April."""
    objects(story.on("2026-03-16"))
    story.on("2026-04-01").answers("ratna", "objection_ruling#1", decision="reject", reason="dua kali tidak ditemukan")
    return story


def ended(story: Story) -> tuple[str, str]:
    """Return the last entry's key and reason."""
    last = story.entries[-1]
    return last.key, last.reason or ""


def again(story: AnyStory, number: str) -> AnyStory:
    """Return the story of another case of the same pipeline, which is there already."""
    other = object.__new__(type(story))
    other.__dict__.update(story.__dict__, number=number)
    return other
