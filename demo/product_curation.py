"""Answers of the demo's owners, curators, panel and export center: from product to export."""

from __future__ import annotations

from demo.script import Said, Script, Situation
from flows.product_curation.rubric import Aspect


class CurationScript(Script):
    """The script of a curation: most cases end in an export.

    Others stay at home, come back repaired, or do not pass.
    """

    of = 12
    paths = {1: "repaired", 3: "local", 5: "third curator", 7: "not passed", 9: "returned", 11: "withdrawn"}
    withdrawn_at = "screening"

    def application(self, now: Situation) -> Said:
        """Hand the product in; NIB and halal certificate stand in the books."""
        return "budi", {
            "photo": self.evidence,
            "packaged": True,
            "home_industry_number": "206350801000128",
            "food_paper": self.evidence,
            "price": "18500",
            "currency": "IDR",
            "capacity": 5000,
            "unit": "bungkus",
            "packaging": "Aluminium foil 200 g, label dua bahasa",
            "brand": "Rasa Jatim",
            "brand_number": f"IDM{now.serial:0>9}",
            "ingredients": ["singkong", "minyak goreng", "garam"],
            "paper": self.evidence,
        }

    def screening(self, now: Situation) -> Said:
        """Find papers and sample in order."""
        return "budi", {"decision": "accept"}

    def score(self, now: Situation) -> Said:
        """Score blind: 88 and more is grade A."""
        turn = int(now.key.split("#")[1])
        points = 86 + int(now.serial) % 7 + turn % 2
        if now.path == "local":
            points = 62
        if now.path == "not passed":
            points = 41
        if now.path == "repaired" and turn <= 2:
            points = 66
        if now.path == "third curator":
            points = {1: 68, 2: 92}.get(turn, 87)
        marks = [{"aspect": aspect, "score": points, "remark": REMARKS[aspect]} for aspect in Aspect]
        return now.holder or "", {"decision": "scored", "marks": marks}

    def panel_decision(self, now: Situation) -> Said:
        """Decide by the scores."""
        if now.path == "not passed":
            return "lina", {"decision": "reject", "reason": "Mutu tidak seragam dan label belum lengkap"}
        if now.path == "repaired" and not now.again:
            return "lina", {"decision": "return", "notes": ["Cantumkan berat bersih dan tanggal kedaluwarsa"]}
        return "lina", {"decision": "pass", "grade": "C" if now.path == "local" else "A"}

    def repair(self, now: Situation) -> Said:
        """Mend the faults in the notes."""
        return now.owner, {"done": "Label baru dengan berat bersih dan tanggal", "photo": self.evidence}

    def appeal(self, now: Situation) -> Said:
        """Accept the decision."""
        return now.owner, {"decision": "accept"}

    def export_data(self, now: Situation) -> Said:
        """Give the data for a buyer abroad."""
        return now.owner, {
            "decision": "provide",
            "unit": "packs of 200 g",
            "hs_code": "2008.99.90",
            "fob_price": "2.40",
            "currency": "USD",
            "capacity": 4000,
            "minimum_order": 500,
            "lead_time_days": 21,
            "packaging": "24 packs of 200 g a carton, 480 cartons a 20-foot container",
            "destination": "SG",
            "catalogue": "Made in small batches in East Java from what grows nearby, by a family that has sold it on the "
            "local market for years. Halal certified, no preservatives, shelf life nine months.",
            "nutrition": self.evidence,
            "lab_test": self.evidence,
            "brand_certificate": self.evidence,
        }

    def quality_control(self, now: Situation) -> Said:
        """Confirm the batch; of every other product the first record is not enough."""
        if int(now.serial) % 2 and not now.again:
            return "tuti", {"decision": "not_confirmed", "findings": ["Kadar air batch belum dicatat"]}
        batch = f"B-{self.today[2:4]}{now.serial}"
        return "tuti", {"decision": "confirmed", "batch": batch, "checked_on": self.today, "record": self.evidence}

    def center_answer(self, now: Situation) -> Said:
        """Record the export center's answer."""
        if now.path == "returned":
            finding = {"finding": "Kemasan luar belum tahan pengiriman laut", "grade_found": "B"}
            return self._recorded({"decision": "return", **finding})
        return self._recorded({"decision": "accept"})

    def return_ruling(self, now: Situation) -> Said:
        """End the hand-over that came back twice."""
        return "budi", {"decision": "end", "reason": "Pemilik mengganti kemasan luar dahulu"}

    def buyer_match(self, now: Situation) -> Said:
        """Record the buyer."""
        buyer = {"buyer": "Contoh Trading Pte Ltd", "country": "SG", "evidence": self.evidence}
        return "budi", {"decision": "contract", **buyer}

    def realisation(self, now: Situation) -> Said:
        """Report the export; some have nothing to report yet."""
        if int(now.serial) % 3 == 0:
            return None
        return now.owner, {
            "country": "SG",
            "usd": f"{1200 + 10 * int(now.serial)}.00",
            "quantity": 500,
            "unit": "bungkus",
            "declaration_number": f"PEB-{now.serial}",
            "declared_on": self.today,
            "declaration": self.evidence,
        }

    def _recorded(self, words: dict[str, object]) -> Said:
        return "budi", {"source": "Surat Export Center Surabaya", "evidence": self.evidence, **words}


REMARKS = {
    Aspect.BUSINESS_LEGALITY: "NIB dan pernyataan lengkap",
    Aspect.PRODUCT_LEGALITY: "P-IRT dan halal berlaku",
    Aspect.QUALITY: "Renyah, warna seragam",
    Aspect.PACKAGING: "Kemasan rapat, label terbaca",
    Aspect.CAPACITY: "Kapasitas tetap sepanjang tahun",
    Aspect.PRICE: "Harga bersaing",
    Aspect.NETWORK: "Sudah masuk toko modern",
    Aspect.UNIQUENESS: "Resep keluarga",
}
