"""The words in which stories of NIB legalization are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest

from engine.deadlines.clock import TurnedClock
from engine.runtime.office import Office
from tests.people import EVIDENCE, hire_staff, register_business
from tests.stories.story import Story, hold_to_its_word

NIB = "9120304567812"
OWNER = "owner-1"


class NibStory(Story):
    """A business on its way to a NIB."""

    def dossier(self, decision: str = "complete", **more: Any) -> Self:
        """An officer decides about the dossier."""
        return self.answers("budi", self._next("dossier_check"), decision=decision, **more)

    def corrects(self, **fields: Any) -> Self:
        """The owner puts something right."""
        return self.answers(OWNER, self._next("correction"), **fields)

    def classified(self, risk: str = "R", decision: str = "proceed", **more: Any) -> Self:
        """A companion settles code and risk."""
        data = {"decision": decision, "industry_code": "10794", "risk_level": risk, **more}
        return self.answers("ani", "classification#1", **data)

    def signs_on_paper(self) -> Self:
        """The owner signs on paper; an officer scans it."""
        words = {"decision": "sign", "k3l": True, "spatial": True, "sppl": True, "paper": EVIDENCE}
        return self.answers("budi", "statement#1", **words)

    def filed(self, decision: str = "issued", **more: Any) -> Self:
        """An officer files at OSS by hand and types what it answered."""
        data: dict[str, Any] = {"decision": decision, "source": "oss.go.id", **more}
        if decision != "refused":
            data = {"nib": NIB, "holder_name": "Sri Purnomo", "evidence": EVIDENCE, "issued_on": "2026-01-14", **data}
        return self.answers("budi", self._next("oss_filing"), **data)

    def recorded(self, decision: str = "match", by: str = "tuti", **more: Any) -> Self:
        """A second officer compares the NIB with the dossier."""
        return self.answers(by, self._next("nib_record"), decision=decision, **more)

    def verified(self, decision: str = "approve", **more: Any) -> Self:
        """An officer records what DPMPTSP decided."""
        data = {"decision": decision, "source": "surat DPMPTSP 503/12/2026", "evidence": EVIDENCE, **more}
        return self.answers("budi", self._next("verification"), **data)

    def to_statement(self, risk: str = "R") -> Self:
        """Take the usual way up to the statement."""
        return self.dossier().classified(risk)

    def to_verification(self) -> Self:
        """Take the usual way of a medium-high risk up to DPMPTSP."""
        return self.to_statement("MT").signs_on_paper().filed().recorded()

    def _next(self, question: str) -> str:
        keys = [key for key in self.waits_for if key.split("#")[0] == question]
        return keys[0] if keys else f"{question}#1"


@pytest.fixture
def nib(office: Office, clock: TurnedClock, request: pytest.FixtureRequest) -> Iterator[Callable[..., NibStory]]:
    """Begin stories: ``nib()`` or ``nib(region_code="3201")``; afterwards each is held to what its mark says it tells."""
    stories: list[NibStory] = []

    def begin(**changes: Any) -> NibStory:
        if not stories:
            hire_staff(office)
        business = register_business(office, **changes)
        stories.append(NibStory(office, clock, "nib-legalization", business))
        return stories[-1]

    yield begin
    hold_to_its_word(request, stories)
