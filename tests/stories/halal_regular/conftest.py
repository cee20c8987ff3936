"""The words in which stories of the regular path are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest

from engine.deadlines.clock import TurnedClock
from engine.runtime.office import Office
from tests.people import EVIDENCE, hire_staff, register_business
from tests.stories.story import Story, hold_to_its_word

CERTIFICATE, KH = "ID35110001325901022", "KH-35-0117-2026"
SUPERVISOR = {"name": "Siti Aminah", "national_id": "3508164904500102", "muslim": True, "appointed_by": "SK/01/2026"}
CASSAVA = {"name": "Singkong", "source": "Pak Karno, Pasirian"}
CHICKEN = {"name": "Ayam", "source": "RPU Berkah", "animal": True}
NKV = {"slaughter_number": "NKV-3508-01", "slaughter_until": "2027-06-30", "slaughter_file": EVIDENCE}
APPLICATION: dict[str, Any] = {
    "decision": "submit",
    "nib": "9120304567812",
    "kind": "processed_food",
    "products": ["Keripik singkong"],
    "ingredients": [CASSAVA],
    "supervisor": SUPERVISOR,
    "manual": EVIDENCE,
}


class RegularStory(Story):
    """A business on its way to a halal certificate."""

    @property
    def owner(self) -> str:
        """The applicant's account."""
        return f"owner-{self.case.person_id}"

    def applies(self, by: str | None = None, **changes: Any) -> Self:
        """The owner hands in the application, with a halal supervisor of their own."""
        supervisor = {**SUPERVISOR, "national_id": f"350816490450{self.case.person_id:04d}"}
        data = {**APPLICATION, "supervisor": supervisor, **changes}
        return self.answers(by or self.owner, self._next("application"), **data)

    def facilitated(self, decision: str = "grant", by: str = "tuti", **more: Any) -> Self:
        """An officer decides whether the office pays."""
        return self.answers(by, self._next("facilitation"), decision=decision, **more)

    def chooses(self, decision: str = "proceed", **more: Any) -> Self:
        """The owner goes on at their own cost, or objects to the refusal to pay."""
        return self.answers(self.owner, self._next("own_cost"), decision=decision, **more)

    def checked(self, decision: str = "approve", **more: Any) -> Self:
        """BPJPH verified the documents."""
        return self._recorded("document_check", decision=decision, **more)

    def quoted(self, body: str = "LPPOM", amount: Any = 350_000) -> Self:
        """The inspection body entered its cost."""
        return self._recorded("quote", body=body, amount_rupiah=amount)

    def pays(self, amount: Any = 650_000, by_office: bool = False) -> Self:
        """The owner, or the office, pays."""
        key, by = ("office_payment", "budi") if by_office else ("payment", self.owner)
        return self.answers(by, self._next(key), amount_rupiah=amount, paid_on="2026-01-19", proof=EVIDENCE)

    def receipted(self) -> Self:
        """BPJPH issued its receipt of documents."""
        return self._recorded("document_receipt", number="STTD-2026-0117", issued_on="2026-01-20")

    def audited(self, decision: str = "pass", **more: Any) -> Self:
        """The inspection body audited."""
        data = {"audited_on": "2026-01-22", "auditors": ["Rahmat Hidayat"], "production_running": True}
        return self._recorded(
            "audit", decision=decision, **{**(data if decision in ("pass", "findings") else {}), **more}
        )

    def acts(self) -> Self:
        """The owner mends the findings."""
        return self.answers(
            self.owner, self._next("corrective_action"), actions="alat baru sudah dibeli", proof=EVIDENCE
        )

    def ruled(self, decision: str = "halal", by: str = "tuti", question: str = "fatwa", **more: Any) -> Self:
        """MUI, or the fatwa committee, ruled."""
        data = {"kh_number": KH} if decision == "halal" else {}
        return self._recorded(question, by=by, decision=decision, **{**data, **more})

    def certified(self, number: str = CERTIFICATE) -> Self:
        """BPJPH issued the certificate."""
        return self._recorded("halal_certificate", number=number, issued_on="2026-01-27")

    def to_quote(self, **changes: Any) -> Self:
        """Take the usual way up to the inspection body's cost."""
        return self.applies(**changes).checked()

    def to_audit(self, **changes: Any) -> Self:
        """Take the usual way up to the audit; the owner pays."""
        return self.to_quote(**changes).quoted().pays().receipted()

    def to_fatwa(self, **changes: Any) -> Self:
        """Take the usual way up to the fatwa."""
        return self.to_audit(**changes).audited()

    @property
    def note(self) -> str:
        """What is shown to whom is asked."""
        return str(self.shown()["waiting_for"][0]["note"])

    def _recorded(self, question: str, by: str = "budi", **data: Any) -> Self:
        return self.answers(by, self._next(question), source="SiHalal, 2026", evidence=EVIDENCE, **data)

    def _next(self, question: str) -> str:
        keys = [key for key in self.waits_for if key.split("#")[0] == question]
        return keys[0] if keys else f"{question}#1"


Begin = Callable[..., RegularStory]


@pytest.fixture
def halal(office: Office, clock: TurnedClock, request: pytest.FixtureRequest) -> Iterator[Begin]:
    """Begin stories; afterwards each is held to what its mark says it tells."""
    stories: list[RegularStory] = []

    def begin(**changes: Any) -> RegularStory:
        if not stories:
            hire_staff(office)
        business = register_business(office, **changes)
        stories.append(RegularStory(office, clock, "halal-regular", business))
        return stories[-1]

    yield begin
    hold_to_its_word(request, stories)
