"""Entries about companions and products in the office's books; no case ends by them.

The register is read as it stands today, not as on the day of the case: a companion registered since may visit.
"""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict
from sqlmodel import col, or_, select

from engine.pipeline import Case, enter_in_register, step, this_step
from flows.halal_self_declare.decisions import Visit
from flows.halal_self_declare.forms import Application
from models import CaseFile, CaseStatus, Standing
from rules import book

PRODUCT = "halal_product"


class Companion(BaseModel):
    """The register's entry: why a visit can't be taken, or a remark for LP3H; else nothing."""

    model_config = ConfigDict(frozen=True)

    refused: str | None = None
    remark: str | None = None


@step
def look_for_the_same_products(case: Case, application: Application) -> str | None:
    """Return the products for which another owner at the same place applied, for the officer.

    A name alone would say nothing: there are a thousand makers of cassava crisps. Kept are keyed digests, never names.
    """
    prints = {
        fingerprint(product.name, application.production_places[0]): product.name for product in application.products
    }
    others = dict(
        this_step.session.exec(
            select(Standing.reference, CaseFile.number)
            .join(CaseFile, col(CaseFile.id) == col(Standing.case_id))
            .where(
                Standing.subject_kind == PRODUCT,
                col(Standing.subject_id).in_([as_number(digest) for digest in prints]),
                col(Standing.reference).in_(prints),
                CaseFile.person_id != case.applicant.person_id,
                or_(col(CaseFile.status) != CaseStatus.CLOSED, CaseFile.outcome == "certified"),
            )
            .order_by(col(CaseFile.id).desc())  # the first case of several is the one that is named
        ).all()
    )
    for number, digest in enumerate(prints, start=1):
        enter_in_register(f"{PRODUCT}_{number}", kind=PRODUCT, of=as_number(digest), reference=digest)
    same = [f"{name} (perkara {others[digest]})" for digest, name in prints.items() if digest in others]
    if not same:
        return None
    return (
        f"products: pemilik lain mengajukan nama yang sama dari tempat produksi yang sama: {', '.join(same)}. "
        "Pastikan bukan produk yang sama; bila sama, pilih refused dengan alasannya"
    )


@step
def look_up_companion(case: Case, visit: Visit, companion_body: str) -> Companion:
    """Look the companion up in the register.

    They may be missing there, no longer active, or of another LP3H than the asked one.
    """
    number = visit.companion_number
    register = book("halal_self_declare").at("companions", this_step.today).value
    if number not in register:
        return Companion(
            refused=f"companion_number: {number} tidak ada di daftar pendamping PPH; periksa nomornya, "
            "atau minta LP3H menugaskan pendamping yang terdaftar"
        )
    body, until = register[number]["body"], register[number]["until"]
    if until < visit.visited_on:
        return Companion(
            refused=f"companion_number: menurut daftar, registrasi {number} berakhir {until.isoformat()}; "
            "minta LP3H menugaskan pendamping yang aktif"
        )
    if body.casefold() != companion_body.casefold():
        return Companion(
            remark=f"companion_number: menurut daftar, {number} terdaftar di {body}, bukan di {companion_body}; "
            "tanyakan kepada LP3H, dan catat other_companion bila benar"
        )
    return Companion()


def fingerprint(product: str, place: str) -> str:
    """Return the keyed digest of a product's name and place, ignoring case, spaces and strokes."""
    plain = ["".join(re.findall(r"\w+", text.casefold())) for text in (product, place)]
    return this_step.digest(PRODUCT, "|".join(plain))


def as_number(digest: str) -> int:
    """Return the number under which a digest is indexed."""
    return int(digest[:8], 16) >> 1
