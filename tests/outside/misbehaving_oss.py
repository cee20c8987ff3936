"""The OSS of `misbehaving`: it gives a NIB to each filing, and, unless it is forgetful, one NIB a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.outside.misbehaving import PAPER, PDF, MisbehavingOffice, Said
from tests.outside.moods import Mood

__all__ = ["PDF", "MisbehavingOss", "Mood", "Taken"]


@dataclass(frozen=True)
class Taken:
    """One NIB that the server gave."""

    reference: str
    national_id: str
    name: str
    nib: str


@dataclass
class MisbehavingOss(MisbehavingOffice[Taken]):
    """The server."""

    address = "/oss"

    def register(self, national_id: str, name: str, nib: str = "0203260000001") -> str:
        """Let the person hold a NIB that was not filed by us, as from years ago."""
        self.taken.append(Taken("", national_id, name, nib))
        return nib

    def nibs_of(self, national_id: str) -> set[str]:
        """All the NIBs that this person was given: more than one is a double filing."""
        return {one.nib for one in self.taken if one.national_id == national_id}

    def nibs_for(self, reference: str) -> set[str]:
        """All the NIBs given for this reference: more than one is a double filing."""
        return {one.nib for one in self.taken if one.reference == reference}

    def take(self, asked: Said) -> Taken:
        """Give a NIB."""
        nib = f"020326{len(self.taken) + 1:07d}"
        return Taken(asked["reference"], asked["national_id"], asked["owner_name"].upper(), nib)

    def refused_by_law(self, asked: Said) -> tuple[int, Said] | None:
        """Refuse who holds a NIB."""
        for one in self.taken:
            if one.national_id == asked["national_id"]:
                return 409, {"code": "already_registered", "registration": self.registration(one)}
        return None

    def registration(self, one: Taken) -> dict[str, Any]:
        """Return a NIB with its holder."""
        return {
            "nib": one.nib,
            "issued_on": self.today.isoformat(),
            "holder": {"national_id": one.national_id, "name": one.name},
            "region_code": "35.78",
            **PAPER,
        }

    def search(self, asked: Said, path: str) -> Said:
        """Return the NIBs of a person."""
        held = [self.registration(one) for one in self.taken if one.national_id == asked["national_id"]]
        return {"businesses": held}

    def bad_number(self, held: Said) -> None:
        """Give a NIB of 12 digits."""
        held["nib"] = held["nib"][:12]
