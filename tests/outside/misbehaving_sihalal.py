"""The SiHalal of `misbehaving`: it gives a receipt (STTD) to each application, and a certificate where a test says so."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.outside.misbehaving import PAPER, MisbehavingOffice, Said

SH, KH = "ID35110001325901022", "KH-2026/01/004211"


@dataclass(frozen=True)
class Received:
    """One receipt that the server gave."""

    reference: str
    national_id: str
    name: str
    number: str


@dataclass
class MisbehavingSiHalal(MisbehavingOffice[Received]):
    """The server."""

    address = "/sihalal"
    certificates: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def register(self, national_id: str, name: str, number: str = "STTD-2026-0117") -> str:
        """Let the owner have an application that was not handed in by us."""
        self.taken.append(Received("", national_id, name, number))
        return number

    def certify(self, receipt_number: str, number: str = SH, kh_number: str = KH) -> None:
        """Issue a certificate."""
        self.certificates.setdefault(receipt_number, []).append((number, kh_number))

    def take(self, asked: Said) -> Received:
        """Give a receipt."""
        number = f"STTD-2026-{len(self.taken) + 1:07d}"
        return Received(asked["reference"], asked["owner"]["national_id"], asked["owner"]["name"].upper(), number)

    def registration(self, one: Received) -> Said:
        """Return a receipt with its holder."""
        return {"receipt_number": one.number, **self._held(one)}

    def search(self, asked: Said, path: str) -> Said:
        """Return the receipts of a person, or the certificates of a receipt."""
        theirs = [one for one in self.taken if one.national_id == asked["national_id"]]
        if "/receipts/" in path:
            return {"receipts": [self.registration(one) for one in theirs]}
        return {
            "certificates": [
                {"certificate_number": sh, "kh_number": kh, **self.registration(one)}
                for one in theirs
                for sh, kh in self.certificates.get(one.number, [])
                if one.number == asked["receipt_number"]
            ]
        }

    def bad_number(self, held: Said) -> None:
        """Give the number of the fatwa where the certificate's belongs, and no number where a receipt's does."""
        if "certificate_number" in held:
            held["certificate_number"] = held["kh_number"]
        else:
            held["receipt_number"] = " "

    def _held(self, one: Received) -> Said:
        return {
            "issued_on": self.today.isoformat(),
            "holder": {"national_id": one.national_id, "name": one.name},
            **PAPER,
        }
