"""Requests to an outside body: handed in at most once, answered with evidence."""

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
"""Pattern of a reference, which goes into a header and an address; 15 digits in a row are refused too."""


def checked_reference(reference: str) -> str:
    """Return `reference` unchanged.

    Raises:
        ValueError: the reference may not stand in an address; the message does not quote it.
    """
    if not re.fullmatch(REFERENCE_PATTERN, reference) or re.search(r"\d{15}", reference):
        raise ValueError("not a reference: it must be plain, short, and free of personal numbers")
    return reference


class Part(BaseModel):
    """A part of a request or result; an invalid value is never quoted, since it may be a NIK."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Request(Part):
    """A request that is handed in to an outside body.

    `reference` is our idempotency key ('NIB-2026-000123/oss_filing#1'), the same for the same request.
    Names and contact data are kept out of `repr`.
    """

    reference: Annotated[str, StringConstraints(pattern=REFERENCE_PATTERN)]

    @model_validator(mode="after")
    def _reference_is_not_personal(self) -> Self:
        checked_reference(self.reference)
        return self


class Fault(Part):
    """A fault that an outside body found in a request; `field` is that body's name for it."""

    field: str | None = None
    text: str

    def in_words(self) -> str:
        """Return the fault with its field."""
        return f"{self.field}: {self.text}" if self.field else self.text


class Result(Part):
    """The answer of an outside body (`source`), with its evidence; as JSON, the PDF is base64."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    source: str
    holder_name: str | None = Field(default=None, repr=False)
    reason: str | None = None
    faults: tuple[Fault, ...] = ()
    pdf: bytes | None = Field(default=None, repr=False)

    @property
    def pdf_sha256(self) -> str | None:
        """The hash of the PDF in hex, as the ledger keeps it."""
        return None if self.pdf is None else hashlib.sha256(self.pdf).hexdigest()


R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class ByHand:
    """An adapter's answer that an officer must do it; `reason` tells the officer, in Indonesian."""

    reason: str


def submit_once(
    hand_in: Callable[[], R | ByHand],
    look_up: Callable[[], R | None],
    check: Callable[[R], R],
    earlier_attempt_unknown: bool,
) -> R | ByHand:
    """Hand in a request at most once.

    1. Where an earlier attempt's end is unknown, look up first; a result that is found is returned.
    2. Where surely nothing was handed in, hand in, under the same reference as before.
    3. `check` raises where a result is not this person's.
    4. In a recovery, TryLater is raised as EndUnknown, since the earlier request may still be under way.
       So the next attempt passes `earlier_attempt_unknown=error.look_up_first`, and True after a crash.

    Raises:
        TryLater, EndUnknown, CannotTell, WrongPerson, RefusedOutside: see `outside.errors`.
    """
    try:
        if earlier_attempt_unknown:
            found = look_up()
            if found is not None:
                return check(found)
        result = hand_in()
    except TryLater as error:
        if earlier_attempt_unknown:
            raise EndUnknown(error.reason, error.after, for_people=error.for_people, note=error.note) from None
        raise
    return result if isinstance(result, ByHand) else check(result)


def checked_result(name: str, result: R, about: str) -> R:
    """Return `result` unchanged; `about` names the request for the message.

    Raises:
        WrongPerson: the holder has another name.
    """
    if result.holder_name is not None and not same_name(name, result.holder_name):
        raise WrongPerson(f"{result.source} answered {about} in another name")
    return result


_TITLES = frozenset({"h", "hj", "dr", "drs", "dra", "ir", "prof", "kh"})


def same_name(one: str, other: str) -> bool:
    """Return whether two spellings are one name, ignoring case, accents, punctuation and titles.

    Abbreviations differ ("Moh." is not "Mohammad"): an officer's look costs less than a stranger's NIB.
    """
    return _plain(one) == _plain(other)


def _plain(name: str) -> list[str]:
    bare = unicodedata.normalize("NFKD", name.partition(",")[0]).casefold()
    # Apostrophes are dropped (Mu'min, Mumin); all other punctuation separates words.
    bare = re.sub("['`\u2018\u2019\u02bc]", "", "".join(c for c in bare if not unicodedata.combining(c)))
    words = re.findall(r"\w+", bare)
    while len(words) > 1 and words[0] in _TITLES:
        words.pop(0)
    return words
