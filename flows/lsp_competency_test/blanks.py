"""The blank of BNSP: its numbers for the certificate of a competent candidate.

The numbers are recorded, never made up. BNSP is asked by machine where there is a way in; else an officer sends the request and
records the answer.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Self

from pydantic import Field, field_validator, model_validator

from engine.pipeline import ByHand, Case, Evidence, Form, Question, Role, calling, external_step
from flows.lsp_competency_test.application import Name, Text
from flows.recorded import recorded
from outside.bnsp import BlankRequest, Candidate, request_once

CERTIFICATE_NUMBER = re.compile(r"\d{5} \d{4}( \d)? \d{5,7} \d{4}")


class CertificateBlank(Form):
    """BNSP's certificate number and registration number, with the file that shows them."""

    source: Text = Field(description="Dari mana: nomor surat BNSP atau laman SI-LSP")
    evidence: Evidence = Field(description="Berkas dari BNSP")
    certificate_number: str = Field(
        max_length=40, description="Nomor sertifikat BNSP, misalnya 62019 2513 6 0033443 2025"
    )
    registration_number: Name = Field(description="Nomor registrasi (No. Reg.), dengan tahun di belakang")
    issued_on: date = Field(description="Tanggal terbit")
    valid_until: date | None = Field(
        default=None, description="Berlaku sampai, bila tercetak; kosong: menurut aturan LSP"
    )

    @field_validator("certificate_number")
    @classmethod
    def _is_bnsps(cls, typed: str) -> str:
        number = " ".join(typed.split())
        if not CERTIFICATE_NUMBER.fullmatch(number):
            raise ValueError("bukan nomor sertifikat BNSP; salin dengan spasinya, misalnya 62019 2513 6 0033443 2025")
        return number

    @model_validator(mode="after")
    def _agrees_with_its_year(self) -> Self:
        year = f"{self.issued_on.year}"
        if self.certificate_number[-4:] != year:
            raise ValueError(
                f"certificate_number: tahun pada nomor ({self.certificate_number[-4:]}) bukan tahun terbit ({year}); periksa lagi"
            )
        if self.registration_number[-4:] != year:
            raise ValueError(f"registration_number: harus berakhir dengan tahun terbit {year}; salin lengkap")
        if self.valid_until is not None and self.valid_until <= self.issued_on:
            raise ValueError("valid_until: harus sesudah tanggal terbit; periksa lagi")
        return self


CERTIFICATE_BLANK = Question(
    CertificateBlank, of=Role.LSP_OFFICER, due="blank_time", recorded_for="BNSP", title="Catat nomor blanko dari BNSP"
)


@external_step(CERTIFICATE_BLANK)
def ask_bnsp(
    case: Case, *, scheme: str, minutes: str, decided_on: date, not_yet: list[int]
) -> CertificateBlank | ByHand:
    """Ask BNSP once for this candidate's numbers.

    The request lists those who are not yet competent, too: ``not_yet`` are the persons who were decided BK at that test.
    ``minutes`` is the number of the plenary's decree.
    """
    call = calling()
    owner = case.facts
    candidates = [Candidate(name=owner.name, national_id=owner.national_id, competent=True)]
    for other in call.persons(not_yet):
        candidates.append(Candidate(name=other.name, national_id=other.national_id, competent=False))
    request = BlankRequest(
        reference=call.reference,
        licence=case.rules.licence.value["number"],
        scheme=scheme,
        minutes=minutes,
        decided_on=decided_on,
        candidates=tuple(candidates),
    )
    result = request_once(call.office.adapters.bnsp, request, call.end_unknown)
    if isinstance(result, ByHand):
        return result
    given = result.of(owner.national_id)
    if given is None or result.issued_on is None:
        return ByHand(f"BNSP menolak permohonan blanko: {result.reason}. Perbaiki permohonan, lalu catat nomornya")
    blank = CertificateBlank(
        certificate_number=given.certificate_number,
        registration_number=given.registration_number,
        issued_on=result.issued_on,
        **recorded(result),
    )
    blank.recorded(result.source, call.office.clock.now())
    return blank
