"""The words in which stories of the competency test are told, and the LSP's people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import count
from typing import Any, Self

import pytest

from engine.deadlines.clock import TurnedClock
from engine.errors import BadAnswer
from engine.people.accounts import add_user
from engine.people.persons import record_certificate
from engine.runtime.office import Office
from tests.people import EVIDENCE, hire_certified, hire_staff, register_person
from tests.stories.story import Story, hold_to_its_word

NIK = "3508166904956220"
UNITS = ("M.702090.001.01", "M.702090.002.01", "M.702090.003.01")
NUMBER = "62019 2513 6 0033443 2026"
ASSESSORS = ("asih", "bayu", "citra", "dimas", "endah")
PLENARY = ("fajar", "gita", "hana", "indra", "jaya")
APPLICATION: dict[str, Any] = {
    "scheme": "companion",
    "national_id": NIK,
    "education": "S1 Manajemen",
    "occupation": "Pendamping UMKM",
    "proofs": [{"kind": "id_card", "file": EVIDENCE}, {"kind": "photo", "file": EVIDENCE}],
}
SCHEDULE: dict[str, Any] = {
    "test_site": "TUK Surabaya",
    "test_date": "2026-01-20",
    "assessor": "asih",
    "met_number": "MET.000.004772 2024",
    "funding": "apbd",
    "fee_rupiah": 0,
}


class CompetencyStory(Story):
    """A candidate on the way to a certificate of competence."""

    @property
    def candidate(self) -> str:
        """The candidate's account."""
        return f"owner-{self.case.person_id}"

    @property
    def note(self) -> str:
        """What is shown to whom is asked."""
        return str(self.shown()["waiting_for"][0]["note"])

    def applies(self, by: str | None = None, **changes: Any) -> Self:
        """FR.APL.01."""
        return self._fills_in("application", by=by, **{**APPLICATION, **changes})

    def checked(self, decision: str = "accept", by: str = "lia", **more: Any) -> Self:
        """The LSP's officer looks at it."""
        return self.answers(by, self._next("admin_check"), decision=decision, **more)

    def claims(self, units: Sequence[str] = UNITS, **more: Any) -> Self:
        """FR.APL.02, each unit K with its evidence."""
        rows = [{"code": code, "claim": "competent", "evidence": EVIDENCE} for code in units]
        return self._fills_in("self_assessment", **{"units": rows, **more})

    def scheduled(self, **changes: Any) -> Self:
        """The officer schedules the test."""
        return self.answers("lia", self._next("schedule"), **{**SCHEDULE, **changes})

    def reviewed(self, decision: str = "continue", by: str = "asih", **more: Any) -> Self:
        """The assessor reviews FR.APL.02."""
        return self.answers(by, self._next("assessment_review"), decision=decision, **more)

    def planned(self, units: Sequence[str] = UNITS, by: str = "asih") -> Self:
        """FR.MAPA.01 and FR.MAPA.02."""
        rows = [{"code": code, "instruments": ["FR.IA.01", "FR.IA.07"]} for code in units]
        return self.answers(by, self._next("plan"), context="Uji di TUK dengan demonstrasi", units=rows)

    def agrees(self, by: str = "asih", **changes: Any) -> Self:
        """FR.AK.01, signed by both: by the candidate on paper, which an officer takes at the counter."""
        data = {"agrees": True, "keeps_secret": True, "paper": EVIDENCE, **changes}
        self._fills_in("agreement", by="budi" if data["paper"] else None, **data)
        return self.answers(by, self._next("assessor_agreement"), explained=True, impartial=True)

    def tested(self, units: Sequence[str] = UNITS, by: str = "asih", **changes: Any) -> Self:
        """The test is held, on the day that was planned."""
        instrument = changes.pop("instrument", "FR.IA.01")
        record = {"instrument": instrument, "units": list(units), "finding": "sesuai standar", "file": EVIDENCE}
        data = {"decision": "held", "tested_on": "2026-01-20", "records": [record], **changes}
        return self.answers(by, self._next("test_record"), **data)

    def recorded(self, units: Sequence[str] = UNITS, failed: Sequence[str] = (), by: str = "asih", **more: Any) -> Self:
        """FR.AK.02."""
        data = {"decision": "not_yet_competent" if failed else "competent", "units": results(units, failed), **more}
        return self.answers(by, self._next("assessment_record"), **data)

    def says(self, **changes: Any) -> Self:
        """FR.AK.03."""
        data = {"explained": True, "fair": True, "told_result": True, "note": "baik", **changes}
        return self._fills_in("feedback", **data)

    def reported(self, by: str = "asih", **changes: Any) -> Self:
        """FR.AK.05 and FR.AK.06."""
        data = {"positive": "asesi siap", "followed_principles": True, **changes}
        return self.answers(by, self._next("assessment_report"), **data)

    def responds(self, decision: str = "accept", **more: Any) -> Self:
        """The candidate accepts, or appeals."""
        return self._fills_in("result_response", decision=decision, **more)

    def seated(self, question: str = "plenary_seats", **data: Any) -> Self:
        """The officer takes those who are proposed, or names others."""
        return self.answers("lia", self._next(question), **data)

    def voted(self, *votes: str, question: str = "plenary_vote", **more: Any) -> Self:
        """Each member votes, in the order in which they were asked."""
        for vote in votes:
            wait = next(one for one in self.shown()["waiting_for"] if one["question"].split("#")[0] == question)
            data = {"decision": vote, **({} if vote == "competent" else {"reason": "lihat rekaman"}), **more}
            if vote == "not_yet_competent":
                data.setdefault("units", [UNITS[0]])
            self.answers(wait["holder"], wait["question"], **data)
        return self

    def numbered(self, number: str = NUMBER, **changes: Any) -> Self:
        """BNSP numbered the blank."""
        data = {"registration_number": "LSP.0001.00001 2026", "issued_on": "2026-02-10", **changes}
        data |= {"source": "SI-LSP", "evidence": EVIDENCE, "certificate_number": number}
        return self.answers("lia", self._next("certificate_blank"), **data)

    def to_schedule(self, **changes: Any) -> Self:
        """Take the usual way up to the schedule."""
        return self.applies(**changes).checked().claims()

    def to_test(self, **changes: Any) -> Self:
        """Take the usual way up to the morning of the test."""
        return self.to_schedule(**changes).scheduled().reviewed().planned().agrees().on("2026-01-20")

    def to_response(self, failed: Sequence[str] = (), **changes: Any) -> Self:
        """Take the usual way up to the candidate's answer to the result."""
        return self.to_test(**changes).tested().recorded(failed=failed).says().reported()

    def to_vote(self, failed: Sequence[str] = (), **changes: Any) -> Self:
        """Take the usual way up to the plenary."""
        return self.to_response(failed, **changes).responds().seated()

    def _fills_in(self, question: str, by: str | None = None, **data: Any) -> Self:
        return self.answers(by or self.candidate, self._next(question), **data)

    def _next(self, question: str) -> str:
        keys = [key for key in self.waits_for if key.split("#")[0] == question]
        return keys[0] if keys else f"{question}#1"


def results(units: Sequence[str] = UNITS, failed: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the lines of FR.AK.02: K on good evidence, BK with its follow-up."""
    good = {"result": "competent", "valid": True, "authentic": True, "current": True, "sufficient": True}
    bad = {"result": "not_yet_competent", "note": "berlatih lagi"}
    return [{"code": code, **(bad if code in failed else good)} for code in units]


def hire_lsp(office: Office) -> dict[str, int]:
    """Give the LSP an officer, five certified assessors and five members of the plenary; return their persons."""
    hire_staff(office)
    add_user(office, "lia", ["lsp_officer"])
    people = {}
    for place, name in enumerate((*ASSESSORS, *PLENARY), start=1):
        role, what = ("assessor", ("assessor", "assessor:ukm")) if name in ASSESSORS else ("plenary", ())
        national_id = f"350816410190{place:04d}"
        people[name] = hire_certified(office, name, role, national_id, *what, until=date(2027, 12, 31))
    return people


Begin = Callable[..., CompetencyStory]


@pytest.fixture
def lsp(office: Office) -> dict[str, int]:
    """The LSP's people, by account."""
    return hire_lsp(office)


@pytest.fixture
def begin(office: Office, clock: TurnedClock, lsp: dict[str, int], request: pytest.FixtureRequest) -> Iterator[Begin]:
    """Begin stories; afterwards each is held to what its mark says it tells."""
    stories: list[CompetencyStory] = []
    serial = count(1)

    def start(certificate: str = "", until: str = "2026-03-31", **about: Any) -> CompetencyStory:
        national_id = NIK if not stories else f"350816690495{next(serial):04d}"
        person = register_person(office, national_id, **about)
        if certificate:
            record_certificate(
                office,
                person,
                "companion",
                certificate,
                since=date(2023, 4, 1),
                until=date.fromisoformat(until),
                source="BNSP",
                evidence=EVIDENCE,
                by="admin",
            )
        stories.append(CompetencyStory(office, clock, "lsp-competency-test", person))
        return stories[-1]

    yield start
    hold_to_its_word(request, stories)


def refused(story: CompetencyStory, act: str, *given: Any, **data: Any) -> str:
    """Do what can't be taken; return what people are told, the case still waiting for the same."""
    before = story.waits_for
    with pytest.raises(BadAnswer) as told:
        getattr(story, act)(*given, **data)
    assert story.waits_for == before
    return told.value.for_people
