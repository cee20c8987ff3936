"""Calls to SiHalal: handing in, and fetching BPJPH's certificate."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.pipeline import ByHand, Case, Question, Role, calling, external_step
from flows.halal_self_declare.decisions import CertificateRecord, ReceiptEnd, ReceiptLetter
from flows.halal_self_declare.forms import Application
from flows.recorded import recorded
from flows.sihalal import certificate, owner_of
from outside.sihalal import HalalApplication, Ingredient, Product, ReceiptResult, hand_in_once

RECEIPT_LETTER = Question(
    ReceiptLetter,
    of=Role.OFFICER,
    due="receipt_time",
    recorded_for="BPJPH",
    apart_from=("visit",),
    title="Catat STTD dari BPJPH",
)
CERTIFICATE_RECORD = Question(
    CertificateRecord,
    of=Role.OFFICER,
    due="certificate_time",
    recorded_for="BPJPH",
    title="Catat sertifikat halal dari BPJPH",
)


@external_step(RECEIPT_LETTER)
def hand_in_to_bpjph(
    case: Case, *, application: dict[str, Any], nib: str, pledged_at: str, companion_number: str
) -> ReceiptLetter | ByHand:
    """Hand in at SiHalal, once: if an attempt's result is unknown, look it up first."""
    call = calling()
    stated = Application.model_validate(application)
    result = hand_in_once(
        call.office.adapters.sihalal,
        HalalApplication(
            reference=call.reference,
            path="self_declare",
            owner=owner_of(case, nib),
            business_name=case.facts.name,
            region_code=case.region_code,
            production_places=tuple(stated.production_places),
            products=products_of(stated),
            process=stated.process,
            pledged_at=datetime.fromisoformat(pledged_at),
            companion_number=companion_number,
        ),
        call.end_unknown,
    )
    if isinstance(result, ByHand):
        return result
    letter = receipt_letter(result)
    letter.recorded(result.source, call.office.clock.now())
    return letter


@external_step(CERTIFICATE_RECORD)
def certificate_of_bpjph(case: Case, *, nib: str, receipt_number: str, kh_number: str) -> CertificateRecord | ByHand:
    """Fetch the certificate that followed the receipt; change nothing."""
    words = certificate(case, nib, receipt_number, kh_number)
    if isinstance(words, ByHand):
        return words
    record = CertificateRecord(**words)
    record.recorded(record.source, calling().office.clock.now())
    return record


def products_of(stated: Application) -> tuple[Product, ...]:
    """Return the products to certify, as SiHalal wants them."""
    return tuple(
        Product(
            name=product.name,
            ingredients=tuple(
                Ingredient(name=one.name, source=one.source, certificate=one.certificate) for one in product.ingredients
            ),
        )
        for product in stated.products
    )


def receipt_letter(result: ReceiptResult) -> ReceiptLetter:
    """Return BPJPH's answer in the words of the question."""
    words: dict[str, Any] = recorded(result)
    if result.outcome == "returned":
        return ReceiptLetter(
            decision=ReceiptEnd.RETURNED, deficiencies=[fault.in_words() for fault in result.faults], **words
        )
    return ReceiptLetter(decision=ReceiptEnd.ISSUED, number=result.number or "", **words)
