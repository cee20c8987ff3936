"""Look-ups of receipt and certificate at SiHalal.

On this path the owner's application stands there already.
"""

from __future__ import annotations

from engine.pipeline import ByHand, Case, Question, Role, calling, external_step
from flows.halal_regular.decisions import DocumentReceipt, HalalCertificate
from flows.recorded import recorded
from flows.sihalal import certificate, owner_of
from outside.sihalal import receipt_of

DOCUMENT_RECEIPT = Question(
    DocumentReceipt, of=Role.OFFICER, due="receipt_time", recorded_for="BPJPH", title="Catat STTD dari BPJPH"
)
CERTIFICATE = Question(
    HalalCertificate, of=Role.OFFICER, due="certificate_time", recorded_for="BPJPH", title="Catat sertifikat halal"
)


@external_step(DOCUMENT_RECEIPT)
def receipt_of_bpjph(case: Case, *, nib: str) -> DocumentReceipt | ByHand:
    """Fetch the receipt (STTD), which BPJPH issues once the invoice is paid; change nothing."""
    call = calling()
    result = receipt_of(call.office.adapters.sihalal, owner_of(case, nib))
    if isinstance(result, ByHand):
        return result
    assert result.number and result.issued_on  # a search finds receipts only
    receipt = DocumentReceipt(number=result.number, issued_on=result.issued_on, **recorded(result))
    receipt.recorded(receipt.source, call.office.clock.now())
    return receipt


@external_step(CERTIFICATE)
def certificate_of_bpjph(case: Case, *, nib: str, receipt_number: str, kh_number: str) -> HalalCertificate | ByHand:
    """Fetch the certificate that followed the receipt; change nothing."""
    words = certificate(case, nib, receipt_number, kh_number)
    if isinstance(words, ByHand):
        return words
    record = HalalCertificate(**words)
    record.recorded(record.source, calling().office.clock.now())
    return record
