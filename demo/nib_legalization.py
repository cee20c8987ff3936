"""Answers of the demo's officers and owners on the way to a NIB."""

from __future__ import annotations

from demo.script import Said, Script, Situation


class NibScript(Script):
    """The script of a NIB: ten detours; the other cases go straight to their certificate."""

    of = 25
    paths = {
        1: "mended",
        3: "never mended",
        5: "rejected",
        7: "rerouted",
        9: "never signed",
        11: "declined",
        13: "withdrawn",
        15: "had a NIB meanwhile",
        17: "verified",
        19: "refused by DPMPTSP",
        21: "OSS refused first",
    }
    withdrawn_at = "classification"

    def dossier_check(self, now: Situation) -> Said:
        """Return the dossier for fixing, reject it, or find it complete."""
        if now.path in ("mended", "never mended") and not now.again:
            return "budi", {"decision": "return", "deficiencies": ["Alamat usaha belum lengkap", "Foto KTP buram"]}
        if now.path == "rejected":
            return "budi", {"decision": "reject", "reason": "Usaha tidak ditemukan di alamat yang ditulis"}
        return "budi", {"decision": "complete"}

    def correction(self, now: Situation) -> Said:
        """Complete the dossier; or say nothing."""
        return None if now.path == "never mended" else (now.owner, {"note": "Sudah saya lengkapi, terima kasih."})

    def classification(self, now: Situation) -> Said:
        """Settle industry code and risk level, or reroute the owner."""
        if now.path == "rerouted":
            reason = "Usaha ini perlu nomor kontrol veteriner lebih dahulu"
            said = {"decision": "reroute", "industry_code": "10110", "risk_level": "T"}
            return "ani", {**said, "agency": "Dinas Peternakan", "reason": reason}
        risk = "MT" if now.path in ("verified", "refused by DPMPTSP") else "MR"
        return "ani", {"decision": "proceed", "industry_code": "10710", "risk_level": risk}

    def statement(self, now: Situation) -> Said:
        """Sign the statements, decline them, or say nothing."""
        if now.path == "never signed":
            return None
        if now.path == "declined":
            return "budi", {"decision": "decline", "paper": self.evidence, "reason": "Belum siap berusaha"}
        signed = {"decision": "sign", "k3l": True, "spatial": True, "sppl": True}
        if now.path == "mended":  # with the owner's own code; the others sign on paper
            return now.owner, {**signed, "own_code": self.own_code(now.owner)}
        return "budi", {**signed, "paper": self.evidence}

    def oss_filing(self, now: Situation) -> Said:
        """Record the answer of OSS: a NIB, one that was there, or a refusal."""
        if now.path == "OSS refused first" and not now.again:
            return "budi", {"decision": "refused", "reason": "Nama tidak sesuai KTP", "source": "oss.go.id"}
        decision = "already_registered" if now.path == "had a NIB meanwhile" else "issued"
        nib = f"91203{now.serial:0>8}"
        said = {
            "decision": decision,
            "nib": nib,
            "holder_name": now.name,
            "evidence": self.evidence,
            "issued_on": self.today,
        }
        return "budi", {**said, "source": "oss.go.id"}

    def nib_record(self, now: Situation) -> Said:
        """Find that the NIB matches the dossier."""
        return "tuti", {"decision": "match"}

    def verification(self, now: Situation) -> Said:
        """Record DPMPTSP's decision."""
        said = {"source": "Surat DPMPTSP 503/117/2026", "evidence": self.evidence}
        if now.path == "refused by DPMPTSP":
            return "budi", {**said, "decision": "reject", "reason": "Lokasi tidak sesuai tata ruang"}
        return "budi", {**said, "decision": "approve"}
