"""Every ending of the regular path to a halal certificate, and the detours on the way."""

from __future__ import annotations

from typing import Any

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
    "decision": "submit",
    "nib": "9120304567812",
    "kind": "processed_food",
    "products": ["Keripik singkong"],
    "ingredients": [{"name": "Singkong", "source": "Pak Karno, Pasirian"}],
    "supervisor": {
        "name": "Siti Aminah",
        "national_id": "3508164904500102",
        "muslim": True,
        "appointed_by": "SK/01/2026",
    },
    "manual": EVIDENCE,
}


def applied(on: str, n: int = 1, **changes: Any) -> Act:
    return Answers(on, OWNER, f"application#{n}", {**APPLICATION, **changes})


def facilitated(on: str, decision: str = "grant", n: int = 1, **more: Any) -> Act:
    return Answers(on, "tuti", f"facilitation#{n}", {"decision": decision, **more})


def recorded(on: str, question: str, by: str = "budi", n: int = 1, **data: Any) -> Act:
    return Answers(on, by, f"{question}#{n}", {"source": "SiHalal, 2026", "evidence": EVIDENCE, **data})


def paid(on: str, question: str = "payment", by: str = OWNER, n: int = 1, amount: int = 650_000) -> Act:
    return Answers(on, by, f"{question}#{n}", {"amount_rupiah": amount, "paid_on": on, "proof": EVIDENCE})


def audited(on: str, decision: str = "pass", n: int = 1, **more: Any) -> Act:
    seen: dict[str, Any] = {"audited_on": on, "auditors": ["Rahmat Hidayat"], "production_running": True}
    return recorded(on, "audit", n=n, decision=decision, **seen, **more)


def ruled(on: str, decision: str = "halal", n: int = 1, question: str = "fatwa", **more: Any) -> Act:
    data = {"kh_number": "KH-35-0117-2026"} if decision == "halal" else {}
    return recorded(on, question, by="tuti", n=n, decision=decision, **{**data, **more})


def certified(on: str) -> Act:
    return recorded(on, "halal_certificate", number="ID35110001325901022", issued_on=on)


def ending(outcome: str, name: str, *acts: Act, short: bool = False) -> Script:
    return Script("halal-regular", name, outcome, acts, (SUBJECT,), short=short)


CHECKED = recorded("2026-01-14", "document_check", decision="approve")
QUOTED = recorded("2026-01-15", "quote", body="LPPOM", amount_rupiah=350_000)
RECEIPTED = recorded("2026-01-20", "document_receipt", number="STTD-2026-0117", issued_on="2026-01-20")
BY_OFFICE = (
    applied("2026-01-13", office_pays=True),
    facilitated("2026-01-13"),
    CHECKED,
    QUOTED,
    paid("2026-01-19", "office_payment", "budi"),
    RECEIPTED,
)
BY_OWNER = (applied("2026-01-13"), CHECKED, QUOTED, paid("2026-01-19"), RECEIPTED)

SCRIPTS = [
    ending(
        "certified",
        "the office pays",
        *BY_OFFICE,
        audited("2026-01-22"),
        ruled("2026-01-26"),
        certified("2026-01-27"),
    ),
    ending(
        "not_halal",
        "MUI finds it not halal",
        *BY_OFFICE,
        audited("2026-01-22"),
        ruled("2026-01-26", "not_halal", reason="arak dipakai sebagai bumbu"),
    ),
    ending("not_submitted", "never handed in", Passes("2026-04-30"), short=True),
    ending(
        "not_corrected",
        "a lapsed slaughter certificate",
        applied("2026-01-13", slaughter_until="2026-01-01"),
        Passes("2026-04-30"),
    ),
    ending("not_paid", "never paid", applied("2026-01-13"), CHECKED, QUOTED, Passes("2026-03-31")),
    ending("stopped", "the audit is stopped", *BY_OWNER, audited("2026-01-22", "stop", reason="tempat usaha tutup")),
    ending(
        "rerouted",
        "over to self-declare, the slot given back",
        applied("2026-01-13", office_pays=True),
        facilitated("2026-01-13"),
        recorded("2026-01-14", "document_check", decision="return", deficiencies=["matriks bahan"]),
        applied("2026-01-15", n=2, decision="self_declare"),
    ),
    ending("withdrawn", "withdrawn after the audit", *BY_OFFICE, Withdraws("2026-01-22", OWNER, "pindah ke luar kota")),
    ending(
        "withdrawn",
        "refused a slot, contested, decided anew and refused again",
        applied("2026-01-13", office_pays=True),
        facilitated("2026-01-13", "reject", reason="sudah difasilitasi tahun lalu"),
        Answers("2026-01-14", OWNER, "own_cost#1", {"decision": "object", "reason": "itu usaha kakak saya"}),
        Answers("2026-01-15", "rini", "objection_ruling#1", {"decision": "grant", "reason": "NIK-nya berbeda"}),
        Answers("2026-01-20", "budi", "facilitation#2", {"decision": "reject", "reason": "kuota habis"}),
        Passes("2026-03-02"),
        Withdraws("2026-03-03", OWNER, "terlalu mahal"),
    ),
    # detours
    ending(
        "certified",
        "refused a slot, findings, another product, and the committee",
        applied("2026-01-13", office_pays=True),
        facilitated("2026-01-13", "waitlist"),
        facilitated("2026-01-13", "reject", n=2, reason="sudah difasilitasi tahun lalu"),
        Answers("2026-01-13", OWNER, "own_cost#1", {"decision": "proceed"}),
        CHECKED,
        QUOTED,
        paid("2026-01-16", amount=649_999),
        paid("2026-01-19", n=2),
        RECEIPTED,
        audited("2026-01-21", "extension", reason="laboratorium penuh"),
        audited("2026-01-22", "findings", n=2, findings=["alat dipakai bersama"]),
        Answers("2026-01-23", OWNER, "corrective_action#1", {"actions": "alat baru dibeli", "proof": EVIDENCE}),
        audited("2026-01-26", n=3),
        ruled("2026-01-27", "needs_data", data=["daftar produk"]),
        applied("2026-01-28", n=2, products=["Keripik singkong", "Keripik talas"]),
        audited("2026-01-29", n=4),
        ruled("2026-02-05", "time_exceeded", n=2),
        ruled("2026-02-06", question="committee_ruling"),
        certified("2026-02-09"),
    ),
]
