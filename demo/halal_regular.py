"""How owners and officers of the demo answer on the regular path, for what the self-declare path handed on."""

from __future__ import annotations

from typing import Any

from demo.script import Said, Script, Situation


class RegularScript(Script):
    """The cases come with what was stated already; the owner adds what the regular path wants besides."""

    of = 6
    paths = {1: "findings", 3: "not halal", 5: "unpaid"}

    def application(self, now: Situation) -> Said:
        """Name the halal supervisor and attach the manual: products and ingredients stand in the form."""
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
        """Grant a slot of the office's quota; there is one, or there is not."""
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
        """Record the audit; findings first, on one path."""
        audited = {"audited_on": self.today, "auditors": ["Rahmat Hidayat"], "production_running": True}
        if now.path == "findings" and not now.again:
            return self._recorded({**audited, "decision": "findings", "findings": ["Alat penggoreng belum terpisah"]})
        return self._recorded({**audited, "decision": "pass"})

    def corrective_action(self, now: Situation) -> Said:
        """Mend what was found."""
        return now.owner, {"actions": "Penggorengan baru, khusus untuk keripik", "proof": self.evidence}

    def fatwa(self, now: Situation) -> Said:
        """Record what MUI ruled."""
        if now.path == "not halal":
            return self._recorded({"decision": "not_halal", "reason": "sumber bahan tidak dapat dipastikan"}, by="tuti")
        return self._recorded({"decision": "halal", "kh_number": f"KH-{self.today[:4]}/R{now.serial}"}, by="tuti")

    def halal_certificate(self, now: Situation) -> Said:
        """Record the number that stands on BPJPH's certificate: made up here, like its file."""
        month = self.today[5:7] + self.today[2:4]
        return self._recorded({"number": f"ID3512{now.serial:0>9}{month}", "issued_on": self.today})

    def _recorded(self, words: dict[str, Any], by: str = "budi") -> Said:
        return by, {"source": "laman SiHalal", "evidence": self.evidence, **words}
