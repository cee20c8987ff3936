"""The strict reading of what OSS answers over HTTP: a body is understood wholly, or not at all.

A field too many makes a body not understood, for it might say "revoked". A person then looks, which
costs less than a wrong NIB on a wall. Shapes, all JSON (this office's own proposal for a gateway):

================================  =======  ==========================================================
call                              status   body
================================  =======  ==========================================================
`POST /filings`                   200/201  `FilingAnswer` with status issued
                                  202      anything: taken, not yet decided
                                  409      `AlreadyRegistered`
                                  422      `Refusal`
`GET /filings/{reference}`        200      `FilingAnswer`
                                  404      `NoSuchFiling`; any other 404 proves nothing
`POST /searches`                  200      `Found`, asked with `{"national_id": …}` in the body
================================  =======  ==========================================================
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from datetime import date
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from outside.errors import CannotTell, WrongPerson, without_personal_data
from outside.oss import Fault, FilingResult


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class Holder(_Body):
    """Whose NIB it is."""

    national_id: str
    name: str


class Registered(_Body):
    """A NIB, its holder, and its PDF (base64) with the hash that the service claims for it."""

    nib: str
    issued_on: date
    holder: Holder
    region_code: str | None = None
    pdf: str | None = None
    pdf_sha256: str | None = None


class FilingAnswer(_Body):
    """What became of a filing. Only `issued` has a registration, only `refused` has faults."""

    reference: str
    status: Literal["issued", "refused", "pending"]
    registration: Registered | None = None
    faults: list[Fault] = []


class AlreadyRegistered(_Body):
    """The person holds a NIB already; nothing was filed."""

    code: Literal["already_registered"]
    registration: Registered


class Refusal(_Body):
    """What was wrong in a filing; nothing was filed."""

    code: Literal["refused"]
    faults: list[Fault]


class NoSuchFiling(_Body):
    """The service's own word that it never took this reference."""

    code: Literal["no_such_filing"]
    reference: str


class Found(_Body):
    """The NIBs that a person holds: none or one, by law."""

    businesses: list[Registered]


_AnyBody = TypeVar("_AnyBody", bound=_Body)


def understood(shape: type[_AnyBody], body: bytes) -> _AnyBody | None:
    """Return the body as `shape`, or None. It never says what was wrong, since that could quote a NIK."""
    try:
        return shape.model_validate_json(body)
    except ValidationError:
        return None


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
    if registration.holder.national_id != national_id:
        raise WrongPerson(f"{source} answered with another person's NIB")
    if not re.fullmatch(r"[0-9]{13}", registration.nib):
        raise CannotTell(
            f"{source} answered with a NIB of {len(registration.nib)} characters; a NIB has 13 digits",
            for_people="Nomor NIB dari OSS tidak terdiri dari 13 angka. Petugas perlu memeriksanya di laman OSS.",
        )
    if not registration.holder.name.strip():
        raise CannotTell(f"{source} answered with a NIB without its holder's name")
    return FilingResult(
        outcome=outcome,
        source=source,
        nib=registration.nib,
        issued_on=registration.issued_on,
        holder_name=registration.holder.name,
        region_code=registration.region_code,
        pdf=_evidence(registration, source),
    )


def refused_result(faults: list[Fault], *, source: str) -> FilingResult | None:
    """Return the refusal with all its reasons in one sentence, or None where it gives no reason.

    A service may quote a NIK in its reasons; they go into ledger and letters, so it is masked here.
    """
    kept = tuple(
        Fault(
            field=without_personal_data(fault.field) if fault.field else None,
            text=without_personal_data(fault.text),
        )
        for fault in faults
        if fault.text.strip()
    )
    if not kept:
        return None
    reason = "; ".join(f"{fault.field}: {fault.text}" if fault.field else fault.text for fault in kept)
    return FilingResult(outcome="refused", source=source, reason=reason, faults=kept)


def _evidence(registration: Registered, source: str) -> bytes | None:
    if registration.pdf is None and registration.pdf_sha256 is None:
        return None
    try:
        pdf = base64.b64decode(registration.pdf or "", validate=True)
    except (binascii.Error, ValueError):
        pdf = b""
    if not pdf.startswith(b"%PDF-") or hashlib.sha256(pdf).hexdigest() != registration.pdf_sha256:
        raise CannotTell(
            f"{source} sent a PDF that is broken or does not fit its hash",
            for_people="Berkas PDF NIB dari OSS rusak. Petugas perlu mengunduhnya langsung di laman OSS.",
        )
    return pdf
