"""The BNSP of `misbehaving`: it gives a blank to each competent candidate of a request."""

from __future__ import annotations

from dataclasses import dataclass

from tests.outside.misbehaving import PAPER, MisbehavingOffice, Said


@dataclass(frozen=True)
class Printed:
    """The blanks of one request: NIK, name and serial of each."""

    reference: str
    blanks: tuple[tuple[str, str, int], ...]


@dataclass
class MisbehavingBnsp(MisbehavingOffice[Printed]):
    """The server."""

    address = "/bnsp"

    def take(self, asked: Said) -> Printed:
        """Give a serial to everybody who is competent."""
        last = sum(len(one.blanks) for one in self.taken)
        competent = [one for one in asked["candidates"] if one["competent"]]
        numbered = enumerate(competent, last + 1)
        return Printed(asked["reference"], tuple((one["national_id"], one["name"].upper(), n) for n, one in numbered))

    def registration(self, one: Printed) -> Said:
        """Return the numbers, one set a candidate."""
        return {
            "issued_on": self.today.isoformat(),
            "blanks": [
                {
                    "holder": {"national_id": national_id, "name": name},
                    "certificate_number": f"62019 2513 6 {serial:07d} {self.today.year}",
                    "registration_number": f"KUR.001.{serial:05d} {self.today.year}",
                }
                for national_id, name, serial in one.blanks
            ],
            **PAPER,
        }

    def held_in(self, registration: Said) -> Said:
        """Return the first blank."""
        return registration["blanks"][0] if registration else {}

    def bad_number(self, held: Said) -> None:
        """Give the registration number where the certificate's belongs."""
        held["certificate_number"] = held["registration_number"]
