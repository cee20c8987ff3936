"""The gateway for text messages of `misbehaving`: what it took is what reached a telephone."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.outside.misbehaving import MisbehavingOffice, Said


@dataclass(frozen=True)
class Texted:
    """One message that reached a telephone."""

    reference: str
    to: str
    text: str


@dataclass
class MisbehavingGateway(MisbehavingOffice[Texted]):
    """The server. ``nobody`` are numbers that it refuses at once, ``gone`` such as turn out later not to exist."""

    address = "/gateway"
    unknown = "no_such_message"
    named = "id"
    nobody: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)

    def take(self, asked: Said) -> Texted:
        """Send it."""
        return Texted(asked["id"], asked["to"], asked["text"])

    def told(self, one: Texted) -> Said:
        """Return what became of a message."""
        if one.to in self.gone:
            fault = {"field": "to", "text": f"{one.to} tidak terdaftar"}
            return {"id": one.reference, "status": "refused", "faults": [fault]}
        return {"id": one.reference, "status": "accepted"}

    def never_taken(self, asked: Said) -> tuple[int, Said] | None:
        """Return why this can't be sent."""
        if asked["to"] not in self.nobody:
            return None
        return 422, {"code": "refused", "faults": [{"field": "to", "text": f"{asked['to']} tidak terdaftar"}]}
