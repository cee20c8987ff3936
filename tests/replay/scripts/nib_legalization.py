"""Every ending of NIB legalization, and the detours on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.outside.misbehaving_oss import Mood
from tests.replay.script import EVIDENCE, NATIONAL_IDS, OWNER, Act, Answers, Contests, Passes, Script, Withdraws

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
    "annual_sales_rupiah": "550000000",
}


def dossier(on: str, decision: str = "complete", *, n: int = 1, **more: Any) -> Act:
    return Answers(on, "budi", f"dossier_check#{n}", {"decision": decision, **more})


def classified(on: str, risk: str = "R") -> Act:
    data = {"decision": "proceed", "industry_code": "10794", "risk_level": risk}
    return Answers(on, "ani", "classification#1", data)


def signed(on: str, mood: Mood = Mood.HONEST) -> Act:
    words = {"decision": "sign", "k3l": True, "spatial": True, "sppl": True, "paper": EVIDENCE}
    return Answers(on, "budi", "statement#1", words, mood=mood)


def corrected(on: str, n: int = 1, mood: Mood = Mood.HONEST, **fields: Any) -> Act:
    return Answers(on, OWNER, f"correction#{n}", fields, mood=mood)


def filed(on: str, decision: str = "issued", n: int = 1, **more: Any) -> Act:
    data: dict[str, Any] = {"decision": decision, "source": "oss.go.id", **more}
    if decision != "refused":
        data |= {"nib": NIB, "holder_name": "Sri Purnomo", "evidence": EVIDENCE, "issued_on": on}
    return Answers(on, "budi", f"oss_filing#{n}", data)


def recorded(on: str, decision: str = "match", n: int = 1, **more: Any) -> Act:
    return Answers(on, "tuti", f"nib_record#{n}", {"decision": decision, **more})


def verified(on: str, decision: str = "approve", n: int = 1, **more: Any) -> Act:
    data = {"decision": decision, "source": "surat DPMPTSP 503/12/2026", "evidence": EVIDENCE, **more}
    return Answers(on, "budi", f"verification#{n}", data)


def ruled(on: str, decision: str, n: int = 1, **more: Any) -> Act:
    return Answers(on, "rini", f"deadline_ruling#{n}", {"decision": decision, "reason": "dilihat di OSS", **more})


def ending(
    outcome: str,
    name: str,
    *acts: Act,
    oss: str = "by hand",
    bounces: bool = False,
    short: bool = False,
    **cells: str,
) -> Script:
    subjects: tuple[Mapping[str, str], ...] = ({**SUBJECT, **cells},)
    return Script("nib-legalization", name, outcome, acts, subjects, oss, bounces, short=short)


TO_STATEMENT = (dossier("2026-01-13"), classified("2026-01-14"))
BY_HAND = (*TO_STATEMENT, signed("2026-01-15"))
AT_DPMPTSP = (
    dossier("2026-01-13"),
    classified("2026-01-14", "MT"),
    signed("2026-01-15"),
    filed("2026-01-19"),
    recorded("2026-01-20"),
)
REFUSED = (
    dossier("2026-01-13", "reject", reason="usaha tidak berada di alamat ini"),
    Contests("2026-01-20", OWNER, "tempat usaha saya di RT 3"),
)
RETURNED = dossier("2026-01-13", "return", deficiencies=["alamat usaha belum lengkap"])

SCRIPTS = [
    # by the machine's way
    ending("legalized", "filed by machine", *TO_STATEMENT, signed("2026-01-15"), recorded("2026-01-19"), oss="machine"),
    ending(
        "legalized",
        "OSS refuses first",
        *TO_STATEMENT,
        signed("2026-01-15", Mood.REFUSE),
        corrected("2026-01-19", owner_name="Sri Purnomo, S.E."),
        recorded("2026-01-20"),
        oss="machine",
    ),
    ending(
        "legalized",
        "OSS files and fails",
        *TO_STATEMENT,
        signed("2026-01-15", Mood.FAIL_AFTER),
        Passes("2026-01-19"),
        recorded("2026-01-20"),
        oss="machine",
    ),
    ending(
        "withdrawn",
        "withdrawn while OSS is closed",
        *TO_STATEMENT,
        signed("2026-01-15", Mood.CLOSED),
        Withdraws("2026-01-19", OWNER, "pindah ke luar kota", mood=Mood.CLOSED),
        Passes("2026-01-20"),
        oss="machine",
    ),
    # each outcome, by hand
    ending("legalized", "filed by hand", *BY_HAND, filed("2026-01-19"), recorded("2026-01-20")),
    ending("legalized", "verified by DPMPTSP", *AT_DPMPTSP, verified("2026-01-30")),
    ending(
        "already_legal",
        "has a NIB",
        Answers("2026-01-13", "budi", "existing_nib_check#1", {"decision": "valid", "evidence": EVIDENCE}),
        existing_nib=NIB,
    ),
    ending(
        "already_legal",
        "got a NIB meanwhile",
        *BY_HAND,
        filed("2026-01-19", "already_registered"),
        recorded("2026-01-20"),
    ),
    ending(
        "refused",
        "rejected dossier",
        dossier("2026-01-13", "reject", reason="usaha tidak berada di alamat ini"),
        short=True,
    ),
    ending(
        "refused",
        "objected, examined anew, and refused again by another officer",
        *REFUSED,
        Answers("2026-01-23", "rini", "objection_ruling#1", {"decision": "grant", "reason": "RT 3 memang ada"}, only=0),
        Answers("2026-01-26", "tuti", "dossier_check#1", {"decision": "reject", "reason": "sudah pindah"}, only=1),
    ),
    ending(
        "refused",
        "objected in vain, and not appealed",
        *REFUSED,
        Answers("2026-01-23", "rini", "objection_ruling#1", {"decision": "reject", "reason": "tidak ditemukan"}),
        Passes("2026-02-10"),
    ),
    ending("refused", "too large for the programme", annual_sales_rupiah="18400000000", capital_rupiah="9000000000"),
    ending(
        "refused_by_dpmptsp",
        "DPMPTSP rejects",
        *AT_DPMPTSP,
        verified("2026-01-30", "reject", reason="lokasi tidak sesuai tata ruang"),
    ),
    ending(
        "rerouted",
        "rerouted",
        dossier("2026-01-13"),
        Answers(
            "2026-01-14",
            "ani",
            "classification#1",
            {
                "decision": "reroute",
                "industry_code": "10110",
                "risk_level": "T",
                "agency": "Dinas Peternakan",
                "reason": "perlu NKV lebih dahulu",
            },
        ),
    ),
    ending("not_corrected", "never mended", RETURNED, Passes("2026-03-31")),
    ending("not_signed", "never signed", *TO_STATEMENT, Passes("2026-03-31")),
    ending(
        "declined",
        "declined",
        *TO_STATEMENT,
        Answers(
            "2026-01-15", "budi", "statement#1", {"decision": "decline", "paper": EVIDENCE, "reason": "belum siap"}
        ),
    ),
    ending("withdrawn", "withdrawn at a wait", Withdraws("2026-01-13", OWNER, "pindah ke luar kota")),
    # detours
    ending(
        "legalized",
        "mended, refused by OSS, and a stranger's NIB",
        RETURNED,
        corrected("2026-01-14", address="Jl. Melati No. 5, Lumajang"),
        dossier("2026-01-15", n=2),
        classified("2026-01-19"),
        signed("2026-01-20"),
        filed("2026-01-21", "refused", reason="nama tidak sesuai KTP"),
        corrected("2026-01-22", n=2, owner_name="Sri Purnomo, S.E."),
        filed("2026-01-23", n=2),
        recorded("2026-01-26", "mismatch", reason="PDF atas nama orang lain"),
        filed("2026-01-27", n=3),
        recorded("2026-01-28", n=2),
    ),
    ending(
        "legalized",
        "DPMPTSP returns it, and lets its time pass",
        *AT_DPMPTSP,
        verified("2026-01-30", "return", deficiencies=["denah lokasi"]),
        corrected("2026-02-02", note="denah terlampir"),
        verified("2026-02-18", "deadline_passed", n=2),
        ruled("2026-02-19", "keep_waiting"),
        verified("2026-02-20", "deadline_passed", n=3),
        ruled("2026-02-23", "granted_in_oss", n=2, evidence=EVIDENCE),
    ),
    ending(
        "not_corrected",
        "DPMPTSP's wish unmet",
        *AT_DPMPTSP,
        verified("2026-01-30", "return", deficiencies=["denah"]),
        Passes("2026-04-30"),
    ),
    ending("withdrawn", "withdrawn at DPMPTSP", *AT_DPMPTSP, Withdraws("2026-01-30", OWNER, "pindah ke luar kota")),
    ending(
        "withdrawn",
        "letters reach nobody",
        Answers("2026-01-13", "tuti", "hand_delivery#1", {"decision": "printed"}),
        Withdraws("2026-01-14", OWNER, "pindah ke luar kota"),
        email="",
    ),
    ending(
        "withdrawn",
        "letters bounce",
        Answers("2026-01-13", "tuti", "hand_delivery#1", {"decision": "telephoned"}),
        Withdraws("2026-01-14", OWNER, "pindah ke luar kota"),
        bounces=True,
    ),
    Script(
        "nib-legalization",
        "three in one chunk",
        "legalized",
        (*BY_HAND, filed("2026-01-19"), recorded("2026-01-20")),
        tuple(
            {**SUBJECT, "national_id": national_id, "email": f"{n}@contoh.example", "phone": f"08116231925{n}"}
            for n, national_id in enumerate(NATIONAL_IDS)
        ),
        together=True,
    ),
]
