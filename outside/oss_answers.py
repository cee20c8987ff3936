"""What OSS answers over HTTP, beyond what every office does (`http_answers`): a NIB, and that a person holds one already.

================================  =======  ==========================================================
call                              status   body
================================  =======  ==========================================================
`POST /filings`                   409      `AlreadyRegistered`
`POST /searches`                  200      `Found`, asked with `{"national_id": …}` in the body
================================  =======  ==========================================================
"""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from outside.errors import CannotTell
from outside.http_answers import Answer, Body, Held, evidence, held_by, reasons_of
from outside.once import Fault
from outside.oss import FilingResult


class Registered(Held):
    """A NIB and its holder."""

    nib: str
    issued_on: date
    region_code: str | None = None


FilingAnswer = Answer[Registered]


class AlreadyRegistered(Body):
    """The person holds a NIB already; nothing was filed."""

    code: Literal["already_registered"]
    registration: Registered


class Found(Body):
    """The NIBs that a person holds: none or one, by law."""

    businesses: list[Registered]


def registered_result(
    registration: Registered,
    *,
    national_id: str,
    outcome: Literal["issued", "already_registered"],
    source: str,
) -> FilingResult:
    """Return the result with its evidence, once it is sure that it is this person's and whole.

    Raise WrongPerson for somebody else's NIK; CannotTell for a NIB that isn't 13 digits, and for a PDF
    that isn't one or doesn't fit its hash.
    """
    holder = held_by(registration, national_id, source=source, what="NIB")
    if not re.fullmatch(r"[0-9]{13}", registration.nib):
        raise CannotTell(
            f"{source} answered with a NIB of {len(registration.nib)} characters; a NIB has 13 digits",
            for_people="Nomor NIB dari OSS tidak terdiri dari 13 angka. Petugas perlu memeriksanya di laman OSS.",
        )
    return FilingResult(
        outcome=outcome,
        source=source,
        nib=registration.nib,
        issued_on=registration.issued_on,
        holder_name=holder,
        region_code=registration.region_code,
        pdf=evidence(registration, source=source, what="NIB", where="OSS"),
    )


def refused_result(faults: list[Fault], *, source: str) -> FilingResult | None:
    """Return the refusal with all its reasons in one sentence, or None where it gives no reason."""
    reasons = reasons_of(faults)
    if reasons is None:
        return None
    return FilingResult(outcome="refused", source=source, reason=reasons[0], faults=reasons[1])
