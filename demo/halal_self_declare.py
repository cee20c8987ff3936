"""Answers of the demo's owners, companions and officers on the self-declare path."""

from __future__ import annotations

from typing import Any

from demo.script import Said, Script, Situation

CASSAVA = {"name": "Singkong", "source": "petani setempat", "exempt": True}
OIL = {"name": "Minyak goreng", "source": "merek Contoh", "certificate": "ID00410000088320221"}
CRISPS = {"name": "Keripik singkong", "ingredients": [CASSAVA, OIL]}
PORK = {"name": "Abon babi", "ingredients": [{"name": "Daging babi", "source": "pasar"}]}


class HalalScript(Script):
    """The script of the self-declare path: about every third case ends without a certificate."""

    of = 20
    paths = {
        1: "larger",
        3: "pork",
        5: "unproved",
        7: "silent",
        9: "no slot",
        11: "seen otherwise",
        13: "not halal",
        15: "withdrawn",
        17: "returned",
    }
    withdrawn_at = "visit"

    def application(self, now: Situation) -> Said:
        """Fill in products, ingredients and process, with the pledge."""
        if now.path == "silent":
            return None
        sugar = {"name": "Gula aren", "source": "pasar"}
        products = {"pork": [PORK], "unproved": [{"name": "Keripik manis", "ingredients": [CASSAVA, sugar]}]}
        return "budi", {
            "nib_scale": "medium" if now.path == "larger" else "micro",
            "annual_sales_rupiah": 300_000_000,
            "kind": "packaged",
            "products": products.get(now.path, [CRISPS]),
            "process": "singkong dikupas, diiris, digoreng, dikemas",
            "technology": "manual",
            "preservation": ["pengeringan"],
            "production_places": [f"rumah pemilik ({now.owner}), alamat sesuai NIB"],
            "apart_from_non_halal": True,
            "photo": self.evidence,
            "pledge": True,
            "paper": self.evidence,
        }

    def doubt(self, now: Situation) -> Said:
        """Confirm the doubt that the list of words raised."""
        return "tuti", {"decision": "confirmed", "reason": "pemilik membenarkan: daging babi"}

    def correction(self, now: Situation) -> Said:
        """Put right the deficiencies."""
        products = {"products": [CRISPS]} if now.path == "unproved" else {}
        return now.owner, {**products, "note": "Sudah saya perbaiki, terima kasih."}

    def facilitation(self, now: Situation) -> Said:
        """Give a place in the programme."""
        if now.path == "no slot":
            decision = "refused" if now.again else "waiting_list"
            return "budi", {"decision": decision, "reason": "kuota program tahun ini habis"}
        return "budi", {"decision": "granted", "programme": "APBD 2026", "companion_body": "LP3H Contoh"}

    def visit(self, now: Situation) -> Said:
        """Report the companion's visit."""
        seen = [
            {"what": name, "halal": True, "remark": "sesuai, diperiksa di tempat"}
            for name in ("Singkong", "Minyak goreng")
        ]
        more: dict[str, Any] = {"decision": "recommend"}
        if now.path == "seen otherwise":
            more = {"decision": "not_eligible", "reason": "memakai mesin pengolah otomatis penuh"}
        return "ani", {
            "visited_on": self.today,
            "companion_number": "P3H-35-000417",
            "companion_valid_until": f"{int(self.today[:4]) + 1}-12-31",
            "independent": True,
            "at_nib_address": True,
            "ingredients": seen,
            "process": [{"what": "menggoreng", "halal": True, "remark": "wajan khusus"}],
            "evidence": self.evidence,
            **more,
        }

    def body_check(self, now: Situation) -> Said:
        """Record LP3H's decision about the report."""
        if now.path == "returned" and not now.again:
            return self._recorded({"decision": "return", "deficiencies": ["Foto proses belum ada"]})
        return self._recorded({"decision": "forward"})

    def receipt_letter(self, now: Situation) -> Said:
        """Record BPJPH's receipt."""
        return self._recorded({"decision": "issued", "number": f"STTD-{self.today[:4]}-{now.serial}"})

    def fatwa(self, now: Situation) -> Said:
        """Record the fatwa committee's decision."""
        if now.path == "not halal":
            return self._recorded({"decision": "not_halal", "reason": "sumber bahan tidak dapat dipastikan"})
        return self._recorded({"decision": "halal", "fatwa_number": f"KH-{self.today[:4]}/{now.serial}"})

    def certificate_record(self, now: Situation) -> Said:
        """Record the number of BPJPH's certificate: made up here, like its file."""
        month = self.today[5:7] + self.today[2:4]
        number = f"ID3511{now.serial:0>9}{month}"
        words = {"number": number, "issued_on": self.today, "source": "laman SiHalal", "evidence": self.evidence}
        return "tuti", words

    def _recorded(self, words: dict[str, Any]) -> Said:
        return "budi", {"source": "laman SiHalal", "evidence": self.evidence, **words}
