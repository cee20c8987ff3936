"""Every ending of the self-declare path to a halal certificate, and the detours on the way."""

from __future__ import annotations

from typing import Any

from tests.replay.script import EVIDENCE, NATIONAL_IDS, OWNER, Act, Answers, Passes, Script, Withdraws

NIB = "9120304567812"
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
    "annual_sales_rupiah": "300000000",
}
CASSAVA = {"name": "Singkong", "source": "petani setempat", "exempt": True}
PORK = {"name": "Abon babi", "ingredients": [{"name": "Daging babi", "source": "pasar"}]}
OUTSIDE = {"source": "laman SiHalal", "evidence": EVIDENCE}


def submitted(on: str, **changes: Any) -> Act:
    words: dict[str, Any] = {
        "paper": EVIDENCE,
        "nib": NIB,
        "nib_scale": "micro",
        "annual_sales_rupiah": 300_000_000,
        "kind": "packaged",
        "products": [{"name": "Keripik singkong", "ingredients": [CASSAVA]}],
        "process": "singkong diiris, digoreng, dikemas",
        "technology": "manual",
        "production_places": ["Jl. Santoso No. 179, Lumajang"],
        "apart_from_non_halal": True,
        "photo": EVIDENCE,
        "pledge": True,
    }
    return Answers(on, "budi", "application#1", words | changes)


def doubted(on: str) -> Act:
    return Answers(on, "budi", "doubt#1", {"decision": "confirmed", "reason": "benar dari babi"})


def corrected(on: str, n: int = 1, **fields: Any) -> Act:
    return Answers(on, OWNER, f"correction#{n}", fields)


def slot(on: str, decision: str = "granted", n: int = 1) -> Act:
    words = {"programme": "SEHATI 2026", "companion_body": "LP3H Contoh", "reason": "kuota habis"}
    return Answers(on, "budi", f"facilitation#{n}", {"decision": decision, **words})


def visited(on: str, decision: str = "recommend", n: int = 1, **more: Any) -> Act:
    words: dict[str, Any] = {
        "decision": decision,
        "visited_on": on,
        "companion_number": "P3H-35-000417",
        "companion_valid_until": "2027-12-31",
        "independent": True,
        "at_nib_address": True,
        "ingredients": [{"what": "Singkong", "halal": True, "remark": "dari petani setempat"}],
        "process": [{"what": "menggoreng", "halal": True, "remark": "wajan khusus"}],
        "evidence": EVIDENCE,
    }
    return Answers(on, "ani", f"visit#{n}", words | more)


def checked(on: str, decision: str = "forward", n: int = 1, **more: Any) -> Act:
    return Answers(on, "budi", f"body_check#{n}", {"decision": decision, **OUTSIDE, **more})


def received(on: str, n: int = 1) -> Act:
    words = {"decision": "issued", "number": "STTD-2026-0098123", **OUTSIDE}
    return Answers(on, "budi", f"receipt_letter#{n}", words)


def judged(on: str, decision: str = "halal", **more: Any) -> Act:
    return Answers(on, "budi", "fatwa#1", {"decision": decision, **OUTSIDE, **more})


def certificate(on: str) -> Act:
    return Answers(on, "tuti", "certificate_record#1", {"number": "ID35110001325901022", "issued_on": on, **OUTSIDE})


def ending(outcome: str, name: str, *acts: Act, short: bool = False, **cells: str) -> Script:
    return Script("halal-self-declare", name, outcome, acts, ({**SUBJECT, **cells},), short=short)


TO_VISIT = (submitted("2026-01-13"), slot("2026-01-14"))
TO_FATWA = (*TO_VISIT, visited("2026-01-15"), checked("2026-01-19"), received("2026-01-20"))
HALAL = judged("2026-01-21", fatwa_number="KH-2026/01/004211")

SCRIPTS = [
    ending("certified", "certified", *TO_FATWA, HALAL, certificate("2026-01-22")),
    ending(
        "certified",
        "waits for a place, returned twice",
        submitted("2026-01-13", nib=None),
        corrected("2026-01-14", nib=NIB),
        slot("2026-01-15", "waiting_list"),
        slot("2026-01-19", n=2),
        visited("2026-01-20"),
        checked("2026-01-21", "return", deficiencies=["foto proses"]),
        corrected("2026-01-22", n=2, note="foto terlampir"),
        visited("2026-01-23", n=2),
        checked("2026-01-26", n=2),
        received("2026-01-27"),
        judged("2026-01-28", fatwa_number="KH-2026/01/004211"),
        certificate("2026-01-29"),
    ),
    ending("rerouted", "by the criteria", submitted("2026-01-13", nib_scale="medium")),
    ending("rerouted", "by the companion", *TO_VISIT, visited("2026-01-15", "not_eligible", reason="mesin otomatis")),
    ending("refused", "haram", submitted("2026-01-13", products=[PORK]), doubted("2026-01-14"), short=True),
    ending("not_halal", "not halal", *TO_FATWA, judged("2026-01-21", "not_halal", reason="sumber bahan tidak pasti")),
    ending("no_slot", "no place", submitted("2026-01-13"), slot("2026-01-14", "refused")),
    ending("not_submitted", "never submitted", Passes("2026-03-31")),
    ending("not_corrected", "never mended", submitted("2026-01-13", nib=None), Passes("2026-03-31")),
    ending("withdrawn", "withdrawn at the fatwa", *TO_FATWA, Withdraws("2026-01-21", OWNER, "pindah ke luar kota")),
]
