"""Every ending of product curation, and the detours on the way."""

from __future__ import annotations

from typing import Any

from flows.product_curation.rubric import Aspect
from tests.replay.script import EVIDENCE, NATIONAL_IDS, OWNER, Act, Answers, Passes, Script, Withdraws

SUBJECT: dict[str, str] = {
    "owner_name": "Sri Purnomo",
    "national_id": NATIONAL_IDS[0],
    "phone": "081162319252",
    "email": "sri@contoh.example",
    "business_name": "Sari Sri",
    "region_code": "3508",
    "address": "Jl. Santoso No. 179, Lumajang",
    "industry_code": "10794",
    "industry_code_version": "2020",
    "main_product": "Keripik singkong",
    "cluster": "makanan",
    "capital_rupiah": "100000000",
    "annual_sales_rupiah": "550000000",
}
APPLICATION: dict[str, Any] = {
    "paper": EVIDENCE,
    "photo": EVIDENCE,
    "nib": "9120304567812",
    "nib_paper": EVIDENCE,
    "price": "18500",
    "currency": "IDR",
    "capacity": 5000,
    "unit": "bungkus",
    "packaging": "Aluminium foil 200 g",
    "brand": "Sari Sri",
    "brand_number": "IDM000123456",
    "ingredients": ["singkong", "garam"],
}
EXPORT: dict[str, Any] = {
    "decision": "provide",
    "hs_code": "20089990",
    "fob_price": "2.50",
    "currency": "USD",
    "capacity": 4000,
    "minimum_order": 500,
    "unit": "packs",
    "lead_time_days": 21,
    "packaging": "24 bungkus tiap karton",
    "destination": "SG",
    "catalogue": "Thin cassava chips from the slopes of Mount Semeru.",
    "nutrition": EVIDENCE,
    "lab_test": EVIDENCE,
}
REALISED: dict[str, Any] = {
    "country": "SG",
    "usd": "1250.00",
    "quantity": 500,
    "unit": "bungkus",
    "declaration_number": "PEB-000123",
    "declared_on": "2026-03-20",
    "declaration": EVIDENCE,
}


def applied(on: str, **changes: Any) -> Act:
    return Answers(on, "budi", "application#1", APPLICATION | changes)


def screened(on: str, decision: str = "accept", **more: Any) -> Act:
    return Answers(on, "budi", "screening#1", {"decision": decision, **more})


def scored(on: str, by: str, n: int, score: int) -> Act:
    marks = [{"aspect": aspect, "score": score, "remark": "catatan kurator"} for aspect in Aspect]
    return Answers(on, by, f"score#{n}", {"decision": "scored", "marks": marks})


def ruled(on: str, decision: str, n: int = 1, by: str = "lina", **more: Any) -> Act:
    return Answers(on, by, f"panel_decision#{n}", {"decision": decision, **more})


def offered(on: str, n: int = 1) -> Act:
    return Answers(on, OWNER, f"export_data#{n}", EXPORT)


def checked(on: str, n: int = 1, **changes: Any) -> Act:
    data = {"decision": "confirmed", "batch": "B-1", "checked_on": on, "record": EVIDENCE}
    return Answers(on, "budi", f"quality_control#{n}", data | changes)


def center(on: str, decision: str, n: int = 1, **more: Any) -> Act:
    data = {"decision": decision, "source": "Surat ECS 12/2026", "evidence": EVIDENCE}
    return Answers(on, "tuti", f"center_answer#{n}", data | more)


def matched(on: str, decision: str = "contract", **more: Any) -> Act:
    data = {"decision": decision, "buyer": "Contoh Trading", "country": "SG", "evidence": EVIDENCE}
    return Answers(on, "tuti", "buyer_match#1", data | more)


def ending(outcome: str, name: str, *acts: Act, short: bool = False, **cells: str) -> Script:
    return Script("product-curation", name, outcome, acts, ({**SUBJECT, **cells},), short=short)


TO_SCORES = (applied("2026-01-13"), screened("2026-01-14"))
GOOD = (*TO_SCORES, scored("2026-01-15", "agus", 1, 90), scored("2026-01-16", "bayu", 2, 88))
POOR = (*TO_SCORES, scored("2026-01-15", "agus", 1, 50), scored("2026-01-16", "bayu", 2, 52))
AT_CENTER = (*GOOD, ruled("2026-01-19", "pass", grade="A"), offered("2026-01-20"), checked("2026-01-21"))
ACCEPTED = (*AT_CENTER, center("2026-01-22", "accept"))
REJECTED = (*POOR, ruled("2026-01-19", "reject", reason="mutu tidak seragam"))

SCRIPTS = [
    ending(
        "exported",
        "exported",
        *AT_CENTER,
        center("2026-01-22", "waitlist"),
        center("2026-01-26", "accept", n=2),
        matched("2026-02-02"),
        Answers("2026-03-23", OWNER, "realisation#1", REALISED),
    ),
    ending("matched", "a buyer, and no report", *ACCEPTED, matched("2026-02-02"), Passes("2027-06-01")),
    ending("handed_over", "no buyer", *ACCEPTED, matched("2026-02-02", "no_buyer", reason="belum ada minat")),
    ending(
        "returned",
        "the export center returns it twice",
        *AT_CENTER,
        center("2026-01-22", "return", finding="kemasan", grade_found="C"),
        offered("2026-01-23", 2),
        checked("2026-01-26", 2, decision="not_confirmed", findings=["kadar air"]),
        offered("2026-01-27", 3),
        checked("2026-01-28", 3),
        center("2026-01-29", "return", n=2, finding="harga"),
        Answers("2026-01-30", "budi", "return_ruling#1", {"decision": "end", "reason": "ditunda"}),
    ),
    ending(
        "passed_local",
        "a third curator, a repair, and grade C",
        *TO_SCORES,
        scored("2026-01-15", "agus", 1, 50),
        scored("2026-01-16", "bayu", 2, 70),
        scored("2026-01-19", "citra", 3, 60),
        ruled("2026-01-20", "return", notes=["cantumkan berat bersih"]),
        Answers("2026-01-21", OWNER, "repair#1", {"done": "label diganti", "photo": EVIDENCE}),
        scored("2026-01-22", "agus", 4, 66),
        scored("2026-01-22", "bayu", 5, 68),
        ruled("2026-01-23", "pass", n=2, grade="C"),
    ),
    ending(
        "not_passed",
        "an appeal in vain",
        *REJECTED,
        Answers("2026-01-20", OWNER, "appeal#1", {"decision": "appeal", "reason": "contoh tertukar"}),
        Answers("2026-01-21", "citra", "appeal_ruling#1", {"decision": "rejected", "reason": "contoh benar"}),
    ),
    ending(
        "no_curators",
        "no third curator",
        *TO_SCORES,
        scored("2026-01-15", "agus", 1, 50),
        Passes("2026-02-20"),
        scored("2026-02-20", "citra", 3, 90),
        Answers("2026-02-23", "budi", "curators_wanted#1", {"decision": "reject", "reason": "tidak ada lagi"}),
    ),
    ending(
        "refused",
        "not their product",
        applied("2026-01-13"),
        screened("2026-01-14", "reject", reason="bukan produksi sendiri"),
    ),
    ending("not_submitted", "never handed in", Passes("2026-04-30"), short=True),
    ending("not_corrected", "never mended", applied("2026-01-13", nib_paper=None), Passes("2026-04-30")),
    ending(
        "not_repaired", "never repaired", *POOR, ruled("2026-01-19", "return", notes=["label"]), Passes("2026-04-30")
    ),
    ending("withdrawn", "withdrawn at the curators", *TO_SCORES, Withdraws("2026-01-15", OWNER, "pindah ke luar kota")),
]
