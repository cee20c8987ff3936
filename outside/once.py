"""What every office is asked in: a request with a reference of its own, handed in once, and answered with evidence."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from outside.errors import EndUnknown, TryLater, WrongPerson

Text = Annotated[str, StringConstraints(min_length=1, max_length=300)]
NationalId = Annotated[str, StringConstraints(pattern=r"^[0-9]{16}$")]
PERSONAL = Field(repr=False)

REFERENCE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._/#:\-]{0,119}$"
"""A reference goes into a header and an address, so it holds only these, and never 15 digits in a row."""


def checked_reference(reference: str) -> str:
    """Return `reference`, or raise ValueError (without quoting it) where it may not stand in an address."""
    if not re.fullmatch(REFERENCE_PATTERN, reference) or re.search(r"\d{15}", reference):
        raise ValueError("not a reference: it must be plain, short, and free of personal numbers")
    return reference


class Part(BaseModel):
    """A part of what is asked or answered. What a validator refuses is never quoted: it may be a NIK."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Request(Part):
    """Something that is handed in to an office.

    `reference` is our idempotency key ('NIB-2026-000123/oss_filing#1'): the same request always bears
    the same one. What names or reaches a person is kept out of `repr`.
    """

    reference: Annotated[str, StringConstraints(pattern=REFERENCE_PATTERN)]

    @model_validator(mode="after")
    def _reference_is_not_personal(self) -> Self:
        checked_reference(self.reference)
        return self


class Fault(Part):
    """One thing that an office found wrong in a request; `field` is the office's name for it."""

    field: str | None = None
    text: str

    def in_words(self) -> str:
        """Return the fault with the field that it is in."""
        return f"{self.field}: {self.text}" if self.field else self.text


class Result(Part):
    """What an office says, with its evidence. `source` says which system said so. As JSON, the PDF is base64."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    source: str
    holder_name: str | None = Field(default=None, repr=False)
    reason: str | None = None
    faults: tuple[Fault, ...] = ()
    pdf: bytes | None = Field(default=None, repr=False)

    @property
    def pdf_sha256(self) -> str | None:
        """The hash of the PDF as it came, in hex: what the ledger keeps as evidence."""
        return None if self.pdf is None else hashlib.sha256(self.pdf).hexdigest()


R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class ByHand:
    """An adapter's answer when a person must do it; `reason` is Indonesian, and is shown to that person."""

    reason: str


def once(
    hand_in: Callable[[], R | ByHand],
    look_up: Callable[[], R | None],
    theirs: Callable[[R], R],
    earlier_attempt_unknown: bool,
) -> R | ByHand:
    """Hand in, and never twice.

    1. Where an earlier attempt's end is unknown, look up first. What is found is the result.
    2. Only where surely nothing was handed in, hand in, under the same reference as before.
    3. The result must be this person's (`theirs` says so); somebody else's is never returned.
    4. Once unknown, always unknown: a "try later" of such a recovery is raised as EndUnknown, since
       the earlier request may still be under way. So the engine's rule needs no memory of its own:
       the next attempt passes `earlier_attempt_unknown=error.look_up_first`, and True after a crash.

    Raise TryLater, EndUnknown, CannotTell, WrongPerson or RefusedOutside.
    """
    try:
        if earlier_attempt_unknown:
            found = look_up()
            if found is not None:
                return theirs(found)
        result = hand_in()
    except TryLater as error:
        if earlier_attempt_unknown:
            raise EndUnknown(error.reason, error.after, for_people=error.for_people, note=error.note) from None
        raise
    return result if isinstance(result, ByHand) else theirs(result)


def in_their_name(name: str, result: R, about: str) -> R:
    """Return `result`, or raise WrongPerson where its holder bears another name. `about` is what it answers."""
    if result.holder_name is not None and not same_name(name, result.holder_name):
        raise WrongPerson(f"{result.source} answered {about} in another name")
    return result


_TITLES = frozenset({"h", "hj", "dr", "drs", "dra", "ir", "prof", "kh"})


def same_name(one: str, other: str) -> bool:
    """Whether two spellings are the same name: case, accents, punctuation, titles and degrees do not count.

    Abbreviations do ("Moh." is not "Mohammad"): an officer's look costs less than a stranger's NIB.
    """
    return _plain(one) == _plain(other)


def _plain(name: str) -> list[str]:
    bare = unicodedata.normalize("NFKD", name.partition(",")[0]).casefold()
    # Apostrophes join (Mu'min, Mumin), all other punctuation parts.
    bare = re.sub("['`\u2018\u2019\u02bc]", "", "".join(c for c in bare if not unicodedata.combining(c)))
    words = re.findall(r"\w+", bare)
    while len(words) > 1 and words[0] in _TITLES:
        words.pop(0)
    return words
