"""Filing at OSS: this pipeline's one call to an external system."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.pipeline import ByHand, Case, Question, Role, calling, external_step
from flows.nib_legalization.application import Application
from flows.nib_legalization.forms import FilingEnd, OssFiling
from outside.errors import RefusedOutside
from outside.oss import Filing, file_once

OSS_FILING = Question(
    OssFiling, of=Role.OFFICER, due="filing_time", title="Ajukan di OSS dengan tangan, lalu catat NIB"
)


@external_step(OSS_FILING)
def file_with_oss(case: Case, *, application: dict[str, Any], signed_at: str) -> OssFiling | ByHand:
    """File at OSS, once: if an attempt's result is unknown, look the filing up first."""
    stated = Application.model_validate(application)
    owner = case.facts.owner
    call = calling()
    filing = Filing(
        reference=call.reference,
        owner_name=stated.owner_name,
        national_id=owner.national_id,
        tax_id=owner.tax_id,
        business_name=stated.business_name,
        address=stated.address,
        region_code=case.region_code,
        industry_code=stated.industry_code,
        industry_code_version=stated.industry_code_version,
        risk_level=stated.risk_level,
        capital_rupiah=case.facts.capital_rupiah,
        annual_sales_rupiah=case.facts.annual_sales_rupiah,
        email=owner.email,
        phone=owner.phone,
        signed_statement_at=datetime.fromisoformat(signed_at),
    )
    try:
        result = file_once(call.office.adapters.oss, filing, call.end_unknown)
    except RefusedOutside as refused:
        return OssFiling(decision=FilingEnd.REFUSED, reason=refused.for_people)
    if isinstance(result, ByHand):
        return result
    evidence = call.keep(result.pdf if result.pdf else result.model_dump_json().encode())
    form = OssFiling(
        decision=FilingEnd(result.outcome),
        nib=result.nib,
        holder_name=result.holder_name,
        issued_on=result.issued_on,
        region_code=result.region_code,
        evidence=None if result.outcome == "refused" else evidence,
        source=result.source,
        reason=result.reason or "",
    )
    form.recorded(result.source, call.office.clock.now())
    return form


def seen_on_the_nib(case: Case, filing: OssFiling) -> str:
    """Return the note for the second officer's comparison.

    It names the NIB and its holder, and a region that is not the applicant's.
    """
    elsewhere = filing.region_code and filing.region_code.replace(".", "")[:4] != case.region_code[:4]
    region = f"; PERHATIAN: wilayah pada NIB {filing.region_code}, pada berkas {case.region_code}" if elsewhere else ""
    return f"NIB {filing.nib} atas nama {filing.holder_name}{region}"
