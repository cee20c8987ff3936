"""Every ending of the competency test, and the detours on the way: a missed test, a return by the plenary, a retest."""

from __future__ import annotations

from collections.abc import Sequence
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
UNITS = ("M.702090.001.01", "M.702090.002.01", "M.702090.003.01")
MEMBERS = ("fajar", "gita", "hana")
APPLICATION: dict[str, Any] = {
    "scheme": "companion",
    "national_id": NATIONAL_IDS[0],
    "education": "S1 Manajemen",
    "occupation": "Pendamping UMKM",
    "proofs": [{"kind": "id_card", "file": EVIDENCE}, {"kind": "photo", "file": EVIDENCE}],
}


def says(on: str, question: str, n: int = 1, by: str = OWNER, **data: Any) -> Act:
    return Answers(on, by, f"{question}#{n}", data)


def applied(on: str, n: int = 1, **changes: Any) -> Act:
    return says(on, "application", n, **{**APPLICATION, **changes})


def checked(on: str, decision: str = "accept", n: int = 1, **more: Any) -> Act:
    return says(on, "admin_check", n, "lia", decision=decision, **more)


def claimed(on: str) -> Act:
    rows = [{"code": code, "claim": "competent", "evidence": EVIDENCE} for code in UNITS]
    return says(on, "self_assessment", units=rows)


def scheduled(on: str, test_date: str, n: int = 1) -> Act:
    given = {"test_site": "TUK Surabaya", "assessor": "asih", "met_number": "MET.000.004772 2024"}
    return says(on, "schedule", n, "lia", **given, test_date=test_date, funding="apbd", fee_rupiah=0)


def reviewed(on: str, decision: str = "continue", n: int = 1, **more: Any) -> Act:
    return says(on, "assessment_review", n, "asih", decision=decision, **more)


def prepared(on: str, n: int = 1, units: Sequence[str] = UNITS) -> tuple[Act, ...]:
    rows = [{"code": code, "instruments": ["FR.IA.01"]} for code in units]
    return (
        says(on, "plan", n, "asih", context="Uji di TUK", units=rows),
        says(on, "agreement", n, "budi", agrees=True, keeps_secret=True, paper=EVIDENCE),
        says(on, "assessor_agreement", n, "asih", explained=True, impartial=True),
    )


def missed(on: str, n: int = 1) -> Act:
    return says(on, "test_record", n, "asih", decision="absent", tested_on=on)


def tested(on: str, n: int = 1, units: Sequence[str] = UNITS) -> Act:
    record = {"instrument": "FR.IA.01", "units": list(units), "finding": "sesuai standar", "file": EVIDENCE}
    return says(on, "test_record", n, "asih", decision="held", tested_on=on, records=[record])


def recorded(on: str, n: int = 1, units: Sequence[str] = UNITS, failed: Sequence[str] = ()) -> Act:
    good = {"result": "competent", "valid": True, "authentic": True, "current": True, "sufficient": True}
    bad = {"result": "not_yet_competent", "note": "berlatih lagi"}
    rows = [{"code": code, **(bad if code in failed else good)} for code in units]
    return says(on, "assessment_record", n, "asih", decision="not_yet_competent" if failed else "competent", units=rows)


def reported(on: str, n: int = 1) -> tuple[Act, ...]:
    return (
        says(on, "feedback", n, explained=True, fair=True, told_result=True),
        says(on, "assessment_report", n, "asih", positive="asesi siap", followed_principles=True),
        says(on, "result_response", n, decision="accept"),
    )


def decided(on: str, decision: str, round_: int = 1, **more: Any) -> tuple[Act, ...]:
    reason = {} if decision == "competent" else {"reason": "lihat rekaman"}
    first = 3 * (round_ - 1) + 1
    return (
        says(on, "plenary_seats", round_, "lia", members=list(MEMBERS)),
        *(
            says(on, "plenary_vote", n, name, decision=decision, **reason, **more)
            for n, name in enumerate(MEMBERS, start=first)
        ),
    )


def numbered(on: str) -> Act:
    number, registration = "62019 2513 6 0033443 2026", "LSP.0001.00001 2026"
    given = {"certificate_number": number, "registration_number": registration, "issued_on": on}
    return says(on, "certificate_blank", 1, "lia", source="SI-LSP", evidence=EVIDENCE, **given)


def ending(outcome: str, name: str, *acts: Act, short: bool = False) -> Script:
    return Script("lsp-competency-test", name, outcome, acts, (SUBJECT,), short=short)


ACCEPTED = (applied("2026-01-13"), checked("2026-01-13"), claimed("2026-01-14"))
READY = (*ACCEPTED, scheduled("2026-01-14", "2026-01-20"), reviewed("2026-01-15"), *prepared("2026-01-15"))
FAILED = UNITS[:1]
NOT_YET = (
    *READY,
    tested("2026-01-20"),
    recorded("2026-01-20", failed=FAILED),
    *reported("2026-01-21"),
    *decided("2026-01-22", "not_yet_competent", units=list(FAILED)),
)

SCRIPTS = [
    ending(
        "certified",
        "competent at the first test",
        *READY,
        tested("2026-01-20"),
        recorded("2026-01-20"),
        *reported("2026-01-21"),
        *decided("2026-01-22", "competent"),
        numbered("2026-02-10"),
    ),
    ending("not_yet_competent", "stops after BK", *NOT_YET, says("2026-01-23", "retest", decision="stop")),
    ending(
        "not_ready",
        "training is advised",
        *ACCEPTED,
        scheduled("2026-01-14", "2026-01-20"),
        reviewed("2026-01-15", "not_continue", reason="ikuti pelatihan"),
    ),
    ending(
        "absent",
        "missed twice",
        *READY,
        missed("2026-01-20"),
        scheduled("2026-01-21", "2026-01-27", n=2),
        reviewed("2026-01-21", n=2),
        *prepared("2026-01-21", n=2),
        missed("2026-01-27", n=2),
    ),
    ending("refused", "outside the scope", applied("2026-01-13", scheme="export_officer")),
    ending("not_completed", "never handed in", Passes("2026-04-30"), short=True),
    ending("withdrawn", "withdrawn before the test", *READY, Withdraws("2026-01-19", OWNER, "pindah ke luar kota")),
    # detours
    ending(
        "certified",
        "returned, and the failed unit tested again",
        applied("2026-01-13", national_id=NATIONAL_IDS[1]),
        applied("2026-01-13", n=2),
        checked("2026-01-13", "return", deficiencies=["pasfoto bukan asesi"]),
        applied("2026-01-13", n=3),
        checked("2026-01-13", n=2),
        *NOT_YET[2:-4],
        *decided("2026-01-22", "return"),
        recorded("2026-01-23", n=2, failed=FAILED),
        *decided("2026-01-26", "not_yet_competent", 2, units=list(FAILED)),
        says("2026-01-27", "retest", decision="retest"),
        scheduled("2026-01-27", "2026-02-10", n=2),
        reviewed("2026-01-28", n=2),
        *prepared("2026-01-28", n=2, units=FAILED),
        tested("2026-02-10", n=2, units=FAILED),
        recorded("2026-02-10", n=3, units=FAILED),
        *reported("2026-02-11", n=2),
        *decided("2026-02-12", "competent", 3),
        numbered("2026-02-20"),
    ),
]
