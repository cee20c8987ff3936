"""What we ask of OSS, the national licensing system: file for a NIB, and look up what was filed.

A NIB is OSS's own number: it is recorded, never made up, and one person holds one NIB (so somebody
who has one already is not filed for again). PP 28/2025 is the law; the wire format of `oss_http` is
this office's own proposal for a gateway, for OSS publishes none.

The engine calls `file_once` and nothing else.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, Protocol, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from outside.errors import CannotTell, EndUnknown, TryLater, WrongPerson

_Text = Annotated[str, StringConstraints(min_length=1, max_length=300)]
_Rupiah = Annotated[int, Field(ge=0, strict=True)]
_Personal = Field(repr=False)

REFERENCE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._/#:\-]{0,119}$"
"""A reference goes into a header and an address, so it holds only these, and never 15 digits in a row."""


def checked_reference(reference: str) -> str:
    """Return `reference`, or raise ValueError (without quoting it) where it may not stand in an address."""
    if not re.fullmatch(REFERENCE_PATTERN, reference) or re.search(r"\d{15}", reference):
        raise ValueError("not a reference: it must be plain, short, and free of personal numbers")
    return reference


class Filing(BaseModel):
    """One application for a NIB, complete and signed by its owner.

    `reference` is our idempotency key ('NIB-2026-000123/oss_filing#1'): the same filing always bears
    the same one. Money is in whole rupiah. What names or reaches the owner is kept out of `repr`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    reference: Annotated[str, StringConstraints(pattern=REFERENCE_PATTERN)]
    owner_name: _Text = _Personal
    national_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{16}$")] = _Personal
    tax_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{15,16}$")] | None = Field(default=None, repr=False)
    business_name: _Text
    address: _Text = _Personal
    region_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}(\.?[0-9]{2}){0,2}(\.?[0-9]{4})?$")]
    industry_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$")]
    industry_code_version: _Text
    risk_level: _Text
    capital_rupiah: _Rupiah
    annual_sales_rupiah: _Rupiah
    email: _Text | None = Field(default=None, repr=False)
    phone: _Text | None = Field(default=None, repr=False)
    signed_statement_at: AwareDatetime

    @model_validator(mode="after")
    def _reference_is_not_personal(self) -> Self:
        checked_reference(self.reference)
        return self


class Fault(BaseModel):
    """One thing that OSS found wrong in a filing; `field` is OSS's name for it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    field: str | None = None
    text: str


class FilingResult(BaseModel):
    """What OSS says of a filing, with its evidence.

    `issued` and `already_registered` bear a NIB of 13 digits (never checked further: its inner
    structure is nowhere law); `refused` bears a reason. `source` says which system said so. As JSON,
    the PDF is base64.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, ser_json_bytes="base64", val_json_bytes="base64"
    )

    outcome: Literal["issued", "already_registered", "refused"]
    source: str
    nib: Annotated[str, StringConstraints(pattern=r"^[0-9]{13}$")] | None = None
    issued_on: date | None = None
    holder_name: str | None = Field(default=None, repr=False)
    region_code: str | None = None
    reason: str | None = None
    faults: tuple[Fault, ...] = ()
    pdf: bytes | None = Field(default=None, repr=False)

    @property
    def pdf_sha256(self) -> str | None:
        """The hash of the PDF as it came, in hex: what the ledger keeps as evidence."""
        return None if self.pdf is None else hashlib.sha256(self.pdf).hexdigest()

    @model_validator(mode="after")
    def _number_or_reason(self) -> Self:
        if self.outcome == "refused" and (self.nib is not None or not self.reason):
            raise ValueError("a refusal has a reason and no NIB")
        if self.outcome != "refused" and (self.nib is None or not self.holder_name):
            raise ValueError(f"{self.outcome} needs the NIB and its holder's name")
        return self


@dataclass(frozen=True)
class ByHand:
    """An adapter's answer when a person must do it; `reason` is Indonesian, and is shown to that person."""

    reason: str


class Oss(Protocol):
    """An adapter to OSS. Its calls are synchronous and leave nothing behind in this process."""

    @property
    def name(self) -> str:
        """A short name for the ledger's `source`."""

    def file(self, filing: Filing) -> FilingResult | ByHand:
        """File once. Raise TryLater, EndUnknown, CannotTell, WrongPerson or RefusedOutside."""

    def look_up(self, reference: str, national_id: str) -> FilingResult | None:
        """Say what became of a filing, or which NIB the person holds.

        None means: surely nothing was filed under this reference, and this person holds no NIB.
        Raise CannotTell where that is not sure, TryLater where the service did not answer, WrongPerson.
        """


class ManualOss:
    """OSS without a machine's way in: an officer files in OSS's own pages and records the NIB."""

    name = "oss-by-hand"

    def file(self, filing: Filing) -> ByHand:
        """Ask for a person, always."""
        return ByHand(
            "Ajukan permohonan ini di laman OSS. Periksa dahulu apakah pemilik sudah mempunyai NIB: satu NIK, "
            "satu NIB. Lalu catat NIB dan unggah berkas PDF-nya."
        )

    def look_up(self, reference: str, national_id: str) -> None:
        """Raise CannotTell: only a person can look into OSS here."""
        raise CannotTell(
            f"an earlier attempt at {reference} may have gone through, and there is no machine's way into OSS",
            for_people="Pengajuan terdahulu mungkin sudah masuk. Periksa di laman OSS sebelum mengajukan lagi.",
        )


def file_once(oss: Oss, filing: Filing, earlier_attempt_unknown: bool) -> FilingResult | ByHand:
    """File, and never twice.

    1. Where an earlier attempt's end is unknown, look up first. What is found is the result.
    2. Only where surely nothing was filed, file, under the same reference as before.
    3. The result must be this person's; somebody else's is never returned.
    4. Once unknown, always unknown: a "try later" of such a recovery is raised as EndUnknown, since
       the earlier request may still be under way. So the engine's rule needs no memory of its own:
       the next attempt passes `earlier_attempt_unknown=error.look_up_first`, and True after a crash.

    Raise TryLater, EndUnknown, CannotTell, WrongPerson or RefusedOutside.
    """
    try:
        if earlier_attempt_unknown:
            found = oss.look_up(filing.reference, filing.national_id)
            if found is not None:
                return must_be_theirs(filing, found)
        result = oss.file(filing)
    except TryLater as error:
        if earlier_attempt_unknown:
            raise EndUnknown(error.reason, error.after, for_people=error.for_people, note=error.note) from None
        raise
    return result if isinstance(result, ByHand) else must_be_theirs(filing, result)


def must_be_theirs(filing: Filing, result: FilingResult) -> FilingResult:
    """Return `result`, or raise WrongPerson where its holder bears another name than the applicant."""
    if result.holder_name is not None and not same_name(filing.owner_name, result.holder_name):
        raise WrongPerson(f"{result.source} answered {filing.reference} with a NIB in another name")
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
