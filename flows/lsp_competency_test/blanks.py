"""The blank of BNSP: who was judged competent gets a certificate that BNSP numbers. The number is recorded, never made up.

For now an officer asks BNSP for it with the blank request and records what came; a call to BNSP's system can take the
question's place under the same key.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Self

from pydantic import Field, field_validator, model_validator

from engine.words import Evidence, Form, Question, Role
from flows.lsp_competency_test.application import Name, Text

CERTIFICATE_NUMBER = re.compile(r"\d{5} \d{4}( \d)? \d{5,7} \d{4}")


class CertificateBlank(Form):
    """Certificate number and registration number as BNSP gave them, with the file that shows them."""

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
