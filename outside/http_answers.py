"""Strict reading of HTTP answers: a body is understood completely, or not at all.

An unknown field makes a body not understood, for it might say "revoked"; an officer then looks. The bodies are this
office's own proposal for a gateway.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from outside.errors import CannotTell, WrongPerson, without_personal_data
from outside.submission import Fault

T = TypeVar("T")


class Body(BaseModel):
    """A body, or a part of one.

    All services share these; `…` is a service's own address, such as `/filings`:

    =========================  =======  ==========================================================
    call                       status   body
    =========================  =======  ==========================================================
    `POST …`                   200/201  `Answer` with status issued
                               202      anything: taken, not yet decided
                               422      `Refusal`
    `GET …/{reference}`        200      `Answer`
                               404      `NoSuchFiling`; another 404 proves nothing
    `POST …/searches`          200      a list of what the service holds
    =========================  =======  ==========================================================
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class Holder(Body):
    """The person to whom a number belongs."""

    national_id: str
    name: str


class Paper(Body):
    """A body with its PDF (base64) and the hash that the service states for it."""

    pdf: str | None = None
    pdf_sha256: str | None = None


class HeldPaper(Paper):
    """A paper that one person holds."""

    holder: Holder


class Answer(Body, Generic[T]):
    """The status of a request; only `issued` has a registration, only `refused` has faults."""

    reference: str
    status: Literal["issued", "refused", "pending"]
    registration: T | None = None
    faults: list[Fault] = []


class Refusal(Body):
    """The faults of a request that was not taken."""

    code: Literal["refused"]
    faults: list[Fault]


class NoSuchFiling(Body):
    """The service's statement that it never took this reference."""

    code: Literal["no_such_filing"]
    reference: str


AnyBody = TypeVar("AnyBody", bound=Body)


def parse_body(shape: type[AnyBody], body: bytes) -> AnyBody | None:
    """Return the body as `shape`, or None; the fault is dropped, since it could quote a NIK."""
    try:
        return shape.model_validate_json(body)
    except ValidationError:
        return None


def reasons_of(faults: list[Fault]) -> tuple[str, tuple[Fault, ...]] | None:
    """Return all reasons in one sentence, and each fault; None where there is no reason.

    Reasons go into ledger and letters, so personal numbers in them are masked.
    """
    kept = tuple(
        Fault(
            field=without_personal_data(fault.field) if fault.field else None,
            text=without_personal_data(fault.text),
        )
        for fault in faults
        if fault.text.strip()
    )
    return ("; ".join(fault.in_words() for fault in kept), kept) if kept else None


def checked_holder(held: HeldPaper, national_id: str, *, source: str, what: str) -> str:
    """Return the holder's name.

    Raises:
        WrongPerson: the holder has another NIK.
        CannotTell: the holder has no name.
    """
    if held.holder.national_id != national_id:
        raise WrongPerson(f"{source} answered with another person's {what}")
    if not held.holder.name.strip():
        raise CannotTell(f"{source} answered with a {what} without its holder's name")
    return held.holder.name


def checked_pdf(paper: Paper, *, source: str, what: str, where: str) -> bytes | None:
    """Return the PDF, or None where there is none.

    Raises:
        CannotTell: the file is no PDF, or does not fit its hash.
    """
    if paper.pdf is None and paper.pdf_sha256 is None:
        return None
    try:
        pdf = base64.b64decode(paper.pdf or "", validate=True)
    except (binascii.Error, ValueError):
        pdf = b""
    if not pdf.startswith(b"%PDF-") or hashlib.sha256(pdf).hexdigest() != paper.pdf_sha256:
        raise CannotTell(
            f"{source} sent a PDF that is broken or does not fit its hash",
            for_people=f"Berkas PDF {what} dari {where} rusak. Petugas perlu mengunduhnya langsung di laman {where}.",
        )
    return pdf
