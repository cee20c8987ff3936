"""Answers of the demo's candidates, assessors and LSP in a competency test.

Those who pass curate products later.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from demo.script import LATER, Said, Script, Situation
from engine.definition.registry import pipeline_named
from engine.people.accounts import add_user
from engine.people.persons import add_person, record_certificate
from engine.runtime.office import Office

CANDIDATES = (
    ("Agus Salim", "makanan"),
    ("Bayu Aji", "makanan"),
    ("Citra Dewi", "makanan"),
    ("Dimas Prakoso", "minuman"),
    ("Endah Lestari", "minuman"),
    ("Fitri Handayani", "minuman"),
    ("Galih Pratama", "makanan"),
    ("Hesti Rahayu", "minuman"),
)
PLENARY = ("indra", "joko", "kartini")


def hire_lsp(office: Office, evidence: str) -> list[int]:
    """Give the LSP its people, and the assessors BNSP's certificates; register the candidates."""
    add_user(office, "lia", ["lsp_officer"], region="35")
    for place, name in enumerate(("asih", "wahyu", *PLENARY)):
        person = add_person(office, name.title(), national_id=f"357801410185{place + 1:04d}", region="3578")
        add_user(office, name, ["plenary" if name in PLENARY else "assessor"], person=person, region="35")
        for what in () if name in PLENARY else ("assessor", "assessor:ukm"):
            since = office.clock.today() - timedelta(days=200)
            record_certificate(
                office,
                person,
                what,
                f"MET.000.00477{place} {since.year}",
                since=since,
                until=since + timedelta(days=3 * 365),
                source="Sertifikat BNSP",
                evidence=evidence,
                by="lia",
            )
    return [
        add_person(office, name, national_id=f"357801{place + 11}0590{place + 1:04d}", region="3578")
        for place, (name, _) in enumerate(CANDIDATES)
    ]


class CompetencyScript(Script):
    """The script of the test: one retest, one candidate sent to a training; the others pass."""

    of = 8
    paths = {2: "retest", 7: "not ready"}

    def application(self, now: Situation) -> Said:
        """Fill in FR.APL.01 for the curators' scheme."""
        place = int(now.serial) - 1
        proofs = [{"kind": kind, "file": self.evidence} for kind in ("id_card", "photo", "training")]
        return now.owner, {
            "scheme": "curator",
            "national_id": f"357801{place + 11}0590{place + 1:04d}",
            "education": "S1 Manajemen",
            "occupation": "Pemasar produk UMKM",
            "clusters": [CANDIDATES[place][1]],
            "proofs": proofs,
        }

    def admin_check(self, now: Situation) -> Said:
        """Find the application complete."""
        return "lia", {"decision": "accept"}

    def self_assessment(self, now: Situation) -> Said:
        """Claim every unit, with evidence."""
        rows = [{"code": code, "claim": "competent", "evidence": self.evidence} for code in self._all_units()]
        return now.owner, {"units": rows}

    def schedule(self, now: Situation) -> Said:
        """Schedule the test two weeks ahead, on a weekday."""
        day = self.office.clock.today() + timedelta(days=14 if not now.again else 45)
        while day.weekday() > 4:
            day += timedelta(days=1)
        return "lia", {
            "test_site": "TUK Surabaya",
            "test_date": day.isoformat(),
            "assessor": "asih" if int(now.serial) % 2 else "wahyu",
            "met_number": f"MET.000.00477{0 if int(now.serial) % 2 else 1} {self._certified_in()}",
            "funding": "apbd",
            "fee_rupiah": 0,
        }

    def assessment_review(self, now: Situation) -> Said:
        """Review FR.APL.02."""
        if now.path == "not ready":
            reason = "Ikuti pelatihan pengemasan ekspor lebih dahulu"
            return self._assessor(now), {"decision": "not_continue", "reason": reason}
        return self._assessor(now), {"decision": "continue"}

    def plan(self, now: Situation) -> Said:
        """Plan with observation and oral questions."""
        rows = [{"code": code, "instruments": ["FR.IA.01", "FR.IA.07"]} for code in self._units(now)]
        return self._assessor(now), {"context": "Uji di TUK dengan produk nyata", "units": rows}

    def agreement(self, now: Situation) -> Said:
        """Sign FR.AK.01 with the own code."""
        return now.owner, {"agrees": True, "keeps_secret": True, "own_code": self.own_code(now.owner)}

    def assessor_agreement(self, now: Situation) -> Said:
        """Sign FR.AK.01 as the assessor."""
        return self._assessor(now), {"explained": True, "impartial": True}

    def test_record(self, now: Situation) -> Said:
        """Hold the test on its day."""
        test_date = self._test_date(now.number)
        if self.office.clock.today() < test_date:
            return LATER
        units = self._units(now)
        records = [{"instrument": "FR.IA.01", "units": units, "finding": "Sesuai standar", "file": self.evidence}]
        return self._assessor(now), {"decision": "held", "tested_on": test_date.isoformat(), "records": records}

    def assessment_record(self, now: Situation) -> Said:
        """Record K or BK unit by unit."""
        failed = now.path == "retest" and not now.again
        good = {"result": "competent", "valid": True, "authentic": True, "current": True, "sufficient": True}
        bad = {"result": "not_yet_competent", "note": "Berlatih menilai kemasan, lalu uji ulang"}
        units = self._units(now)
        rows = [{"code": code, **(bad if failed and code == units[0] else good)} for code in units]
        return self._assessor(now), {"decision": "not_yet_competent" if failed else "competent", "units": rows}

    def feedback(self, now: Situation) -> Said:
        """Fill in FR.AK.03."""
        return now.owner, {"explained": True, "fair": True, "told_result": True}

    def assessment_report(self, now: Situation) -> Said:
        """Write FR.AK.05 and FR.AK.06."""
        return self._assessor(now), {"positive": "Asesi siap dan teliti", "followed_principles": True}

    def result_response(self, now: Situation) -> Said:
        """Accept the result."""
        return now.owner, {"decision": "accept"}

    def plenary_seats(self, now: Situation) -> Said:
        """Seat three who did not assess."""
        return "lia", {"members": list(PLENARY)}

    def plenary_vote(self, now: Situation) -> Said:
        """Vote as the record says; the first round of a retest is BK."""
        if now.path == "retest" and int(now.key.split("#")[1]) <= len(PLENARY):
            unit = self._all_units()[:1]
            return now.holder or "", {"decision": "not_yet_competent", "units": unit, "reason": "Unit belum kompeten"}
        return now.holder or "", {"decision": "competent"}

    def retest(self, now: Situation) -> Said:
        """Try again."""
        return now.owner, {"decision": "retest"}

    def certificate_blank(self, now: Situation) -> Said:
        """Record BNSP's numbers: made up here, like their file."""
        year = self.today[:4]
        return "lia", {
            "source": "SI-LSP BNSP",
            "evidence": self.evidence,
            "certificate_number": f"74100 2431 6 {int(now.serial):07d} {year}",
            "registration_number": f"KUR.0001.{int(now.serial):05d} {year}",
            "issued_on": self.today,
        }

    def _assessor(self, now: Situation) -> str:
        return now.holder or ""

    def _units(self, now: Situation) -> list[str]:
        return self._all_units()[:1] if now.path == "retest" and now.again else self._all_units()

    def _all_units(self) -> list[str]:
        schemes = pipeline_named("lsp-competency-test").rules.at("schemes", self.office.clock.today())
        return [unit["code"] for unit in schemes.value["curator"]["units"]]

    def _certified_in(self) -> int:
        return (self.started - timedelta(days=200)).year

    def _test_date(self, number: str) -> date:
        """Return the day for which the seat of that case is taken."""
        return max(date.fromordinal(row.subject_id) for row in self.standings(number, "lsp_seat"))


def certified(office: Office, script: CompetencyScript) -> dict[str, Any]:
    """Give the certified candidates' accounts the role of a curator, for today's assignments on."""
    passed = {}
    for number in script.path:
        for standing in script.standings(number, "curator"):
            account = f"owner-{standing.subject_id}"
            add_user(office, account, ["curator"])
            passed[account] = standing.reference
    return passed
