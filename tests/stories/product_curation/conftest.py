"""The words in which stories of product curation are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import Any, Self

import pytest
from sqlmodel import select

from engine.deadlines.clock import JAKARTA, TurnedClock
from engine.errors import BadAnswer
from engine.people.accounts import add_user
from engine.runtime.office import Office
from flows.product_curation.rubric import Aspect
from models import Standing, Wait
from tests.people import EVIDENCE, hire_curator, hire_staff, register_business, register_product
from tests.stories.story import Story, hold_to_its_word

CURATORS = ("agus", "bayu", "citra", "dewi", "eko", "fitri")
NIB = "9120304567812"
APPLICATION: dict[str, Any] = {
    "photo": EVIDENCE,
    "nib": NIB,
    "nib_paper": EVIDENCE,
    "packaged": True,
    "home_industry_number": "2063508010123-29",
    "food_paper": EVIDENCE,
    "halal_number": "ID35110001325901022",
    "halal_paper": EVIDENCE,
    "price": "18500",
    "currency": "IDR",
    "capacity": 5000,
    "unit": "bungkus",
    "packaging": "Aluminium foil 200 g dengan label lengkap",
    "brand": "Sari Sri",
    "brand_number": "IDM000123456",
    "ingredients": ["singkong", "minyak goreng", "garam"],
}
EXPORT: dict[str, Any] = {
    "decision": "provide",
    "hs_code": "2008.99.90",
    "fob_price": "2.50",
    "currency": "USD",
    "capacity": 4000,
    "minimum_order": 500,
    "unit": "packs",
    "lead_time_days": 21,
    "packaging": "24 bungkus tiap karton 5,6 kg",
    "destination": "SG",
    "catalogue": "Thin cassava chips from the slopes of Mount Semeru, fried in small batches.",
    "nutrition": EVIDENCE,
    "lab_test": EVIDENCE,
}
QUALITY: dict[str, Any] = {
    "decision": "confirmed",
    "batch": "B-2026-01",
    "checked_on": "2026-01-30",
    "record": EVIDENCE,
}
OUTSIDE = {"source": "Surat ECS 12/2026", "evidence": EVIDENCE}
REALISED: dict[str, Any] = {
    "country": "SG",
    "usd": "1250.00",
    "quantity": 500,
    "unit": "bungkus",
    "declaration_number": "PEB-000123",
    "declared_on": "2026-03-20",
    "declaration": EVIDENCE,
}


def marks(score: int) -> list[dict[str, Any]]:
    """Return the same score for every aspect, with a remark."""
    return [{"aspect": aspect, "score": score, "remark": f"catatan tentang {aspect}"} for aspect in Aspect]


class CurationStory(Story):
    """A product on its way to a grade and to an export."""

    def applies(self, **changes: Any) -> Self:
        """The owner hands the application in on paper; an officer scans it."""
        return self.answers("budi", "application#1", **APPLICATION | {"paper": EVIDENCE} | changes)

    def owner_says(self, question: str, **data: Any) -> Self:
        """The owner answers."""
        return self.answers(f"owner-{self.case.person_id}", self._next(question), **data)

    def screened(self, decision: str = "accept", **more: Any) -> Self:
        """An officer looks at papers, photo and sample."""
        return self.answers("budi", self._next("screening"), decision=decision, **more)

    def scored(self, *scores: int | None) -> Self:
        """Each curator who is asked scores, in the order of the questions; None: that one declares a conflict."""
        for (key, holder), score in zip(sorted(self.holders("score").items()), scores, strict=True):
            data = {"decision": "scored", "marks": marks(score or 0)}
            conflict = {"decision": "conflict", "reason": "satu asosiasi dengan pemilik"}
            self.answers(holder, key, **(conflict if score is None else data))
        return self

    def ruled(self, decision: str = "pass", by: str = "lina", **more: Any) -> Self:
        """The chair of the panel decides."""
        words: dict[str, Any] = {
            "pass": {"grade": "A"},
            "return": {"notes": ["cantumkan berat bersih"]},
            "reject": {"reason": "mutu tidak seragam"},
        }
        return self.answers(by, self._next("panel_decision"), **{"decision": decision} | words[decision] | more)

    def repairs(self) -> Self:
        """The owner repairs the product."""
        return self.owner_says("repair", done="label diganti", photo=EVIDENCE)

    def heard(self, decision: str) -> Self:
        """Every curator of the appeal panel decides alike."""
        for key, holder in self.holders("appeal_ruling").items():
            self.answers(holder, key, decision=decision, reason="diperiksa ulang dengan contoh")
        return self

    def offers(self, **changes: Any) -> Self:
        """The owner gives the export data."""
        return self.owner_says("export_data", **EXPORT | changes)

    def quality(self, **changes: Any) -> Self:
        """An officer looks at the batch's quality control."""
        return self.answers("budi", self._next("quality_control"), **QUALITY | changes)

    def center(self, decision: str = "accept", **more: Any) -> Self:
        """An officer records what the export center answers."""
        return self.answers("tuti", self._next("center_answer"), **OUTSIDE | {"decision": decision} | more)

    def matched(self, decision: str = "contract", **more: Any) -> Self:
        """An officer records what the matching led to."""
        data = {"buyer": "Contoh Trading Pte Ltd", "country": "SG", "evidence": EVIDENCE}
        return self.answers("tuti", self._next("buyer_match"), **data | {"decision": decision} | more)

    def to_scores(self, **changes: Any) -> Self:
        """Take the usual way up to the curators."""
        return self.applies(**changes).screened()

    def to_panel(self, *scores: int, **changes: Any) -> Self:
        """Take the usual way up to the panel."""
        return self.to_scores(**changes).scored(*(scores or (90, 88)))

    def to_center(self) -> Self:
        """Take the usual way up to the export center."""
        return self.to_panel().ruled().offers().quality()

    def holders(self, question: str) -> dict[str, str]:
        """Return who is asked that question now: key to account."""
        with self.office.db.reading() as session:
            wanted = select(Wait).where(Wait.case_id == self.case.id, Wait.question == question)
            return {wait.key: wait.holder or "" for wait in session.exec(wanted) if wait.settled_at is None}

    @property
    def note(self) -> str:
        """What is shown to whom is asked."""
        return str(self.shown()["waiting_for"][0]["note"])

    @property
    def standings(self) -> dict[str, str | None]:
        """What this case opened the way to."""
        with self.office.db.reading() as session:
            wanted = select(Standing).where(Standing.case_id == self.case.id)
            return {standing.what: standing.reference for standing in session.exec(wanted)}

    def _next(self, question: str) -> str:
        keys = [key for key in self.waits_for if key.split("#")[0] == question]
        return keys[0] if keys else f"{question}#1"


Begin = Callable[..., CurationStory]


def refused(act: Callable[[], object]) -> tuple[str, str]:
    """Return field and reason of the first fault for which an answer is refused."""
    with pytest.raises(BadAnswer) as caught:
        act()
    faults: Any = caught.value.parts["fields"]
    return faults[0]["field"], faults[0]["reason"]


@pytest.fixture
def product(office: Office, clock: TurnedClock, request: pytest.FixtureRequest) -> Iterator[Begin]:
    """Begin stories, with six curators of food; afterwards each is held to what its mark says it tells."""
    stories: list[CurationStory] = []

    def begin(
        name: str = "Keripik singkong",
        *,
        cluster: str = "makanan",
        curators: tuple[str, ...] = CURATORS,
        on: str | None = None,
        business: int | None = None,
        **changes: Any,
    ) -> CurationStory:
        if on:
            clock.moment = datetime.combine(date.fromisoformat(on), time(9), JAKARTA)
        if not stories:
            hire_staff(office)
            for chair in ("lina", "made"):
                add_user(office, chair, ["panel_chair"])
            for curator in curators:
                hire_curator(office, curator, cluster)
        subject = register_product(office, business or register_business(office, **changes), name, cluster)
        stories.append(CurationStory(office, clock, "product-curation", subject))
        return stories[-1]

    yield begin
    hold_to_its_word(request, stories)
