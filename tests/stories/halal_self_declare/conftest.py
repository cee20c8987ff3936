"""The words in which stories of the self-declare path are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import Any, Self

import pytest

from engine.deadlines.clock import JAKARTA, TurnedClock
from engine.people.accounts import add_user
from engine.runtime.office import Office
from tests.people import EVIDENCE, hire_staff, register_business
from tests.stories.story import Story, hold_to_its_word

NIB = "9120304567812"
NUMBER = "ID35110001325901022"
CASSAVA = {"name": "Singkong", "source": "petani setempat", "exempt": True}
OIL = {"name": "Minyak goreng", "source": "merek Contoh", "certificate": "ID00410000088320221"}
APPLICATION: dict[str, Any] = {
    "nib": NIB,
    "nib_scale": "micro",
    "annual_sales_rupiah": 300_000_000,
    "kind": "packaged",
    "products": [{"name": "Keripik singkong", "ingredients": [CASSAVA, OIL]}],
    "process": "singkong dikupas, diiris, digoreng, dikemas",
    "technology": "manual",
    "preservation": ["pengeringan"],
    "production_places": ["Jl. Santoso No. 179, Lumajang"],
    "outlets": ["Jl. Santoso No. 179, Lumajang"],
    "apart_from_non_halal": True,
    "photo": EVIDENCE,
    "pledge": True,
}
VISIT: dict[str, Any] = {
    "decision": "recommend",
    "visited_on": "2026-01-15",
    "companion_number": "P3H-35-000417",
    "companion_valid_until": "2027-12-31",
    "independent": True,
    "at_nib_address": True,
    "ingredients": [
        {"what": "singkong", "halal": True, "remark": "dari petani setempat"},
        {"what": "Minyak goreng", "halal": True, "remark": "kemasan diperiksa"},
    ],
    "process": [{"what": "menggoreng", "halal": True, "remark": "wajan khusus"}],
    "evidence": EVIDENCE,
}
OUTSIDE = {"source": "laman SiHalal", "evidence": EVIDENCE}


class HalalStory(Story):
    """A business on its way to a halal certificate by self-declaration."""

    def submits(self, **changes: Any) -> Self:
        """The owner fills in the application and the pledge on paper; an officer scans it."""
        return self.answers("budi", "application#1", **APPLICATION | {"paper": EVIDENCE} | changes)

    def corrects(self, **fields: Any) -> Self:
        """The owner puts something right."""
        return self.answers(self.case_owner, self._next("correction"), **fields)

    def doubted(self, decision: str = "confirmed") -> Self:
        """An officer looks at what a list of words found."""
        return self.answers("budi", self._next("doubt"), decision=decision, reason="ditanyakan kepada pemohon")

    def gets(self, decision: str = "granted", **more: Any) -> Self:
        """An officer decides about a place in a programme."""
        words = {"programme": "SEHATI 2026", "companion_body": "LP3H Contoh"} if decision == "granted" else {}
        return self.answers("budi", self._next("facilitation"), **words | {"decision": decision} | more)

    def visited(self, decision: str = "recommend", by: str = "ani", **more: Any) -> Self:
        """A companion reports a visit."""
        return self.answers(by, self._next("visit"), **VISIT | {"decision": decision} | more)

    def forwarded(self, decision: str = "forward", by: str = "budi", **more: Any) -> Self:
        """An officer records what LP3H decided."""
        return self.answers(by, self._next("body_check"), decision=decision, **OUTSIDE, **more)

    def received(self, decision: str = "issued", **more: Any) -> Self:
        """An officer records BPJPH's receipt."""
        words = {"number": "STTD-2026-0098123"} if decision == "issued" else {}
        return self.answers("budi", self._next("receipt_letter"), **OUTSIDE | words | {"decision": decision} | more)

    def judged(self, decision: str = "halal", by: str = "budi", **more: Any) -> Self:
        """An officer records the fatwa."""
        words = {"fatwa_number": "KH-2026/01/004211"} if decision == "halal" else {}
        return self.answers(by, self._next("fatwa"), **OUTSIDE | words | {"decision": decision} | more)

    def certificate(self, **changes: Any) -> Self:
        """An officer records the certificate."""
        words = {"number": NUMBER, "issued_on": "2026-01-22", **OUTSIDE}
        return self.answers("tuti", "certificate_record#1", **words | changes)

    def to_visit(self, **changes: Any) -> Self:
        """Take the usual way up to the companion's visit."""
        return self.submits(**changes).gets()

    def to_fatwa(self) -> Self:
        """Take the usual way up to the committee."""
        return self.to_visit().visited().forwarded().received()

    @property
    def case_owner(self) -> str:
        """Return the account of the owner."""
        return f"owner-{self.case.person_id}"

    def _next(self, question: str) -> str:
        keys = [key for key in self.waits_for if key.split("#")[0] == question]
        return keys[0] if keys else f"{question}#1"


@pytest.fixture
def halal(office: Office, clock: TurnedClock, request: pytest.FixtureRequest) -> Iterator[Callable[..., HalalStory]]:
    """Begin stories: ``halal()`` or ``halal(on="2025-06-02")``, or of a ``business`` that is there; each is held to its word."""
    stories: list[HalalStory] = []

    def begin(*, on: str | None = None, business: int | None = None, **changes: Any) -> HalalStory:
        if on:
            clock.moment = datetime.combine(date.fromisoformat(on), time(9), JAKARTA)
        if not stories:
            hire_staff(office)
            add_user(office, "wati", ["companion", "officer"])
        subject = business or register_business(office, **changes)
        stories.append(HalalStory(office, clock, "halal-self-declare", subject))
        return stories[-1]

    yield begin
    hold_to_its_word(request, stories)
