"""Answers of the demo's owners and officers on the regular path.

Its cases come from the self-declare path.
"""

from __future__ import annotations

from typing import Any

from demo.script import Said, Script, Situation


class RegularScript(Script):
    """The script of the regular path: the owner adds to the facts from the other path."""

    of = 6
    paths = {1: "findings", 3: "not halal", 5: "unpaid"}

    def application(self, now: Situation) -> Said:
        """Name the halal supervisor and attach the manual; products and ingredients are prefilled."""
        supervisor = {
            "name": "Siti Aminah",
            "national_id": f"3508164904{int(now.serial) % 90 + 10:02d}0102",
            "muslim": True,
            "appointed_by": f"SK/{now.serial}/2026",
        }
        return "budi", {
            "kind": "processed_food",
            "supervisor": supervisor,
            "manual": self.evidence,
            "office_pays": now.path == "findings",
            "paper": self.evidence,
        }

    def facilitation(self, now: Situation) -> Said:
        """Grant a slot of the office's quota, or refuse one."""
        if now.again:
            return "tuti", {"decision": "reject", "reason": "kuota tahun ini habis"}
        return "tuti", {"decision": "grant"}

    def own_cost(self, now: Situation) -> Said:
        """Go on at one's own cost."""
        return "budi", {"decision": "proceed", "paper": self.evidence}

    def document_check(self, now: Situation) -> Said:
        """Record that BPJPH took the documents."""
        return self._recorded({"decision": "approve"})

    def quote(self, now: Situation) -> Said:
        """Record the inspection body and its cost."""
        return self._recorded({"body": "LPPOM", "amount_rupiah": 350_000})

    def payment(self, now: Situation) -> Said:
        """Pay to the rupiah; or let the invoice lie."""
        if now.path == "unpaid":
            return None
        paid = {"amount_rupiah": 650_000, "paid_on": self.today, "proof": self.evidence}
        return "budi", {**paid, "paper": self.evidence}

    def office_payment(self, now: Situation) -> Said:
        """Let the office pay."""
        return "budi", {"amount_rupiah": 650_000, "paid_on": self.today, "proof": self.evidence}

    def document_receipt(self, now: Situation) -> Said:
        """Record BPJPH's receipt."""
        return self._recorded({"number": f"STTD-{self.today[:4]}-R{now.serial}", "issued_on": self.today})

    def audit(self, now: Situation) -> Said:
        """Record the audit; on one path with findings first."""
        audited = {"audited_on": self.today, "auditors": ["Rahmat Hidayat"], "production_running": True}
        if now.path == "findings" and not now.again:
            return self._recorded({**audited, "decision": "findings", "findings": ["Alat penggoreng belum terpisah"]})
        return self._recorded({**audited, "decision": "pass"})

    def corrective_action(self, now: Situation) -> Said:
        """Mend the findings."""
        return now.owner, {"actions": "Penggorengan baru, khusus untuk keripik", "proof": self.evidence}

    def fatwa(self, now: Situation) -> Said:
        """Record MUI's ruling."""
        if now.path == "not halal":
            return self._recorded({"decision": "not_halal", "reason": "sumber bahan tidak dapat dipastikan"}, by="tuti")
        return self._recorded({"decision": "halal", "kh_number": f"KH-{self.today[:4]}/R{now.serial}"}, by="tuti")

    def halal_certificate(self, now: Situation) -> Said:
        """Record the number of BPJPH's certificate: made up here, like its file."""
        month = self.today[5:7] + self.today[2:4]
        return self._recorded({"number": f"ID3512{now.serial:0>9}{month}", "issued_on": self.today})

    def _recorded(self, words: dict[str, Any], by: str = "budi") -> Said:
        return by, {"source": "laman SiHalal", "evidence": self.evidence, **words}
